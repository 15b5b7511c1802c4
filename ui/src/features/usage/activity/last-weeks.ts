/** The weeks of the calendar. Not in `usage-place`, which the page loads before its first screen. */
import type { DaySpan } from "@/features/usage/usage-place";
import type { TimeZoneChoice } from "@/ipc/bindings";
import { DAY_MS, dayOf } from "@/lib/time";

/** Whole weeks from a Monday on, the last of which is this one until today. */
export function lastWeeks(now: number, zone: TimeZoneChoice, weeks: number): DaySpan {
  const last = dayOf(now, zone);
  const today = new Date(`${last}T00:00:00Z`);
  const daysSinceMonday = (today.getUTCDay() + 6) % 7;
  const first = today.getTime() - (daysSinceMonday + (weeks - 1) * 7) * DAY_MS;
  return { first: dayOf(first, "utc"), last };
}
