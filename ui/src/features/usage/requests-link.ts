/** The requests behind a number of the usage. */
import { filterOf, spanOf, type UsagePlace } from "@/features/usage/usage-place";
import type { BudgetScopeView, GroupBy, LatencyGroupBy, UsageFilter, UsageGroupView } from "@/ipc/bindings";
import type { RequestFilter } from "@/lib/request-filter";

const QUARTER_HOUR_MS = 900_000;

/** The requests that count in the period. Its totals begin at the quarter hour of its start. Only chosen days have an end. */
export function periodFilter({ from }: { from: number }, place: UsagePlace): RequestFilter {
  return { ...filterOf(place), since: Math.floor(from / QUARTER_HOUR_MS) * QUARTER_HOUR_MS, ...endOf(place) };
}

function endOf(place: UsagePlace): RequestFilter {
  const { to } = spanOf(place);
  return to === undefined ? {} : { until: to };
}

/** The requests of a bar. The last one may still be growing; then it has no end. */
export function barFilter(buckets: { start: number }[], index: number, place: UsagePlace): RequestFilter {
  const [bucket, next] = buckets.slice(index);
  return {
    ...filterOf(place),
    ...(bucket && { since: bucket.start }),
    ...(next ? { until: next.start } : endOf(place)),
  };
}

const FILTERS = {
  backend: "backend",
  model: "model",
  client: "client",
  credential: "key",
  project: "project",
  route: "route",
} as const satisfies Record<GroupBy, keyof RequestFilter>;

/** The requests of a group; `null` for those without a name and for the rest, which no filter selects. */
export function groupFilter({ key }: Pick<UsageGroupView, "key">, by: GroupBy): RequestFilter | null {
  return key === "" || key === "other" ? null : { [FILTERS[by]]: key };
}

/** The requests of a name; all where no filter selects it. */
export function dimensionFilter({ dimension, key }: { dimension: GroupBy; key: string }): RequestFilter {
  return groupFilter({ key }, dimension) ?? {};
}

/** The requests that a filter of the core selects. */
export function filterOfUsage(filter: UsageFilter): RequestFilter {
  const names = Object.entries(filter) as [GroupBy, string | null | undefined][];
  return Object.assign({}, ...names.map(([by, key]) => groupFilter({ key: key ?? "" }, by))) as RequestFilter;
}

/** The requests that latencies are measured of; `null` for those without a name, which no filter selects. */
export function latencyFilter(key: string, by: LatencyGroupBy): RequestFilter | null {
  const group = by === "all" ? {} : groupFilter({ key }, by);
  return group && { ...group, state: "complete" };
}

/** The requests that count for a budget. */
export function scopeFilter(scope: BudgetScopeView | null): RequestFilter {
  return scope === null ? {} : { [FILTERS[scope.dimension]]: scope.name };
}
