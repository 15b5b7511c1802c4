/** An on/off switch with the state as a word beside it. */
import * as Radix from "@radix-ui/react-switch";

interface SwitchProps {
  label: string;
  checked: boolean;
  disabled?: boolean;
  describedBy?: string | undefined;
  onChange: (checked: boolean) => void;
}

export function Switch({ label, checked, disabled = false, describedBy, onChange }: SwitchProps) {
  return (
    <Radix.Root
      aria-label={label}
      aria-describedby={describedBy}
      checked={checked}
      disabled={disabled}
      onCheckedChange={onChange}
      className="relative h-[18px] w-8 shrink-0 rounded-full border border-line-strong bg-surface-3 transition-colors duration-150 disabled:opacity-50 data-[state=checked]:border-accent data-[state=checked]:bg-accent"
    >
      <Radix.Thumb
        data-mark
        className="block size-3 translate-x-[2px] rounded-full bg-ink-2 transition-transform duration-150 ease-out data-[state=checked]:translate-x-4 data-[state=checked]:bg-on-accent"
      />
    </Radix.Root>
  );
}
