/** A sum of costs and how much of it is known. Unknown is not zero, so a missing part is stated. */
import { Unpriced } from "@/components/unpriced";
import type { SpendView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";

/** What a sum is judged by: every view of totals has it. */
type Sum = Pick<SpendView, "cost_nano_usd" | "requests" | "unpriced_requests">;
/** A part of a bar does not say how much of it is known. */
type SumOrPart = Omit<Sum, "unpriced_requests"> & Partial<Sum>;

/** True if nothing is known of what was spent. A request may be priced in part, and a model that only failed
 * attempts were made at has unpriced ones without an answer. */
export function isWhollyUnpriced({ cost_nano_usd: cost, requests, unpriced_requests: unpriced }: Sum): boolean {
  return unpriced > 0 && requests <= unpriced && cost === 0;
}

/** True if there is nothing to show. A name of which only failed attempts cost money has a cost and no request. */
export function isNothing({ cost_nano_usd: cost, requests, unpriced_requests: unpriced = 0 }: SumOrPart): boolean {
  return requests === 0 && cost === 0 && unpriced === 0;
}

export function Spend({ spend }: { spend: SpendView }) {
  const { cost_nano_usd: cost, unpriced_requests: unpriced } = spend;
  if (unpriced === 0) return formatMoney(cost);
  if (isWhollyUnpriced(spend)) return <Unpriced />;
  const missing = `excludes ${formatCounted(unpriced, "unpriced request", "unpriced requests")}`;
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
