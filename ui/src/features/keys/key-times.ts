/** The times of a key, in words where there is none to show. */
import type { KeyView } from "@/ipc/bindings";
import { DAY_MS } from "@/lib/time";

/** Days that `last_month` counts. */
const COUNTED_DAYS = 30;

/** Since when it has been in use: a replaced key is a new one. */
export function inUseSince({ replaced_at: replaced, created_at: created }: KeyView): number | null {
  return replaced ?? created;
}

/**
 * What is known of the last use of a key without a time of it. Nobody writes down when a service, the shared cache or a
 * cost report used its key, nor every request of a key that shares its backend with others.
 */
export function unusedWord(key: KeyView, now: number): string {
  const { billing, dependents, created_at: created, last_month: month } = key;
  const isUsedUnseen = billing !== null || dependents.cache_server || dependents.services.length > 0;
  if (isUsedUnseen || month.requests > 0) return "not known";
  return created !== null && now - created <= COUNTED_DAYS * DAY_MS ? "never used" : `not in ${COUNTED_DAYS} days`;
}
