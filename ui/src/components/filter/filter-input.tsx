/** Filters a list by words. `/` focuses it from anywhere on the screen. */
import { Search } from "lucide-react";
import { TextInput } from "@/components/form/field";

export function FilterInput({
  label,
  placeholder = "Filter",
  className = "w-52",
  fault,
  value,
  onChange,
}: {
  label: string;
  placeholder?: string;
  /** Its width. */
  className?: string;
  /** The id of the sentence that says what is wrong with the text. */
  fault?: string | undefined;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <div className={`relative ${className}`}>
      <Search
        size={14}
        strokeWidth={1.5}
        aria-hidden
        className="pointer-events-none absolute top-[9px] left-2.5 text-ink-3"
      />
      <TextInput
        type="search"
        data-filter
        aria-label={label}
        aria-keyshortcuts="/"
        aria-invalid={fault !== undefined || undefined}
        aria-describedby={fault}
        placeholder={placeholder}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || value === "") return;
          event.stopPropagation();
          onChange("");
        }}
        className="w-full pl-8"
      />
    </div>
  );
}
