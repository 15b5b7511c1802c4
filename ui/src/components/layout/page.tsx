/** The frame of a screen: title, a sentence that answers its question, actions, content. */
import type { ReactNode } from "react";
import { classNames } from "@/lib/class-names";

interface PageProps {
  title: string;
  /** The sentence that answers the screen's question. */
  lead?: ReactNode;
  actions?: ReactNode;
  /** The content fills the height and scrolls inside. */
  filled?: boolean;
  children: ReactNode;
}

export function Page({ title, lead, actions, filled = false, children }: PageProps) {
  return (
    <div
      className={classNames(
        "@container flex flex-col gap-4 px-6 pt-5 pb-6",
        filled ? "h-full min-h-[460px]" : "min-h-full",
      )}
    >
      <header className="flex min-h-10 shrink-0 items-start gap-4">
        <div className="min-w-0 flex-1">
          <h1 className="text-18 leading-6 font-semibold tracking-[-0.01em] text-ink-1">{title}</h1>
          <div className="line-clamp-2 min-h-5 text-13 text-ink-2">{lead}</div>
        </div>
        {actions !== undefined && <div className="flex items-center gap-2 pt-0.5">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
