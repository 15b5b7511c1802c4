/**
 * The days of a backend as one strip. The worse a day, the taller its cell, so that trouble is visible without colour;
 * a day without an observation has none. The pointer and the arrow keys move a cursor over the days.
 */
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import { useMeasuredWidth } from "@/components/chart/measured";
import type { StripCell, StripDayView } from "@/ipc/bindings";
import { STRIP_CELL } from "@/lib/tables";
import { formatPercent } from "@/lib/percent";

const HEIGHT_PX = 24;

/** Height as a share of the strip, and colour. */
const LOOKS: Record<StripCell, { share: number; fill: string }> = {
  good: { share: 0.45, fill: "stroke-ok" },
  partial: { share: 0.75, fill: "stroke-warn" },
  bad: { share: 1, fill: "stroke-bad" },
  not_observed: { share: 0.08, fill: "stroke-line-strong" },
};

const CELLS = Object.keys(LOOKS) as StripCell[];

interface DayStripProps {
  label: string;
  days: StripDayView[];
  /** Tells the day under the cursor. */
  onPoint: (day: StripDayView | null) => void;
}

export function DayStrip({ label, days, onPoint }: DayStripProps) {
  const [width, measure] = useMeasuredWidth(280);
  const [cursor, setCursor] = useState<number | null>(null);
  const step = width / Math.max(days.length, 1);
  const current = cursor === null ? undefined : days[cursor];

  const go = (to: number | null) => {
    const next = to === null ? null : Math.min(Math.max(to, 0), days.length - 1);
    setCursor(next);
    onPoint(next === null ? null : (days[next] ?? null));
  };
  const move = (event: KeyboardEvent) => {
    const last = days.length - 1;
    const there = {
      ArrowLeft: (cursor ?? days.length) - 1,
      ArrowRight: (cursor ?? -1) + 1,
      Home: 0,
      End: last,
    }[event.key];
    if (there === undefined) return;
    event.preventDefault();
    go(there);
  };
  const point = (event: PointerEvent<HTMLElement>) => {
    const offset = event.clientX - event.currentTarget.getBoundingClientRect().left;
    go(Math.floor(offset / Math.max(step, 1)));
  };

  return (
    <div ref={measure} className="min-w-0">
      <div
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Left and right arrows move along the days.`}
        aria-valuemin={0}
        aria-valuemax={Math.max(days.length - 1, 0)}
        aria-valuenow={cursor ?? Math.max(days.length - 1, 0)}
        aria-valuetext={current === undefined ? "No day selected" : spellDay(current)}
        className="rounded-mark"
        onKeyDown={move}
        onPointerMove={point}
        onPointerLeave={() => go(null)}
        onBlur={() => go(null)}
      >
        <svg width={width} height={HEIGHT_PX} aria-hidden="true" className="block">
          {cursor !== null && <rect x={cursor * step} width={step} height={HEIGHT_PX} className="fill-surface-3" />}
          {CELLS.map((cell) => (
            <path
              key={cell}
              data-mark
              d={pathOf(days, cell, step)}
              strokeWidth={Math.max(step - 1, 1)}
              className={LOOKS[cell].fill}
            />
          ))}
        </svg>
      </div>
    </div>
  );
}

/** One line per day with this cell, all in one path: ninety elements would be too many for each backend. */
function pathOf(days: StripDayView[], cell: StripCell, step: number): string {
  const top = HEIGHT_PX * (1 - LOOKS[cell].share);
  return days
    .map((day, index) => (day.cell === cell ? `M${((index + 0.5) * step).toFixed(2)} ${HEIGHT_PX}V${top}` : ""))
    .join("");
}

/** A day in words: "2026-11-20: partly down, 99.10 % of 600 min observed". */
export function spellDay({ day, cell, percent, observed_minutes: observed }: StripDayView): string {
  if (percent === null) return `${day}: ${STRIP_CELL[cell].word}`;
  return `${day}: ${STRIP_CELL[cell].word}, ${formatPercent(percent)} of ${observed} min observed`;
}
