/** The parts of Usage, each a place of its own. A part that shows a period keeps that of the part before, and its filter. */
import { PanelLink } from "@/components/panel-link";
import type { TimeZoneChoice, UsageRange } from "@/ipc/bindings";
import { pathWith } from "@/lib/request-filter";

export type UsageTab = "costs" | "activity" | "budgets" | "cache" | "prices" | "session-logs";

const TABS: { tab: UsageTab; label: string; path: string; keeps: ("range" | "zone" | "filter")[] }[] = [
  { tab: "costs", label: "Costs", path: "/usage", keeps: ["range", "zone", "filter"] },
  { tab: "activity", label: "Activity", path: "/activity", keeps: ["range", "zone", "filter"] },
  { tab: "budgets", label: "Budgets", path: "/budgets", keeps: [] },
  { tab: "cache", label: "Cache", path: "/cache", keeps: ["range"] },
  { tab: "prices", label: "Prices", path: "/prices", keeps: [] },
  { tab: "session-logs", label: "Session logs", path: "/session-logs", keeps: [] },
];

interface UsageTabsProps {
  current: UsageTab;
  range?: UsageRange;
  zone?: TimeZoneChoice;
  /** Only these requests count. */
  filter?: Record<string, string>;
}

export function UsageTabs({ current, range, zone, filter = {} }: UsageTabsProps) {
  const place = { range: range && { range }, zone: zone && { zone }, filter };
  return (
    <nav
      aria-label="Parts of Usage"
      className="-mt-1.5 flex shrink-0 gap-5 overflow-x-auto overflow-y-hidden border-b border-line"
    >
      {TABS.map(({ tab, label, path, keeps }) => {
        const kept = Object.assign({}, ...keeps.map((name) => place[name])) as Record<string, string>;
        return (
          <PanelLink
            key={tab}
            look="none"
            path={pathWith(path, kept)}
            aria-current={tab === current ? "page" : undefined}
            className="focus-inset relative flex h-9 shrink-0 items-center rounded-mark px-0.5 text-ink-2 transition-colors duration-150 after:absolute after:inset-x-0 after:bottom-0 after:h-0.5 hover:text-ink-1 aria-[current=page]:font-medium aria-[current=page]:text-ink-1 aria-[current=page]:after:bg-accent"
          >
            {label}
          </PanelLink>
        );
      })}
    </nav>
  );
}
