/** What exists in the made-up world: models with prices, settings of a fresh install. */
import type { ModelView, SettingsRanges, SettingsValues } from "@/ipc/bindings";

export const DEFAULTS: SettingsValues = {
  gateway_port: 4283,
  in_flight_max: 50,
  body_bytes_max: 33_554_432,
  connect_timeout_ms: 5_000,
  first_token_timeout_ms: 300_000,
  stall_timeout_ms: 30_000,
  total_timeout_ms: 600_000,
  health_interval_secs: 30,
  retention_days: 90,
  notifications_enabled: true,
  theme: "system",
  vault_kind: "keychain",
};

/** As the core's own. */
export const RANGES: SettingsRanges = {
  gateway_port: { min: 1, max: 65_535 },
  in_flight_max: { min: 1, max: 300 },
  body_bytes_max: { min: 1_024, max: 67_108_864 },
  connect_timeout_ms: { min: 100, max: 60_000 },
  first_token_timeout_ms: { min: 1_000, max: 600_000 },
  stall_timeout_ms: { min: 1_000, max: 600_000 },
  total_timeout_ms: { min: 1_000, max: 3_600_000 },
  health_interval_secs: { min: 5, max: 3_600 },
  retention_days: { min: 1, max: 3_650 },
};

function priced(id: string, input: number, output: number, cache_read: number | null): ModelView {
  return {
    id,
    price: {
      input: input * 10_000,
      output: output * 10_000,
      cache_read: cache_read === null ? null : cache_read * 10_000,
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
