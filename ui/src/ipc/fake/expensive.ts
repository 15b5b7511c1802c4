import type { CostStepView, RequestView, UsageExpensiveView, UsagePeriodQuery } from "@/ipc/bindings";
import { isWanted, startsOf } from "@/ipc/fake/traffic";

const LISTED_MAX = 20;
/** Where steps start, in nano-dollars. */
const STARTS = [0, ...[5, 6, 7, 8, 9, 10, 11, 12].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power))];

function dollars(nanos: number): string {
  const amount = nanos / 1_000_000_000;
  return `$${amount.toFixed(amount >= 0.01 ? 2 : 4)}`;
}

const costOf = (requests: RequestView[]) => requests.reduce((sum, request) => sum + (request.cost_nano_usd ?? 0), 0);

const used = (step: CostStepView) => step.requests > 0;

function stepsOf(requests: RequestView[]): CostStepView[] {
  const steps = STARTS.map((from, index) => {
    const to = STARTS[index + 1] ?? 10 ** 13;
    const inside = requests.filter(({ cost_nano_usd: cost }) => cost !== null && cost >= from && cost < to);
    return {
      from_nano_usd: from,
      to_nano_usd: to,
      label: from === 0 ? `below ${dollars(to)}` : `${dollars(from)} to ${dollars(to)}`,
      requests: inside.length,
      cost_nano_usd: costOf(inside),
    };
  });
  return steps.slice(Math.max(steps.findIndex(used), 0), steps.findLastIndex(used) + 1);
}

export function expensiveOf(requests: RequestView[], query: UsagePeriodQuery, clock: number): UsageExpensiveView {
  const now = Math.min(clock, query.to ?? clock);
  const from = startsOf(query, now).starts[0] ?? now;
  const priced = requests
    .filter((request) => isWanted(request, query.filter) && request.started_at >= from && request.started_at < now)
    .filter((request) => (request.cost_nano_usd ?? 0) > 0)
    .toSorted((left, right) => (right.cost_nano_usd ?? 0) - (left.cost_nano_usd ?? 0));
  const [listed, cost] = [priced.slice(0, LISTED_MAX), costOf(priced)];
  const share = cost === 0 ? 0 : Math.round((costOf(listed) * 100) / cost);
  return {
    from,
    to: now,
    finding:
      cost === 0
        ? "No request with a cost in this period"
        : `The ${listed.length} most expensive of ${priced.length.toLocaleString("en-US")} requests: ${share} % of ${dollars(cost)}`,
    cost_nano_usd: cost,
    priced_requests: priced.length,
    requests: listed,
    histogram: stepsOf(priced),
  };
}
