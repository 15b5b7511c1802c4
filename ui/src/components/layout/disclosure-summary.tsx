/** The label of a disclosure, with an arrow that turns when it is open. Place it in a `<details className="group">`. */
import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { classNames } from "@/lib/class-names";

export function DisclosureSummary({ className, children }: { className: string; children: ReactNode }) {
  return (
    <summary className={classNames("flex list-none items-center gap-2 [&::-webkit-details-marker]:hidden", className)}>
      <ChevronRight
        size={14}
        strokeWidth={1.5}
        aria-hidden
        className="shrink-0 text-ink-3 transition-transform duration-150 group-open:rotate-90"
      />
      {children}
    </summary>
  );
}
