/** A menu of the filters that can be added: those with a list of values open it, the others are typed. */
import * as Radix from "@radix-ui/react-dropdown-menu";
import { ChevronRight, ListFilter } from "lucide-react";
import { Fragment, useRef } from "react";
import { Button } from "@/components/button/button";
import type { Option } from "@/components/form/choice";
import { MENU_BOX, MenuContent } from "@/components/menu/menu-content";

export interface AddableFilter<Name extends string> {
  name: Name;
  label: string;
  /** None for a filter that is typed. */
  options: readonly Option<string>[] | null;
  /** What selects the rows without a value, "No project"; its value is empty. */
  none?: string | undefined;
}

interface AddFilterProps<Name extends string> {
  /** Lists end with the choice of the rows without a value already. */
  filters: AddableFilter<Name>[];
  /** `value` is undefined for a filter that is typed. */
  onAdd: (name: Name, value: string | undefined) => void;
}

const ITEM =
  "flex min-h-7 items-center justify-between gap-4 rounded-[4px] px-2 py-1 text-12 text-ink-1 outline-none data-[disabled]:text-ink-3 data-[highlighted]:bg-surface-2 data-[state=open]:bg-surface-2";

export function AddFilter<Name extends string>({ filters, onAdd }: AddFilterProps<Name>) {
  // A filter that is typed takes the focus itself.
  const isTyped = useRef(false);
  const add = (name: Name, value: string | undefined) => {
    isTyped.current = value === undefined;
    onAdd(name, value);
  };
  return (
    <Radix.Root modal={false} onOpenChange={(open) => open && (isTyped.current = false)}>
      <Radix.Trigger asChild>
        <Button icon={ListFilter}>Filter</Button>
      </Radix.Trigger>
      <MenuContent
        align="start"
        className="max-h-96 min-w-44 overflow-y-auto"
        onCloseAutoFocus={(event) => isTyped.current && event.preventDefault()}
      >
        {filters.map(({ name, label, options, none }) =>
          options === null ? (
            <Fragment key={name}>
              <Radix.Item className={ITEM} onSelect={() => add(name, undefined)}>
                {label}…
              </Radix.Item>
              {none !== undefined && (
                <Radix.Item className={ITEM} onSelect={() => add(name, "")}>
                  {none}
                </Radix.Item>
              )}
            </Fragment>
          ) : (
            <Radix.Sub key={name}>
              <Radix.SubTrigger className={ITEM} disabled={options.length === 0}>
                {label}
                <ChevronRight size={12} strokeWidth={1.5} aria-hidden className="text-ink-3" />
              </Radix.SubTrigger>
              <Radix.Portal>
                <Radix.SubContent
                  sideOffset={6}
                  collisionPadding={8}
                  className={`${MENU_BOX} max-h-80 min-w-40 overflow-y-auto`}
                >
                  {options.map((option) => (
                    <Radix.Item key={option.value} className={ITEM} onSelect={() => add(name, option.value)}>
                      {option.label}
                    </Radix.Item>
                  ))}
                </Radix.SubContent>
              </Radix.Portal>
            </Radix.Sub>
          ),
        )}
      </MenuContent>
    </Radix.Root>
  );
}
