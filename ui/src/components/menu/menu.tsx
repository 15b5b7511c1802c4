/** Additional actions behind a button. Not modal: Radix's modal menus write an inline `<style>`. */
import * as Radix from "@radix-ui/react-dropdown-menu";
import { Ellipsis, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { MenuContent } from "@/components/menu/menu-content";
import { classNames } from "@/lib/class-names";

export interface MenuEntry {
  label: string;
  icon: LucideIcon;
  danger?: boolean;
  /** Why it is disabled; shown under the label. */
  blocked?: string | null;
  onChoose: () => void;
}

const PLAIN_TRIGGER =
  "inline-flex size-7 items-center justify-center rounded-control text-ink-3 hover:bg-surface-2 hover:text-ink-1 data-[state=open]:bg-surface-2 data-[state=open]:text-ink-1";

export function Menu({ label, entries, trigger }: { label: string; entries: MenuEntry[]; trigger?: ReactNode }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger
        asChild={trigger !== undefined}
        aria-label={trigger === undefined ? label : undefined}
        className={trigger === undefined ? PLAIN_TRIGGER : undefined}
      >
        {trigger ?? <Ellipsis size={16} strokeWidth={1.5} aria-hidden />}
      </Radix.Trigger>
      <MenuContent align="end" className="min-w-44">
        {entries.map(({ label: text, icon: Icon, danger = false, blocked = null, onChoose }) => (
          <Radix.Item
            key={text}
            disabled={blocked !== null}
            onSelect={onChoose}
            className={classNames(
              "flex min-h-8 items-center gap-2.5 rounded-[4px] px-2 py-1 outline-none data-[disabled]:opacity-70 data-[highlighted]:bg-surface-2",
              danger ? "text-bad" : "text-ink-1",
            )}
          >
            <Icon size={14} strokeWidth={1.5} aria-hidden className="shrink-0" />
            <span>
              {text}
              {blocked !== null && <span className="block max-w-56 text-12 text-ink-3">{blocked}</span>}
            </span>
          </Radix.Item>
        ))}
      </MenuContent>
    </Radix.Root>
  );
}
