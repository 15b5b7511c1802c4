/** A sum of costs, with a mark where it leaves something out. */
import { Unpriced } from "@/components/text/unpriced";
import { UNPRICED, type CostSum } from "@/lib/cost-sum";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";

interface MissingWords {
  /** What requests are called that have no cost here, where the sum is not of all known costs. */
  word?: string;
  /** What was summed up, where these are no requests. */
  counted?: readonly [one: string, many: string] | undefined;
}

interface SpendProps extends MissingWords {
  spend: CostSum;
}

export function Spend({ spend, word = UNPRICED, counted }: SpendProps) {
  if (spend.is_cost_unknown)
    return word === UNPRICED ? <Unpriced /> : <span className="whitespace-nowrap text-ink-3">{word}</span>;
  return (
    <Partly unpriced={spend.unpriced_requests} word={word} counted={counted}>
      {formatMoney(spend.cost_nano_usd)}
    </Partly>
  );
}

interface PartlyProps extends MissingWords {
  unpriced: number;
  children: string;
}

/** An amount, with a mark if it leaves something out. */
export function Partly({ unpriced, word = UNPRICED, counted = ["request", "requests"], children }: PartlyProps) {
  if (unpriced === 0) return children;
  const [one, many] = counted;
  const missing = `excludes ${formatCounted(unpriced, `${word} ${one}`, `${word} ${many}`)}`;
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
