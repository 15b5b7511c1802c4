/**
 * States over time, a lane for each part. The worse a state, the taller its span, and each has a pattern of its own, so
 * that nothing depends on colour. The pointer and the arrow keys walk the spans: left and right in a lane, up and down
 * from lane to lane. One path per lane and state, however many spans there are.
 */
import { useId, useState, type KeyboardEvent, type PointerEvent } from "react";
import { useMeasuredWidth } from "@/components/chart/measured";
import { StateBadge, StateMark } from "@/components/state/state-mark";
import { TimeAxis } from "@/components/chart/time-axis";
import type { DependencyState, HealthLaneView, LaneSpanView, TimelineMarkerView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { DEPENDENCY } from "@/lib/tables";
import { formatExact, formatSpan } from "@/lib/time";

/** Where the time begins: the names have their full width wherever another chart stands below. */
export const LANES_LEFT_PX = 160;
const LANE_PX = 30;
const BAR_PX = 18;
const AXIS_PX = 22;
const SPAN_PX_MIN = 2;
const MARKER_PX = 4;
/** How far from a marker the pointer may be. */
const MARKER_REACH_PX = 6;

interface Look {
  /** Height as a share of the bar. */
  share: number;
  colour: string;
  pattern: "solid" | "slant" | "upright" | "dots" | "hollow";
}

const LOOKS: Record<DependencyState, Look> = {
  up: { share: 0.28, colour: "var(--ok)", pattern: "solid" },
  degraded: { share: 0.62, colour: "var(--warn)", pattern: "slant" },
  down: { share: 1, colour: "var(--bad)", pattern: "solid" },
  blocked: { share: 1, colour: "var(--bad)", pattern: "upright" },
  unknown: { share: 0.28, colour: "var(--line-strong)", pattern: "hollow" },
  offline: { share: 0.62, colour: "var(--text-3)", pattern: "dots" },
  off: { share: 0.1, colour: "var(--line-strong)", pattern: "solid" },
  not_observed: { share: 0.62, colour: "var(--line-strong)", pattern: "slant" },
};
const STATES = Object.keys(LOOKS) as DependencyState[];

interface SwimLanesProps {
  /** What the lanes show, for example "States of the last 24 hours". */
  label: string;
  from: number;
  to: number;
  lanes: HealthLaneView[];
  markers: TimelineMarkerView[];
  /** A time to point out. */
  shade?: { from: number; to: number };
}

/** A span of a lane, or a marker of the lane after the last. */
interface Place {
  lane: number;
  item: number;
}

interface PlaceOptions {
  from: number;
  to: number;
  lanes: HealthLaneView[];
  changes: TimelineMarkerView[];
  /** Of the lanes, in pixels. */
  width: number;
  x: Scale;
}

/** What the keyboard or the pointer is at: a state of a lane, or a change of the settings below them. */
function usePlace({ from, to, lanes, changes, width, x }: PlaceOptions) {
  const [chosen, setChosen] = useState<Place | null>(null);
  const rows = lanes.length + (changes.length > 0 ? 1 : 0);
  const count = (lane: number) => lanes[lane]?.spans.length ?? changes.length;
  const place = chosen !== null && chosen.lane < rows && chosen.item < count(chosen.lane) ? chosen : null;

  const momentOf = ({ lane, item }: Place) => lanes[lane]?.spans[item]?.from ?? changes[item]?.at ?? from;
  const itemAt = (lane: number, moment: number): number => {
    const spans = lanes[lane]?.spans;
    if (spans)
      return Math.max(
        spans.findIndex((span) => moment < span.to),
        0,
      );
    const distances = changes.map(({ at }) => Math.abs(at - moment));
    return distances.indexOf(Math.min(...distances));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && place !== null) {
      event.stopPropagation();
      setChosen(null);
    }
    const here = place ?? { lane: 0, item: count(0) };
    const inLane = (item: number) => ({ lane: here.lane, item: clamp(item, count(here.lane)) });
    const toLane = (to: number) => {
      const lane = clamp(to, rows);
      return { lane, item: place === null ? count(lane) - 1 : itemAt(lane, momentOf(here)) };
    };
    const there = {
      ArrowLeft: () => inLane(here.item - 1),
      ArrowRight: () => inLane(place === null ? 0 : here.item + 1),
      ArrowUp: () => toLane(here.lane - 1),
      ArrowDown: () => toLane(place === null ? 0 : here.lane + 1),
      Home: () => inLane(0),
      End: () => inLane(count(here.lane) - 1),
    }[event.key];
    if (there === undefined || rows === 0) return;
    event.preventDefault();
    setChosen(there());
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const lane = Math.floor((event.clientY - top) / LANE_PX);
    if (lane < 0 || lane >= rows) return setChosen(null);
    const moment = from + ((event.clientX - left) / Math.max(width, 1)) * (to - from);
    const item = itemAt(lane, moment);
    const isFar = lane >= lanes.length && Math.abs(x(momentOf({ lane, item })) - x(moment)) > MARKER_REACH_PX;
    setChosen(isFar ? null : { lane, item });
  };
  const clear = () => setChosen(null);
  return { place, count, onKeyDown, pointer: { onPointerMove, onPointerLeave: clear, onBlur: clear } };
}

