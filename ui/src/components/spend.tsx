/** A sum of costs and how much of it is known. Unknown is not zero, so a missing part is stated. */
import { Unpriced } from "@/components/unpriced";
import type { SpendView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";

/** What a sum is judged by: every view of totals has it. */
type Sum = Pick<SpendView, "cost_nano_usd" | "requests" | "unpriced_requests"> & {
  /** Where the core says so, as it does of the costs on one basis. */
  is_cost_unknown?: boolean;
};
/** A part of a bar does not say how much of it is known. */
type SumOrPart = Omit<Sum, "unpriced_requests"> & Partial<Sum>;

/** True if nothing is known of what was spent. A request may be priced in part, and a model that only failed
 * attempts were made at has unpriced ones without an answer. */
export function isWhollyUnpriced(sum: Sum): boolean {
  const { cost_nano_usd: cost, requests, unpriced_requests: unpriced } = sum;
  return sum.is_cost_unknown ?? (unpriced > 0 && requests <= unpriced && cost === 0);
}

/** True if there is nothing to show. A name of which only failed attempts cost money has a cost and no request. */
export function isNothing(sum: SumOrPart): boolean {
  const { cost_nano_usd: cost, requests, unpriced_requests: unpriced = 0, is_cost_unknown: isUnknown = false } = sum;
  return requests === 0 && cost === 0 && unpriced === 0 && !isUnknown;
}

interface SpendProps {
  spend: Sum;
  /** What requests are called that have no cost here, where the sum is not of all known costs. */
  word?: string;
}

const UNPRICED = "unpriced";

export function Spend({ spend, word = UNPRICED }: SpendProps) {
  const { cost_nano_usd: cost, unpriced_requests: unpriced } = spend;
  if (isWhollyUnpriced(spend))
    return word === UNPRICED ? <Unpriced /> : <span className="whitespace-nowrap text-ink-3">{word}</span>;
  if (unpriced === 0) return formatMoney(cost);
  const missing = `excludes ${formatCounted(unpriced, `${word} request`, `${word} requests`)}`;
  return (
    <span title={missing} className="whitespace-nowrap">
      {formatMoney(cost)}
      <span className="text-warn" aria-hidden>
        {" +?"}
      </span>
      <span className="sr-only">, {missing}</span>
    </span>
  );
}

/** The sort value of a sum: entirely unknown costs come after every amount. */
export function spendValue(spend: Sum): number | null {
  return isWhollyUnpriced(spend) ? null : spend.cost_nano_usd;
}
