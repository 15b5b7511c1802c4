/** Where this month's spending will end: spent so far, and the range of the end. */
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import type { UsageForecastView } from "@/ipc/bindings";
import { useUsageForecast } from "@/ipc/usage-queries";
import { formatMoney } from "@/lib/money";
import { formatCount } from "@/lib/quantity";

export function MonthForecast() {
  const forecast = useUsageForecast({ zone: "local" });
  return (
    <Reading of={forecast} skeleton={<Skeleton className="h-[30px]" />}>
      {(data) => <Forecast forecast={data} />}
    </Reading>
  );
}

function Forecast({ forecast }: { forecast: UsageForecastView }) {
  const { finding, spent_nano_usd: spent, expected_nano_usd: expected, is_confident: isConfident } = forecast;
  const { low_nano_usd: low, high_nano_usd: high } = forecast;
  const isNothing = forecast.method === "none";
  const unpriced = forecast.unpriced_requests;
  // What is left out counts more than the range, which stands in the title too.
  const range = isConfident ? `${formatMoney(low)} to ${formatMoney(high)}` : "low confidence";
  const share = (amount: number) => `${(amount / Math.max(high, 1)) * 100}%`;
  return (
    <figure className="min-h-[30px]" title={`${formatMoney(spent)} spent so far this month. ${finding}.`}>
      <figcaption className="mb-1.5 flex items-baseline gap-2 text-12 text-ink-2">
        <PanelLink look="plain" path="/usage?range=last_month" className="min-w-0 flex-1 truncate">
          {isNothing
            ? "Nothing was spent this month"
            : `This month: ${isConfident ? "about" : "perhaps"} ${formatMoney(expected)}`}
        </PanelLink>
        {unpriced > 0 ? (
          <span className="whitespace-nowrap text-warn">excludes {formatCount(unpriced)} unpriced</span>
        ) : (
          !isNothing && <span className="whitespace-nowrap text-ink-3">{range}</span>
        )}
      </figcaption>
      <div aria-hidden className="relative h-1.5 overflow-hidden rounded-full bg-surface-3">
        <span
          data-mark
          className="absolute inset-y-0 bg-line-strong/60"
          style={{ left: share(low), width: share(high - low) }}
        />
        <span data-mark className="absolute inset-y-0 left-0 rounded-full bg-accent" style={{ width: share(spent) }} />
      </div>
    </figure>
  );
}
