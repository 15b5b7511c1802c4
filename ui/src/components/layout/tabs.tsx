/** Tabs: the parts of one thing, one shown at a time. */
import * as Radix from "@radix-ui/react-tabs";
import type { ReactNode } from "react";

export interface Tab {
  id: string;
  label: ReactNode;
  content: ReactNode;
}

const TRIGGER =
  "focus-inset relative -mx-2 h-9 rounded-mark px-2 font-medium text-ink-2 transition-colors duration-150 hover:text-ink-1 data-[state=active]:text-ink-1 data-[state=active]:after:absolute data-[state=active]:after:inset-x-2 data-[state=active]:after:-bottom-px data-[state=active]:after:h-0.5 data-[state=active]:after:bg-accent";

interface TabsProps {
  label: string;
  tabs: Tab[];
  initial?: string;
  /** The tab that is shown, where something else chooses it too. */
  shown?: { id: string; onShow: (id: string) => void };
}

export function Tabs({ label, tabs, initial, shown }: TabsProps) {
  const value = shown
    ? { value: shown.id, onValueChange: shown.onShow }
    : { defaultValue: initial ?? tabs[0]?.id ?? "" };
  return (
    <Radix.Root {...value} className="flex min-h-0 flex-1 flex-col">
      <Radix.List aria-label={label} className="flex shrink-0 gap-5 border-b border-line px-(--inset)">
        {tabs.map((tab) => (
          <Radix.Trigger key={tab.id} value={tab.id} className={TRIGGER}>
            {tab.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content
          key={tab.id}
          value={tab.id}
          className="focus-inset min-h-0 flex-1 overflow-y-auto px-(--inset) py-4"
        >
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
