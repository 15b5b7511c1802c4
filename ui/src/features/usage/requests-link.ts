/** The requests behind a number of the usage. */
import { spanOf } from "@/features/usage/usage-period";
import { filterOf, type UsagePlace } from "@/features/usage/usage-place";
import type { BudgetScopeView, GroupBy, LatencyGroupBy, UsageFilter, UsageGroupView } from "@/ipc/bindings";
import { selects, type RequestFilter } from "@/lib/request-filter";

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

type Group = Pick<UsageGroupView, "kind" | "key">;

/** The requests of a group; `null` for the rest, which no filter selects. */
export function groupFilter({ kind, key }: Group, by: GroupBy): RequestFilter | null {
  return kind === "rest" ? null : nameFilter(key, by);
}

/** The requests with a name, or, with an empty one, those without. Requests lack no other name. */
function nameFilter(key: string, by: GroupBy): RequestFilter | null {
  const name = FILTERS[by];
  return selects(name, key) ? { [name]: key } : null;
}

/** Tells groups apart: one may have the name that is the key of the rest. */
export function groupId({ kind, key }: Group): string {
  return `${kind}:${key}`;
}

/** The requests of a name; all where no filter selects it. */
export function dimensionFilter({ dimension, key }: { dimension: GroupBy; key: string }): RequestFilter {
  return nameFilter(key, dimension) ?? {};
}

/** The requests that a filter of the core selects. */
export function filterOfUsage(filter: UsageFilter): RequestFilter {
  const names = Object.entries(filter) as [GroupBy, string | null | undefined][];
  const known = names.map(([by, key]) => (key == null ? null : nameFilter(key, by)));
  return Object.assign({}, ...known) as RequestFilter;
}

/** The requests that latencies are measured of; `null` for those without a name that no filter selects. */
export function latencyFilter(key: string, by: LatencyGroupBy): RequestFilter | null {
  const group = by === "all" ? {} : nameFilter(key, by);
  return group && { ...group, state: "complete" };
}

/** The requests that count for a budget. */
export function scopeFilter(scope: BudgetScopeView | null): RequestFilter {
  return scope === null ? {} : { [FILTERS[scope.dimension]]: scope.name };
}
