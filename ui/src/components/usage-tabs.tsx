/** The parts of Usage, each a place of its own. A part that shows a period keeps the one of the part before. */
import { PanelLink } from "@/components/panel-link";
import type { TimeZoneChoice, UsageRange } from "@/ipc/bindings";

export type UsageTab = "costs" | "activity" | "budgets" | "cache" | "prices" | "session-logs";

const TABS: { tab: UsageTab; label: string; path: string; keeps: ("range" | "zone")[] }[] = [
  { tab: "costs", label: "Costs", path: "/usage", keeps: ["range", "zone"] },
  { tab: "activity", label: "Activity", path: "/activity", keeps: ["range", "zone"] },
  { tab: "budgets", label: "Budgets", path: "/budgets", keeps: [] },
  { tab: "cache", label: "Cache", path: "/cache", keeps: ["range"] },
  { tab: "prices", label: "Prices", path: "/prices", keeps: [] },
  { tab: "session-logs", label: "Session logs", path: "/session-logs", keeps: [] },
];

interface UsageTabsProps {
  current: UsageTab;
  range?: UsageRange;
  zone?: TimeZoneChoice;
}

export function UsageTabs({ current, ...place }: UsageTabsProps) {
  return (
    <nav
      aria-label="Parts of Usage"
      className="-mt-1.5 flex shrink-0 gap-5 overflow-x-auto overflow-y-hidden border-b border-line"
    >
      {TABS.map(({ tab, label, path, keeps }) => {
        const kept = keeps.flatMap((name) => (place[name] === undefined ? [] : `${name}=${place[name]}`));
        return (
          <PanelLink
            key={tab}
            look="none"
            path={[path, ...(kept.length > 0 ? [kept.join("&")] : [])].join("?")}
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
