/** A sum of costs and how much of it is known. Unknown is not zero, so a missing part is stated. */
import type { SpendView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { formatCount } from "@/lib/quantity";

/** What every view of a sum has. Whether nothing of it is known says the core. */
export type CostSum = SpendView;

/** True if there is nothing to show. A name of which only failed attempts cost money has a cost and no request. */
export function isNothing(sum: CostSum): boolean {
  const { cost_nano_usd: cost, requests, unpriced_requests: unpriced, is_cost_unknown: isUnknown } = sum;
  return requests === 0 && cost === 0 && unpriced === 0 && !isUnknown;
}

export const UNPRICED = "unpriced";

/** `$4.10`, `$4.10 + 2 unpriced`, `unpriced`: for charts and sentences, where no mark can stand. */
export function spendText(sum: CostSum, word = UNPRICED): string {
  const { cost_nano_usd: cost, unpriced_requests: unpriced } = sum;
  if (sum.is_cost_unknown) return word;
  return unpriced === 0 ? formatMoney(cost) : `${formatMoney(cost)} + ${formatCount(unpriced)} ${word}`;
}

/** The sort value of a sum: entirely unknown costs come after every amount. */
export function spendValue(spend: CostSum): number | null {
  return spend.is_cost_unknown ? null : spend.cost_nano_usd;
}
