/** The cost of today, of this month as expected, and of the last week. */
import { MonthForecast } from "@/features/overview/month-forecast";
import { PlanWindows } from "@/features/overview/plan-windows";
import { Card } from "@/components/layout/card";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { amountText, isNothing, spendText } from "@/lib/cost-sum";
import { Unpriced } from "@/components/text/unpriced";
import type { SpendView, UsageView } from "@/ipc/bindings";
import { useUsage } from "@/ipc/queries";
import { RateNote } from "@/connected/rate-note";
import { formatCounted } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";

export function SpendCard({ spend }: { spend: SpendView }) {
  const week = useUsage({ range: "last_week", group_by: "backend", zone: "local" });
  // The last bar of the week is today's.
  const start = week.data?.buckets.at(-1)?.start;
  const today = start === undefined ? {} : { since: start };
  return (
    <Card
      title="Spend today"
      note={<RateNote />}
      action={
        <PanelLink path="/usage" className="text-12">
          Usage
        </PanelLink>
      }
    >
      <div className="flex flex-wrap items-center gap-x-4">
        <p className="text-32 leading-10 font-semibold tracking-[-0.02em]">{amountText(spend)}</p>
        <p className="flex flex-col text-12 text-ink-2">
          <PanelLink look="plain" path={requestsPath(today)}>
            {formatCounted(spend.requests, "request", "requests")}
          </PanelLink>
          {spend.unpriced_requests > 0 && (
            <PanelLink look="plain" path={requestsPath({ ...today, unpriced: true })}>
              <Unpriced requests={spend.unpriced_requests} />
            </PanelLink>
          )}
        </p>
      </div>
      <div className="mt-2">
        <MonthForecast />
      </div>
      <PlanWindows />
      <div className="mt-2 border-t border-line pt-2.5">
        <Reading of={week} skeleton={<Skeleton className="h-[68px]" />}>
          {(usage) => <Week usage={usage} />}
        </Reading>
      </div>
    </Card>
  );
}

/** Seven bars, one a day, relative to the most expensive day. */
function Week({ usage }: { usage: UsageView }) {
  const heights = usage.buckets.map((bucket) => bucket.total.cost_nano_usd);
  const highest = Math.max(1, ...heights);
  return (
    <figure>
      <figcaption className="mb-2 truncate text-12 text-ink-2" title={usage.finding}>
        7 days: {usage.finding}
      </figcaption>
      <ol aria-label="The last 7 days" className="grid grid-cols-7 items-end gap-1.5">
        {usage.buckets.map((bucket, index) => (
          <li
            key={bucket.start}
            className="flex flex-col items-center gap-1 text-11 text-ink-3"
            title={`${bucket.label}: ${isNothing(bucket.total) ? "no requests" : spendText(bucket.total)}`}
          >
            <span className="flex h-6 w-full items-end justify-center">
              {bucket.total.is_cost_unknown ? (
                <span className="text-12 text-warn">?</span>
              ) : (
                <span
                  data-mark
                  className={
                    index === usage.buckets.length - 1
                      ? "w-full rounded-t-[2px] bg-accent"
                      : "w-full rounded-t-[2px] bg-line-strong/60"
                  }
                  style={{ height: `${Math.max(((heights[index] ?? 0) / highest) * 100, 3)}%` }}
                />
              )}
            </span>
            {bucket.label.split(" ")[0]}
          </li>
        ))}
      </ol>
    </figure>
  );
}
