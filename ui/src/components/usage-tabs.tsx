/**
 * The parts of Usage, each a place of its own. What was chosen on one part (period, filter, dimensions) stays in the
 * address on the way to another, so that it is still chosen on the way back.
 */
import { createContext, use, type KeyboardEvent } from "react";
import { PanelLink } from "@/components/panel-link";
import { pathWith, type AddressValue } from "@/lib/request-filter";
import { USAGE_PARTS, type UsagePart } from "@/lib/usage-parts";

/** The words of the address that every part keeps. */
export const KeptWords = createContext<Record<string, AddressValue>>({});

interface UsageTabsProps {
  current: UsagePart;
}

export function UsageTabs({ current }: UsageTabsProps) {
  const kept = use(KeptWords);
  return (
    <nav
      aria-label="Parts of Usage"
      className="-mt-1.5 flex shrink-0 gap-4 overflow-x-auto overflow-y-hidden border-b border-line"
    >
      {USAGE_PARTS.map(({ part, label, path }) => (
        <PanelLink
          key={part}
          look="none"
          onKeyDown={moveByArrow}
          path={pathWith(path, kept)}
          aria-current={part === current ? "page" : undefined}
          className="focus-inset relative flex h-9 shrink-0 items-center rounded-mark px-0.5 text-ink-2 transition-colors duration-150 after:absolute after:inset-x-0 after:bottom-0 after:h-0.5 hover:text-ink-1 aria-[current=page]:font-medium aria-[current=page]:text-ink-1 aria-[current=page]:after:bg-accent"
        >
          {label}
        </PanelLink>
      ))}
    </nav>
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
