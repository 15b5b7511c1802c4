import type { RequestView, UnpricedModelView, UsagePeriodQuery } from "@/ipc/bindings";
import { groupKey, isWanted, startsOf } from "@/ipc/fake/traffic";
import { groupBy } from "@/lib/group";

const UNPRICED_MAX = 12;

/** Models without a price, most requests first. */
export function unpricedOf(
  requests: RequestView[],
  query: UsagePeriodQuery,
  clock: number,
  backendLabel: (id: string) => string,
): UnpricedModelView[] {
  const now = Math.min(clock, query.to ?? clock);
  const from = startsOf(query, now).starts[0] ?? now;
  const unpriced = requests.filter(
    (request) =>
      request.cost_nano_usd === null &&
      isWanted(request, query.filter) &&
      request.started_at >= from &&
      request.started_at < now,
  );
  const models = [...groupBy(unpriced, (request) => `${request.backend ?? ""} ${groupKey(request, "model")}`)];
  return models
    .flatMap(([, [first, ...others]]) => {
      if (first === undefined) return [];
      return {
        model: groupKey(first, "model"),
        backend: first.backend,
        backend_label: first.backend === null ? null : backendLabel(first.backend),
        requests: others.length + 1,
        why: first.unpriced,
      };
    })
    .toSorted((left, right) => right.requests - left.requests)
    .slice(0, UNPRICED_MAX);
}
