/** A sum of costs and how much of it is known. Unknown is not zero, so a missing part is stated. */
import { Unpriced } from "@/components/unpriced";
import type { SpendView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { formatCount, formatCounted } from "@/lib/quantity";

/** What every view of a sum has. Whether nothing of it is known says the core. */
export type CostSum = SpendView;

/** True if there is nothing to show. A name of which only failed attempts cost money has a cost and no request. */
export function isNothing(sum: CostSum): boolean {
  const { cost_nano_usd: cost, requests, unpriced_requests: unpriced, is_cost_unknown: isUnknown } = sum;
  return requests === 0 && cost === 0 && unpriced === 0 && !isUnknown;
}

const UNPRICED = "unpriced";

/** `$4.10`, `$4.10 + 2 unpriced`, `unpriced`: for charts and sentences, where no mark can stand. */
export function spendText(sum: CostSum, word = UNPRICED): string {
  const { cost_nano_usd: cost, unpriced_requests: unpriced } = sum;
  if (sum.is_cost_unknown) return word;
  return unpriced === 0 ? formatMoney(cost) : `${formatMoney(cost)} + ${formatCount(unpriced)} ${word}`;
}

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

/** The sort value of a sum: entirely unknown costs come after every amount. */
export function spendValue(spend: CostSum): number | null {
  return spend.is_cost_unknown ? null : spend.cost_nano_usd;
}
