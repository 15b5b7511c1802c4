/** A bordered section of a screen with its own heading. */
import type { ReactNode } from "react";
import { classNames } from "@/lib/class-names";

interface CardProps {
  title: string;
  /** A count or note beside the title. */
  note?: ReactNode;
  action?: ReactNode;
  className?: string;
  /** Removes the padding around the content (lists, tables). */
  flush?: boolean;
  children: ReactNode;
}

export function Card({ title, note, action, className, flush = false, children }: CardProps) {
  return (
    <section
      aria-label={title}
      className={classNames("flex min-h-0 flex-col rounded-card border border-line bg-surface-1", className)}
    >
      <header className="flex h-10 shrink-0 items-center gap-2 px-4 [--control-height:28px]">
        <h2 className="text-13 font-semibold text-ink-1">{title}</h2>
        {note !== undefined && <span className="truncate text-12 text-ink-3">{note}</span>}
        {action !== undefined && <div className="ml-auto flex items-center gap-2">{action}</div>}
      </header>
      <div className={classNames("min-h-0 flex-1", flush ? "border-t border-line" : "px-4 pb-4")}>{children}</div>
    </section>
  );
}
