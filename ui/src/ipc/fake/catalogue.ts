/** Static fake data: models with prices, settings of a new installation. */
import type { ModelView, ResilienceFormView, SettingsValues, SettingsView } from "@/ipc/bindings";
import { SETTINGS } from "@/lib/form-tables";

/** Some of the core's thresholds, in the core's form. */
export const RESILIENCE: ResilienceFormView = {
  fields: [
    {
      name: "failures_in_a_row",
      meaning: "Failures in a row that trip the breaker.",
      unit: "",
      min: 1,
      max: 20,
      default: 3,
    },
    {
      name: "failure_percent",
      meaning: "Percentage of failed calls in the window that trips the breaker.",
      unit: "%",
      min: 5,
      max: 100,
      default: 50,
    },
    {
      name: "open_ms_first",
      meaning: "Milliseconds the breaker stays tripped the first time; doubles each further time.",
      unit: "ms",
      min: 500,
      max: 600_000,
      default: 5_000,
    },
    {
      name: "open_ms_max",
      meaning: "Longest time the breaker stays tripped, in milliseconds.",
      unit: "ms",
      min: 1_000,
      max: 3_600_000,
      default: 60_000,
    },
    {
      name: "forced_closed_secs",
      meaning: 'Seconds for which "Allow traffic" lasts.',
      unit: "s",
      min: 60,
      max: 86_400,
      default: 900,
    },
  ],
  presets: [
    preset("careful", [2, 30, 10_000, 300_000, 900]),
    preset("balanced", [3, 50, 5_000, 60_000, 900]),
    preset("eager", [5, 70, 2_000, 20_000, 900]),
  ],
};

function preset(
  name: "careful" | "balanced" | "eager",
  [failures_in_a_row, failure_percent, open_ms_first, open_ms_max, forced_closed_secs]: [
    number,
    number,
    number,
    number,
    number,
  ],
) {
  const numbers = { failures_in_a_row, failure_percent, open_ms_first, open_ms_max, forced_closed_secs };
  return { preset: name, numbers };
}

export const DEFAULTS = {
  ...Object.fromEntries(SETTINGS.map((setting) => [setting.key, setting.default])),
  resilience: { preset: "balanced", custom: RESILIENCE.presets[1]?.numbers ?? {} },
} as SettingsValues;

const NUMBERS = SETTINGS.filter((setting) => setting.kind === "number");

export const RANGES: SettingsView["ranges"] = Object.fromEntries(
  NUMBERS.map(({ key, min, max }) => [key, { min, max }]),
);

function priced(id: string, input: number, output: number, cache_read: number | null): ModelView {
  return {
    id,
    price: {
      input_nano_usd: input * 10_000_000,
      output_nano_usd: output * 10_000_000,
      cache_read_nano_usd: cache_read === null ? null : cache_read * 10_000_000,
      valid_from: "2026-11-01",
      source: "provider's price list",
    },
  };
}

/** Prices in cents per million tokens. */
export const MODELS: Record<string, ModelView[]> = {
  openai: [
    priced("gpt-5.2", 175, 1400, 18),
    priced("gpt-5.2-mini", 25, 200, 3),
    priced("text-embedding-4", 5, 0, null),
  ],
  openrouter: [
    priced("anthropic/claude-sonnet-5", 300, 1500, 30),
    priced("google/gemini-3.5-flash", 30, 250, 8),
    { id: "moonshot/kimi-k3", price: null },
  ],
  groq: [priced("llama-5-70b", 59, 79, null), priced("gpt-oss-120b", 15, 60, null)],
  mistral: [priced("mistral-large-4", 200, 600, null), priced("codestral-3", 30, 90, null)],
  ollama: [
    { id: "qwen4-coder:30b", price: null },
    { id: "gemma4:12b", price: null },
  ],
  mock: [
    { id: "echo", price: null },
    { id: "chat", price: null },
    { id: "slow", price: null },
    { id: "fault-401", price: null },
  ],
};

export function modelsOf(id: string): ModelView[] {
  return MODELS[id] ?? [{ id: "default", price: null }];
}
