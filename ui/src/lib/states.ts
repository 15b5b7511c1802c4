/**
 * Every state the core can name, with its word, its shape and its tone, once. A state is never shown by colour alone,
 * and a new state in the contract does not compile until it has its three signs.
 */
import type {
  AvailabilityState,
  BreakerState,
  CacheOutcomeView,
  CacheTierState,
  CheckStateView,
  ForcedView,
  HealthStateView,
  KeyStateView,
  PlaygroundStateView,
  RequestStateView,
  RunVerdictView,
  SeverityView,
  TestStepState,
  VaultKindView,
  VaultStateView,
  VerdictLevel,
} from "@/ipc/bindings";

export type Tone = "ok" | "warn" | "bad" | "info" | "muted";
export type Shape = "disc" | "half" | "ring" | "triangle" | "square" | "barred" | "dash" | "turning";

export interface Sign {
  word: string;
  shape: Shape;
  tone: Tone;
}

const sign = (word: string, shape: Shape, tone: Tone): Sign => ({ word, shape, tone });

export const HEALTH: Record<HealthStateView, Sign> = {
  up: sign("Up", "disc", "ok"),
  down: sign("Down", "barred", "bad"),
  unknown: sign("Unknown", "ring", "muted"),
  disabled: sign("Off", "square", "muted"),
};

export const KEY: Record<KeyStateView, Sign> = {
  valid: sign("Valid", "disc", "ok"),
  unverified: sign("Unverified", "ring", "muted"),
  rejected: sign("Rejected", "barred", "bad"),
  missing: sign("Missing", "triangle", "warn"),
};

export const REQUEST: Record<RequestStateView, Sign> = {
  running: sign("Running", "turning", "info"),
  complete: sign("Complete", "disc", "ok"),
  partial: sign("Cut short", "half", "warn"),
  failed: sign("Failed", "barred", "bad"),
  cancelled: sign("Client left", "square", "muted"),
  unknown: sign("Unknown", "ring", "muted"),
};

export const CHECK: Record<CheckStateView, Sign> = {
  waiting: sign("Waiting", "ring", "muted"),
  running: sign("Running", "turning", "info"),
  pass: sign("Passed", "disc", "ok"),
  warn: sign("Warning", "triangle", "warn"),
  fail: sign("Failed", "barred", "bad"),
  skipped: sign("Skipped", "dash", "muted"),
  not_applicable: sign("Does not apply", "dash", "muted"),
  crashed: sign("Check broke", "barred", "warn"),
  cancelled: sign("Cancelled", "square", "muted"),
};

export const TEST_STEP: Record<TestStepState, Sign> = {
  pass: sign("Passed", "disc", "ok"),
  fail: sign("Failed", "barred", "bad"),
  skipped: sign("Not tried", "dash", "muted"),
};

export const VERDICT: Record<VerdictLevel, Sign> = {
  ok: sign("All well", "disc", "ok"),
  attention: sign("Attention", "triangle", "warn"),
  problem: sign("Problem", "barred", "bad"),
};

export const PLAYGROUND: Record<PlaygroundStateView, Sign> = {
  waiting: sign("Waiting", "turning", "info"),
  streaming: sign("Streaming", "turning", "info"),
  complete: sign("Complete", "disc", "ok"),
  partial: sign("Cut short", "half", "warn"),
  failed: sign("Failed", "barred", "bad"),
  cancelled: sign("Cancelled", "square", "muted"),
};

export const RUN_VERDICT: Record<RunVerdictView, Sign> = {
  ready: sign("Ready", "disc", "ok"),
  ready_with_warnings: sign("Ready, with care", "triangle", "warn"),
  not_ready: sign("Not ready", "barred", "bad"),
};

export const VAULT: Record<VaultStateView, Sign> = {
  unknown: sign("Not known yet", "ring", "muted"),
  ready: sign("Ready", "disc", "ok"),
  locked: sign("Locked", "barred", "bad"),
  no_collection: sign("No collection", "triangle", "warn"),
  unavailable: sign("Not available", "barred", "bad"),
  hung: sign("Does not answer", "half", "warn"),
  damaged: sign("Damaged", "barred", "bad"),
};

export const AVAILABILITY: Record<AvailabilityState, Sign> = {
  ready: sign("Ready", "disc", "ok"),
  recovering: sign("Recovering", "half", "warn"),
  trial: sign("On trial", "ring", "info"),
  cooling_down: sign("Cooling down", "triangle", "warn"),
  open: sign("Open", "square", "bad"),
  blocked: sign("Blocked", "barred", "bad"),
  off: sign("Off", "dash", "muted"),
};

export const BREAKER: Record<BreakerState, Sign> = {
  closed: sign("Closed", "disc", "ok"),
  open: sign("Open", "square", "bad"),
  half_open: sign("Half open", "ring", "info"),
  recovering: sign("Recovering", "half", "warn"),
};

export const FORCED_WORD: Record<ForcedView, string> = {
  open: "Held open",
  closed: "Held closed",
  monitor_only: "Counts only",
  disabled: "Breaker off",
};

export const CACHE_TIER: Record<CacheTierState, Sign> = {
  on: sign("On", "disc", "ok"),
  off: sign("Off", "dash", "muted"),
  lost: sign("Not reached", "triangle", "warn"),
};

export const CACHE_OUTCOME: Record<CacheOutcomeView, Sign> = {
  hit: sign("Answered from the cache", "disc", "ok"),
  joined: sign("Joined the same question in flight", "half", "ok"),
  miss: sign("Not in the cache", "ring", "muted"),
  bypass: sign("Went past the cache", "dash", "muted"),
};

export const SEVERITY_WORD: Record<SeverityView, string> = {
  blocker: "Blocker",
  major: "Major",
  minor: "Minor",
  info: "Info",
};

export const VAULT_KIND_WORD: Record<VaultKindView, string> = {
  keychain: "System keychain",
  file: "Encrypted file",
  env: "Environment (read-only)",
  memory: "Memory (gone at exit)",
};
