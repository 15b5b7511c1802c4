/** Amounts by hour and weekday, or by week and weekday: the stronger a cell, the more. The arrow keys walk the cells. */
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import { useMeasuredWidth } from "@/components/chart/measured";
import { classNames } from "@/lib/class-names";

export interface HeatmapCell {
  value: number;
  /** The value in words, where a number would mislead. */
  words?: string;
  /** What the cell is, instead of the names of its row and column. */
  name?: string;
  /** Nothing is known of the value, which is then no zero. */
  isUnknown?: boolean;
  /** There is nothing to count: only an outline. */
  isAbsent?: boolean;
}

export interface HeatmapRow {
  label: string;
  cells: HeatmapCell[];
}

interface HeatmapProps {
  /** What the cells show, for example "Requests by hour and weekday". */
  label: string;
  columns: string[];
  rows: HeatmapRow[];
  /** The words under the columns, instead of every third one's name. */
  ticks?: (string | null)[];
  rowHeight?: number;
  /** What the arrow keys move along. */
  walked?: string;
  format: (value: number) => string;
  /** Of a cell that was chosen by a click or Enter. */
  onChoose?: (row: number, column: number) => void;
}

const LEFT_PX = 36;
const ROW_PX = 26;
const AXIS_PX = 18;
const GAP_PX = 2;
const LABEL_EVERY = 3;
/** Strength of the steps, in percent of the colour. Few enough to be told apart. */
const STEPS = [22, 42, 64, 100];

function fillOf(value: number, highest: number): string {
  if (value === 0) return "var(--surface-2)";
  const step = STEPS[Math.min(Math.floor((value / highest) * STEPS.length), STEPS.length - 1)];
  return `color-mix(in oklab, var(--series-1) ${step}%, var(--surface-2))`;
}

export function heatmapHeight(rows: number, rowHeight = ROW_PX): number {
  return rows * rowHeight + AXIS_PX + 24;
}

function hourTicks(columns: string[]): (string | null)[] {
  return columns.map((column, across) => (across % LABEL_EVERY === 0 ? column.slice(0, 2) : null));
}

interface Place {
  row: number;
  column: number;
}

interface Grid {
  rows: number;
  columns: number;
  /** Of a cell, in pixels. */
  width: number;
  height: number;
}

/** The cell at the keyboard's or the pointer's place. */
function useCell({ rows, columns, width, height }: Grid, onChoose: HeatmapProps["onChoose"]) {
  const [cell, setCell] = useState<Place | null>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const { row, column } = cell ?? { row: 0, column: 0 };
    const there = {
      ArrowLeft: { row, column: column - 1 },
      ArrowRight: { row, column: cell === null ? 0 : column + 1 },
      ArrowUp: { row: row - 1, column },
      ArrowDown: { row: cell === null ? 0 : row + 1, column },
      Home: { row, column: 0 },
      End: { row, column: columns - 1 },
    }[event.key];
    if (event.key === "Enter" && cell !== null) onChoose?.(cell.row, cell.column);
    if (event.key === "Escape" && cell !== null) {
      event.stopPropagation();
      setCell(null);
    }
    if (there === undefined) return;
    event.preventDefault();
    setCell({ row: clamp(there.row, rows), column: clamp(there.column, columns) });
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const [across, down] = [event.clientX - left - LEFT_PX, event.clientY - top];
    const isInside = across >= 0 && down < rows * height;
    setCell(
      isInside
        ? { row: clamp(Math.floor(down / height), rows), column: clamp(Math.floor(across / width), columns) }
        : null,
    );
  };
  const clear = () => setCell(null);
  return { cell, onKeyDown, pointer: { onPointerMove, onPointerLeave: clear, onBlur: clear } };
}

