// Generated from the Rust views; do not edit. `cargo xtask bindings` writes it.

import type {
  AlertChannelState,
  AlertEnding,
  AlertSeverity,
  AskOutcome,
  AuditOutcome,
  AvailabilityState,
  BackendTestStepState,
  BreakerOverride,
  BreakerState,
  BudgetState,
  CacheOutcome,
  CacheTierState,
  CallerKind,
  ChangeTag,
  CheckSeverity,
  CheckStatus,
  ClientState,
  CostBasisView,
  DependencyState,
  DriftCause,
  FailureClass,
  FailureOwner,
  GatewayState,
  KeyEvent,
  KeyNotice,
  KeyState,
  LedgerStateView,
  PlanWindowState,
  PlaygroundState,
  ReadinessVerdict,
  RequestState,
  ServiceLevelState,
  ShownHealth,
  StripCell,
  ToolCheckOutcome,
  UsageAnomalyRule,
  UsageBasis,
  VaultKind,
  VaultStateView,
  VerdictLevel,
  WasteKind,
  WiringState,
} from "@/ipc/bindings";

/** What each operation of the core changes. */
export const OPERATION_CHANGES = {
  status: [],
  gatewayPause: ["status"],
  gatewayResume: ["status"],
  backends: [],
  presets: [],
  backendAdd: ["backends", "keys", "status", "settings"],
  backendEdit: ["backends", "accesses", "keys", "status", "settings"],
  backendSwitch: ["backends", "status", "settings"],
  backendTest: ["backends", "keys", "status"],
  backendAskPrice: [],
  backendAsk: ["backends", "accesses", "keys", "usage", "status"],
  backendAskCancel: [],
  backendRemove: ["backends", "keys", "status", "settings"],
  keys: [],
  keyAdd: ["keys", "status", "settings"],
  keyOauthAdd: ["keys", "status", "settings"],
  keysScan: [],
  keysImport: ["backends", "keys", "status", "settings"],
  keyCopiesPlan: [],
  keyCopiesRemove: ["keys", "alerts"],
  keyCopiesRemoved: [],
  keyCopiesRestore: ["keys", "alerts"],
  keyEdit: ["keys", "settings"],
  keyHistory: [],
  keyReplace: ["keys", "backends", "status", "settings"],
  keyVerify: ["keys", "backends", "status"],
  keyRetiredCheck: ["keys"],
  keyRemove: ["keys", "backends", "status", "settings"],
  vaultCheck: ["keys", "status", "settings"],
  vaultUnlock: ["keys", "backends", "status", "settings"],
  vaultSet: ["keys", "backends", "clients", "status", "settings"],
  vaultMove: ["keys", "backends", "clients", "status", "settings"],
  billingFetch: ["usage"],
  billingCancel: [],
  billingImport: ["usage"],
  billingDrift: [],
  recentEvents: [],
  health: [],
  healthTree: [],
  healthTimeline: [],
  serviceLevels: [],
  serviceLevelPreview: [],
  serviceLevelSet: ["health", "settings"],
  services: [],
  serviceSet: ["health", "keys", "status", "settings"],
  serviceTest: ["health", "keys", "status"],
  serviceRemove: ["health", "keys", "status", "settings"],
  localHealth: [],
  alerts: [],
  alertAcknowledge: ["alerts"],
  alertSilence: ["alerts"],
  silenceRemove: ["alerts"],
  alertRules: [],
  alertRulePreview: [],
  alertRuleBacktest: [],
  alertRuleRehearse: [],
  alertRuleSet: ["alerts", "settings"],
  alertChannels: [],
  alertLadder: [],
  alertLadderSet: ["alerts", "settings"],
  alertChannelSecret: ["alerts", "keys", "settings"],
  alertChannelTest: ["alerts"],
  alertTestAnswer: ["alerts"],
  inbox: [],
  inboxRead: ["alerts"],
  incident: [],
  incidentNote: ["alerts"],
  budgets: [],
  budgetSet: ["usage", "settings"],
  budgetAllow: ["usage"],
  budgetBacktest: [],
  budgetRemove: ["usage", "settings"],
  profiles: [],
  profileSet: ["settings", "backends", "routes", "status"],
  profileSwitch: ["settings", "backends", "routes", "status"],
  profileRemove: ["settings", "backends", "routes", "status"],
  auditLog: [],
  clients: [],
  clientAdd: ["clients", "status", "settings", "usage"],
  clientEdit: ["clients", "settings"],
  clientSwitch: ["clients", "routes", "settings"],
  clientBlock: ["clients", "status", "settings"],
  clientAllow: ["clients", "status", "settings"],
  clientRevoke: ["clients", "status", "settings", "usage"],
  clientRestore: ["clients", "status", "settings", "usage"],
  clientsWiring: [],
  clientGuides: [],
  clientWiringPlan: [],
  clientWire: ["clients", "status", "settings"],
  clientCheck: [],
  clientUnwire: ["clients"],
  clientsUnwireAll: ["clients"],
  agentAccess: [],
  agentPrograms: [],
  agentProgramPlan: [],
  agentProgramAdd: ["clients"],
  agentProgramRemove: ["clients"],
  currency: [],
  usage: [],
  usageAdvice: [],
  usageAnomalies: [],
  usageAnomalyDismiss: ["usage", "alerts"],
  usageAnomalyRestore: ["usage", "alerts"],
  usageCross: [],
  usageExpensive: [],
  usageEfficiency: [],
  usageForecast: [],
  usageFailures: [],
  usageRecent: [],
  usageHeatmap: [],
  usageLatency: [],
  pinsList: [],
  pinSave: ["settings", "usage"],
  pinDelete: ["settings", "usage"],
  statement: [],
  statementSave: [],
  requests: [],
  requestQuery: [],
  requestsExport: [],
  requestsExportSave: [],
  requestCode: [],
  savedViews: [],
  savedViewSet: ["settings"],
  savedViewRemove: ["settings"],
  sessionLogs: [],
  plans: [],
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
  prices: [],
  priceSet: ["prices", "usage", "status", "cache"],
  priceImport: [],
  priceImportApply: ["prices", "usage", "status", "cache"],
  priceUndo: ["prices", "usage", "status", "cache"],
  readiness: [],
  readinessStart: ["readiness", "status"],
  readinessCancel: ["readiness", "status"],
  playground: [],
  playgroundSend: [],
  playgroundCancel: [],
  playgroundRaw: [],
  playgroundSnippets: [],
  settings: [],
  settingsEdit: ["settings", "status", "backends", "cache", "usage", "session_logs"],
  settingsFix: ["settings", "status", "backends", "keys", "clients"],
  settingsFixUndo: ["settings", "status", "backends", "keys", "clients"],
  ledger: [],
  ledgerBackup: ["ledger", "status"],
  ledgerRestore: ["ledger", "status", "usage"],
  ledgerExamine: [],
  ledgerRepair: ["ledger", "status", "usage"],
  ledgerAcknowledge: ["ledger", "status"],
  ledgerExport: [],
  ledgerMergePlan: [],
  ledgerMerge: ["usage", "status", "ledger"],
  backups: [],
  backup: ["ledger", "readiness"],
  backupCheck: [],
  backupCancel: [],
  restorePlan: [],
  restore: ["settings", "status", "backends", "keys", "clients", "routes", "accesses", "usage", "alerts", "prices", "ledger", "cache", "session_logs", "readiness"],
  configExport: [],
  configImportPlan: [],
  configImport: ["settings", "status", "backends", "keys", "clients", "routes", "accesses", "cache", "usage", "session_logs"],
  secretsExport: [],
  secretsImport: ["keys", "backends", "clients", "status", "settings"],
  notificationTest: [],
} as const satisfies Record<string, readonly ChangeTag[]>;

