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

/** A cost that may be unknown. */
type Amount = Pick<CostSum, "cost_nano_usd" | "is_cost_unknown">;

/** `$4.10`, or the word for an unknown cost. */
export function amountText(amount: Amount, word = UNPRICED): string {
  return amount.is_cost_unknown ? word : formatMoney(amount.cost_nano_usd);
}

/** `$4.10`, `$4.10 + 2 unpriced`, `unpriced`: for charts and sentences, where no mark can stand. */
export function spendText(sum: CostSum, word = UNPRICED): string {
  const { is_cost_unknown: isUnknown, unpriced_requests: unpriced } = sum;
  const amount = amountText(sum, word);
  return isUnknown || unpriced === 0 ? amount : `${amount} + ${formatCount(unpriced)} ${word}`;
}

/** The value to sort by, which puts unknown costs after every amount, and the cell of a file, where they are empty. */
export function spendValue(amount: Amount): number | null {
  return amount.is_cost_unknown ? null : amount.cost_nano_usd;
}
