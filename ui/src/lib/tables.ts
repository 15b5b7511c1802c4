// Generated from the Rust views; do not edit. `cargo xtask bindings` writes it.

import type {
  AvailabilityState,
  BackendTestStepState,
  BreakerOverrideView,
  BreakerState,
  CacheOutcomeView,
  CacheTierState,
  ChangeTag,
  CheckSeverity,
  CheckStatus,
  FailureClass,
  GatewayState,
  HealthStateView,
  KeyState,
  LedgerStateView,
  PlaygroundState,
  ReadinessVerdict,
  RequestStateView,
  SettingsValues,
  VaultKind,
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
  requestCode: [],
  savedViews: [],
  savedViewSet: ["settings"],
  savedViewRemove: ["settings"],
  sessionLogs: [],
  sessionLogsImport: ["session_logs"],
  sessionLogsCancel: ["session_logs"],
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

export const CHECK: Record<CheckStatus, Sign> = {
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

export const KEY: Record<KeyState, Sign> = {
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

export const PLAYGROUND: Record<PlaygroundState, Sign> = {
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

export const RUN_VERDICT: Record<ReadinessVerdict, Sign> = {
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

export const FORCED_WORD: Record<BreakerOverrideView, string> = {
  open: "Traffic blocked",
  closed: "Traffic allowed",
  monitor_only: "Monitor only",
  disabled: "Breaker disabled",
};

export const SEVERITY_WORD: Record<CheckSeverity, string> = {
  blocker: "Blocker",
  major: "Major",
  minor: "Minor",
  info: "Info",
};

export const VAULT_KIND_WORD: Record<VaultKind, string> = {
  keychain: "System keychain",
  file: "Encrypted file",
  env: "Environment (read-only)",
  memory: "Memory (lost on exit)",
};

export const FAILURE_WORD: Record<FailureClass, string> = {
  local: "This machine",
  offline: "Offline",
  paused: "Machine slept",
  connect: "No connection",
  dns: "Host not found",
  tls: "Certificate",
  "first-token-timeout": "First token too late",
  stalled: "Stalled",
  "bad-request": "Bad request",
  "model-missing": "No such model",
  "key-rejected": "Key rejected",
  forbidden: "Forbidden",
  unpaid: "Not paid",
  "spend-limit": "Spend limit",
  "rate-limited": "Rate limited",
  quota: "Quota used up",
  server: "Server error",
  overloaded: "Overloaded",
  "non-conforming": "Unusable answer",
  "conflict-or-timeout": "Asked to retry",
  cancelled: "Client left",
};

/** A setting with its place in the form. A number has its range in its own unit. */
export interface SettingField {
  key: Exclude<keyof SettingsValues, "resilience">;
  path: string;
  kind: "number" | "switch" | "word" | "text";
  card: string | null;
  label: string;
  meaning: string;
  unit: string;
  min: number;
  max: number;
  words: readonly string[];
  default: string | number | boolean | null;
}

export const SETTINGS: readonly SettingField[] = [
  {
    key: "gateway_port",
    path: "gateway.port",
    kind: "number",
    card: "Gateway",
    label: "Port",
    meaning: "The gateway listens on this port.",
    unit: "",
    min: 1,
    max: 65535,
    words: [],
    default: 4283,
  },
  {
    key: "in_flight_max",
    path: "gateway.in_flight_max",
    kind: "number",
    card: "Gateway",
    label: "Concurrent requests",
    meaning: "Further requests wait or are refused.",
    unit: "requests",
    min: 1,
    max: 300,
    words: [],
    default: 50,
  },
  {
    key: "body_bytes_max",
    path: "gateway.body_bytes_max",
    kind: "number",
    card: "Gateway",
    label: "Maximum request size",
    meaning: "Larger bodies are refused before they are read.",
    unit: "bytes",
    min: 1024,
    max: 67108864,
    words: [],
    default: 33554432,
  },
  {
    key: "gateway_queue_max",
    path: "gateway.queue_max",
    kind: "number",
    card: null,
    label: "queue_max",
    meaning: "Requests that wait for a slot; 0 refuses at once. Each waits with its body in memory.",
    unit: "requests",
    min: 0,
    max: 1000,
    words: [],
    default: 300,
  },
  {
    key: "gateway_queue_wait_ms",
    path: "gateway.queue_wait_ms",
    kind: "number",
    card: null,
    label: "queue_wait_ms",
    meaning: "Longest wait for a slot. Most tools give up after a minute.",
    unit: "ms",
    min: 10,
    max: 60000,
    words: [],
    default: 10000,
  },
  {
    key: "connect_timeout_ms",
    path: "gateway.connect_timeout_ms",
    kind: "number",
    card: "Timeouts",
    label: "Connect",
    meaning: "Time to connect to a backend.",
    unit: "ms",
    min: 100,
    max: 60000,
    words: [],
    default: 5000,
  },
  {
    key: "first_token_timeout_ms",
    path: "gateway.first_token_timeout_ms",
    kind: "number",
    card: "Timeouts",
    label: "First token",
    meaning: "Reasoning models can take long to start.",
    unit: "ms",
    min: 1000,
    max: 600000,
    words: [],
    default: 300000,
  },
  {
    key: "stall_timeout_ms",
    path: "gateway.stall_timeout_ms",
    kind: "number",
    card: "Timeouts",
    label: "Stream stall",
    meaning: "A stream that is silent for longer is ended.",
    unit: "ms",
    min: 1000,
    max: 600000,
    words: [],
    default: 30000,
  },
  {
    key: "total_timeout_ms",
    path: "gateway.total_timeout_ms",
    kind: "number",
    card: "Timeouts",
    label: "Total",
    meaning: "From the request's first byte to the response's last.",
    unit: "ms",
    min: 1000,
    max: 3600000,
    words: [],
    default: 600000,
  },
  {
    key: "vault_kind",
    path: "vault.kind",
    kind: "word",
    card: "Vault",
    label: "Key storage",
    meaning: "Where keys are stored. `gatehouse vault set` changes it and moves them.",
    unit: "",
    min: 0,
    max: 0,
    words: ["keychain", "file", "env", "memory"],
    default: "keychain",
  },
  {
    key: "health_interval_secs",
    path: "health.interval_secs",
    kind: "number",
    card: "Probes and retention",
    label: "Probe interval",
    meaning: "Probes are free.",
    unit: "s",
    min: 5,
    max: 3600,
    words: [],
    default: 30,
  },
  {
    key: "cache_enabled",
    path: "cache.enabled",
    kind: "switch",
    card: "Cache",
    label: "Response cache",
    meaning: "Serves repeated requests without asking a provider.",
    unit: "",
    min: 0,
    max: 0,
    words: [],
    default: true,
  },
  {
    key: "cache_disk",
    path: "cache.disk",
    kind: "switch",
    card: "Cache",
    label: "Keep on disk",
    meaning: "Encrypted; survives a restart.",
    unit: "",
    min: 0,
    max: 0,
    words: [],
    default: true,
  },
  {
    key: "cache_ttl_secs",
    path: "cache.ttl_secs",
    kind: "number",
    card: "Cache",
    label: "Expire after",
    meaning: "Providers update models, so cached responses expire.",
    unit: "s",
    min: 1,
    max: 2592000,
    words: [],
    default: 600,
  },
  {
    key: "cache_memory_bytes_max",
    path: "cache.memory_bytes_max",
    kind: "number",
    card: "Cache",
    label: "Memory limit",
    meaning: "The least used responses are evicted.",
    unit: "bytes",
    min: 1048576,
    max: 1073741824,
    words: [],
    default: 67108864,
  },
  {
    key: "cache_disk_bytes_max",
    path: "cache.disk_bytes_max",
    kind: "number",
    card: "Cache",
    label: "Disk limit",
    meaning: "On-disk (compressed) size.",
    unit: "bytes",
    min: 16777216,
    max: 68719476736,
    words: [],
    default: 536870912,
  },
  {
    key: "cache_entry_bytes_max",
    path: "cache.entry_bytes_max",
    kind: "number",
    card: "Cache",
    label: "Maximum response size",
    meaning: "Larger responses are not cached.",
    unit: "bytes",
    min: 4096,
    max: 16777216,
    words: [],
    default: 2097152,
  },
  {
    key: "cache_redis_url",
    path: "cache.redis_url",
    kind: "text",
    card: "Shared cache",
    label: "Shared cache",
    meaning: "Address of a Redis or Valkey server that shares responses between machines, without a password.",
    unit: "",
    min: 0,
    max: 0,
    words: [],
    default: null,
  },
  {
    key: "cache_redis_credential",
    path: "cache.redis_credential",
    kind: "text",
    card: "Shared cache",
    label: "Shared cache password",
    meaning: "The key in the vault that is the server's password.",
    unit: "",
    min: 0,
    max: 0,
    words: [],
    default: null,
  },
  {
    key: "notifications_enabled",
    path: "notifications.enabled",
    kind: "switch",
    card: "Notifications",
    label: "Desktop notifications",
    meaning: "When something needs your attention, and when checks finish in the background.",
    unit: "",
    min: 0,
    max: 0,
    words: [],
    default: true,
  },
  {
    key: "retention_days",
    path: "ledger.retention_days",
    kind: "number",
    card: "Probes and retention",
    label: "Keep requests",
    meaning: "Totals are kept longer.",
    unit: "days",
    min: 1,
    max: 3650,
    words: [],
    default: 30,
  },
  {
    key: "ledger_commit_wait_ms",
    path: "ledger.commit_wait_ms",
    kind: "number",
    card: null,
    label: "commit_wait_ms",
    meaning: "Longest wait of an answer's end for its record. After it the answer is delivered, and the ledger counts as behind.",
    unit: "ms",
    min: 10,
    max: 5000,
    words: [],
    default: 250,
  },
  {
    key: "theme",
    path: "appearance.theme",
    kind: "word",
    card: "Appearance",
    label: "Theme",
    meaning: "Colour theme of the panel.",
    unit: "",
    min: 0,
    max: 0,
    words: ["system", "light", "dark"],
    default: "system",
  },
];

/** The label of each resilience threshold. */
export const THRESHOLD_LABELS: Record<string, string> = {
  preset: "When a backend fails",
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
