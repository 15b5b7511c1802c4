/** The last hour of the made-up requests. */
import type { RequestView, UsageRecentView } from "@/ipc/bindings";
import { failedAttempts } from "@/ipc/fake/traffic";
import { groupBy } from "@/lib/group";
import { MINUTE_MS } from "@/lib/time";

/** What a part of an answer ended with. */
const BROKEN = "stalled";

const MINUTES = 60;
const RATE_MINUTES = 5;

function isFailed({ state }: RequestView): boolean {
  return state === "failed" || state === "partial";
}

function share(part: unknown[], whole: unknown[]): number | null {
  return whole.length === 0 ? null : (part.length * 100) / whole.length;
}

export function recentOf(requests: RequestView[], now: number): UsageRecentView {
  const from = Math.floor(now / MINUTE_MS) * MINUTE_MS - (MINUTES - 1) * MINUTE_MS;
  const all = requests.filter(({ started_at: at }) => at >= from);
  const failed = all.filter(isFailed);
  const ended = all.filter((request) => isFailed(request) || request.state === "complete");
  const failures = [...groupBy(failed, (request) => failedAttempts(request)[0] ?? BROKEN)]
    .map(([name, own]) => ({ class: name, requests: own.length }))
    .toSorted((left, right) => right.requests - left.requests);
  const looked = all.filter(({ cache }) => cache !== "bypass");
  const served = looked.filter(({ cache }) => cache !== "miss");
  const late = all.filter(({ started_at: at }) => at >= from + (MINUTES - RATE_MINUTES) * MINUTE_MS);
  const tokens = late.reduce(
    (sum, { input_tokens, output_tokens }) => sum + (input_tokens ?? 0) + (output_tokens ?? 0),
    0,
  );
  const count = all.length === 1 ? "1 request" : `${all.length} requests`;
  const most = failures[0];
  return {
    from,
    to: now,
    finding:
      all.length === 0
        ? "No requests in the last hour"
        : most === undefined
          ? `${count}, none failed`
          : `${count}, ${failed.length} failed, most often: ${most.class}`,
    requests: all.length,
    failed: failed.length,
    complete_percent: share(
      ended.filter((request) => !isFailed(request)),
      ended,
    ),
    failures,
    cache_eligible: looked.length,
    cache_percent: share(served, looked),
    requests_per_minute: late.length / RATE_MINUTES,
    tokens_per_minute: tokens / RATE_MINUTES,
    minutes: Array.from({ length: MINUTES }, (_, number) => {
      const start = from + number * MINUTE_MS;
      const own = all.filter(({ started_at: at }) => at >= start && at < start + MINUTE_MS);
      return { start, requests: own.length, failed: own.filter(isFailed).length };
    }),
  };
}
