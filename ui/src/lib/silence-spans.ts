/** For how long alerts are silenced. A silence always ends. */
import { MORNING_HOUR } from "@/lib/tables";
import { HOUR_MS } from "@/lib/time";

export const SILENCE_SPANS = [
  { value: "hour", label: "for 1 hour" },
  { value: "hours", label: "for 8 hours" },
  { value: "tomorrow", label: `until tomorrow, ${String(MORNING_HOUR).padStart(2, "0")}:00` },
  { value: "day", label: "for 1 day" },
  { value: "week", label: "for 7 days" },
] as const;

export type SilenceSpan = (typeof SILENCE_SPANS)[number]["value"];

const HOURS: Record<Exclude<SilenceSpan, "tomorrow">, number> = { hour: 1, hours: 8, day: 24, week: 168 };

function tomorrowMorning(now: number): number {
  const day = new Date(now);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1, MORNING_HOUR).getTime();
}

/** When a silence that begins now ends. */
export function silenceEnd(span: SilenceSpan, now: number): number {
  return span === "tomorrow" ? tomorrowMorning(now) : now + HOURS[span] * HOUR_MS;
}
