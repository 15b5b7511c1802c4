/** The numbers for failures as a form: names, ranges and defaults are the core's. */
import type { ApiError, NumberFieldView, ResiliencePresetName, ResilienceValues, SettingsView } from "@/ipc/bindings";
import { formatCount } from "@/lib/quantity";

/** What is typed, by the number's name. */
export type TypedNumbers = Record<string, string>;

export const PRESETS: readonly { value: ResiliencePresetName; label: string; note: string }[] = [
  { value: "careful", label: "Careful", note: "Trips early and retries little. For metered keys." },
  { value: "balanced", label: "Balanced", note: "Right for most setups." },
  { value: "eager", label: "Eager", note: "Tolerates more failures and recovers sooner. For a single backend." },
  { value: "custom", label: "Custom", note: "Uses the thresholds below." },
];

/** What ends a name that is a unit or a limit, in words. */
const WORDS: Record<string, string> = {
  ms: "",
  secs: "",
  percent: "share",
  min: "at least",
  max: "at most",
  first: "at first",
};

/** `open_ms_first` is "Open at first"; the unit stands beside the field. */
export function numberLabel(name: string): string {
  const words = name
    .split("_")
    .map((word) => WORDS[word] ?? word)
    .filter((word) => word !== "")
    .join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The numbers that a set stands for. */
export function numbersOf(settings: SettingsView, preset: ResiliencePresetName): ResilienceValues["custom"] {
  const known = settings.resilience.presets.find((one) => one.preset === preset);
  return known?.numbers ?? settings.values.resilience.custom;
}

/** `1 to 20`, `500 to 600,000 ms`. */
export function numberRange({ min, max, unit }: NumberFieldView): string {
  return `${formatCount(min)} to ${formatCount(max)}${unit === "" ? "" : ` ${unit}`}`;
}

/** The names of the numbers that were typed and are not what they were. */
export function changedNumbers(typed: TypedNumbers, inForce: ResilienceValues["custom"]): string[] {
  return Object.keys(typed).filter((name) => typed[name]?.trim() !== String(inForce[name]));
}

/** The numbers in force with what was typed over them, as a set of one's own; or what is wrong with one. */
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
