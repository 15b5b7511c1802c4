/**
 * Every state of the core with its word, shape and tone, defined once. A state is never shown by colour alone, and a
 * new state in the contract does not compile until it has all three.
 */
import type {
  AvailabilityState,
  BreakerState,
  CacheOutcomeView,
  CacheTierState,
  CheckStateView,
  BreakerOverrideView,
  HealthStateView,
  HealthView,
  KeyStateView,
  LedgerStateView,
  PlaygroundStateView,
  RequestStateView,
  ReadinessVerdictView,
  CheckSeverityView,
  BackendTestStepState,
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

/** An unconfirmed state shows the last known one, marked as such. */
export function healthSign({ state, last_known }: HealthView): Sign {
  if (state !== "unknown" || last_known === null) return HEALTH[state];
  return { ...HEALTH.unknown, word: `Last known: ${HEALTH[last_known].word.toLowerCase()}` };
}

export const KEY: Record<KeyStateView, Sign> = {
  valid: sign("Valid", "disc", "ok"),
  unverified: sign("Unverified", "ring", "muted"),
  rejected: sign("Rejected", "barred", "bad"),
  missing: sign("Missing", "triangle", "warn"),
};

export const LEDGER: Record<LedgerStateView, Sign> = {
  current: sign("Recording", "disc", "ok"),
  behind: sign("Behind", "half", "warn"),
  refusing: sign("Not writable", "barred", "bad"),
};

export const REQUEST: Record<RequestStateView, Sign> = {
  running: sign("Running", "turning", "info"),
  complete: sign("Complete", "disc", "ok"),
  partial: sign("Cut short", "half", "warn"),
  failed: sign("Failed", "barred", "bad"),
  cancelled: sign("Cancelled", "square", "muted"),
  unknown: sign("Unknown", "ring", "muted"),
};

export const CHECK: Record<CheckStateView, Sign> = {
  waiting: sign("Waiting", "ring", "muted"),
  running: sign("Running", "turning", "info"),
  pass: sign("Passed", "disc", "ok"),
  warn: sign("Warning", "triangle", "warn"),
  fail: sign("Failed", "barred", "bad"),
  skipped: sign("Skipped", "dash", "muted"),
  not_applicable: sign("Not applicable", "dash", "muted"),
  crashed: sign("Check crashed", "barred", "warn"),
  cancelled: sign("Cancelled", "square", "muted"),
};

export const TEST_STEP: Record<BackendTestStepState, Sign> = {
  pass: sign("Passed", "disc", "ok"),
  fail: sign("Failed", "barred", "bad"),
  skipped: sign("Skipped", "dash", "muted"),
};

export const VERDICT: Record<VerdictLevel, Sign> = {
  ok: sign("All clear", "disc", "ok"),
  unknown: sign("Checking", "ring", "muted"),
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

export const RUN_VERDICT: Record<ReadinessVerdictView, Sign> = {
  ready: sign("Ready", "disc", "ok"),
  ready_with_warnings: sign("Ready with warnings", "triangle", "warn"),
  not_ready: sign("Not ready", "barred", "bad"),
};

export const VAULT: Record<VaultStateView, Sign> = {
  unknown: sign("Not checked yet", "ring", "muted"),
  ready: sign("Ready", "disc", "ok"),
  locked: sign("Locked", "barred", "bad"),
  no_collection: sign("No keyring", "triangle", "warn"),
  unavailable: sign("Unavailable", "barred", "bad"),
  hung: sign("Not responding", "half", "warn"),
  damaged: sign("Damaged", "barred", "bad"),
};

export const AVAILABILITY: Record<AvailabilityState, Sign> = {
  ready: sign("Healthy", "disc", "ok"),
  recovering: sign("Recovering", "half", "warn"),
  trial: sign("Testing recovery", "ring", "info"),
  cooling_down: sign("Cooling down", "triangle", "warn"),
  open: sign("Tripped", "square", "bad"),
  blocked: sign("Blocked", "barred", "bad"),
  held: sign("Blocked manually", "barred", "warn"),
  removed: sign("No longer exists", "barred", "bad"),
  off: sign("Off", "dash", "muted"),
};

export const BREAKER: Record<BreakerState, Sign> = {
  closed: sign("Healthy", "disc", "ok"),
  open: sign("Tripped", "square", "bad"),
  half_open: sign("Testing recovery", "ring", "info"),
  recovering: sign("Recovering", "half", "warn"),
};

export const FORCED_WORD: Record<BreakerOverrideView, string> = {
  open: "Traffic blocked",
  closed: "Traffic allowed",
  monitor_only: "Monitor only",
  disabled: "Breaker disabled",
};

export const CACHE_TIER: Record<CacheTierState, Sign> = {
  on: sign("On", "disc", "ok"),
  off: sign("Off", "dash", "muted"),
  lost: sign("Unreachable", "triangle", "warn"),
};

export const CACHE_OUTCOME: Record<CacheOutcomeView, Sign> = {
  hit: sign("Served from cache", "disc", "ok"),
  joined: sign("Shared an identical request in flight", "half", "ok"),
  miss: sign("Cache miss", "ring", "muted"),
  bypass: sign("Cache bypassed", "dash", "muted"),
};

export const SEVERITY_WORD: Record<CheckSeverityView, string> = {
  blocker: "Blocker",
  major: "Major",
  minor: "Minor",
  info: "Info",
};

export const VAULT_KIND_WORD: Record<VaultKindView, string> = {
  keychain: "System keychain",
  file: "Encrypted file",
  env: "Environment (read-only)",
  memory: "Memory (lost on exit)",
};
