// Generated from the Rust views; do not edit. `cargo xtask bindings` writes it.

import type {
  AvailabilityState,
  BackendTestStepState,
  BreakerState,
  CacheOutcomeView,
  CacheTierState,
  ChangeTag,
  CheckStateView,
  GatewayState,
  HealthStateView,
  KeyStateView,
  LedgerStateView,
  PlaygroundStateView,
  ReadinessVerdictView,
  RequestStateView,
  VaultStateView,
  VerdictLevel,
} from "@/ipc/bindings";

/** What each operation of the core changes. */
export const OPERATION_CHANGES = {
  status: [],
  backends: [],
  presets: [],
  backendAdd: ["backends", "keys", "status", "settings"],
  backendEdit: ["backends", "accesses", "keys", "status", "settings"],
  backendSwitch: ["backends", "status", "settings"],
  backendTest: ["backends", "keys", "status"],
  backendRemove: ["backends", "keys", "status", "settings"],
  keys: [],
  keyAdd: ["keys", "status", "settings"],
  keyReplace: ["keys", "backends", "status", "settings"],
  keyVerify: ["keys", "backends", "status"],
  keyRemove: ["keys", "backends", "status", "settings"],
  vaultCheck: ["keys", "status", "settings"],
  vaultUnlock: ["keys", "backends", "status", "settings"],
  vaultSet: ["keys", "backends", "clients", "status", "settings"],
  vaultMove: ["keys", "backends", "clients", "status", "settings"],
  clients: [],
  clientAdd: ["clients", "status", "settings"],
  clientEdit: ["clients", "settings"],
  clientRevoke: ["clients", "status", "settings"],
  usage: [],
  requests: [],
  routes: [],
  routeSet: ["routes", "settings", "status"],
  routeRemove: ["routes", "settings", "status"],
  routesOrder: ["routes", "settings"],
  requestPath: [],
  routeExplain: [],
  routeSimulate: [],
  accesses: [],
  accessForce: ["accesses", "routes", "backends", "status"],
  accessReset: ["accesses", "routes", "backends", "status"],
  breakerTimeline: [],
  breakerBacktest: [],
  cache: [],
  cachePurge: ["cache"],
  readiness: [],
  readinessStart: ["readiness", "status"],
  readinessCancel: ["readiness", "status"],
  playground: [],
  playgroundSend: [],
  playgroundCancel: [],
  playgroundRaw: [],
  playgroundSnippets: [],
  settings: [],
  settingsEdit: ["settings", "status", "backends", "cache"],
  settingsFix: ["settings", "status", "backends", "keys", "clients"],
  ledger: [],
  ledgerBackup: ["ledger", "status"],
  ledgerRestore: ["ledger", "status", "usage"],
  ledgerExamine: [],
  ledgerRepair: ["ledger", "status", "usage"],
  ledgerAcknowledge: ["ledger", "status"],
  notificationTest: [],
} as const satisfies Record<string, readonly ChangeTag[]>;

/** The colour role of a state. */
export type Tone = "ok" | "warn" | "bad" | "info" | "muted";

/** The symbol of a state. */
export type Shape = "disc" | "half" | "ring" | "triangle" | "square" | "barred" | "dash" | "turning";

/** A state as it is displayed, never by colour alone. */
export interface Sign {
  word: string;
  shape: Shape;
  tone: Tone;
}

export const AVAILABILITY: Record<AvailabilityState, Sign> = {
  ready: { word: "Healthy", shape: "disc", tone: "ok" },
  recovering: { word: "Recovering", shape: "half", tone: "warn" },
  trial: { word: "Testing recovery", shape: "ring", tone: "info" },
  cooling_down: { word: "Cooling down", shape: "triangle", tone: "warn" },
  open: { word: "Tripped", shape: "square", tone: "bad" },
  blocked: { word: "Blocked", shape: "barred", tone: "bad" },
  held: { word: "Blocked manually", shape: "barred", tone: "warn" },
  removed: { word: "No longer exists", shape: "barred", tone: "bad" },
  off: { word: "Off", shape: "dash", tone: "muted" },
};

export const BREAKER: Record<BreakerState, Sign> = {
  closed: { word: "Healthy", shape: "disc", tone: "ok" },
  open: { word: "Tripped", shape: "square", tone: "bad" },
  half_open: { word: "Testing recovery", shape: "ring", tone: "info" },
  recovering: { word: "Recovering", shape: "half", tone: "warn" },
};

export const CACHE_OUTCOME: Record<CacheOutcomeView, Sign> = {
  hit: { word: "Served from cache", shape: "disc", tone: "ok" },
  joined: { word: "Shared an identical request in flight", shape: "half", tone: "ok" },
  miss: { word: "Cache miss", shape: "ring", tone: "muted" },
  bypass: { word: "Cache bypassed", shape: "dash", tone: "muted" },
};

