/** A sum of costs and how much of it is known. Unknown is not zero, so a missing part is stated. */
import { Unpriced } from "@/components/unpriced";
import type { SpendView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";

/** What a sum is judged by: every view of totals has it. */
type Sum = Pick<SpendView, "cost_nano_usd" | "requests" | "unpriced_requests">;

/** True if there were requests and nothing of their cost is known. A request may be priced in part. */
export function isWhollyUnpriced({ cost_nano_usd: cost, requests, unpriced_requests: unpriced }: Sum): boolean {
  return requests > 0 && unpriced === requests && cost === 0;
}

/** True if there is nothing to show. A name of which only failed attempts cost money has a cost and no request. */
export function isNothing({ cost_nano_usd: cost, requests }: Pick<Sum, "cost_nano_usd" | "requests">): boolean {
  return requests === 0 && cost === 0;
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
