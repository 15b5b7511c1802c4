/** The marks of a time axis: full hours or days, far enough apart for their labels. */
import { formatClock } from "@/lib/time";

const TICK_WIDTH_PX = 64;
const HOUR_MS = 3_600_000;

export function timeTicks(from: number, to: number, width: number): { at: number; label: string }[] {
  const room = Math.max(Math.floor(width / TICK_WIDTH_PX), 1);
  const step =
    [1, 3, 6, 12, 24, 48].map((hours) => hours * HOUR_MS).find((ms) => (to - from) / ms <= room) ?? 96 * HOUR_MS;
  const midnight = new Date(from).setHours(0, 0, 0, 0);
  const count = Math.ceil((to - midnight) / step);
  const isDays = step >= 24 * HOUR_MS;
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
  return Array.from({ length: count }, (_, index) => midnight + (index + 1) * step)
    .filter((at) => at > from && at < to)
    .map((at) => ({ at, label: isDays ? day.format(at) : formatClock(at) }));
}