export function SwimLanes({ label, from, to, lanes, markers, shade }: SwimLanesProps) {
  const [width, measure] = useMeasuredWidth(720);
  const prefix = useId();
  const x = (moment: number) => ((moment - from) / Math.max(to - from, 1)) * width;
  const changes = markers.filter(({ kind }) => kind === "settings");
  const rows = lanes.length + (changes.length > 0 ? 1 : 0);
  const height = rows * LANE_PX;
  const { place, count, onKeyDown, pointer } = usePlace({ from, to, lanes, changes, width, x });
  return (
    <div className="min-w-0">
      <div className="grid grid-cols-[minmax(88px,148px)_minmax(0,1fr)] gap-x-3">
        <ul aria-hidden="true">
          {lanes.map((lane, index) => (
            <LaneLabel key={lane.id} lane={lane} isChosen={place?.lane === index} />
          ))}
          {changes.length > 0 && (
            <li style={{ height: LANE_PX }} className="flex items-center truncate text-12 text-ink-3">
              Settings changed
            </li>
          )}
        </ul>
        <div ref={measure} className="min-w-0">
          <div
            role="slider"
            tabIndex={0}
            aria-label={`${label}. Left and right arrows move along a lane, up and down between lanes.`}
            aria-valuemin={0}
            aria-valuemax={Math.max(count(place?.lane ?? 0) - 1, 0)}
            aria-valuenow={place?.item ?? 0}
            aria-valuetext={place === null ? "No state selected" : spell(place, lanes, changes)}
            className="rounded-mark"
            onKeyDown={onKeyDown}
            {...pointer}
          >
            <svg width={width} height={height + AXIS_PX} aria-hidden="true" className="block">
              <Patterns prefix={prefix} />
              {shade && (
                <rect
                  x={x(shade.from)}
                  width={Math.max(x(shade.to) - x(shade.from), SPAN_PX_MIN)}
                  height={height}
                  className="fill-accent-wash"
                />
              )}
              <TimeAxis from={from} to={to} width={width} y={height + 15} lines={height} />
              {place !== null && <Highlight span={lanes[place.lane]?.spans[place.item]} lane={place.lane} x={x} />}
              {lanes.map((lane, index) => (
                <Lane key={lane.id} spans={lane.spans} top={index * LANE_PX} x={x} prefix={prefix} />
              ))}
              <path data-mark d={tripsPath(lanes, markers, x)} className="fill-ink-1" />
              <path data-mark d={diamonds(changes, lanes.length, x)} className="fill-accent" />
              {place !== null && place.lane >= lanes.length && (
                <path
                  data-mark
                  d={diamonds(changes.slice(place.item, place.item + 1), lanes.length, x)}
                  className="fill-ink-1 stroke-ink-1"
                  strokeWidth={3}
                />
              )}
              <line x2={width} y1={height + 0.5} y2={height + 0.5} className="stroke-line-strong" />
            </svg>
          </div>
        </div>
      </div>
      {/* Always reserves one line, so that the layout does not shift. */}
      <div aria-hidden="true" className="mt-1 flex min-h-6 items-center text-12 text-ink-2">
        {place === null ? (
          <Key lanes={lanes} hasTrips={hasTrips(markers)} prefix={prefix} />
        ) : (
          readout(place, lanes, changes)
        )}
      </div>
    </div>
  );
}

