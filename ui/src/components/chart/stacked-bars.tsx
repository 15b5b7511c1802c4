/**
 * Stacked bars over time with a cursor for pointer and keyboard; a click or Enter chooses its bar, a drag or Shift with
 * the arrow keys a span to zoom into. Draws the given numbers and adds none up: the readout's total and parts are
 * counted by the core.
 */
import { scaleBand, scaleLinear } from "@visx/scale";
import { BarStack } from "@visx/shape";
import { useChartCursor, type ChartRange } from "@/components/chart/chart-cursor";
import { ChartReadout, type ReadoutPart } from "@/components/chart/chart-readout";
import { MARGIN, namesWidth } from "@/components/chart/margin";
import { useMeasuredWidth } from "@/components/chart/measured";
import { PointAxis } from "@/components/chart/point-axis";
import { ValueAxis } from "@/components/chart/value-axis";

export interface BarGroup {
  key: string;
  label: string;
  /** A CSS colour. */
  colour: string;
}

export interface Bar {
  key: string;
  /** Its label on the axis. */
  label: string;
  /** Its name where there is more room. */
  title?: string;
  /** One value for each group, in the order of the groups. */
  values: number[];
  total: number;
  /** The total and then each value in words, where a number would mislead; null where there is nothing. */
  words?: (string | null)[];
  /** True if nothing is known of the total, which is then no zero. */
  isUnknown?: boolean;
}

interface StackedBarsProps {
  /** What each bar shows, for example "Cost by hour". */
  label: string;
  groups: BarGroup[];
  bars: Bar[];
  height: number;
  format: (value: number) => string;
  formatTick: (value: number, step: number) => string;
  onChoose: (index: number) => void;
  /** None where there is nothing to zoom into. */
  onZoom?: ((range: ChartRange) => void) | undefined;
  /** Said in the plot if every bar is zero. */
  flat?: string;
}

const TICKS = 4;
const BAR_WIDTH_PX_MAX = 44;

interface Datum {
  key: string;
  [group: string]: string | number;
}

function plotOf({ bars, height }: StackedBarsProps, whole: number) {
  const width = Math.max(whole - MARGIN.left - namesWidth(), 40);
  const inner = height - MARGIN.top - MARGIN.bottom;
  const highest = Math.max(1, ...bars.map((bar) => bar.total));
  const x = scaleBand({
    domain: bars.map((bar) => bar.key),
    range: [0, width],
    paddingInner: 0.28,
    paddingOuter: 0.14,
  });
  const y = scaleLinear({ domain: [0, highest], range: [inner, 0], nice: TICKS });
  // Counts are whole numbers, so there are no ticks between them. Without a value the axis has only its base line.
  const isFlat = bars.every((bar) => bar.total === 0);
  const ticks = isFlat ? [0] : y.ticks(TICKS).filter(Number.isInteger);
  return {
    width,
    height: inner,
    x,
    y,
    step: x.step(),
    isFlat,
    ticks,
    tickStep: (ticks[1] ?? highest) - (ticks[0] ?? 0),
    /** The middle of a bar, from the left. */
    at: (index: number) => (x(bars[index]?.key ?? "") ?? 0) + x.bandwidth() / 2,
  };
}

/** Places in the plot, in pixels from its upper left corner. */
type Plot = ReturnType<typeof plotOf>;

export function StackedBars(props: StackedBarsProps) {
  const { label, groups, bars, height, format, formatTick, onChoose, onZoom, flat } = props;
  const [width, measure] = useMeasuredWidth(760);
  const plot = plotOf(props, width);
  const { step } = plot;
  const indexAt = (offset: number) => (offset < MARGIN.left ? null : Math.floor((offset - MARGIN.left) / step));
  const { index: cursor, range, handlers } = useChartCursor({ count: bars.length, indexAt, onChoose, onRange: onZoom });
  const current = cursor === null ? undefined : bars[cursor];
  return (
    <div ref={measure} className="relative">
      <div
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Left and right arrows move along the bars, Enter lists the requests of one.${onZoom ? " With Shift they mark bars, and Enter zooms in." : ""}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(bars.length - 1, 0)}
        aria-valuenow={cursor ?? 0}
        aria-valuetext={textOf(range && spanWords(bars, range), current, groups, format)}
        className="rounded-control touch-pan-y select-none"
        {...handlers}
      >
        <svg width={width} height={height} aria-hidden="true" className="block overflow-visible">
          <g transform={`translate(${MARGIN.left},${MARGIN.top})`}>
            <ValueAxis
              ticks={plot.ticks}
              y={plot.y}
              width={plot.width}
              format={(tick) => formatTick(tick, plot.tickStep)}
            />
            <Marked cursor={cursor} range={range} plot={plot} />
            <Stacks groups={groups} bars={bars} plot={plot} />
            {plot.isFlat && flat !== undefined && (
              <text x={plot.width / 2} y={plot.height / 2} textAnchor="middle" className="fill-ink-3 text-13">
                {flat}
              </text>
            )}
            <UnknownMarks bars={bars} plot={plot} />
            <PointAxis points={bars} at={plot.at} width={plot.width} height={plot.height} cursor={cursor} />
          </g>
        </svg>
      </div>
      {range !== null && (
        <ChartReadout
          title={spanWords(bars, range)}
          total={`${range.last - range.first + 1} marked`}
          parts={[]}
          hint="Let go or press Enter to zoom in"
          left={MARGIN.left + ((range.first + range.last + 1) / 2) * step}
          width={width}
        />
      )}
      {current !== undefined && cursor !== null && range === null && (
        <ChartReadout
          title={current.title ?? current.label}
          total={totalOf(current, format) ?? "Nothing"}
          parts={partsOf(current, groups, format)}
          hint={totalOf(current, format) === null ? undefined : hintOf(onZoom !== undefined)}
          left={MARGIN.left + (cursor + 0.5) * step}
          width={width}
        />
      )}
    </div>
  );
}

