/** One list filter that is typed: a pill with its text, which a press opens for editing. */
import { useState } from "react";
import { FilterPill, filterWords } from "@/components/filter/filter-chip";

interface FilterTextProps {
  label: string;
  value: string | undefined;
  example: string;
  /** What an empty value stands for, "No project". */
  none?: string | undefined;
  /** Starts with the field open and focused. */
  isNew?: boolean;
  onChange: (value: string | undefined) => void;
  /** The field was left empty. */
  onLeave?: () => void;
}

export function FilterText({ label, value, example, none, isNew = false, onChange, onLeave }: FilterTextProps) {
  const [draft, setDraft] = useState<string | null>(isNew ? "" : null);
  const finish = (text: string) => {
    setDraft(null);
    const next = text.trim();
    if (next === "" && value === undefined) onLeave?.();
    else if (next !== value) onChange(next === "" ? undefined : next);
  };
  return (
    <FilterPill label={label} isSet={value !== undefined && draft === null} onClear={() => onChange(undefined)}>
      {draft === null ? (
        <button
          type="button"
          onClick={() => setDraft(value ?? "")}
          className="inline-flex h-full min-w-0 items-center rounded-control px-2.5 hover:bg-surface-2 hover:text-ink-1"
        >
          <span className="truncate">{filterWords(label, value ?? "", value === "" ? none : undefined)}</span>
        </button>
      ) : (
        <label className="inline-flex h-full items-center pl-2.5">
          {label}:
          <input
            ref={focusField}
            type="text"
            autoComplete="off"
            spellCheck={false}
            placeholder={example}
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
            onBlur={() => finish(draft)}
            onKeyDown={(event) => {
              if (event.key === "Enter") finish(draft);
              if (event.key !== "Escape") return;
              event.stopPropagation();
              finish(value ?? "");
            }}
            className="focus-inset h-full w-28 rounded-control bg-transparent px-1.5 text-12 text-ink-1 placeholder:text-ink-3"
          />
        </label>
      )}
    </FilterPill>
  );
}

/** After the menu that added the filter has given its focus back. */
function focusField(field: HTMLInputElement | null) {
  field?.focus();
}
