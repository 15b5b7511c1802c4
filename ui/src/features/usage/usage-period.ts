/** What a place asks the core for, and its period in words. Not in `usage-place`, which the page loads before its first screen. */
import { RANGES, filterOf, isFiltered, type DimensionFilter, type UsagePlace } from "@/features/usage/usage-place";
import type { CostBasis, TimeZoneChoice, UsageFilter, UsageRange } from "@/ipc/bindings";
import { HOUR_MS, formatDay } from "@/lib/time";

const RANGE_WORDS: Record<UsageRange, string> = {
  today: "today",
  last_day: "in 24 hours",
  last_week: "in 7 days",
  last_month: "in 30 days",
};

/** Midnight at the start of a day, or of a later one. */
function midnight(day: string, zone: TimeZoneChoice, daysLater = 0): number {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  const parts = [year, month - 1, date + daysLater] as const;
  return zone === "utc" ? Date.UTC(...parts) : new Date(...parts).getTime();
}

export function withBasis(place: UsagePlace, basis: CostBasis): UsagePlace {
  const { basis: _, ...rest } = place;
  return basis === "known" ? rest : { ...rest, basis };
}

/** The filter as the core asks for it. */
export function usageFilter(place: DimensionFilter): { filter?: UsageFilter } {
  const { key, ...names } = filterOf(place);
  return isFiltered(place) ? { filter: { ...names, ...(key !== undefined && { credential: key }) } } : {};
}

/** The period that the core is asked for. */
export function spanOf({ range, zone, days }: UsagePlace) {
  if (days === undefined) return { range, zone };
  return { range, zone, from: midnight(days.first, zone), to: midnight(days.last, zone, 1) };
}

/** The period and the requests that the core is asked for. */
export function periodOf(place: UsagePlace) {
  return { ...spanOf(place), ...usageFilter(place) };
}

/** `7 days`, `1 Nov to 15 Nov`. */
export function periodLabel({ range, days }: UsagePlace): string {
  if (days === undefined) return RANGES.find((one) => one.value === range)?.label ?? "";
  const [first, last] = [days.first, days.last].map((day) => formatDay(midnight(day, "utc"), "utc"));
  return first === last ? `${first}` : `${first} to ${last}`;
}

/** The period inside a sentence. */
export function periodWords(place: UsagePlace): string {
  return place.days === undefined ? RANGE_WORDS[place.range] : `from ${periodLabel(place)}`;
}

/** Bars are hours up to two days. */
export function barUnit({ range, zone, days }: UsagePlace): "hour" | "day" {
  if (days === undefined) return range === "today" || range === "last_day" ? "hour" : "day";
  const hours = (midnight(days.last, zone, 1) - midnight(days.first, zone)) / HOUR_MS;
  return hours <= 48 ? "hour" : "day";
}
