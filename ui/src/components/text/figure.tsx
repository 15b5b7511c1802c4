/** A number with its name above and a note below, in a row of such. */
import type { ReactNode } from "react";

interface FigureProps {
  name: string;
  value: ReactNode;
  note: ReactNode;
  /** Beside the name. */
  action?: ReactNode;
}

export function Figure({ name, value, note, action }: FigureProps) {
  return (
    <div className="flex flex-col bg-surface-1 px-4 py-3">
      <dt className="flex h-6 items-center justify-between text-12 text-ink-3">
        {name}
        {action !== undefined && <span className="-mr-1.5">{action}</span>}
      </dt>
      <dd className="text-24 leading-8 font-semibold tracking-[-0.02em]">{value}</dd>
      <dd className="truncate text-12 text-ink-2">{note}</dd>
    </div>
  );
}
