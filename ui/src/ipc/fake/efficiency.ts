import type {
  RequestView,
  UsageEfficiencyView,
  UsagePeriodQuery,
  UsageSavingView,
  UsageTotalsView,
  UsageWasteView,
  WasteKind,
} from "@/ipc/bindings";
import { isUnknown } from "@/ipc/fake/basis";
import { groupKey, isWanted, spendOf, startsOf, totalsOf } from "@/ipc/fake/traffic";
import { wastedAmong } from "@/ipc/fake/waste";
import { groupBy } from "@/lib/group";

/** Time that an answer of the cache saves. */
const SAVED_MS = 2_300;

function savingOf([key, own]: [string, RequestView[]]): UsageSavingView {
  const { saved_nano_usd, cache_hits, cache_misses } = totalsOf(own);
  const eligible = cache_hits + cache_misses;
  return {
    kind: "named",
    key,
    label: key,
    saved_nano_usd,
    hits: cache_hits,
    eligible_requests: eligible,
    saved_ms: cache_hits * SAVED_MS,
  };
}

function savingsOf(requests: RequestView[], by: "route" | "model" | "client"): UsageSavingView[] {
  return [...groupBy(requests, (request) => groupKey(request, by))]
    .map(savingOf)
    .filter(({ eligible_requests }) => eligible_requests > 0)
    .toSorted((left, right) => right.saved_nano_usd - left.saved_nano_usd);
}

/** Failed requests cost nothing here, and health measurements ask no model. */
function wasteOf(requests: RequestView[], { wasted_nano_usd }: UsageTotalsView, among: Among): UsageWasteView[] {
  const row = (kind: WasteKind, label: string, costOf: (own: RequestView[]) => number): UsageWasteView => {
    const own = wastedAmong(requests, kind).filter(among);
    const unpriced = own.filter(({ cost_nano_usd }) => cost_nano_usd === null).length;
    const cost = costOf(own);
    const is_cost_unknown = isUnknown(cost, own.length, unpriced);
    return { kind, label, requests: own.length, cost_nano_usd: cost, is_cost_unknown, unpriced };
  };
  return [
    row("failed", "Failed requests", () => 0),
    row("retries", "Retries", () => wasted_nano_usd),
    row("health", "Health measurements", () => 0),
    row("checks", "Readiness checks", (own) => own.reduce((sum, { cost_nano_usd }) => sum + (cost_nano_usd ?? 0), 0)),
  ];
}

type Among = (request: RequestView) => boolean;

const dollars = (amount: number) => `$${(amount / 1_000_000_000).toFixed(2)}`;

export function efficiencyOf(requests: RequestView[], query: UsagePeriodQuery, clock: number): UsageEfficiencyView {
  const now = Math.min(clock, query.to ?? clock);
  const from = startsOf(query, now).starts[0] ?? now;
  const among = (request: RequestView) =>
    isWanted(request, query.filter) && request.started_at >= from && request.started_at < now;
  const wanted = requests.filter(among);
  const totals = totalsOf(wanted);
  const { cost_nano_usd, saved_nano_usd, wasted_nano_usd, cache_read_tokens, input_tokens } = totals;
  const wasted = wasted_nano_usd === 0 ? "nothing was wasted" : `${dollars(wasted_nano_usd)} was wasted`;
  const saved = saved_nano_usd === 0 ? "The cache saved nothing" : `The cache saved ${dollars(saved_nano_usd)}`;
  return {
    from,
    to: now,
    finding: wanted.length === 0 ? "No requests in this period" : `${saved}; ${wasted}`,
    ...spendOf(wanted),
    saved_nano_usd,
    without_cache_nano_usd: cost_nano_usd + saved_nano_usd,
    cache_savings: savingsOf(wanted, "route"),
    cache_savings_by_model: savingsOf(wanted, "model"),
    cache_savings_by_client: savingsOf(wanted, "client"),
    provider_cache_read_percent:
      input_tokens === 0 ? null : Math.round((cache_read_tokens * 1_000) / input_tokens) / 10,
    waste: wasteOf(requests, totals, among),
  };
}
