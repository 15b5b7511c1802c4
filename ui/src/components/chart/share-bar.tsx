/** Parts of a whole side by side in one bar, with their names and numbers below. */
import { formatPercent } from "@/lib/percent";

export interface Share {
  key: string;
  label: string;
  /** 0 to 100; the sum of all is 100. */
  percent: number;
  /** A CSS colour. */
  colour: string;
}

export function ShareBar({ label, shares }: { label: string; shares: Share[] }) {
  const parts = shares.filter((share) => share.percent > 0);
  return (
    <div
      role="img"
      aria-label={`${label}: ${parts.map((part) => `${part.label} ${formatPercent(part.percent)}`).join(", ")}`}
    >
      <div className="flex h-2 gap-px overflow-hidden rounded-full bg-surface-3">
        {parts.map((part) => (
          <span data-mark key={part.key} style={{ width: `${part.percent}%`, background: part.colour }} />
        ))}
      </div>
      <div className="mt-1.5 flex flex-wrap gap-x-4 gap-y-1 text-12">
        {parts.map((part) => (
          <span key={part.key} className="flex items-center gap-1.5 text-ink-2">
            <span data-mark className="size-2 shrink-0 rounded-[2px]" style={{ background: part.colour }} />
            {part.label} <span className="font-medium text-ink-1">{formatPercent(part.percent)}</span>
          </span>
        ))}
      </div>
    </div>
  );
}
