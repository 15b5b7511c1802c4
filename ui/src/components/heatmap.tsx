/** Amounts by hour and weekday: the stronger a cell, the more. The arrow keys walk the cells. */
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import { useMeasuredWidth } from "@/components/measured";
import { classNames } from "@/lib/class-names";

export interface HeatmapRow {
  label: string;
  values: number[];
  /** The values in words, where a number would mislead. */
  words?: string[];
  /** Where nothing is known of a value, which is then no zero. */
  unknown?: boolean[];
}

interface HeatmapProps {
  /** What the cells show, for example "Requests by hour and weekday". */
  label: string;
  columns: string[];
  rows: HeatmapRow[];
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

export function heatmapHeight(rows: number): number {
  return rows * ROW_PX + AXIS_PX + 24;
}

export function Heatmap({ label, columns, rows, format, onChoose }: HeatmapProps) {
  const [width, measure] = useMeasuredWidth(480);
  const [cursor, setCursor] = useState<{ row: number; column: number } | null>(null);
  const highest = Math.max(1, ...rows.flatMap((row) => row.values));
  const cell = (width - LEFT_PX) / Math.max(columns.length, 1);
  const spell = ({ row, column }: { row: number; column: number }) =>
    `${rows[row]?.label} ${columns[column]}: ${rows[row]?.words?.[column] ?? format(rows[row]?.values[column] ?? 0)}`;
  const move = (event: KeyboardEvent) => {
    const { row, column } = cursor ?? { row: 0, column: 0 };
    const there = {
      ArrowLeft: { row, column: column - 1 },
      ArrowRight: { row, column: cursor === null ? 0 : column + 1 },
      ArrowUp: { row: row - 1, column },
      ArrowDown: { row: cursor === null ? 0 : row + 1, column },
      Home: { row, column: 0 },
      End: { row, column: columns.length - 1 },
    }[event.key];
    if (event.key === "Enter" && cursor !== null) onChoose?.(cursor.row, cursor.column);
    if (event.key === "Escape" && cursor !== null) {
      event.stopPropagation();
      setCursor(null);
    }
    if (there === undefined) return;
    event.preventDefault();
    setCursor({ row: clamp(there.row, rows.length), column: clamp(there.column, columns.length) });
  };
  const point = (event: PointerEvent<HTMLElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const [across, down] = [event.clientX - left - LEFT_PX, event.clientY - top];
    const isInside = across >= 0 && down < rows.length * ROW_PX;
    setCursor(
      isInside
        ? {
            row: clamp(Math.floor(down / ROW_PX), rows.length),
            column: clamp(Math.floor(across / cell), columns.length),
          }
        : null,
    );
  };
  return (
    <div ref={measure}>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`${label}. The arrow keys move along the hours and days.${onChoose ? " Enter opens the requests." : ""}`}
        aria-valuemin={0}
        aria-valuemax={rows.length * columns.length - 1}
        aria-valuenow={cursor === null ? 0 : cursor.row * columns.length + cursor.column}
        aria-valuetext={cursor === null ? "Nothing chosen" : spell(cursor)}
        className={classNames("rounded-mark", onChoose && "cursor-pointer")}
        onClick={() => cursor !== null && onChoose?.(cursor.row, cursor.column)}
        onKeyDown={move}
        onPointerMove={point}
        onPointerLeave={() => setCursor(null)}
        onBlur={() => setCursor(null)}
      >
        <svg width={width} height={rows.length * ROW_PX + AXIS_PX} aria-hidden="true" className="block">
          {rows.map((row, down) => (
            <g key={row.label} transform={`translate(0,${down * ROW_PX})`}>
              <text
                y={(ROW_PX - GAP_PX) / 2}
                dy="0.34em"
                className={cursor?.row === down ? "fill-ink-1 text-11" : "fill-ink-3 text-11"}
              >
                {row.label.slice(0, 3)}
              </text>
              {row.values.map((value, across) => (
                <rect
                  key={columns[across]}
                  data-mark
                  x={LEFT_PX + across * cell}
                  width={Math.max(cell - GAP_PX, 1)}
                  height={ROW_PX - GAP_PX}
                  rx={3}
                  style={{ fill: fillOf(value, highest) }}
                  className={cursor?.row === down && cursor.column === across ? "stroke-ink-1" : undefined}
                  strokeWidth={1.5}
                />
              ))}
              {row.unknown?.map(
                (isUnknown, across) =>
                  isUnknown && (
                    <text
                      key={columns[across]}
                      data-mark
                      x={LEFT_PX + (across + 0.5) * cell - GAP_PX / 2}
                      y={(ROW_PX - GAP_PX) / 2}
                      dy="0.36em"
                      textAnchor="middle"
                      className="fill-warn text-11"
                    >
                      ?
                    </text>
                  ),
              )}
            </g>
          ))}
          {columns.map((column, across) =>
            across % LABEL_EVERY === 0 ? (
              <text
                key={column}
                x={LEFT_PX + (across + 0.5) * cell}
                y={rows.length * ROW_PX + 12}
                textAnchor="middle"
                className={cursor?.column === across ? "fill-ink-1 text-11" : "fill-ink-3 text-11"}
              >
                {column.slice(0, 2)}
              </text>
            ) : null,
          )}
        </svg>
      </div>
      {/* Always reserves one line, so that the layout does not shift. */}
      <p aria-hidden className="flex h-6 items-end gap-1.5 pl-9 text-12 text-ink-3">
        {cursor === null ? (
          <>
            {rows.some(({ values }) => values.some((value) => value > 0)) && (
              <>
                0
                {["var(--surface-2)", ...STEPS.map((_, index) => fillOf((index + 0.5) / STEPS.length, 1))].map(
                  (fill) => (
                    <span key={fill} data-mark className="mb-1 h-2.5 w-5 rounded-mark" style={{ background: fill }} />
                  ),
                )}
                {format(highest)}
              </>
            )}
            {rows.some(({ unknown }) => unknown?.includes(true)) && (
              <span className="ml-2">
                <span className="text-warn">?</span> not known
              </span>
            )}
          </>
        ) : (
          <span className="text-ink-1">{spell(cursor)}</span>
        )}
      </p>
    </div>
  );
}

function clamp(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count - 1);
}
