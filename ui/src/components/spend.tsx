/** A sum of costs, with a mark where it leaves something out. */
import { Unpriced } from "@/components/unpriced";
import { UNPRICED, type CostSum } from "@/lib/cost-sum";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";

interface SpendProps {
  spend: CostSum;
  /** What requests are called that have no cost here, where the sum is not of all known costs. */
  word?: string;
  /** What was summed up, where these are no requests. */
  counted?: readonly [one: string, many: string];
}

export function Spend({ spend, word = UNPRICED, counted = ["request", "requests"] }: SpendProps) {
  const { cost_nano_usd: cost, unpriced_requests: unpriced } = spend;
  if (spend.is_cost_unknown)
    return word === UNPRICED ? <Unpriced /> : <span className="whitespace-nowrap text-ink-3">{word}</span>;
  if (unpriced === 0) return formatMoney(cost);
  const [one, many] = counted;
  return (
    <Partly missing={`excludes ${formatCounted(unpriced, `${word} ${one}`, `${word} ${many}`)}`}>
      {formatMoney(cost)}
    </Partly>
  );
}

/** An amount that leaves something out. */
export function Partly({ missing, children }: { missing: string; children: string }) {
  return (
    <span title={missing} className="whitespace-nowrap">
      {children}
      <span className="text-warn" aria-hidden>
        {" +?"}
      </span>
      <span className="sr-only">, {missing}</span>
    </span>
  );
}
