/** The requests behind a number of the usage. */
import type { BudgetScopeView, GroupBy, UsageGroupView, UsageView } from "@/ipc/bindings";
import type { RequestFilter } from "@/lib/request-filter";

const QUARTER_HOUR_MS = 900_000;

/** The period's requests. Its totals begin at the quarter hour of its start. */
export function periodFilter({ from }: UsageView): RequestFilter {
  return { since: Math.floor(from / QUARTER_HOUR_MS) * QUARTER_HOUR_MS };
}

/** The requests of a bar. The last one is still growing, so it has no end. */
export function barFilter({ buckets }: UsageView, index: number): RequestFilter {
  const [bucket, next] = buckets.slice(index);
  return { ...(bucket && { since: bucket.start }), ...(next && { until: next.start }) };
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
export function groupFilter({ key }: UsageGroupView, by: GroupBy): RequestFilter | null {
  return key === "" || key === "other" ? null : { [FILTERS[by]]: key };
}

/** The requests that count for a budget. */
export function scopeFilter(scope: BudgetScopeView | null): RequestFilter {
  return scope === null ? {} : { [FILTERS[scope.dimension]]: scope.name };
}
