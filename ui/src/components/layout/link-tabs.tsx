/** Tabs that are places of their own: links, with the arrow keys moving along them. */
import type { KeyboardEvent } from "react";
import { PanelLink } from "@/components/layout/panel-link";

export interface LinkTab {
  id: string;
  label: string;
  path: string;
  /** A number beside the label. */
  count?: number;
}

interface LinkTabsProps {
  label: string;
  tabs: readonly LinkTab[];
  current: string;
}

export function LinkTabs({ label, tabs, current }: LinkTabsProps) {
  return (
    <div className="-mt-1.5 shrink-0 border-b border-line">
      {/* The names stand at the page's edge, and the focus ring outside of it. */}
      <nav aria-label={label} className="-mx-2 -mb-px flex gap-1 overflow-x-auto overflow-y-hidden">
        {tabs.map(({ id, label: name, path, count = 0 }) => (
          <PanelLink
            key={id}
            look="none"
            onKeyDown={moveByArrow}
            path={path}
            aria-current={id === current ? "page" : undefined}
            className="focus-inset relative flex h-9 shrink-0 items-center gap-1.5 rounded-mark px-2 font-medium text-ink-2 transition-colors duration-150 after:absolute after:inset-x-2 after:bottom-0 after:h-0.5 hover:text-ink-1 aria-[current=page]:text-ink-1 aria-[current=page]:after:bg-accent"
          >
            {name}
            {count > 0 && <span className="text-12 text-ink-3">{count}</span>}
          </PanelLink>
        ))}
      </nav>
    </div>
  );
}

/** The arrows move along the links; Tab and Enter work as for any link. */
function moveByArrow(event: KeyboardEvent<HTMLAnchorElement>) {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  event.preventDefault();
  const { previousElementSibling: before, nextElementSibling: after } = event.currentTarget;
  const next = event.key === "ArrowLeft" ? before : after;
  if (next instanceof HTMLElement) next.focus();
}
