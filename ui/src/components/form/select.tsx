/**
 * A choice of one option from a list that opens. Built on Radix's dropdown menu with the roles of a listbox: the
 * toolkit's own `<select>` cannot be styled in the window, and Radix's select writes a `<style>`, which the security
 * policy forbids.
 */
import * as Radix from "@radix-ui/react-dropdown-menu";
import { Check, ChevronDown } from "lucide-react";
import { useState, type KeyboardEvent } from "react";
import { CONTROL, type ControlProps } from "@/components/form/field";
import { MenuContent } from "@/components/menu/menu-content";
import { classNames } from "@/lib/class-names";

export interface SelectOption<Value extends string> {
  value: Value;
  label: string;
}

export interface SelectLook<Value extends string> extends Partial<ControlProps> {
  options: readonly SelectOption<Value>[];
  "aria-label"?: string;
  disabled?: boolean;
  className?: string;
}

interface SelectProps<Value extends string> extends SelectLook<Value> {
  value: Value;
  onChange: (value: Value) => void;
}

/** Scrolls the focused option into view. The list is not positioned yet, so nothing else may scroll. */
function reveal(option: HTMLElement | null): void {
  const list = option?.closest<HTMLElement>("[role=listbox]");
  if (!option || !list || list.contains(document.activeElement)) return;
  option.focus({ preventScroll: true });
  list.scrollTop = option.offsetTop - list.clientHeight / 2;
}

/** The next option after `from` that begins with `letter`. */
function startingWith<Value extends string>(
  options: readonly SelectOption<Value>[],
  from: number,
  letter: string,
): SelectOption<Value> | undefined {
  const following = [...options.slice(from + 1), ...options.slice(0, from + 1)];
  return following.find(({ label }) => label.toLowerCase().startsWith(letter.toLowerCase()));
}

export function Select<Value extends string>({
  options,
  value,
  onChange,
  disabled = false,
  className = "w-full",
  "aria-label": name,
  ...rest
}: SelectProps<Value>) {
  const [focused, setFocused] = useState<Value | null>(null);
  const chosen = options.findIndex((option) => option.value === value);
  const open = (at: SelectOption<Value> | undefined) => setFocused(at?.value ?? null);
  const press = (event: KeyboardEvent) => {
    if (focused !== null || event.ctrlKey || event.metaKey || event.altKey) return;
    const isLetter = event.key.length === 1 && event.key !== " ";
    const at = isLetter ? startingWith(options, chosen, event.key) : options[Math.max(chosen, 0)];
    if (!(isLetter || event.key === "ArrowUp") || at === undefined) return;
    event.preventDefault();
    open(at);
  };
  return (
    <Radix.Root
      modal={false}
      open={focused !== null}
      onOpenChange={(next) => open(next ? options[Math.max(chosen, 0)] : undefined)}
    >
      <Radix.Trigger
        {...rest}
        // Radix adds what it controls and whether it is expanded.
        // oxlint-disable-next-line jsx-a11y/role-has-required-aria-props
        role="combobox"
        aria-haspopup="listbox"
        aria-label={name}
        disabled={disabled}
        onKeyDown={press}
        className={classNames(CONTROL, "inline-flex items-center justify-between gap-2 text-left", className)}
      >
        <span className="min-w-0 truncate">{options[chosen]?.label ?? ""}</span>
        <ChevronDown size={14} strokeWidth={1.5} aria-hidden className="shrink-0 text-ink-3" />
      </Radix.Trigger>
      <MenuContent
        role="listbox"
        loop
        align="start"
        className="max-h-[min(320px,var(--radix-dropdown-menu-content-available-height))] min-w-(--radix-dropdown-menu-trigger-width) overflow-y-auto"
      >
        {options.map((option) => (
          <Radix.Item
            key={option.value}
            ref={option.value === focused ? reveal : null}
            role="option"
            aria-selected={option.value === value}
            textValue={option.label}
            onSelect={() => onChange(option.value)}
            className="flex min-h-7 items-center gap-2 rounded-[4px] py-1 pr-3 pl-2 text-13 text-ink-1 outline-none data-[highlighted]:bg-surface-2"
          >
            <Check
              size={14}
              strokeWidth={1.75}
              aria-hidden
              className={classNames("shrink-0 text-accent", option.value !== value && "invisible")}
            />
            <span className="min-w-0 truncate">{option.label}</span>
          </Radix.Item>
        ))}
      </MenuContent>
    </Radix.Root>
  );
}
