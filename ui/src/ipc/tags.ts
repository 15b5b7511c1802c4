/**
 * Maps each tag to the queries it invalidates. Rust declares the tags; this table is all the panel knows about
 * invalidation.
 */
import type { QueryClient } from "@tanstack/react-query";
import type { ChangeTag } from "@/ipc/bindings";
import type { QueryName } from "@/ipc/queries";

export const STALE_BY_TAG: Record<ChangeTag, QueryName[]> = {
  alerts: ["alerts", "recent_events"],
  audit: ["audit_log", "recent_events"],
  health: ["health", "service_levels", "services", "local_health", "recent_events"],
  status: ["status"],
  // Not the price of asking a model, whose reading may fetch a list of models: this tag is told with each request.
  backends: ["backends", "routes", "health", "profiles", "clients"],
  keys: ["keys", "keys_scan", "key_history", "key_copies_plan", "key_copies_removed", "billing_drift", "health"],
  clients: ["clients", "clients_wiring", "playground_snippets", "agent_access", "agent_programs"],
  usage: ["usage", "billing_drift", "requests", "request_path", "routes", "cache"],
  session_logs: ["session_logs"],
  readiness: ["readiness", "recent_events"],
  settings: [
    "services",
    "playground_snippets",
    "client_guides",
    "settings",
    "saved_views",
    "currency",
    "profiles",
    "agent_access",
    "clients",
  ],
  playground: ["playground"],
  routes: [
    "routes",
    "backend_ask_price",
    "route_explain",
    "route_simulate",
    "client_guides",
    "clients",
    "backends",
    "keys",
  ],
  accesses: ["key_history", "routes", "route_explain", "accesses", "breaker_timeline", "health", "recent_events"],
  cache: ["cache"],
  prices: ["prices", "backends", "backend_ask_price"],
  ledger: ["ledger", "local_health", "backups"],
};

export const EVERY_TAG = Object.keys(STALE_BY_TAG) as ChangeTag[];

/** Refetches visible queries and marks the others as stale. */
export function invalidateTags(cache: QueryClient, tags: readonly ChangeTag[]): void {
  for (const name of new Set(tags.flatMap((tag) => STALE_BY_TAG[tag]))) refresh(cache, name);
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
