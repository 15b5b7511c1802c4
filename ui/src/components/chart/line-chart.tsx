/** Lines over time, each with its name at its end, with a cursor for pointer and keyboard, and optionally a band. */
import { scaleLinear, scalePoint } from "@visx/scale";
import { Area, LinePath } from "@visx/shape";
import { useChartCursor } from "@/components/chart/chart-cursor";
import { ChartReadout } from "@/components/chart/chart-readout";
import { useMeasuredWidth } from "@/components/chart/measured";
import { MARGIN, namesWidth } from "@/components/chart/margin";
import { PointAxis } from "@/components/chart/point-axis";
import { TimeAxis } from "@/components/chart/time-axis";
import { ValueAxis } from "@/components/chart/value-axis";

export interface Line {
  key: string;
  label: string;
  /** A CSS colour. */
  colour: string;
  /** Not measured but expected. */
  dashed?: boolean;
  /** None where there is no value. */
  values: (number | null)[];
}

/** Places the points by their time, so that the chart agrees with another one above it. */
export interface TimeSpan {
  from: number;
  to: number;
  /** The middle of each point. */
  middles: number[];
  /** Where the time begins, from the chart's left edge in pixels. */
  left: number;
}

interface LineChartProps {
  /** What the lines show, for example "Time to first token by day". */
  label: string;
  height: number;
  /** The moments, oldest first. `title` is the label in full, where the axis has no room for it. */
  points: { key: string; label: string; title?: string }[];
  /** The names on the axis by the index of their point; the points' own where there is room, if left out. */
  ticks?: Map<number, string>;
  span?: TimeSpan | undefined;
  /** The fewest letters to keep room for at the lines' ends. */
  letters?: number;
  lines: Line[];
  /** A range around a line, for example of a forecast. */
  band?: { label: string; colour: string; low: (number | null)[]; high: (number | null)[] };
  /** A level to stay below. */
  limit?: { label: string; value: number } | undefined;
  format: (value: number) => string;
  formatTick: (value: number, step: number) => string;
  onChoose?: (index: number) => void;
}

/** A line for every so many pixels, and not more. */
const TICKS_MAX = 4;
const TICK_HEIGHT_PX = 34;
const NAME_GAP_PX = 8;
const END_LABEL_HEIGHT_PX = 14;

/** Places in the plot, in pixels from its upper left corner. */
interface Plot {
  /** Of the whole chart, where the plot begins. */
  left: number;
  width: number;
  height: number;
  /** Of a point, from the left. */
  at: (index: number) => number;
  /** Of a value, from the top. */
  y: (value: number) => number;
}

function plotOf(props: LineChartProps, whole: number) {
  const { height, points, span, lines, band, limit } = props;
  const left = span?.left ?? MARGIN.left;
  const letters = Math.max(props.letters ?? 0, limit?.label.length ?? 0, ...lines.map((line) => line.label.length));
  const width = Math.max(whole - left - namesWidth(letters), 40);
  const inner = height - MARGIN.top - MARGIN.bottom;
  const tickCount = Math.min(Math.floor(inner / TICK_HEIGHT_PX), TICKS_MAX);
  const all = [...lines.flatMap((line) => line.values), ...(band?.high ?? []), limit?.value ?? null];
  const highest = Math.max(1, ...all.filter((value) => value !== null));
  const x = scalePoint({ domain: points.map((point) => point.key), range: [0, width], padding: 0.5 });
  const y = scaleLinear({ domain: [0, highest], range: [inner, 0], nice: tickCount });
  const ticks = y.ticks(tickCount);
  const at = (index: number) =>
    span === undefined
      ? (x(points[index]?.key ?? "") ?? 0)
      : (((span.middles[index] ?? span.from) - span.from) / Math.max(span.to - span.from, 1)) * width;
  const indexAt = (offset: number) =>
    offset < left ? null : nearest(points.length, (index) => Math.abs(offset - left - at(index)));
  const plot: Plot = { left, width, height: inner, at, y };
  return { plot, ticks, tickStep: (ticks[1] ?? highest) - (ticks[0] ?? 0), indexAt };
}

