/** The labels of a time axis: full hours or days of local time, far enough apart to be read. */
import { HOUR_MS, formatClock, formatDay } from "@/lib/time";

const TICK_WIDTH_PX = 64;

interface TimeTick {
  at: number;
  label: string;
}

function timeTicks(from: number, to: number, width: number): TimeTick[] {
  const room = Math.max(Math.floor(width / TICK_WIDTH_PX), 1);
  const steps = [0.25, 1, 3, 6, 12, 24, 48, 96].map((hours) => hours * HOUR_MS);
  const step = steps.find((ms) => (to - from) / ms <= room) ?? 168 * HOUR_MS;
  const midnight = new Date(from).setHours(0, 0, 0, 0);
  const count = Math.ceil((to - midnight) / step);
  const isDays = step >= 24 * HOUR_MS;
  return Array.from({ length: count }, (_, index) => midnight + (index + 1) * step)
    .filter((at) => at > from && at < to)
    .map((at) => ({ at, label: isDays ? formatDay(at) : formatClock(at) }));
}

const EDGE_PX = 20;

interface TimeAxisProps {
  from: number;
  to: number;
  /** Width of the time itself, and what is left of it. */
  width: number;
  left?: number;
  /** Where the labels stand. */
  y: number;
  /** Height of a line at each label; none for 0. */
  lines?: number;
}

/** The labels, inside an SVG. Those at the edges stay within it. */
export function TimeAxis({ from, to, width, left = 0, y, lines = 0 }: TimeAxisProps) {
  const end = left + width;
  return timeTicks(from, to, width).map(({ at, label }) => {
    const x = left + ((at - from) / Math.max(to - from, 1)) * width;
    return (
      <g key={at}>
        {lines > 0 && <line x1={x} x2={x} y2={lines} className="stroke-line" />}
        <text
          x={x}
          y={y}
          textAnchor={x < EDGE_PX ? "start" : x > end - EDGE_PX ? "end" : "middle"}
          className="fill-ink-3 text-11"
        >
          {label}
        </text>
      </g>
    );
  });
}