/** The operations whose answers screens keep, and the changes that make each answer stale. */
export const OPERATION_READS = {
  status: ["status"],
  backends: ["backends", "routes", "prices"],
  presets: [],
  backend_ask_price: ["routes", "prices"],
  keys: ["keys", "routes"],
  keys_scan: ["keys"],
  key_copies_plan: ["keys"],
  key_copies_removed: ["keys"],
  key_history: ["keys", "accesses"],
  billing_drift: ["keys", "usage"],
  recent_events: ["alerts", "audit", "health", "readiness", "accesses"],
  health: ["health", "backends", "keys", "accesses"],
  health_tree: ["health", "backends", "keys", "accesses"],
  health_timeline: ["health", "backends", "keys", "accesses"],
  service_levels: ["health"],
  service_level_preview: ["health"],
  services: ["health", "settings"],
  local_health: ["health", "ledger"],
  alerts: ["alerts"],
  alert_rules: ["alerts"],
  alert_rule_preview: ["alerts"],
  alert_rule_backtest: ["alerts"],
  alert_rule_rehearse: ["alerts"],
  alert_channels: ["alerts"],
  alert_ladder: ["alerts"],
  inbox: ["alerts"],
  incident: ["alerts"],
  budgets: ["usage"],
  profiles: ["backends", "settings"],
  audit_log: ["audit"],
  clients: ["clients", "backends", "routes", "settings"],
  clients_wiring: ["clients"],
  client_guides: ["routes", "settings"],
  client_wiring_plan: ["clients"],
  agent_access: ["clients", "settings"],
  agent_programs: ["clients"],
  agent_program_plan: ["clients"],
  currency: ["settings"],
  usage: ["usage"],
  usage_advice: ["usage"],
  usage_anomalies: ["usage"],
  usage_cross: ["usage"],
  usage_expensive: ["usage"],
  usage_efficiency: ["usage"],
  usage_forecast: ["usage"],
  usage_failures: ["usage"],
  usage_recent: ["usage"],
  usage_heatmap: ["usage"],
  usage_latency: ["usage"],
  pins_list: ["usage"],
  requests: ["usage"],
  request_query: [],
  request_code: [],
  saved_views: ["settings"],
  session_logs: ["session_logs"],
  plans: ["session_logs"],
  routes: ["routes", "accesses", "backends", "usage"],
  request_path: ["usage"],
  route_explain: ["routes", "accesses"],
  route_simulate: ["routes"],
  accesses: ["accesses"],
  breaker_timeline: ["accesses"],
  breaker_backtest: [],
  cache: ["cache", "usage"],
  prices: ["prices"],
  readiness: ["readiness"],
  playground: ["playground"],
  playground_raw: [],
  playground_snippets: ["clients", "settings"],
  settings: ["settings"],
  ledger: ["ledger"],
  backups: ["ledger"],
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

export const ALERT_CHANNEL_STATE: Record<AlertChannelState, Sign> = {
  working: { word: "Works", shape: "disc", tone: "ok" },
  failing: { word: "Fails", shape: "barred", tone: "bad" },
  "not-set-up": { word: "Not set up", shape: "triangle", tone: "warn" },
  untried: { word: "Not tried", shape: "ring", tone: "info" },
  off: { word: "Off", shape: "dash", tone: "muted" },
};

export const ALERT_ENDING: Record<AlertEnding, Sign> = {
  resolved: { word: "Resolved", shape: "disc", tone: "ok" },
  removed: { word: "Ended", shape: "dash", tone: "muted" },
  "switched-off": { word: "Ended", shape: "dash", tone: "muted" },
  unknown: { word: "Ended", shape: "dash", tone: "muted" },
};

export const ALERT_SEVERITY: Record<AlertSeverity, Sign> = {
  critical: { word: "Critical", shape: "barred", tone: "bad" },
  high: { word: "High", shape: "square", tone: "bad" },
  medium: { word: "Medium", shape: "triangle", tone: "warn" },
  low: { word: "Low", shape: "half", tone: "info" },
  info: { word: "Info", shape: "ring", tone: "info" },
};

export const ASK_OUTCOME: Record<AskOutcome, Sign> = {
  answered: { word: "Answered", shape: "disc", tone: "ok" },
  failed: { word: "Failed", shape: "barred", tone: "bad" },
  timed_out: { word: "Too slow", shape: "barred", tone: "bad" },
  cancelled: { word: "Stopped", shape: "square", tone: "muted" },
};

export const AUDIT_OUTCOME: Record<AuditOutcome, Sign> = {
  done: { word: "Done", shape: "disc", tone: "ok" },
  refused: { word: "Refused", shape: "dash", tone: "warn" },
  not_allowed: { word: "Not allowed", shape: "barred", tone: "warn" },
  failed: { word: "Failed", shape: "square", tone: "bad" },
};

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

export const BUDGET: Record<BudgetState, Sign> = {
  on_pace: { word: "On pace", shape: "disc", tone: "ok" },
  ahead_of_pace: { word: "Ahead of pace", shape: "half", tone: "warn" },
  nearly_used_up: { word: "Nearly used up", shape: "triangle", tone: "warn" },
  used_up: { word: "Used up", shape: "square", tone: "bad" },
  refusing: { word: "Refusing requests", shape: "barred", tone: "bad" },
  switched: { word: "Switched", shape: "half", tone: "warn" },
};

export const PLAN_WINDOW: Record<PlanWindowState, Sign> = {
  lasts: { word: "On pace", shape: "disc", tone: "ok" },
  runs_out: { word: "Ahead of pace", shape: "half", tone: "warn" },
  used_up: { word: "Used up", shape: "square", tone: "bad" },
  no_pace: { word: "Pace not known", shape: "ring", tone: "muted" },
  started_again: { word: "Started again", shape: "ring", tone: "muted" },
};

export const KEY_EVENT: Record<KeyEvent, Sign> = {
  added: { word: "Added", shape: "disc", tone: "muted" },
  replaced: { word: "Replaced", shape: "ring", tone: "info" },
  edited: { word: "Edited", shape: "half", tone: "muted" },
  rejected: { word: "Not accepted", shape: "barred", tone: "bad" },
  accepted: { word: "Accepted again", shape: "disc", tone: "ok" },
  expired: { word: "Expired", shape: "square", tone: "warn" },
};

export const CACHE_OUTCOME: Record<CacheOutcome, Sign> = {
  hit: { word: "Served from cache", shape: "disc", tone: "ok" },
  coalesced: { word: "Shared an identical request in flight", shape: "half", tone: "ok" },
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
  paused: { word: "Paused", shape: "square", tone: "warn" },
  silent: { word: "Not answering", shape: "barred", tone: "bad" },
  failed: { word: "Not running", shape: "barred", tone: "bad" },
};

export const DEPENDENCY: Record<DependencyState, Sign> = {
  up: { word: "Up", shape: "disc", tone: "ok" },
  degraded: { word: "Degraded", shape: "half", tone: "warn" },
  down: { word: "Down", shape: "barred", tone: "bad" },
  blocked: { word: "Blocked", shape: "square", tone: "bad" },
  unknown: { word: "Unknown", shape: "ring", tone: "muted" },
  offline: { word: "Offline", shape: "triangle", tone: "muted" },
  off: { word: "Off", shape: "dash", tone: "muted" },
  not_observed: { word: "Not observed", shape: "dash", tone: "muted" },
};

export const CLIENT: Record<ClientState, Sign> = {
  active: { word: "Active", shape: "disc", tone: "ok" },
  inactive: { word: "Inactive", shape: "ring", tone: "muted" },
  unused: { word: "Never used", shape: "ring", tone: "muted" },
  expired: { word: "Expired", shape: "square", tone: "warn" },
  blocked: { word: "Blocked", shape: "square", tone: "bad" },
};

export const HEALTH: Record<ShownHealth, Sign> = {
  up: { word: "Up", shape: "disc", tone: "ok" },
  degraded: { word: "Degraded", shape: "half", tone: "warn" },
  down: { word: "Down", shape: "barred", tone: "bad" },
  unknown: { word: "Unknown", shape: "ring", tone: "muted" },
  disabled: { word: "Off", shape: "dash", tone: "muted" },
};

export const KEY: Record<KeyState, Sign> = {
  valid: { word: "Valid", shape: "disc", tone: "ok" },
  unverified: { word: "Unverified", shape: "ring", tone: "muted" },
  rejected: { word: "Rejected", shape: "barred", tone: "bad" },
  expired: { word: "Expired", shape: "triangle", tone: "bad" },
  missing: { word: "Missing", shape: "triangle", tone: "warn" },
};

export const KEY_NOTICE: Record<KeyNotice, Sign> = {
  admin: { word: "Admin key", shape: "triangle", tone: "bad" },
  expired: { word: "Expired", shape: "barred", tone: "bad" },
  expires_soon: { word: "Expires soon", shape: "triangle", tone: "warn" },
  old: { word: "Old", shape: "triangle", tone: "warn" },
  unused: { word: "Unused", shape: "ring", tone: "muted" },
  balance_low: { word: "Low balance", shape: "half", tone: "warn" },
  duplicate: { word: "Duplicate", shape: "half", tone: "warn" },
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

export const REQUEST: Record<RequestState, Sign> = {
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
  not_set_up: { word: "Not set up yet", shape: "ring", tone: "info" },
};

export const SERVICE_LEVEL: Record<ServiceLevelState, Sign> = {
  kept: { word: "Kept", shape: "disc", tone: "ok" },
  tight: { word: "Half used up", shape: "half", tone: "warn" },
  burning_slow: { word: "Will be missed", shape: "triangle", tone: "warn" },
  burning_fast: { word: "Missed soon", shape: "triangle", tone: "bad" },
  missed: { word: "Missed", shape: "barred", tone: "bad" },
  not_enough_data: { word: "Not enough data", shape: "ring", tone: "muted" },
};

export const STRIP_CELL: Record<StripCell, Sign> = {
  good: { word: "Answered", shape: "disc", tone: "ok" },
  partial: { word: "Partly down", shape: "half", tone: "warn" },
  bad: { word: "Down", shape: "barred", tone: "bad" },
  not_observed: { word: "Not observed", shape: "dash", tone: "muted" },
};

export const TEST_STEP: Record<BackendTestStepState, Sign> = {
  pass: { word: "Passed", shape: "disc", tone: "ok" },
  fail: { word: "Failed", shape: "barred", tone: "bad" },
  skipped: { word: "Skipped", shape: "dash", tone: "muted" },
};

export const TOOL_CHECK: Record<ToolCheckOutcome, Sign> = {
  answers: { word: "Answers", shape: "disc", tone: "ok" },
  token_not_tried: { word: "Token not tried", shape: "half", tone: "info" },
  fails: { word: "Fails", shape: "barred", tone: "bad" },
};

export const USAGE_ANOMALY: Record<UsageAnomalyRule, Sign> = {
  cost: { word: "Cost", shape: "triangle", tone: "warn" },
  request_rate: { word: "Many requests", shape: "triangle", tone: "warn" },
  first_seen: { word: "First seen", shape: "ring", tone: "info" },
  cache_collapse: { word: "Cache not read", shape: "half", tone: "warn" },
  loop: { word: "Loop", shape: "triangle", tone: "warn" },
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
  not_set_up: { word: "Not set up yet", shape: "ring", tone: "info" },
  attention: { word: "Attention", shape: "triangle", tone: "warn" },
  problem: { word: "Problem", shape: "barred", tone: "bad" },
};

export const WIRING: Record<WiringState, Sign> = {
  not_installed: { word: "Not found", shape: "dash", tone: "muted" },
  not_wired: { word: "Not connected", shape: "ring", tone: "muted" },
  wired: { word: "Connected", shape: "disc", tone: "ok" },
  token_not_entered: { word: "Token not entered", shape: "half", tone: "warn" },
  drifted: { word: "Changed", shape: "triangle", tone: "warn" },
  conflict: { word: "Overridden", shape: "triangle", tone: "warn" },
  broken: { word: "Unreadable", shape: "square", tone: "bad" },
};

export const CALLER_WORD: Record<CallerKind, string> = {
  window: "Window",
  panel: "Panel in a browser",
  "command-line": "Command line",
  mcp: "Agent",
  notification: "Desktop notification",
};

export const COST_BASIS: Record<CostBasisView, string> = {
  reported: "Reported by the provider",
  computed: "Computed from tokens and prices",
  estimated: "Estimated from text length",
  not_billed: "Not billed",
  unpriced: "Usage or price unknown, not included in totals",
};

export const DRIFT_CAUSE_WORD: Record<DriftCause, string> = {
  changed_keys: "Changed",
  program_gone: "Program gone",
  other_home: "Other data folder",
  client_gone: "Client is gone",
  other_address: "Other address",
};

export const FAILURE_OWNER: Record<FailureOwner, string> = {
  request: "Caused by the request",
  key: "Caused by the key",
  model: "Caused by the model",
  endpoint: "Caused by the backend",
  network: "Caused by the network",
  local: "Caused by this machine",
  client: "Caused by the client",
};

export const FORCED_WORD: Record<BreakerOverride, string> = {
  open: "Traffic blocked",
  closed: "Traffic allowed",
  "monitor-only": "Monitor only",
  disabled: "Breaker disabled",
};

export const SEVERITY_WORD: Record<CheckSeverity, string> = {
  blocker: "Blocker",
  setup: "Setup",
  major: "Major",
  minor: "Minor",
  info: "Info",
};

export const USAGE_BASIS: Record<UsageBasis, string> = {
  reported: "Reported by the backend",
  adjusted: "Reported by the backend, adjusted where its numbers did not add up",
  estimated: "Estimated: the backend reported no usage",
};

export const VAULT_KIND_WORD: Record<VaultKind, string> = {
  keychain: "System keychain",
  file: "Encrypted file",
  env: "Environment (read-only)",
  memory: "Memory (lost on exit)",
};

export const WASTE_WORD: Record<WasteKind, string> = {
  failed: "Failed requests",
  retries: "Retries",
  health: "Health measurements",
  checks: "Readiness checks",
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
  "key-expired": "Key expired",
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

/** Local hour at which `tomorrow` is. */
export const MORNING_HOUR = 8;

/** What a cell begins with that a spreadsheet would run as a formula. */
export const FORMULA_STARTS = ["=", "+", "-", "@", "\t", "\r", "\n"];
