/**
 * States over time as one strip. The more is blocked, the taller the span, so that trouble is visible without colour.
 * The pointer and the arrow keys move a cursor over the spans.
 */
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import { useMeasuredWidth } from "@/components/chart/measured";
import { StateBadge } from "@/components/state/state-mark";
import { TimeAxis } from "@/components/chart/time-axis";
import type { AvailabilityState, BreakerSpanView } from "@/ipc/bindings";
import { AVAILABILITY } from "@/lib/tables";
import { formatClock, formatExact, formatSpan } from "@/lib/time";

const HEIGHT_PX = 44;
const AXIS_PX = 18;
const SPAN_WIDTH_PX_MIN = 2;

/** Height as a share of the strip, and colour. */
const LOOKS: Record<AvailabilityState, { share: number; fill: string }> = {
  ready: { share: 0.12, fill: "fill-ok" },
  recovering: { share: 0.35, fill: "fill-warn" },
  trial: { share: 0.5, fill: "fill-info" },
  cooling_down: { share: 0.7, fill: "fill-warn" },
  open: { share: 1, fill: "fill-bad" },
  blocked: { share: 1, fill: "fill-bad" },
  held: { share: 1, fill: "fill-warn" },
  off: { share: 0.5, fill: "fill-line-strong" },
  removed: { share: 0.5, fill: "fill-line-strong" },
};

interface StateStripProps {
  label: string;
  from: number;
  to: number;
  spans: BreakerSpanView[];
}

export function StateStrip({ label, from, to, spans }: StateStripProps) {
  const [width, measure] = useMeasuredWidth(460);
  const [cursor, setCursor] = useState<number | null>(null);
  const x = (moment: number) => ((moment - from) / Math.max(to - from, 1)) * width;
  const current = cursor === null ? undefined : spans[cursor];

  const move = (event: KeyboardEvent) => {
    const here = cursor ?? spans.length;
    const there = {
      ArrowLeft: here - 1,
      ArrowRight: cursor === null ? 0 : here + 1,
      Home: 0,
      End: spans.length - 1,
    }[event.key];
    if (event.key === "Escape" && cursor !== null) {
      event.stopPropagation();
      setCursor(null);
    }
    if (there === undefined) return;
    event.preventDefault();
    setCursor(Math.min(Math.max(there, 0), spans.length - 1));
  };
  const point = (event: PointerEvent<HTMLElement>) => {
    const offset = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const moment = from + (offset / Math.max(width, 1)) * (to - from);
    const found = spans.findIndex((span) => moment < span.to);
    setCursor(found === -1 ? null : found);
  };

  return (
    <div ref={measure}>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Left and right arrows move along the states.`}
        aria-valuemin={0}
        aria-valuemax={Math.max(spans.length - 1, 0)}
        aria-valuenow={cursor ?? 0}
        aria-valuetext={current === undefined ? "No state selected" : spell(current)}
        className="rounded-mark"
        onKeyDown={move}
        onPointerMove={point}
        onPointerLeave={() => setCursor(null)}
        onBlur={() => setCursor(null)}
      >
        <svg width={width} height={HEIGHT_PX + AXIS_PX} aria-hidden="true" className="block">
          {spans.map((span, index) => (
            <SpanMark key={span.from} span={span} x={x} isChosen={index === cursor} />
          ))}
          <line x2={width} y1={HEIGHT_PX + 0.5} y2={HEIGHT_PX + 0.5} className="stroke-line-strong" />
          <TimeAxis from={from} to={to} width={width} y={HEIGHT_PX + 14} />
        </svg>
      </div>
      {/* Always reserves one line, so that the layout does not shift. */}
      <p aria-hidden className="flex min-h-9 items-start gap-2 text-12 text-ink-2">
        {current === undefined ? (
          <span className="text-ink-3">Taller bars: more traffic blocked</span>
        ) : (
          <>
            <StateBadge sign={AVAILABILITY[current.state]} />
            <span className="min-w-0">
              {formatSpan(current.to - current.from)} from {formatClock(current.from)}: {current.why}
            </span>
          </>
        )}
      </p>
    </div>
  );
}

interface SpanMarkProps {
  span: BreakerSpanView;
  x: (moment: number) => number;
  isChosen: boolean;
}

function SpanMark({ span, x, isChosen }: SpanMarkProps) {
  const { share, fill } = LOOKS[span.state];
  const left = x(span.from);
  const wide = Math.max(x(span.to) - left, SPAN_WIDTH_PX_MIN);
  return (
    <g>
      {isChosen && <rect x={left} width={wide} height={HEIGHT_PX} className="fill-surface-3" />}
      <rect
        data-mark
        x={left}
        y={HEIGHT_PX * (1 - share)}
        width={Math.max(wide - 0.5, SPAN_WIDTH_PX_MIN - 0.5)}
        height={HEIGHT_PX * share}
        className={fill}
      />
    </g>
  );
}

function spell(span: BreakerSpanView): string {
  return `${AVAILABILITY[span.state].word} for ${formatSpan(span.to - span.from)} from ${formatExact(span.from)}: ${span.why}`;
}
