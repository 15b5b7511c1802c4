/** How a difference between costs is shown, and of which days. */
import { formatMoney } from "@/lib/money";

export const DRIFT_DAYS = 30;

/** Above it a difference is worth a look: a computed cost is to be within half a percent of the bill. */
const EXPECTED_PERCENT = 0.5;

export function isLarge(percent: number | null): boolean {
  return percent !== null && Math.abs(percent) > EXPECTED_PERCENT;
}

export function Difference({ nano, percent }: { nano: number | null; percent: number | null }) {
  if (nano === null) return "–";
  return (
    <span className={isLarge(percent) ? "text-warn" : undefined} title={formatMoney(nano)}>
      {percent === null ? formatMoney(nano) : `${percent} %`}
    </span>
  );
}
