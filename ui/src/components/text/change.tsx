/** A change against an earlier period: more or less as an arrow and a number, never by colour alone. */
import { ArrowDownRight, ArrowRight, ArrowUpRight } from "lucide-react";
import { formatPercent } from "@/lib/percent";

export function Change({ percent, against }: { percent: number; against?: string }) {
  const Arrow = percent > 0 ? ArrowUpRight : percent < 0 ? ArrowDownRight : ArrowRight;
  const words = percent === 0 ? "as much" : `${formatPercent(Math.abs(percent))} ${percent > 0 ? "more" : "less"}`;
  return (
    <span className="marked gap-1">
      <Arrow size={13} strokeWidth={1.75} aria-hidden className="shrink-0 text-ink-3" />
      {against === undefined ? (
        <>
          <span aria-hidden>{percent === 0 ? "±0 %" : `${percent > 0 ? "+" : ""}${formatPercent(percent)}`}</span>
          <span className="sr-only">{words}</span>
        </>
      ) : (
        `${words} ${percent === 0 ? "as" : "than"} ${against}`
      )}
    </span>
  );
}
