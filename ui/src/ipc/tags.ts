/** Which readings a tag makes stale. Rust declares the tags; this table is all the panel knows about invalidation. */
import type { QueryClient } from "@tanstack/react-query";
import type { Tag } from "@/ipc/bindings";
import type { QueryName } from "@/ipc/queries";

export const STALE_BY_TAG: Record<Tag, QueryName[]> = {
  status: ["status"],
  backends: ["backends"],
  keys: ["keys"],
  clients: ["clients"],
  usage: ["usage", "requests"],
  readiness: ["readiness"],
  settings: ["settings"],
};

/** Refetches what is on the page and marks the rest for when it is next shown. */
export function invalidateTags(cache: QueryClient, tags: Tag[]): void {
  const names = new Set(tags.flatMap((tag) => STALE_BY_TAG[tag]));
  for (const name of names) void cache.invalidateQueries({ queryKey: [name] });
}
