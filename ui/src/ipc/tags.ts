/** Makes queries stale by the tags of a change. Which ones is declared in the core's table of operations. */
import type { QueryClient } from "@tanstack/react-query";
import type { ChangeTag } from "@/ipc/bindings";
import type { QueryName } from "@/ipc/query-key";
import { OPERATION_READS } from "@/lib/tables";

const READS = Object.entries(OPERATION_READS) as [QueryName, readonly ChangeTag[]][];

export const EVERY_TAG: ChangeTag[] = [...new Set(READS.flatMap(([, tags]) => tags))];

/** Refetches visible queries and marks the others as stale. */
export function invalidateTags(cache: QueryClient, tags: readonly ChangeTag[]): void {
  for (const [name, read] of READS) if (read.some((tag) => tags.includes(tag))) refresh(cache, name);
}

type Refresh = "running" | "again";
const refreshes = new WeakMap<QueryClient, Map<QueryName, Refresh>>();

/**
 * Runs at most one fetch per query name and one more after it, however many events arrive meanwhile: a busy gateway
 * must neither pile up fetches nor restart one so often that it never ends.
 */
function refresh(cache: QueryClient, name: QueryName): void {
  const running = refreshes.get(cache) ?? new Map<QueryName, Refresh>();
  refreshes.set(cache, running);
  if (running.has(name)) {
    running.set(name, "again");
    return;
  }
  const first = firstFetches(cache, name);
  running.set(name, first.length > 0 ? "again" : "running");
  void Promise.allSettled([...first, cache.invalidateQueries({ queryKey: [name] })]).finally(() => {
    const isDue = running.get(name) === "again";
    running.delete(name);
    if (isDue) refresh(cache, name);
  });
}

/**
 * The fetches of queries without data. The library joins them instead of starting anew, and their result, which may be
 * older than the change, would count as fresh.
 */
function firstFetches(cache: QueryClient, name: QueryName): Promise<unknown>[] {
  const fetching = cache.getQueryCache().findAll({ queryKey: [name], fetchStatus: "fetching" });
  return fetching.flatMap(({ promise, state }) => (state.data === undefined && promise ? [promise] : []));
}