/** The index of least distance. */
function nearest(count: number, distance: (index: number) => number): number {
  let best = 0;
  for (let index = 1; index < count; index += 1) if (distance(index) < distance(best)) best = index;
  return best;
}

type PointValue = Omit<Line, "values"> & { value: number };

function valuesAt(lines: Line[], index: number): PointValue[] {
  return lines.flatMap(({ values, ...line }) => {
    const value = values[index] ?? null;
    return value === null ? [] : [{ ...line, value }];
  });
}

function titleAt({ points }: LineChartProps, index: number): string {
  return points[index]?.title ?? points[index]?.label ?? "";
}

function spell(props: LineChartProps, index: number): string {
  const { lines, band, format } = props;
  const parts = valuesAt(lines, index).map((line) => `${line.label} ${format(line.value)}`);
  const [low, high] = [band?.low[index] ?? null, band?.high[index] ?? null];
  if (band && low !== null && high !== null) parts.push(`${band.label} ${format(low)} to ${format(high)}`);
  return `${titleAt(props, index)}: ${parts.length === 0 ? "nothing" : parts.join(", ")}`;
}

export function LineChart(props: LineChartProps) {
  const { label, height, points, ticks: named, span, lines, band, limit, format, formatTick, onChoose } = props;
  const [width, measure] = useMeasuredWidth(760);
  const { plot, ticks, tickStep, indexAt } = plotOf(props, width);
  const { index: cursor, handlers } = useChartCursor({ count: points.length, indexAt, onChoose });
  return (
    <div ref={measure} className="relative">
      <div
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Left and right arrows move along the chart${onChoose ? ", Enter lists the requests" : ""}.`}
        aria-valuemin={0}
        aria-valuemax={Math.max(points.length - 1, 0)}
        aria-valuenow={cursor ?? 0}
        aria-valuetext={cursor === null ? "Nothing chosen" : spell(props, cursor)}
        className="rounded-control"
        {...handlers}
      >
        <svg width={width} height={height} aria-hidden="true" className="block overflow-visible">
          <g transform={`translate(${plot.left},${MARGIN.top})`}>
            <ValueAxis ticks={ticks} y={plot.y} width={plot.width} format={(tick) => formatTick(tick, tickStep)} />
            {cursor !== null && (
              <line x1={plot.at(cursor)} x2={plot.at(cursor)} y2={plot.height} className="stroke-line-strong" />
            )}
            {band && <BandArea band={band} count={points.length} plot={plot} />}
            {limit && <LimitLine limit={limit} plot={plot} />}
            {lines.map((line) => (
              <LineMarks key={line.key} line={line} plot={plot} />
            ))}
            {cursor !== null && <CursorMarks values={valuesAt(lines, cursor)} x={plot.at(cursor)} y={plot.y} />}
            <EndLabels lines={lines} count={points.length} plot={plot} />
            {span === undefined ? (
              <PointAxis
                points={points}
                ticks={named}
                at={plot.at}
                width={plot.width}
                height={plot.height}
                cursor={cursor}
              />
            ) : (
              <TimeAxis from={span.from} to={span.to} width={plot.width} y={plot.height + 16} />
            )}
          </g>
        </svg>
      </div>
      {cursor !== null && (
        <ChartReadout
          title={titleAt(props, cursor)}
          parts={[
            ...valuesAt(lines, cursor).map((line) => ({ ...line, value: format(line.value) })),
            ...bandPart(band, cursor, format),
          ]}
          hint={onChoose && "Click to list the requests"}
          left={plot.left + plot.at(cursor)}
          width={width}
        />
      )}
    </div>
  );
}

interface BandAreaProps {
  band: NonNullable<LineChartProps["band"]>;
  count: number;
  plot: Plot;
}

function BandArea({ band, count, plot: { at, y } }: BandAreaProps) {
  return (
    <Area
      data={Array.from({ length: count }, (_, index) => index)}
      defined={(index) => (band.low[index] ?? null) !== null && (band.high[index] ?? null) !== null}
      x={at}
      y0={(index) => y(band.low[index] ?? 0)}
      y1={(index) => y(band.high[index] ?? 0)}
      data-mark
      style={{ fill: band.colour }}
      fillOpacity={0.22}
    />
  );
}

function LimitLine({ limit, plot }: { limit: { label: string; value: number }; plot: Plot }) {
  return (
    <g transform={`translate(0,${plot.y(limit.value)})`}>
      <line data-mark x2={plot.width} className="stroke-bad" strokeDasharray="2 3" />
      <text x={plot.width + NAME_GAP_PX} dy="0.32em" className="fill-bad text-11">
        {limit.label}
      </text>
    </g>
  );
}

function LineMarks({ line, plot: { at, y } }: { line: Line; plot: Plot }) {
  return (
    <g>
      <LinePath
        data={line.values}
        defined={(value) => value !== null}
        x={(_, index) => at(index)}
        y={(value) => y(value ?? 0)}
        data-mark
        fill="none"
        style={{ stroke: line.colour }}
        strokeWidth={1.75}
        strokeLinejoin="round"
        {...(line.dashed ? { strokeDasharray: "4 4" } : {})}
      />
      {lonely(line.values).map((index) => (
        <circle
          key={index}
          data-mark
          cx={at(index)}
          cy={y(line.values[index] ?? 0)}
          r={2}
          style={{ fill: line.colour }}
        />
      ))}
    </g>
  );
}

function CursorMarks({ values, x, y }: { values: PointValue[]; x: number; y: Plot["y"] }) {
  return values.map((line) => (
    <circle
      key={line.key}
      data-mark
      cx={x}
      cy={y(line.value)}
      r={3.5}
      className="stroke-surface-1"
      strokeWidth={1.5}
      style={{ fill: line.colour }}
    />
  ));
}

function EndLabels({ lines, count, plot }: { lines: Line[]; count: number; plot: Plot }) {
  return endLabels(lines, plot.y).map(({ key, label, index, top }) =>
    index === count - 1 ? (
      <text key={key} x={plot.width + NAME_GAP_PX} y={top} dy="0.32em" className="fill-ink-2 text-11">
        {label}
      </text>
    ) : (
      <text key={key} x={plot.at(index)} y={top - 10} textAnchor="end" className="fill-ink-2 text-11">
        {label}
      </text>
    ),
  );
}

/** Values without a neighbour, which a line alone would not show. */
function lonely(values: (number | null)[]): number[] {
  const isGap = (index: number) => (values[index] ?? null) === null;
  return values.flatMap((value, index) => (value !== null && isGap(index - 1) && isGap(index + 1) ? [index] : []));
}

interface EndLabel {
  key: string;
  label: string;
  /** The last point with a value. */
  index: number;
  top: number;
}

/** The names at the lines' ends, moved apart where they would overlap. */
function endLabels(lines: Line[], y: (value: number) => number): EndLabel[] {
  const ends = lines
    .flatMap(({ key, label, values }) => {
      const index = values.findLastIndex((value) => value !== null);
      return index === -1 ? [] : [{ key, label, index, top: y(values[index] ?? 0) }];
    })
    .toSorted((left, right) => right.top - left.top);
  let floor = Infinity;
  return ends.map((end) => {
    floor = Math.min(end.top, floor - END_LABEL_HEIGHT_PX);
    return { ...end, top: floor };
  });
}

function bandPart(band: LineChartProps["band"], index: number, format: (value: number) => string) {
  const [low, high] = [band?.low[index] ?? null, band?.high[index] ?? null];
  if (!band || low === null || high === null || low === high) return [];
  return [{ key: "band", label: band.label, value: `${format(low)}–${format(high)}`, colour: band.colour }];
}
