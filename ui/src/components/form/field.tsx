/** Label, control, help and error of one form field, connected for screen readers. */
import { useId, type ComponentProps, type ReactNode } from "react";
import { WithCode } from "@/components/text/with-code";
import { classNames } from "@/lib/class-names";

export interface ControlProps {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

interface FieldProps {
  label: string;
  /** Expected input, unit and range. */
  help?: ReactNode;
  /** The core's error for this field. */
  fault?: ReactNode;
  optional?: boolean;
  children: (control: ControlProps) => ReactNode;
}

export function Field({ label, help, fault, optional = false, children }: FieldProps) {
  const id = useId();
  const isFaulty = fault !== undefined && fault !== null;
  const noteId = `${id}-note`;
  const note = isFaulty ? fault : help;
  const hasNote = note !== undefined && note !== null;
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="flex items-baseline justify-between text-12 font-medium text-ink-1">
        {label}
        {optional && <span className="font-normal text-ink-3">optional</span>}
      </label>
      {children({ id, "aria-describedby": hasNote ? noteId : undefined, "aria-invalid": isFaulty || undefined })}
      {hasNote && (
        <div
          id={noteId}
          role={isFaulty ? "alert" : undefined}
          className={classNames("text-12 [overflow-wrap:anywhere]", isFaulty ? "text-bad" : "text-ink-3")}
        >
          <WithCode>{note}</WithCode>
        </div>
      )}
    </div>
  );
}

/** The style of every form control. */
export const CONTROL =
  "h-(--control-height) min-w-0 rounded-control border border-line-strong/70 bg-field px-2.5 text-13 text-ink-1 transition-colors duration-150 hover:border-line-strong disabled:opacity-60 aria-invalid:border-bad";

export function TextInput({
  className = "w-full",
  mono = false,
  ...rest
}: ComponentProps<"input"> & { mono?: boolean }) {
  return (
    <input
      type="text"
      autoComplete="off"
      spellCheck={false}
      {...rest}
      className={classNames(CONTROL, mono && "font-mono text-12", className)}
    />
  );
}
