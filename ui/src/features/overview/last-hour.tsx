/** What goes through the gateway now: the last hour by minute, what failed, and what the cache served. */
import type { ReactNode } from "react";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { Sparkline } from "@/components/chart/sparkline";
import type { UsageRecentView } from "@/ipc/bindings";
import { useUsageRecent } from "@/ipc/usage-queries";
import { formatPercent } from "@/lib/percent";
import { formatCount, formatCounted, formatCountShort } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";

export function LastHour() {
  const recent = useUsageRecent();
  return (
    <section aria-label="Last hour" className="rounded-card border border-line bg-surface-1 px-4 py-2.5">
      <Reading of={recent} skeleton={<Skeleton className="h-8" />}>
        {(view) => <Figures recent={view} />}
      </Reading>
    </section>
  );
}

function Figures({ recent }: { recent: UsageRecentView }) {
  const { from: since, requests, failed, failures, minutes } = recent;
  const most = failures[0];
  return (
    <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
      <div className="flex min-w-40 flex-[6] items-center gap-4">
        <PanelLink
          look="none"
          path={requestsPath({ since })}
          className="shrink-0 rounded-mark text-13 font-semibold hover:underline"
        >
          Last hour
        </PanelLink>
        <div className="min-w-0 flex-1">
          <Sparkline
            height={24}
            values={minutes.map((minute) => minute.requests)}
            failed={minutes.map((minute) => minute.failed)}
            label={`By minute: ${recent.finding}`}
          />
        </div>
      </div>
      <div className="flex flex-auto justify-between gap-x-5">
        <Figure name="requests / min" value={formatRate(recent.requests_per_minute)} title="Of the last 5 minutes" />
        <Figure
          name="tokens / min"
          value={formatCountShort(recent.tokens_per_minute)}
          title={`${formatCount(recent.tokens_per_minute)} in the last 5 minutes, a minute`}
        />
        <Figure
          name={
            <>
              complete
              {failed > 0 && (
                <>
                  {" · "}
                  <PanelLink
                    look="none"
                    path={requestsPath({ since, ...(most && { failure: most.class }) })}
                    className="rounded-mark text-bad underline underline-offset-2"
                  >
                    {formatCount(failed)} failed
                  </PanelLink>
                </>
              )}
            </>
          }
          value={requests === 0 ? "–" : formatPercent(recent.complete_percent)}
          title={recent.finding}
        />
        <Figure
          name="from cache"
          value={formatPercent(recent.cache_percent)}
          title={`Of ${formatCounted(recent.cache_eligible, "request that", "requests that")} looked into the cache`}
        />
      </div>
    </div>
  );
}

function Figure({ name, value, title }: { name: ReactNode; value: string; title: string }) {
  return (
    <p className="flex flex-col text-right leading-4 whitespace-nowrap" title={title}>
      <span className="text-15 font-semibold">{value}</span>
      <span className="text-11 text-ink-3">{name}</span>
    </p>
  );
}

/** `2.4`, `120`. */
function formatRate(rate: number | null): string {
  if (rate === null) return "–";
  return rate === 0 || rate >= 10 ? formatCount(rate) : rate.toFixed(1);
}
