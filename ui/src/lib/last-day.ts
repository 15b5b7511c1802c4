/** The last day of something that ends, as date fields hold it. */
import { dayOf } from "@/lib/time";

/** `2026-12-31` in local time; empty if it does not end. */
export function lastDay(at: number | null): string {
  return at === null ? "" : dayOf(at, "local");
}

/** The last moment of that day in local time. */
export function endOfDay(day: string): number | null {
  const end = new Date(`${day}T23:59:59.999`).getTime();
  return Number.isNaN(end) ? null : end;
}
