/** A sum of costs and how much of it is known. Unknown is not zero, so a missing part is stated. */
import { Unpriced } from "@/components/unpriced";
import type { SpendView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";

export function Spend({ spend: { cost_nano_usd: cost, requests, unpriced_requests: unpriced } }: { spend: SpendView }) {
  if (unpriced === 0) return formatMoney(cost);
  if (unpriced === requests && cost === 0) return <Unpriced />;
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

/** The sort value of a sum: entirely unknown costs come after every amount. A request may be priced in part. */
export function spendValue({ cost_nano_usd: cost, requests, unpriced_requests: unpriced }: SpendView): number | null {
  return requests > 0 && unpriced === requests && cost === 0 ? null : cost;
}
