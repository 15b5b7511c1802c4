/** A numeric setting: meaning, range and default, field and unit, and its error. */
import { useId } from "react";
import { SettingRow } from "@/features/settings/setting-row";
import { TextInput } from "@/components/form/field";
import { WithCode } from "@/components/text/with-code";

interface NumberRowProps {
  label: string;
  /** Its meaning and range. */
  detail: string;
  /** The default as the user would type it. */
  standard: string;
  /** The default as displayed, if that differs. */
  standardShown?: string;
  unit: string;
  inputMode: "numeric" | "decimal" | "text";
  text: string;
  fault: string | null;
  disabled: boolean;
  onType: (text: string) => void;
}

export function NumberRow(props: NumberRowProps) {
  const { label, detail, standard, standardShown = standard, unit, inputMode, text, fault, disabled, onType } = props;
  const id = useId();
  const noteId = `${id}-note`;
  return (
    <SettingRow
      label={<label htmlFor={id}>{label}</label>}
      changed={text !== standard}
      detail={
        <span id={noteId}>
          <WithCode>{standardShown === "" ? `${detail}.` : `${detail}, default ${standardShown}.`}</WithCode>
          {fault !== null && (
            <span role="alert" className="block text-bad">
              {fault}
            </span>
          )}
        </span>
      }
    >
      <span className="relative">
        <TextInput
          id={id}
          inputMode={inputMode}
          disabled={disabled}
          aria-describedby={noteId}
          aria-invalid={fault !== null || undefined}
          className={inputMode === "text" ? "w-64" : "w-36 text-right"}
          style={unit === "" ? undefined : { paddingRight: `calc(${unit.length * 0.8}ch + 18px)` }}
          value={text}
          onChange={(event) => onType(event.target.value)}
        />
        <span className="pointer-events-none absolute inset-y-0 right-2.5 flex items-center text-12 text-ink-3">
          {unit}
        </span>
      </span>
    </SettingRow>
  );
}
