import type {
  LatencyPart,
  LatencyPartView,
  RequestView,
  UsageFailuresView,
  UsageLatencyQuery,
  UsageLatencyView,
  UsagePeriodQuery,
} from "@/ipc/bindings";
import { isUnknown } from "@/ipc/fake/basis";
import { failedAttempts, isWanted, startsOf } from "@/ipc/fake/traffic";
import { groupBy } from "@/lib/group";

const GROUPS_MAX = 20;

function partOf(part: LatencyPart, values: (number | null)[]): LatencyPartView[] {
  const known = values.filter((value) => value !== null).toSorted((left, right) => left - right);
  if (known.length === 0) return [];
  const at = (share: number) => known[Math.min(known.length - 1, Math.floor(known.length * share))] ?? 0;
  return [
    { part, count: known.length, p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), max_ms: known.at(-1) ?? 0 },
  ];
}

function partsOf(requests: RequestView[]): LatencyPartView[] {
  const whole = requests.filter((request) => request.state === "complete" && request.cache !== "hit");
  return [
    ...partOf(
      "queue",
      whole.map((_, index) => 0.02 + (index % 7) / 100),
    ),
    ...partOf(
      "connect",
      whole.map((request) => (request.first_token_ms === null ? null : request.first_token_ms * 0.4)),
    ),
    ...partOf(
      "first_token",
      whole.map((request) => request.first_token_ms),
    ),
    ...partOf(
      "total",
      whole.map((request) => request.total_ms),
    ),
  ];
}

function nameOf(request: RequestView, by: UsageLatencyQuery["group_by"]): string {
  switch (by) {
    case "all":
      return "";
    case "backend":
      return request.backend ?? "";
    case "model":
      return request.model_billed ?? request.model_asked;
    case "route":
      return request.route;
  }
}

export function latencyOf(
  requests: RequestView[],
  query: UsageLatencyQuery,
  clock: number,
  backendLabel: (id: string) => string,
): UsageLatencyView {
  const now = Math.min(clock, query.to ?? clock);
  const { starts, label } = startsOf(query, now);
  const from = starts[0] ?? now;
  const inRange = requests.filter(
    (request) =>
      request.started_at >= from &&
      request.started_at < now &&
      (query.name === undefined || query.name === null || nameOf(request, query.group_by) === query.name),
  );
  const names = query.group_by === "all" ? [] : [...new Set(inRange.map((request) => nameOf(request, query.group_by)))];
  const parts = partsOf(inRange);
  const first = parts.find(({ part }) => part === "first_token");
  return {
    from,
    to: now,
    finding: first
      ? `First token: half within ${Math.round(first.p50_ms ?? 0)} ms, 95 % within ${((first.p95_ms ?? 0) / 1000).toFixed(1)} s`
      : "No answers in this period",
    parts,
    groups: names
      .map((key) => ({ key, own: inRange.filter((request) => nameOf(request, query.group_by) === key) }))
      .toSorted((left, right) => right.own.length - left.own.length)
      .slice(0, GROUPS_MAX)
      .map(({ key, own }) => ({
        key,
        label: query.group_by === "backend" ? backendLabel(key) : key,
        parts: partsOf(own),
      }))
      .filter((group) => group.parts.length > 0),
    buckets: starts.map((start, index) => {
      const end = starts[index + 1] ?? Infinity;
      return {
        start,
        label: label(start),
        parts: partsOf(inRange.filter(({ started_at }) => started_at >= start && started_at < end)),
      };
    }),
  };
}

/** A failed attempt costs nothing here, where the backend has prices. */
function costOf(failed: RequestView[]) {
  const unpriced = failed.filter(({ backend }) => backend === "ollama").length;
  return { cost_nano_usd: 0, is_cost_unknown: isUnknown(0, failed.length, unpriced), unpriced_attempts: unpriced };
}

export function failuresOf(
  requests: RequestView[],
  query: UsagePeriodQuery,
  clock: number,
  backendLabel: (id: string) => string,
): UsageFailuresView {
  const now = Math.min(clock, query.to ?? clock);
  const from = startsOf(query, now).starts[0] ?? now;
  const inRange = requests.filter(
    (request) => isWanted(request, query.filter) && request.started_at >= from && request.started_at < now,
  );
  const attempts = inRange.reduce((sum, request) => sum + request.attempts, 0);
  const failed = inRange.flatMap((request) => failedAttempts(request).map((name) => ({ name, request })));
  const percent = (part: number) => (attempts === 0 ? 0 : Math.round((part * 10_000) / attempts) / 100);
  const classes = [...groupBy(failed, ({ name }) => name)]
    .map(([name, own]) => ({
      class: name,
      attempts: own.length,
      percent_of_attempts: percent(own.length),
      ...costOf(own.map(({ request }) => request)),
      backends: [...groupBy(own, ({ request }) => request.backend ?? "")]
        .map(([key, rows]) => ({ key, label: backendLabel(key), attempts: rows.length }))
        .toSorted((left, right) => right.attempts - left.attempts),
    }))
    .toSorted((left, right) => right.attempts - left.attempts);
  const most = classes[0];
  return {
    from,
    to: now,
    finding: most ? `${failed.length} of ${attempts} attempts failed, most often: ${most.class}` : "No attempt failed",
    attempts,
    failed_attempts: failed.length,
    failed_percent: attempts === 0 ? null : percent(failed.length),
    classes,
  };
}