function LaneLabel({ lane, isChosen }: { lane: HealthLaneView; isChosen: boolean }) {
  const latest = lane.spans.at(-1)?.state ?? "unknown";
  return (
    <li
      style={{ height: LANE_PX }}
      title={lane.summary}
      className={classNames("flex min-w-0 items-center gap-2", isChosen ? "text-ink-1" : "text-ink-2")}
    >
      <StateMark sign={DEPENDENCY[latest]} />
      <span className="truncate">{lane.label}</span>
    </li>
  );
}

type Scale = (moment: number) => number;

function Lane({ spans, top, x, prefix }: { spans: LaneSpanView[]; top: number; x: Scale; prefix: string }) {
  return STATES.map((state) => {
    const d = barsPath(
      spans.filter((span) => span.state === state),
      LOOKS[state].share,
      top,
      x,
    );
    return d === "" ? null : <path key={state} data-mark d={d} {...fillOf(state, prefix)} />;
  });
}

function barsPath(spans: LaneSpanView[], share: number, top: number, x: Scale): string {
  const high = Math.max(BAR_PX * share, 2);
  const upper = top + (LANE_PX - high) / 2;
  return spans
    .map(({ from, to }) => {
      const wide = Math.max(x(to) - x(from) - 0.5, SPAN_PX_MIN);
      return `M${x(from).toFixed(1)} ${upper}h${wide.toFixed(1)}v${high}h${(-wide).toFixed(1)}z`;
    })
    .join("");
}

function fillOf(state: DependencyState, prefix: string) {
  const { pattern, colour } = LOOKS[state];
  if (pattern === "solid") return { style: { fill: colour } };
  if (pattern === "hollow") return { style: { fill: "var(--surface-1)", stroke: colour } };
  return { fill: `url(#${prefix}-${state})` };
}

function Patterns({ prefix }: { prefix: string }) {
  return (
    <defs>
      {STATES.map((state) => {
        const { pattern, colour } = LOOKS[state];
        if (pattern === "solid" || pattern === "hollow") return null;
        const isQuiet = state === "not_observed";
        return (
          <pattern
            key={state}
            id={`${prefix}-${state}`}
            width={pattern === "slant" ? 6 : 4}
            height={pattern === "slant" ? 6 : 4}
            patternUnits="userSpaceOnUse"
            {...(pattern === "slant" && { patternTransform: `rotate(${isQuiet ? 45 : -45})` })}
          >
            {pattern === "dots" ? (
              <circle data-mark cx={2} cy={2} r={1.1} style={{ fill: colour }} />
            ) : (
              <rect
                data-mark
                width={isQuiet ? 1 : pattern === "slant" ? 3.5 : 2.6}
                height={6}
                style={{ fill: colour }}
              />
            )}
          </pattern>
        );
      })}
    </defs>
  );
}

function Highlight({ span, lane, x }: { span: LaneSpanView | undefined; lane: number; x: Scale }) {
  if (span === undefined) return null;
  const wide = Math.max(x(span.to) - x(span.from), SPAN_PX_MIN + 2);
  return (
    <rect
      x={x(span.from) - 1}
      y={lane * LANE_PX + 1}
      width={wide + 2}
      height={LANE_PX - 2}
      rx={3}
      className="fill-surface-3"
    />
  );
}

