/** Marks an unknown cost, which is never zero. */
import { TriangleAlert } from "lucide-react";
import { UNPRICED } from "@/lib/cost-sum";
import { formatCounted } from "@/lib/quantity";

export function Unpriced({ requests }: { requests?: number }) {
  return (
    <span
      className="marked gap-1 text-warn"
      title="The usage or the price is unknown, so the cost is not included in totals."
    >
      <TriangleAlert size={12} strokeWidth={1.75} aria-hidden />
      {requests === undefined ? UNPRICED : `${formatCounted(requests, "request", "requests")} ${UNPRICED}`}
    </span>
  );
}
