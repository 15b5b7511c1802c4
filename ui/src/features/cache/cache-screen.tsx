/** What the cache saved, what it contains, and why requests bypassed it. */
import { Lightbulb } from "lucide-react";
import { Bypasses } from "@/features/cache/bypasses";
import { PurgeButton } from "@/features/cache/purge";
import { Tiers } from "@/features/cache/tiers";
import { Choice } from "@/components/form/choice";
import { Figure } from "@/components/text/figure";
import { Notice } from "@/components/notice/notice";
import { Page } from "@/components/layout/page";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { UsageTabs } from "@/components/layout/usage-tabs";
import type { CacheView, UsageRange } from "@/ipc/bindings";
import { useCache } from "@/ipc/route-queries";
import { classNames } from "@/lib/class-names";
import { formatMoney } from "@/lib/money";
import { formatCount, formatDuration } from "@/lib/quantity";
import { formatPercent } from "@/lib/percent";

const RANGES = [
  { value: "today", label: "Today" },
  { value: "last_day", label: "24 h" },
  { value: "last_week", label: "7 days" },
  { value: "last_month", label: "30 days" },
] as const satisfies { value: UsageRange; label: string }[];

interface CacheScreenProps {
  range: UsageRange;
  onRange: (range: UsageRange) => void;
}

export function CacheScreen({ range, onRange }: CacheScreenProps) {
  const cache = useCache({ range, zone: "local" });
  return (
    <Page title="Usage" lead={cache.data?.sentence} actions={<PurgeButton />}>
      <UsageTabs current="cache" />
      <div className="flex flex-wrap items-center gap-2">
        <Choice label="Period" options={RANGES} value={range} onChange={onRange} />
      </div>
      <Reading of={cache} skeleton={<CacheSkeleton />}>
        {(data) => (
          <div
            aria-busy={cache.isPlaceholderData}
            className={classNames("flex flex-col gap-4", cache.isPlaceholderData && "opacity-60")}
          >
            {!data.enabled && (
              <Notice
                tone="info"
                title="The cache is off."
                action={
                  <PanelLink path="/settings?part=Cache" className="self-center text-12">
                    Settings
                  </PanelLink>
                }
              >
                Every request goes to a provider and is billed, even repeated ones.
              </Notice>
            )}
            <Savings cache={data} />
            {data.advice !== null && <Advice advice={data.advice} />}
            <div className="grid gap-4 @min-[820px]:grid-cols-2">
              <Tiers tiers={data.tiers} ttlSecs={data.ttl_secs} />
              <Bypasses all={data.bypasses} />
            </div>
          </div>
        )}
      </Reading>
    </Page>
  );
}

function Savings({ cache }: { cache: CacheView }) {
  const { eligible, hits, joined, hit_percent: rate } = cache;
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-card border border-line bg-line @min-[560px]:grid-cols-[1.5fr_1fr_1fr]">
      <div className="col-span-2 flex flex-col bg-surface-1 px-4 py-3 @min-[560px]:col-span-1">
        <dt className="flex h-6 items-center text-12 text-ink-3">Served from cache</dt>
        <dd className="text-24 leading-8 font-semibold tracking-[-0.02em]">{formatPercent(rate)}</dd>
        <dd aria-hidden className="mt-1 h-1.5 overflow-hidden rounded-full bg-surface-3">
          <span data-mark className="block h-full bg-accent" style={{ width: `${rate ?? 0}%` }} />
        </dd>
        <dd className="mt-1.5 truncate text-12 text-ink-2">
          {eligible === 0
            ? "no cacheable requests"
            : `${formatCount(hits)} of ${formatCount(eligible)} cacheable; ${formatCount(joined)} joined in flight`}
        </dd>
      </div>
      <Figure name="Money saved" value={formatMoney(cache.saved_nano_usd)} note="at the price of the first response" />
      <Figure
        name="Time saved"
        value={cache.saved_ms === 0 ? "–" : formatDuration(cache.saved_ms)}
        note="total waiting time avoided"
      />
    </dl>
  );
}

function Advice({ advice }: { advice: string }) {
  return (
    <p className="flex items-start gap-2.5 rounded-control border border-line bg-surface-1 px-3 py-2.5 text-ink-2">
      <Lightbulb size={16} strokeWidth={1.5} aria-hidden className="mt-px shrink-0 text-accent" />
      <span className="text-pretty">{advice}</span>
    </p>
  );
}

function CacheSkeleton() {
  return (
    <div role="status" aria-label="Loading cache" className="flex flex-col gap-4">
      <Skeleton className="h-[104px] rounded-card" />
      <Skeleton className="h-[220px] rounded-card" />
    </div>
  );
}
