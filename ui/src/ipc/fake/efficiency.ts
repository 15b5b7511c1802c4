import type {
  RequestView,
  UsageEfficiencyView,
  UsagePeriodQuery,
  UsageSavingView,
  UsageTotalsView,
  UsageWasteView,
} from "@/ipc/bindings";
import { groupKey, isWanted, startsOf, totalsOf } from "@/ipc/fake/traffic";
import { groupBy } from "@/lib/group";

/** Time that an answer of the cache saves. */
const SAVED_MS = 2_300;

function savingOf([key, own]: [string, RequestView[]]): UsageSavingView {
  const { saved_nano_usd, cache_hits, cache_misses } = totalsOf(own);
  const eligible = cache_hits + cache_misses;
  return {
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

/** Failed requests cost nothing here; the core also sums health measurements and checks. */
function wasteOf({ failed_requests, retries, wasted_nano_usd }: UsageTotalsView): UsageWasteView[] {
  return [
    { kind: "failed", label: "Failed requests", requests: failed_requests, cost_nano_usd: 0, unpriced: 0 },
    { kind: "retries", label: "Retries", requests: retries, cost_nano_usd: wasted_nano_usd, unpriced: 0 },
    { kind: "health", label: "Health measurements", requests: 0, cost_nano_usd: 0, unpriced: 0 },
    { kind: "checks", label: "Readiness checks", requests: 12, cost_nano_usd: 1_900_000, unpriced: 0 },
  ];
}

const dollars = (amount: number) => `$${(amount / 1_000_000_000).toFixed(2)}`;

export function efficiencyOf(requests: RequestView[], query: UsagePeriodQuery, clock: number): UsageEfficiencyView {
  const now = Math.min(clock, query.to ?? clock);
  const from = startsOf(query, now).starts[0] ?? now;
  const wanted = requests.filter(
    (request) => isWanted(request, query.filter) && request.started_at >= from && request.started_at < now,
  );
  const totals = totalsOf(wanted);
  const { cost_nano_usd, saved_nano_usd, wasted_nano_usd, cache_read_tokens, input_tokens } = totals;
  const wasted = wasted_nano_usd === 0 ? "nothing was wasted" : `${dollars(wasted_nano_usd)} was wasted`;
  const saved = saved_nano_usd === 0 ? "The cache saved nothing" : `The cache saved ${dollars(saved_nano_usd)}`;
  return {
    from,
    to: now,
    finding: wanted.length === 0 ? "No requests in this period" : `${saved}; ${wasted}`,
    cost_nano_usd,
    saved_nano_usd,
    without_cache_nano_usd: cost_nano_usd + saved_nano_usd,
    cache_savings: savingsOf(wanted, "route"),
    cache_savings_by_model: savingsOf(wanted, "model"),
    cache_savings_by_client: savingsOf(wanted, "client"),
    provider_cache_read_percent:
      input_tokens === 0 ? null : Math.round((cache_read_tokens * 1_000) / input_tokens) / 10,
    waste: wasteOf(totals),
  };
}
