/** Where this month will end, beside the cost so far. */
import type { UsageForecastView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { formatCount } from "@/lib/quantity";
import { formatPercent } from "@/lib/percent";

interface ForecastFigureProps {
  forecast: UsageForecastView;
  /** True beside a sum on another basis: the forecast is of all known costs. */
  isBasisOther: boolean;
}

export function ForecastFigure({ forecast, isBasisOther }: ForecastFigureProps) {
  const { unpriced_requests: unpriced } = forecast;
  const { expected_nano_usd: expected, low_nano_usd: low, high_nano_usd: high, spent_nano_usd: spent } = forecast;
  return (
    <section aria-label="This month" className="flex min-w-0 flex-col bg-surface-1 px-4 py-3">
      <h2 className="flex h-6 items-center text-12 text-ink-3">
        Expected this month{isBasisOther && ", of all known costs"}
      </h2>
      {forecast.method === "none" ? (
        <p className="mt-1 text-ink-2">Nothing was spent this month, so there is nothing to expect yet.</p>
      ) : (
        <>
          <p className="pt-[3px] -mb-[3px] text-24 leading-10 font-semibold tracking-[-0.02em]">
            {formatMoney(expected)}
          </p>
          <p className="text-12 text-ink-2">
            {low === high ? "no range yet" : `${formatMoney(low)} to ${formatMoney(high)}, 8 times of 10`}
          </p>
          <p className="mt-auto flex flex-wrap gap-x-3 pt-2 text-12 text-ink-2">
            <span>{formatMoney(spent)} so far</span>
            {unpriced > 0 && <span className="text-warn">excludes {formatCount(unpriced)} unpriced</span>}
            <span className={forecast.is_confident ? "text-ink-3" : "text-warn"}>{confidenceOf(forecast)}</span>
          </p>
        </>
      )}
    </section>
  );
}

function confidenceOf({ is_confident: isConfident, back_test: test, active_days: days }: UsageForecastView): string {
  if (!isConfident) return `run rate of ${days} days, low confidence`;
  const error = test?.error_percent ?? null;
  return error === null ? `learnt from ${days} days` : `off by ${formatPercent(error)} in earlier months`;
}
