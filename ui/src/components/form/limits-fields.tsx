/** The limits per minute and at once: the same three numbers for a backend and a client. */
import { useFormContext } from "react-hook-form";
import { Field, TextInput } from "@/components/form/field";
import type { ApiError, TrafficLimitsView } from "@/ipc/bindings";
import { faultOf } from "@/lib/fault";

type LimitName = keyof TrafficLimitsView;

/** The form values that these fields use. */
export interface LimitTexts {
  limits: Record<LimitName, string>;
}

export const LIMITS: readonly { name: LimitName; label: string }[] = [
  { name: "requests_per_minute", label: "Requests per minute" },
  { name: "tokens_per_minute", label: "Tokens per minute" },
  { name: "in_flight_max", label: "Concurrent requests" },
];

function spell(number: number | null): string {
  return number === null ? "" : String(number);
}

export function limitTexts(limits: TrafficLimitsView): LimitTexts["limits"] {
  return {
    requests_per_minute: spell(limits.requests_per_minute),
    tokens_per_minute: spell(limits.tokens_per_minute),
    in_flight_max: spell(limits.in_flight_max),
  };
}

/** Empty means no limit. Returns an error for its field if a text is not a whole number. */
export function readLimits(texts: LimitTexts["limits"]): TrafficLimitsView | ApiError {
  const read: TrafficLimitsView = { requests_per_minute: null, tokens_per_minute: null, in_flight_max: null };
  for (const { name } of LIMITS) {
    const text = texts[name].replaceAll(/[\s,]/g, "");
    if (text === "") continue;
    const number = Number(text);
    if (!Number.isInteger(number) || number < 0)
      return { code: "invalid_input", message: "Enter a whole number.", hint: null, field: name };
    read[name] = number;
  }
  return read;
}

export function LimitsFields({ error }: { error: ApiError | null }) {
  const { register } = useFormContext<LimitTexts>();
  return (
    <div className="grid grid-cols-3 items-start gap-3">
      {LIMITS.map(({ name, label }) => (
        <Field key={name} label={label} fault={faultOf(error, name)}>
          {(given) => (
            <TextInput {...given} inputMode="numeric" placeholder="no limit" {...register(`limits.${name}`)} />
          )}
        </Field>
      ))}
    </div>
  );
}