/** What is behind the bar at the cursor, or behind the marked ones. */
function Marked({ cursor, range, plot }: { cursor: number | null; range: ChartRange | null; plot: Plot }) {
  const { step, height, at } = plot;
  if (range !== null)
    return (
      <rect
        x={range.first * step}
        width={(range.last - range.first + 1) * step}
        height={height}
        className="fill-accent/15 stroke-accent/50"
      />
    );
  return cursor === null ? null : (
    <rect x={at(cursor) - step / 2} width={step} height={height} className="fill-surface-2" />
  );
}

interface StacksProps {
  groups: BarGroup[];
  bars: Bar[];
  plot: Plot;
}

function Stacks({ groups, bars, plot: { x, y } }: StacksProps) {
  const data: Datum[] = bars.map((bar) => ({
    key: bar.key,
    ...Object.fromEntries(groups.map((group, index) => [group.key, bar.values[index] ?? 0])),
  }));
  const colourOf = new Map(groups.map((group) => [group.key, group.colour]));
  const width = Math.min(x.bandwidth(), BAR_WIDTH_PX_MAX);
  const inset = (x.bandwidth() - width) / 2;
  return (
    <BarStack<Datum, string, typeof x, typeof y>
      data={data}
      keys={groups.map((group) => group.key)}
      x={(datum) => datum.key}
      xScale={x}
      yScale={y}
      color={(key) => colourOf.get(String(key)) ?? "currentColor"}
    >
      {(stacks) =>
        // A path for each group and not an element for each part: a month by model has hundreds.
        stacks.map((stack) => (
          <path
            key={stack.key}
            data-mark
            d={stack.bars
              .filter((bar) => bar.height > 0)
              .map((bar) => pathOf(bar.x + inset, bar.y + bar.height, width, bar.height))
              .join("")}
            style={{ fill: colourOf.get(stack.key) }}
          />
        ))
      }
    </BarStack>
  );
}

function UnknownMarks({ bars, plot }: { bars: Bar[]; plot: Plot }) {
  return bars.map(
    (bar, index) =>
      bar.isUnknown === true && (
        <text
          key={bar.key}
          data-mark
          x={plot.at(index)}
          y={plot.height - 5}
          textAnchor="middle"
          className="fill-warn text-12 font-medium"
        >
          ?
        </text>
      ),
  );
}

/** A part of a bar from its foot up, a little lower than it is: the gap to the next one. */
function pathOf(x: number, foot: number, width: number, height: number): string {
  return `M${x} ${foot}h${width}v${-Math.max(height - 0.75, 0.75)}h${-width}Z`;
}

/** The total in words; null where there is nothing. */
function totalOf({ total, words }: Bar, format: (value: number) => string): string | null {
  if (words !== undefined) return words[0] ?? null;
  return total > 0 ? format(total) : null;
}

/** The groups that the bar has something of, in words. */
function partsOf({ values, words }: Bar, groups: BarGroup[], format: (value: number) => string): ReadoutPart[] {
  return groups.flatMap((group, index) => {
    const value = values[index] ?? 0;
    const word = words === undefined ? (value > 0 ? format(value) : null) : (words[index + 1] ?? null);
    return word === null ? [] : { ...group, value: word };
  });
}

function hintOf(canZoom: boolean): string {
  return canZoom ? "Click to list the requests, drag to zoom in" : "Click to list the requests";
}

/** `3 Nov to 9 Nov`. */
function spanWords(bars: Bar[], { first, last }: ChartRange): string {
  const [from, to] = [bars[first], bars[last]].map((bar) => bar?.title ?? bar?.label ?? "");
  return from === to ? `${from}` : `${from} to ${to}`;
}

function textOf(span: string | null, bar: Bar | undefined, groups: BarGroup[], format: (value: number) => string) {
  if (span !== null) return `${span} marked. Enter zooms in`;
  return bar ? spell(bar, groups, format) : "No bar chosen";
}

function spell(bar: Bar, groups: BarGroup[], format: (value: number) => string): string {
  const parts = partsOf(bar, groups, format).map((part) => `${part.label} ${part.value}`);
  const total = totalOf(bar, format);
  return [`${bar.title ?? bar.label}: ${total ?? "nothing"}`, ...(parts.length > 0 ? [parts.join(", ")] : [])].join(
    ". ",
  );
}
