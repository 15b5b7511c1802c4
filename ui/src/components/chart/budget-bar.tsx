/** How much of a limit is used, with marks on it and how much of its period is over. */
import { classNames } from "@/lib/class-names";
import type { Tone } from "@/lib/tables";

interface BudgetBarProps {
  label: string;
  usedPercent: number;
  /** None for a limit that looks back over the last days. */
  elapsedPercent: number | null;
  /** Percentages of the limit at which the user is told. */
  marks: number[];
  tone: Tone;
  /** The bar in words. */
  text: string;
}

const FILLS: Record<Tone, string> = {
  ok: "bg-accent",
  muted: "bg-accent",
  info: "bg-accent",
  warn: "bg-warn",
  bad: "bg-bad",
};

export function BudgetBar({ label, usedPercent, elapsedPercent, marks, tone, text }: BudgetBarProps) {
  return (
    <span
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.min(usedPercent, 100)}
      aria-valuetext={text}
      title={text}
      className="relative block h-2 rounded-full bg-surface-3 forced-colors:border"
    >
      <span
        data-mark
        className={classNames("block h-full rounded-full", FILLS[tone])}
        style={{ width: `${Math.min(usedPercent, 100)}%` }}
      />
      {marks
        .filter((mark) => mark < 100)
        .map((mark) => (
          <span
            key={mark}
            data-mark
            className={classNames("absolute inset-y-0 w-px", mark <= usedPercent ? "bg-surface-1" : "bg-line-strong")}
            style={{ left: `${mark}%` }}
          />
        ))}
      {elapsedPercent !== null && (
        <span
          data-mark
          className="absolute -inset-y-1 w-0.5 -translate-x-px rounded-full bg-ink-1 ring-1 ring-surface-1"
          style={{ left: `${elapsedPercent}%` }}
        />
      )}
    </span>
  );
}
