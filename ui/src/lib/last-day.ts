/** The last day of something that ends, as date fields hold it. */

/** `2026-12-31` in local time; empty if it does not end. */
export function lastDay(at: number | null): string {
  if (at === null) return "";
  const day = new Date(at);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

/** The last moment of that day in local time. */
export function endOfDay(day: string): number | null {
  const end = new Date(`${day}T23:59:59.999`).getTime();
  return Number.isNaN(end) ? null : end;
}
