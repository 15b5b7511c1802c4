/** Filters a list by words. `/` focuses it from anywhere on the screen. */
import { Search } from "lucide-react";
import { TextInput } from "@/components/field";

export function FilterInput({
  label,
  placeholder = "Filter",
  value,
  onChange,
}: {
  label: string;
  placeholder?: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <div className="relative w-52">
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
