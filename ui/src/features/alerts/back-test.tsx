/** When a rule would have fired in the last days, with the numbers in the editor, beside what really fired. */
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import { Choice } from "@/components/form/choice";
import { ErrorNotice } from "@/components/notice/error-notice";
import { useMeasuredWidth } from "@/components/chart/measured";
import { TimeAxis } from "@/components/chart/time-axis";
import { RuleMetric } from "@/features/alerts/rule-metric";
import { useRuleBacktest } from "@/ipc/alert-queries";
import type { AlertBacktestView, AlertFiringView, AlertRuleSet } from "@/ipc/bindings";
import { formatExact, formatSpan } from "@/lib/time";

const DAYS = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
] as const;

const ROW_PX = 18;
const BAR_PX = 10;
const AXIS_PX = 18;
const LABEL_PX = 92;
const FIRING_WIDTH_PX_MIN = 3;

export function BackTest({ numbers }: { numbers: AlertRuleSet }) {
  const [days, setDays] = useState<"7" | "30">("7");
  const { data, error } = useRuleBacktest({ numbers, days: Number(days) });
  return (
    <section aria-label="Back-test" className="flex flex-col gap-2 border-t border-line pt-4">
      <div className="flex items-center justify-between gap-3">
        <h3 className="font-semibold">On the past</h3>
        <Choice label="Days of the back-test" options={DAYS} value={days} onChange={setDays} />
      </div>
      <p role="status" className="min-h-10 text-pretty text-ink-1">
        {data?.sentence}
      </p>
      {data !== undefined && <Firings tested={data} />}
      {data?.metric != null && <RuleMetric metric={data.metric} from={data.from} to={data.to} />}
      {data?.notes.map((note) => (
        <p key={note} className="text-12 text-ink-3">
          {note}
        </p>
      ))}
      {error?.code !== "invalid_input" && <ErrorNotice error={error} />}
    </section>
  );
}

interface Row {
  key: string;
  label: string;
  fill: string;
  firings: AlertFiringView[];
}

/** None where no history is kept. */
function rowsOf({ tried, saved, fired }: AlertBacktestView): Row[] {
  const rows: Row[] = [];
  if (tried !== null) rows.push({ key: "tried", label: "Would fire", fill: "fill-warn", firings: tried });
  if (saved !== null) rows.push({ key: "saved", label: "As saved", fill: "fill-ink-3", firings: saved });
  rows.push({ key: "fired", label: "Really fired", fill: "fill-bad", firings: fired });
  return rows;
}

/** One line per kind, with a cursor over the firings. */
function Firings({ tested }: { tested: AlertBacktestView }) {
  const [width, measure] = useMeasuredWidth(560);
  const [cursor, setCursor] = useState<number | null>(null);
  const { from, to } = tested;
  const rows = rowsOf(tested);
  const inner = Math.max(width - LABEL_PX, 40);
  const x = (moment: number) =>
    LABEL_PX + ((Math.min(Math.max(moment, from), to) - from) / Math.max(to - from, 1)) * inner;
  const marks = rows.flatMap((row, place) =>
    row.firings.map((firing) => ({
      row,
      place,
      firing,
      left: Math.min(x(firing.from), width - FIRING_WIDTH_PX_MIN),
      wide: Math.max(x(firing.to ?? to) - x(firing.from), FIRING_WIDTH_PX_MIN),
      top: place * ROW_PX + (ROW_PX - BAR_PX) / 2,
    })),
  );
  const current = cursor === null ? undefined : marks[cursor];
  const move = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || marks.length === 0) return;
    event.preventDefault();
    setCursor(Math.min(Math.max((cursor ?? (step > 0 ? -1 : marks.length)) + step, 0), marks.length - 1));
  };
  const point = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    const found = marks.findIndex(
      (mark) => mark.place === Math.floor(top / ROW_PX) && left >= mark.left - 2 && left <= mark.left + mark.wide + 2,
    );
    setCursor(found === -1 ? null : found);
  };
  const height = rows.length * ROW_PX;
  return (
    <div ref={measure}>
      <div
        role="slider"
        tabIndex={0}
        aria-label="Alerts of the past. Left and right arrows move along them."
        aria-valuemin={0}
        aria-valuemax={Math.max(marks.length - 1, 0)}
        aria-valuenow={cursor ?? 0}
        aria-valuetext={current === undefined ? "Nothing chosen" : spell(current.row, current.firing)}
        className="rounded-mark"
        onKeyDown={move}
        onPointerMove={point}
        onPointerLeave={() => setCursor(null)}
        onBlur={() => setCursor(null)}
      >
        <svg width={width} height={height + AXIS_PX} aria-hidden="true" className="block">
          {rows.map((row, place) => (
            <g key={row.key} transform={`translate(0,${place * ROW_PX})`}>
              <text y={ROW_PX / 2} dy="0.32em" className="fill-ink-2 text-11">
                {row.label}
              </text>
              <rect x={LABEL_PX} y={ROW_PX / 2} width={inner} height={1} className="fill-line" />
            </g>
          ))}
          {marks.map(({ row, firing, left, wide, top }, index) => (
            <rect
              key={`${row.key} ${firing.from} ${firing.title}`}
              data-mark
              x={left}
              y={index === cursor ? top - 2 : top}
              width={wide}
              height={index === cursor ? BAR_PX + 4 : BAR_PX}
              rx={1.5}
              className={row.fill}
            />
          ))}
          <TimeAxis from={from} to={to} left={LABEL_PX} width={inner} y={height + 14} />
        </svg>
      </div>
      {/* Always reserves its lines, so that the layout does not shift. */}
      <p aria-hidden className="min-h-5 truncate text-12 text-ink-2">
        {current === undefined ? (
          <span className="text-ink-3">
            {marks.length === 0 ? "Nothing to show" : "Point at a bar to see what fired"}
          </span>
        ) : (
          spell(current.row, current.firing)
        )}
      </p>
    </div>
  );
}

function spell({ label }: Row, { title, from, to, lasted_secs: lasted }: AlertFiringView): string {
  const span = formatSpan(lasted * 1_000);
  return `${label}: ${title}, ${formatExact(from)}, ${to === null ? `for ${span} so far` : `for ${span}`}`;
}
