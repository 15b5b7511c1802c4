/** Distinguishes the two sides of a comparison, in the figures and above the answers. */
import type { Seat } from "@/features/playground/draft";

export function SeatBadge({ seat }: { seat: Seat }) {
  return (
    <span className="flex size-5 shrink-0 items-center justify-center rounded-mark border border-line bg-surface-2 text-11 font-semibold text-ink-2 uppercase">
      {seat}
    </span>
  );
}
