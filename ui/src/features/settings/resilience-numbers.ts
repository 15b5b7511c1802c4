/** The failure thresholds as a form. Names, ranges and defaults come from the core. */
import type { ApiError, NumberFieldView, ResiliencePresetName, ResilienceValues, SettingsView } from "@/ipc/bindings";
import { formatCount } from "@/lib/quantity";

/** Typed texts by name of the number. */
export type TypedNumbers = Record<string, string>;

export const PRESETS: readonly { value: ResiliencePresetName; label: string; note: string }[] = [
  { value: "careful", label: "Careful", note: "Trips early and retries little. For metered keys." },
  { value: "balanced", label: "Balanced", note: "Right for most setups." },
  { value: "eager", label: "Eager", note: "Tolerates more failures and recovers sooner. For a single backend." },
  { value: "custom", label: "Custom", note: "Uses the thresholds below." },
];

/** Display names of the thresholds; the settings file has its own. */
const LABELS: Record<string, string> = {
  failures_in_a_row: "Failures in a row",
  failure_percent: "Failure rate",
  slow_percent: "Slow call rate",
  calls_min: "Minimum calls",
  window_secs: "Window",
  slow_factor: "Slow factor",
  slow_ms_min: "Never slow below",
  bad_probes: "Failed probes in a row",
  open_ms_first: "First trip",
  open_ms_max: "Longest trip",
  open_jitter_percent: "Trip jitter",
  calm_secs: "Trip reset",
  trial_successes: "Successful trials",
  trial_silence_secs: "Probe without trials",
  trial_lease_secs: "Trial timeout",
  ramp_successes: "Recovery step, successes",
  ramp_step_secs: "Recovery step, time",
  ramp_failure_percent: "Failure rate in recovery",
  forced_closed_secs: "Allow traffic",
  cooldown_ms_first: "First cooldown",
  cooldown_ms_max: "Longest cooldown",
  quota_secs_first: "First quota cooldown",
  quota_secs_max: "Longest quota cooldown",
  attempts_max: "Attempts",
  retry_ms_first: "First retry wait",
  retry_ms_max: "Longest retry wait",
  retry_connect_ms: "Connection retry wait",
  retry_after_ms_max: "Longest Retry-After",
  retry_budget_percent: "Retry budget",
  retry_reserve: "Retry reserve",
};

/** `open_ms_first` becomes "First trip". Unknown names are returned as in the settings file. */
export function numberLabel(name: string): string {
  return LABELS[name] ?? name;
}

/** The numbers of a preset. */
export function numbersOf(settings: SettingsView, preset: ResiliencePresetName): ResilienceValues["custom"] {
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
