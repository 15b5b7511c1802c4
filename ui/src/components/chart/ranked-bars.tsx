/** Amounts as horizontal bars from zero, each with its name and number beside it. */
import { classNames } from "@/lib/class-names";
import { PanelLink } from "@/components/layout/panel-link";

export interface RankedBar {
  key: string;
  label: string;
  value: number;
  /** The value in words. */
  amount: string;
  note?: string;
  /** Where its requests are. */
  path?: string | null;
  /** Parts of the bar; one part of the first colour without. */
  parts?: { key: string; label: string; value: number; colour: string }[];
}

interface RankedBarsProps {
  label: string;
  bars: RankedBar[];
  /** A CSS colour. */
  colour?: string;
}

export function RankedBars({ label, bars, colour = "var(--series-1)" }: RankedBarsProps) {
  const highest = Math.max(1, ...bars.map((bar) => bar.value));
  return (
    <ul aria-label={label} className="flex flex-col gap-2.5">
      {bars.map((bar) => {
        const parts = bar.parts ?? [{ key: bar.key, label: bar.label, value: bar.value, colour }];
        return (
          <li key={bar.key} className="flex flex-col gap-1">
            <span className="flex items-baseline gap-3">
              <span className="min-w-0 flex-1 truncate text-ink-1" title={bar.label}>
                {bar.path ? (
                  <PanelLink look="plain" path={bar.path}>
                    {bar.label}
                  </PanelLink>
                ) : (
                  bar.label
                )}
              </span>
              {bar.note !== undefined && <span className="text-12 whitespace-nowrap text-ink-3">{bar.note}</span>}
              <span className="min-w-16 text-right font-medium whitespace-nowrap">{bar.amount}</span>
            </span>
            <span aria-hidden className="flex h-1.5 gap-px overflow-hidden rounded-full bg-surface-3">
              {parts.map((part) => (
                <span
                  key={part.key}
                  data-mark
                  title={part.label}
                  className={classNames(part.value > 0 && "min-w-0.5")}
                  style={{ width: `${(part.value / highest) * 100}%`, background: part.colour }}
                />
              ))}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