const hasTrips = (markers: TimelineMarkerView[]) => markers.some(({ kind }) => kind === "breaker");

/** A small triangle over a lane for each time that its breaker tripped. */
function tripsPath(lanes: HealthLaneView[], markers: TimelineMarkerView[], x: Scale): string {
  return markers
    .map(({ kind, lane, at }) => {
      const index = lanes.findIndex(({ id }) => id === lane);
      if (kind !== "breaker" || index === -1) return "";
      return `M${(x(at) - MARKER_PX).toFixed(1)} ${index * LANE_PX + 0.5}h${2 * MARKER_PX}l${-MARKER_PX} ${MARKER_PX + 1}z`;
    })
    .join("");
}

function diamonds(changes: TimelineMarkerView[], lane: number, x: Scale): string {
  const middle = (lane + 0.5) * LANE_PX;
  const side = MARKER_PX;
  return changes
    .map(({ at }) => `M${x(at).toFixed(1)} ${middle - side}l${side} ${side}l${-side} ${side}l${-side} ${-side}z`)
    .join("");
}

/** What the bars mean: the states that are there, the worst last. */
function Key({ lanes, hasTrips: trips, prefix }: { lanes: HealthLaneView[]; hasTrips: boolean; prefix: string }) {
  const present = STATES.filter((state) => lanes.some(({ spans }) => spans.some((span) => span.state === state)));
  return (
    <span data-key className="flex flex-wrap gap-x-4 gap-y-1 text-ink-3">
      {present.map((state) => (
        <span key={state} className="inline-flex items-center gap-1.5">
          <svg data-state={state} width={16} height={BAR_PX - 4}>
            <path data-mark d={keyPath(LOOKS[state].share)} {...fillOf(state, prefix)} />
          </svg>
          {DEPENDENCY[state].word}
        </span>
      ))}
      {trips && (
        <span className="inline-flex items-center gap-1.5">
          <svg width={10} height={6}>
            <path data-mark d="M1 0h8l-4 5z" className="fill-ink-1" />
          </svg>
          breaker tripped
        </span>
      )}
    </span>
  );
}

function keyPath(share: number): string {
  const room = BAR_PX - 4;
  const high = Math.max(room * share, 2);
  return `M0.5 ${(room - high) / 2}h15v${high}h-15z`;
}

function readout({ lane, item }: Place, lanes: HealthLaneView[], changes: TimelineMarkerView[]) {
  const [known, span, change] = [lanes[lane], lanes[lane]?.spans[item], changes[item]];
  if (known !== undefined && span !== undefined)
    return (
      <span className="flex min-w-0 items-center gap-2">
        <span className="font-medium whitespace-nowrap text-ink-1">{known.label}</span>
        <StateBadge sign={DEPENDENCY[span.state]} />
        <span className="truncate">{lengthOf(span)}</span>
      </span>
    );
  return change === undefined ? null : (
    <span className="truncate">
      {formatExact(change.at)}: {change.text}
    </span>
  );
}

function lengthOf({ from, to, why }: LaneSpanView): string {
  const length = `for ${formatSpan(to - from)} from ${formatExact(from)}`;
  return why === "" ? length : `${length}: ${why}`;
}

function spell({ lane, item }: Place, lanes: HealthLaneView[], changes: TimelineMarkerView[]): string {
  const [known, span, change] = [lanes[lane], lanes[lane]?.spans[item], changes[item]];
  if (known !== undefined && span !== undefined)
    return `${known.label}: ${DEPENDENCY[span.state].word} ${lengthOf(span)}`;
  return change === undefined ? "" : `Settings changed ${formatExact(change.at)}: ${change.text}`;
}

function clamp(index: number, count: number): number {
  return Math.max(Math.min(index, count - 1), 0);
}