export function Heatmap({
  label,
  columns,
  rows,
  ticks = hourTicks(columns),
  rowHeight = ROW_PX,
  walked = "hours and days",
  format,
  onChoose,
}: HeatmapProps) {
  const [width, measure] = useMeasuredWidth(480);
  const grid = {
    rows: rows.length,
    columns: columns.length,
    width: (width - LEFT_PX) / Math.max(columns.length, 1),
    height: rowHeight,
  };
  const { cell, onKeyDown, pointer } = useCell(grid, onChoose);
  const highest = Math.max(1, ...rows.flatMap(({ cells }) => cells.map(({ value }) => value)));
  const spell = ({ row: down, column }: Place) => {
    const row = rows[down];
    const { name = `${row?.label} ${columns[column]}`, words, value = 0 } = row?.cells[column] ?? {};
    return `${name}: ${words ?? format(value)}`;
  };
  return (
    <div ref={measure}>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`${label}. The arrow keys move along the ${walked}.${onChoose ? " Enter opens the requests." : ""}`}
        aria-valuemin={0}
        aria-valuemax={rows.length * columns.length - 1}
        aria-valuenow={cell === null ? 0 : cell.row * columns.length + cell.column}
        aria-valuetext={cell === null ? "Nothing chosen" : spell(cell)}
        className={classNames("rounded-mark", onChoose && "cursor-pointer")}
        onClick={() => cell !== null && onChoose?.(cell.row, cell.column)}
        onKeyDown={onKeyDown}
        {...pointer}
      >
        <svg width={width} height={rows.length * rowHeight + AXIS_PX} aria-hidden="true" className="block">
          {rows.map((row, down) => (
            <g key={row.label} transform={`translate(0,${down * rowHeight})`}>
              <Cells row={row} grid={grid} highest={highest} chosen={cell?.row === down ? cell.column : null} />
            </g>
          ))}
          <Ticks ticks={ticks} grid={grid} chosen={cell?.column ?? null} />
        </svg>
      </div>
      {/* Always reserves one line, so that the layout does not shift. */}
      <p aria-hidden className="flex h-6 items-end gap-1.5 pl-9 text-12 text-ink-3">
        {cell === null ? (
          <Legend rows={rows} highest={format(highest)} />
        ) : (
          <span className="text-ink-1">{spell(cell)}</span>
        )}
      </p>
    </div>
  );
}

interface TicksProps {
  ticks: (string | null)[];
  grid: Grid;
  /** The column of the chosen cell. */
  chosen: number | null;
}

function Ticks({ ticks, grid, chosen }: TicksProps) {
  return ticks.map(
    (tick, across) =>
      tick !== null && (
        <text
          key={across}
          x={LEFT_PX + (across + 0.5) * grid.width}
          y={grid.rows * grid.height + 12}
          textAnchor="middle"
          className={chosen === across ? "fill-ink-1 text-11" : "fill-ink-3 text-11"}
        >
          {tick}
        </text>
      ),
  );
}

interface CellsProps {
  row: HeatmapRow;
  grid: Grid;
  highest: number;
  /** The chosen cell, if it is one of these. */
  chosen: number | null;
}

function Cells({ row: { label, cells }, grid: { width, height }, highest, chosen }: CellsProps) {
  const middle = (height - GAP_PX) / 2;
  return (
    <>
      <text y={middle} dy="0.34em" className={chosen === null ? "fill-ink-3 text-11" : "fill-ink-1 text-11"}>
        {label.slice(0, 3)}
      </text>
      {cells.map(({ value, isAbsent }, across) => (
        <rect
          key={across}
          data-mark
          x={LEFT_PX + across * width}
          width={Math.max(width - GAP_PX, 1)}
          height={height - GAP_PX}
          rx={3}
          style={{ fill: isAbsent ? "none" : fillOf(value, highest) }}
          className={chosen === across ? "stroke-ink-1" : isAbsent ? "stroke-line" : undefined}
          strokeWidth={isAbsent ? 1 : 1.5}
        />
      ))}
      {cells.map(
        ({ isUnknown }, across) =>
          isUnknown && (
            <text
              key={across}
              data-mark
              x={LEFT_PX + (across + 0.5) * width - GAP_PX / 2}
              y={middle}
              dy="0.36em"
              textAnchor="middle"
              className="fill-warn text-11"
            >
              ?
            </text>
          ),
      )}
    </>
  );
}

function Legend({ rows, highest }: { rows: HeatmapRow[]; highest: string }) {
  const cells = rows.flatMap((row) => row.cells);
  const fills = ["var(--surface-2)", ...STEPS.map((_, index) => fillOf((index + 0.5) / STEPS.length, 1))];
  return (
    <>
      {cells.some(({ value }) => value > 0) && (
        <>
          0
          {fills.map((fill) => (
            <span key={fill} data-mark className="mb-1 h-2.5 w-5 rounded-mark" style={{ background: fill }} />
          ))}
          {highest}
        </>
      )}
      {cells.some(({ isUnknown }) => isUnknown) && (
        <span className="ml-2">
          <span className="text-warn">?</span> not known
        </span>
      )}
      {cells.some(({ isAbsent }) => isAbsent) && (
        <>
          <span data-mark className="mb-1 ml-2 h-2.5 w-5 rounded-mark border border-line" /> nothing recorded
        </>
      )}
    </>
  );
}

function clamp(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count - 1);
}
