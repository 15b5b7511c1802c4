/** A pill for one list filter: its value, and a cross that removes it. */
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { classNames } from "@/lib/class-names";

interface FilterPillProps {
  label: string;
  isSet: boolean;
  onClear: () => void;
  children: ReactNode;
}

export function FilterPill({ label, isSet, onClear, children }: FilterPillProps) {
  return (
    <span
      className={classNames(
        "inline-flex h-8 max-w-full items-center rounded-control border text-12",
        isSet ? "border-accent/60 bg-surface-1 text-ink-1" : "border-line bg-surface-1 text-ink-2",
      )}
    >
      {children}
      {isSet && (
        <button
          type="button"
          aria-label={`Clear ${label.toLowerCase()} filter`}
          onClick={onClear}
          className="mr-0.5 inline-flex size-6 shrink-0 items-center justify-center rounded-[4px] text-ink-3 hover:bg-surface-2 hover:text-ink-1"
        >
          <X size={12} strokeWidth={1.75} aria-hidden />
        </button>
      )}
    </span>
  );
}

/** `Client: codex`; of the rows without a value their words alone, `No client`. */
export function filterWords(label: string, value: string, word = value): string {
  return value === "" ? word : `${label}: ${word}`;
}

/** A filter that is chosen elsewhere on the screen and only removed here. */
export function FilterChip({ label, word, onClear }: { label: string; word: string; onClear: () => void }) {
  return (
    <FilterPill label={label} isSet onClear={onClear}>
      <span className="min-w-0 truncate pl-2.5">{`${label}: ${word}`}</span>
    </FilterPill>
  );
}