export const CACHE_TIER: Record<CacheTierState, Sign> = {
  on: { word: "On", shape: "disc", tone: "ok" },
  off: { word: "Off", shape: "dash", tone: "muted" },
  lost: { word: "Unreachable", shape: "triangle", tone: "warn" },
};

export const CHECK: Record<CheckStateView, Sign> = {
  waiting: { word: "Waiting", shape: "ring", tone: "muted" },
  running: { word: "Running", shape: "turning", tone: "info" },
  pass: { word: "Passed", shape: "disc", tone: "ok" },
  warn: { word: "Warning", shape: "triangle", tone: "warn" },
  fail: { word: "Failed", shape: "barred", tone: "bad" },
  skipped: { word: "Skipped", shape: "dash", tone: "muted" },
  not_applicable: { word: "Not applicable", shape: "dash", tone: "muted" },
  crashed: { word: "Check crashed", shape: "barred", tone: "warn" },
  cancelled: { word: "Cancelled", shape: "square", tone: "muted" },
};

export const GATEWAY: Record<GatewayState, Sign> = {
  listening: { word: "Running", shape: "disc", tone: "ok" },
  failed: { word: "Not running", shape: "barred", tone: "bad" },
};

export const HEALTH: Record<HealthStateView, Sign> = {
  up: { word: "Up", shape: "disc", tone: "ok" },
  down: { word: "Down", shape: "barred", tone: "bad" },
  unknown: { word: "Unknown", shape: "ring", tone: "muted" },
  disabled: { word: "Off", shape: "dash", tone: "muted" },
};

export const KEY: Record<KeyStateView, Sign> = {
  valid: { word: "Valid", shape: "disc", tone: "ok" },
  unverified: { word: "Unverified", shape: "ring", tone: "muted" },
  rejected: { word: "Rejected", shape: "barred", tone: "bad" },
  missing: { word: "Missing", shape: "triangle", tone: "warn" },
};

export const LEDGER: Record<LedgerStateView, Sign> = {
  current: { word: "Recording", shape: "disc", tone: "ok" },
  behind: { word: "Behind", shape: "half", tone: "warn" },
  refusing: { word: "Not writable", shape: "barred", tone: "bad" },
};

export const PLAYGROUND: Record<PlaygroundStateView, Sign> = {
  waiting: { word: "Waiting", shape: "turning", tone: "info" },
  streaming: { word: "Streaming", shape: "turning", tone: "info" },
  complete: { word: "Complete", shape: "disc", tone: "ok" },
  partial: { word: "Cut short", shape: "half", tone: "warn" },
  failed: { word: "Failed", shape: "barred", tone: "bad" },
  cancelled: { word: "Cancelled", shape: "square", tone: "muted" },
};

export const REQUEST: Record<RequestStateView, Sign> = {
  running: { word: "Running", shape: "turning", tone: "info" },
  complete: { word: "Complete", shape: "disc", tone: "ok" },
  partial: { word: "Cut short", shape: "half", tone: "warn" },
  failed: { word: "Failed", shape: "barred", tone: "bad" },
  cancelled: { word: "Cancelled", shape: "square", tone: "muted" },
  unknown: { word: "Unknown", shape: "ring", tone: "muted" },
};

export const RUN_VERDICT: Record<ReadinessVerdictView, Sign> = {
  ready: { word: "Ready", shape: "disc", tone: "ok" },
  ready_with_warnings: { word: "Ready with warnings", shape: "triangle", tone: "warn" },
  not_ready: { word: "Not ready", shape: "barred", tone: "bad" },
};

export const TEST_STEP: Record<BackendTestStepState, Sign> = {
  pass: { word: "Passed", shape: "disc", tone: "ok" },
  fail: { word: "Failed", shape: "barred", tone: "bad" },
  skipped: { word: "Skipped", shape: "dash", tone: "muted" },
};

export const VAULT: Record<VaultStateView, Sign> = {
  unknown: { word: "Not checked yet", shape: "ring", tone: "muted" },
  ready: { word: "Ready", shape: "disc", tone: "ok" },
  locked: { word: "Locked", shape: "barred", tone: "bad" },
  no_collection: { word: "No keyring", shape: "triangle", tone: "warn" },
  unavailable: { word: "Unavailable", shape: "barred", tone: "bad" },
  hung: { word: "Not responding", shape: "barred", tone: "bad" },
  damaged: { word: "Damaged", shape: "barred", tone: "bad" },
};

export const VERDICT: Record<VerdictLevel, Sign> = {
  ok: { word: "All clear", shape: "disc", tone: "ok" },
  unknown: { word: "Checking", shape: "ring", tone: "muted" },
  attention: { word: "Attention", shape: "triangle", tone: "warn" },
  problem: { word: "Problem", shape: "barred", tone: "bad" },
};
