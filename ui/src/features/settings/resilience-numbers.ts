/** The failure thresholds as a form. Names, ranges and defaults come from the core. */
import type { ApiError, NumberFieldView, ResiliencePreset, ResilienceValues, SettingsView } from "@/ipc/bindings";
import { formatCount } from "@/lib/quantity";
import { THRESHOLD_LABELS } from "@/lib/form-tables";

/** Typed texts by name of the number. */
export type TypedNumbers = Record<string, string>;

/** `open_ms_first` becomes "First trip". Unknown names are returned as in the settings file. */
export function numberLabel(name: string): string {
  return THRESHOLD_LABELS[name] ?? name;
}

export function numbersOf(settings: SettingsView, preset: ResiliencePreset): ResilienceValues["custom"] {
  const known = settings.resilience.presets.find((one) => one.preset === preset);
  return known?.numbers ?? settings.values.resilience.custom;
}

/** `1 to 20`, `500 to 600,000 ms`. */
export function numberRange({ min, max, unit }: NumberFieldView): string {
  return `${formatCount(min)} to ${formatCount(max)}${unit === "" ? "" : ` ${unit}`}`;
}

/** The names of the typed numbers that differ from the current ones. */
export function changedNumbers(typed: TypedNumbers, inForce: ResilienceValues["custom"]): string[] {
  return Object.keys(typed).filter((name) => typed[name]?.trim() !== String(inForce[name]));
}

/** The current numbers with the typed ones applied, as a custom set; or the error of one number. */
export function readNumbers(
  fields: NumberFieldView[],
  typed: TypedNumbers,
  inForce: ResilienceValues["custom"],
): ResilienceValues | ApiError {
  const custom = { ...inForce };
  for (const field of fields) {
    const text = typed[field.name]?.trim();
    if (text === undefined) continue;
    const number = Number(text);
    const wrong = (message: string): ApiError => ({ code: "invalid_input", message, hint: null, field: field.name });
    if (text === "" || !Number.isInteger(number)) return wrong("Enter a whole number.");
    if (number < field.min || number > field.max) return wrong(`Enter ${numberRange(field)}.`);
    custom[field.name] = number;
  }
  return { preset: "custom", custom };
}
