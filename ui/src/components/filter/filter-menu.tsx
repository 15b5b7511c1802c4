/** One list filter: a pill with the current value and a menu of values. */
import * as Radix from "@radix-ui/react-dropdown-menu";
import { Check, ChevronDown } from "lucide-react";
import type { Option } from "@/components/form/choice";
import { FilterPill, filterWords } from "@/components/filter/filter-chip";
import { MenuContent } from "@/components/menu/menu-content";

/** The menu value for no filter: no value that is chosen has this character, and an empty one is for rows without a name. */
const ANY = "\u0000";

interface FilterMenuProps {
  label: string;
  value: string | undefined;
  options: readonly Option<string>[];
  onChange: (value: string | undefined) => void;
}

export function FilterMenu({ label, value, options, onChange }: FilterMenuProps) {
  const isSet = value !== undefined;
  const word = options.find((option) => option.value === value)?.label ?? value;
  return (
    <FilterPill label={label} isSet={isSet} onClear={() => onChange(undefined)}>
      <Radix.Root modal={false}>
        <Radix.Trigger className="inline-flex h-full min-w-0 items-center gap-1.5 rounded-control px-2.5 hover:bg-surface-2 hover:text-ink-1">
          <span className="truncate">{isSet ? filterWords(label, value, word) : label}</span>
          {!isSet && <ChevronDown size={12} strokeWidth={1.5} aria-hidden className="shrink-0 text-ink-3" />}
        </Radix.Trigger>
        <MenuContent align="start" className="max-h-72 min-w-40 overflow-y-auto">
          <Radix.RadioGroup value={value ?? ANY} onValueChange={(next) => onChange(next === ANY ? undefined : next)}>
            <Item value={ANY} label="Any" />
            {options.map((option) => (
              <Item key={option.value} value={option.value} label={option.label} />
            ))}
          </Radix.RadioGroup>
        </MenuContent>
      </Radix.Root>
    </FilterPill>
  );
}

function Item({ value, label }: Option<string>) {
  return (
    <Radix.RadioItem
      value={value}
      className="flex min-h-7 items-center gap-2 rounded-[4px] py-1 pr-3 pl-7 text-12 text-ink-1 outline-none data-[highlighted]:bg-surface-2 data-[state=checked]:pl-2"
    >
      <Radix.ItemIndicator>
        <Check size={12} strokeWidth={1.75} aria-hidden />
      </Radix.ItemIndicator>
      {label}
    </Radix.RadioItem>
  );
}
