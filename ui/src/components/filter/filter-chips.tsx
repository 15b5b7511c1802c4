/** List filters as chips: those that are set, and a menu of those that can be added. */
import { useState } from "react";
import { AddFilter, type AddableFilter } from "@/components/filter/add-filter";
import { FilterMenu } from "@/components/filter/filter-menu";
import { FilterText } from "@/components/filter/filter-text";

export interface Chip<Name extends string> extends AddableFilter<Name> {
  /** An example of the text, for a filter that is typed. */
  example: string;
}

interface FilterChipsProps<Name extends string> {
  chips: readonly Chip<Name>[];
  values: Partial<Record<Name, string>>;
  /** Removes the filter without a value. */
  onChange: (name: Name, value: string | undefined) => void;
}

export function FilterChips<Name extends string>({ chips, values, onChange }: FilterChipsProps<Name>) {
  // The filter whose field is open for its first text.
  const [typing, setTyping] = useState<Name | null>(null);
  const set = (name: Name, value: string | undefined) => {
    setTyping(null);
    onChange(name, value);
  };
  const full = chips.map(withNone);
  const isShown = ({ name }: Chip<Name>) => values[name] !== undefined || typing === name;
  return (
    <>
      {full
        .filter(isShown)
        .map(({ name, label, options, example, none }) =>
          options === null ? (
            <FilterText
              key={name}
              label={label}
              value={values[name]}
              example={example}
              none={none}
              isNew={typing === name}
              onChange={(next) => set(name, next)}
              onLeave={() => setTyping(null)}
            />
          ) : (
            <FilterMenu
              key={name}
              label={label}
              value={values[name]}
              options={options}
              onChange={(next) => set(name, next)}
            />
          ),
        )}
      <AddFilter
        filters={full.filter((chip) => !isShown(chip))}
        onAdd={(name, value) => (value === undefined ? setTyping(name) : set(name, value))}
      />
    </>
  );
}

/** With the choice of the rows without a value, last in the list. */
function withNone<Name extends string>(chip: Chip<Name>): Chip<Name> {
  const { options, none } = chip;
  return options === null || none === undefined ? chip : { ...chip, options: [...options, { value: "", label: none }] };
}
