/** How a difference between costs is shown, and of which days. */
import { formatMoney } from "@/lib/money";
import { formatPercent } from "@/lib/percent";

export const DRIFT_DAYS = 30;

interface DifferenceProps {
  of: { difference_nano_usd: number | null; difference_percent: number | null; is_marked: boolean };
}

export function Difference({ of }: DifferenceProps) {
  const { difference_nano_usd: nano, difference_percent: percent, is_marked: isMarked } = of;
  if (nano === null) return "–";
  return (
    <span className={isMarked ? "text-warn" : undefined} title={formatMoney(nano)}>
      {percent === null ? formatMoney(nano) : formatPercent(percent)}
      {isMarked && <span className="sr-only">, more than expected</span>}
    </span>
  );
}
