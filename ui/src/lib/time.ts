/**
 * Formats points in time: relative for reading, exact for hovering. The current time is an argument, so that tests and
 * screenshots agree.
 */
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const HALF_DAY_MS = 12 * HOUR_MS;
export const DAY_MS = 24 * HOUR_MS;

/** `just now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 days ago`, `in 4 days`. */
export function formatRelative(moment: number, now: number): string {
  const distance = Math.abs(now - moment);
  if (distance < 5 * SECOND_MS) return "just now";
  const text = formatSpan(distance);
  return moment > now ? `in ${text}` : `${text} ago`;
}

/** A duration in its largest whole unit. */
export function formatSpan(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  const days = Math.floor(ms / DAY_MS);
  return days === 1 ? "1 day" : `${days} days`;
}

const exact = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});

/** `21 Nov 2026, 15:20:04 CET`. */
export function formatExact(moment: number): string {
  return exact.format(moment);
}

/** The remaining time, to the second while it is short: `14 s`, `1 min 21 s`, `9 h`. */
export function formatCountdown(ms: number): string {
  if (ms >= HOUR_MS) return formatSpan(ms);
  const seconds = Math.ceil(ms / SECOND_MS);
  if (seconds < 60) return `${seconds} s`;
  const rest = seconds % 60;
  return rest === 0 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 60)} min ${rest} s`;
}

const timeOf = { hour: "2-digit", minute: "2-digit" } as const;

/** `20 Nov`. */
export function formatDay(moment: number, zone: "local" | "utc" = "local"): string {
  return days[zone].format(moment);
}

const dateOf = { day: "numeric", month: "short" } as const;
const days = {
  local: new Intl.DateTimeFormat("en-GB", dateOf),
  utc: new Intl.DateTimeFormat("en-GB", { ...dateOf, timeZone: "UTC" }),
};

/** A day or some hours of it: `20 Nov`, `20 Nov, 14:00–15:00`; without an end `since 20 Nov`, `since 20 Nov, 14:00`. */
export function formatPart(since: number, until: number | null, zone: "local" | "utc"): string {
  const time = new Intl.DateTimeFormat("en-GB", { ...timeOf, ...(zone === "utc" && { timeZone: "UTC" }) });
  const isMidnight = (moment: number) => time.format(moment) === "00:00";
  const start = formatDay(since, zone);
  if (until === null) return isMidnight(since) ? `since ${start}` : `since ${start}, ${time.format(since)}`;
  const isDay = isMidnight(since) && isMidnight(until) && formatDay(until - 1, zone) === start;
  return isDay ? start : `${start}, ${time.format(since)}–${time.format(until)}`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** `15:20`. */
export function formatClock(moment: number): string {
  return clock.format(moment);
}

/** `15:20:04`. */
export function formatClockSeconds(moment: number): string {
  return clockSeconds.format(moment);
}

/** The day in which a time lies: `2026-11-01`. */
export function dayOf(at: number, zone: "local" | "utc"): string {
  const date = new Date(at);
  if (zone === "utc") return date.toISOString().slice(0, 10);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part, index) => String(part).padStart(index === 0 ? 4 : 2, "0")).join("-");
}
