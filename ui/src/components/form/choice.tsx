/** A choice between a few options that are all visible. */
import * as Radix from "@radix-ui/react-toggle-group";

export interface Option<Value extends string> {
  value: Value;
  label: string;
}

interface ChoiceProps<Value extends string> {
  label: string;
  options: readonly Option<Value>[];
  value: Value;
  onChange: (value: Value) => void;
}

export function Choice<Value extends string>({ label, options, value, onChange }: ChoiceProps<Value>) {
  return (
    <Radix.Root
      type="single"
      aria-label={label}
      value={value}
      onValueChange={(next) => {
        // Pressing the chosen option again gives an empty value. One option is always chosen, so it is ignored.
        const chosen = options.find((option) => option.value === next);
        if (chosen) onChange(chosen.value);
      }}
      className="inline-flex h-(--control-height) items-center rounded-control border border-line bg-surface-2 p-0.5"
    >
      {options.map((option) => (
        <Radix.Item
          key={option.value}
          value={option.value}
          className="h-full rounded-[4px] px-2.5 text-12 font-medium whitespace-nowrap text-ink-2 transition-colors duration-150 hover:text-ink-1 data-[state=on]:bg-surface-1 data-[state=on]:text-ink-1 data-[state=on]:ring-1 data-[state=on]:ring-line-strong/60"
        >
          {option.label}
        </Radix.Item>
      ))}
    </Radix.Root>
  );
}
