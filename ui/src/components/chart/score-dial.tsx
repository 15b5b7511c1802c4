/** A score of 0 to 10 as an arc with its number in the middle. */
import { formatTenths } from "@/lib/quantity";
import { TONE_TEXT } from "@/components/state/state-mark";
import type { Tone } from "@/lib/tables";

const RADIUS = 42;
const ARC = 0.75;
const LENGTH = 2 * Math.PI * RADIUS;

export function ScoreDial({ tenths, tone, size }: { tenths: number | null; tone: Tone; size: 72 | 100 }) {
  const share = tenths === null ? 0 : tenths / 100;
  return (
    <div
      role="img"
      aria-label={tenths === null ? "No score yet" : `Score ${formatTenths(tenths)} of 10`}
      className="relative shrink-0"
      style={{ width: size, height: size }}
    >
      <svg viewBox="0 0 100 100" className="block size-full rotate-[135deg]" aria-hidden="true">
        <circle
          cx="50"
          cy="50"
          r={RADIUS}
          fill="none"
          className="stroke-surface-3"
          strokeWidth="7"
          strokeDasharray={`${LENGTH * ARC} ${LENGTH}`}
          strokeLinecap="round"
        />
        {share > 0 && (
          <circle
            data-mark
            cx="50"
            cy="50"
            r={RADIUS}
            fill="none"
            stroke="currentColor"
            className={TONE_TEXT[tone]}
            strokeWidth="7"
            strokeDasharray={`${LENGTH * ARC * share} ${LENGTH}`}
            strokeLinecap="round"
          />
        )}
      </svg>
      <div className="absolute inset-0 flex flex-col items-center justify-center">
        <span
          className={
            size === 100
              ? "text-24 leading-7 font-semibold tracking-tight text-ink-1"
              : "text-18 leading-5 font-semibold text-ink-1"
          }
        >
          {tenths === null ? "–" : formatTenths(tenths)}
        </span>
        <span className="text-11 text-ink-3">of 10</span>
      </div>
    </div>
  );
}

/** A named score out of ten as a bar. */
export function ScoreBar({ name, tenths }: { name: string; tenths: number | null }) {
  const tone = tenths === null ? "bg-surface-3" : tenths >= 90 ? "bg-ok" : tenths >= 60 ? "bg-warn" : "bg-bad";
  return (
    <div className="grid grid-cols-[minmax(0,104px)_minmax(0,1fr)_32px] items-center gap-3 text-12">
      <span className="truncate text-ink-2">{name}</span>
      <span aria-hidden className="h-1.5 overflow-hidden rounded-full bg-surface-3">
        <span data-mark className={`block h-full rounded-full ${tone}`} style={{ width: `${tenths ?? 0}%` }} />
      </span>
      <span className="numeric text-ink-1">{tenths === null ? "–" : formatTenths(tenths)}</span>
    </div>
  );
}
