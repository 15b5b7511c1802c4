/** The labels of a time axis: full hours or days of local time, far enough apart to be read. */
import { formatClock } from "@/lib/time";

const HOUR_MS = 3_600_000;
const TICK_WIDTH_PX = 64;

export interface TimeTick {
  at: number;
  label: string;
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

export function timeTicks(from: number, to: number, width: number): TimeTick[] {
  const room = Math.max(Math.floor(width / TICK_WIDTH_PX), 1);
  const steps = [0.25, 1, 3, 6, 12, 24, 48, 96].map((hours) => hours * HOUR_MS);
  const step = steps.find((ms) => (to - from) / ms <= room) ?? 168 * HOUR_MS;
  const midnight = new Date(from).setHours(0, 0, 0, 0);
  const count = Math.ceil((to - midnight) / step);
  const isDays = step >= 24 * HOUR_MS;
  return Array.from({ length: count }, (_, index) => midnight + (index + 1) * step)
    .filter((at) => at > from && at < to)
    .map((at) => ({ at, label: isDays ? day.format(at) : formatClock(at) }));
}
