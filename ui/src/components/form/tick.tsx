/** A checkbox or radio button with a name and one line that explains it. */
import { useId, type ComponentProps } from "react";

interface TickProps extends Omit<ComponentProps<"input">, "type" | "id"> {
  type: "checkbox" | "radio";
  label: string;
  note: string;
}

export function Tick({ type, label, note, ...rest }: TickProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5">
      <input
        {...rest}
        id={id}
        type={type}
        aria-describedby={`${id}-note`}
        className="mt-0.5 size-4 shrink-0 accent-[var(--accent)]"
      />
      <div className="min-w-0">
        <label htmlFor={id} className="block text-13 text-ink-1">
          {label}
        </label>
        <span id={`${id}-note`} className="block text-12 text-ink-3">
          {note}
        </span>
      </div>
    </div>
  );
}
