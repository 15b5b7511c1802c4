/** What is under a chart's cursor, beside it. Hidden from screen readers, which hear the slider's value. */
export interface ReadoutPart {
  key: string;
  label: string;
  value: string;
  /** A CSS colour. */
  colour: string;
}

interface ChartReadoutProps {
  title: string;
  /** The whole, beside the title. */
  total?: string;
  parts: ReadoutPart[];
  /** What a click does. */
  hint?: string | undefined;
  /** Where the cursor is, in pixels. */
  left: number;
  /** Width of the chart, in pixels. */
  width: number;
}

const WIDTH_PX = 208;

export function ChartReadout({ title, total, parts, hint, left, width }: ChartReadoutProps) {
  const side = left + WIDTH_PX + 16 > width ? left - WIDTH_PX - 12 : left + 12;
  return (
    <div
      aria-hidden="true"
      className="pointer-events-none absolute top-1 z-20 rounded-control border border-line bg-surface-3 px-3 py-2 text-12 shadow-float"
      style={{ left: Math.max(side, 0), width: WIDTH_PX }}
    >
      <p className="flex justify-between gap-2 font-medium text-ink-1">
        <span>{title}</span>
        <span>{total}</span>
      </p>
      {parts.length > 0 && <hr className="my-1.5 border-line" />}
      {parts.map((part) => (
        <p key={part.key} className="flex items-center gap-2 text-ink-2">
          <span data-mark className="size-2 shrink-0 rounded-[2px]" style={{ background: part.colour }} />
          <span className="min-w-0 flex-1 truncate">{part.label}</span>
          <span className="text-ink-1">{part.value}</span>
        </p>
      ))}
      {hint !== undefined && <p className="mt-1.5 text-11 text-ink-3">{hint}</p>}
    </div>
  );
}
