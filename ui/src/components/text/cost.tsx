/** The cost of one request, visibly exact, estimated or unknown. */
import { Estimated } from "@/components/text/estimated";
import { Unpriced } from "@/components/text/unpriced";
import type { CostBasisView, NanoDollars } from "@/ipc/bindings";
import { formatMoneyFine } from "@/lib/money";

export function Cost({ cost, basis }: { cost: NanoDollars | null; basis: CostBasisView }) {
  if (cost === null) return <Unpriced />;
  if (basis === "not_billed") return <span className="whitespace-nowrap text-ink-3">not billed</span>;
  return basis === "estimated" ? <Estimated>{formatMoneyFine(cost)}</Estimated> : formatMoneyFine(cost);
}
