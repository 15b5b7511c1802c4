/** Hand-made twins of the views, until their operations stand in the generated contract. */

import type { CostBasisView, Count, CrossingView, MicroDollars, UnixMs, UsageRange, ZoneChoice } from "@/ipc/bindings";

export type RoutePolicyView = "ordered" | "weighted" | "cheapest" | "fastest" | "least-busy" | "balanced" | "split";

export type CacheWishView = "auto" | "on" | "off" | "refresh";

export type RoutesView = {
  sentence: string;
  routes: RouteView[];
  unrouted_requests: Count;
};

export type RouteView = {
  id: string;
  models: string[];
  clients: string[];
  projects: string[];
  policy: RoutePolicyView;
  weights: BalanceWeightsView;
  sticky_secs: number | null;
  crossing: CrossingView | null;
  cache: CacheWishView | null;
  enabled: boolean;
  candidates: RouteCandidateView[];
  sentence: string;
  requests: Count;
  share_percent: number | null;
};

export type BalanceWeightsView = {
  latency: number;
  cost: number;
  headroom: number;
};

export type RouteCandidateView = {
  backend: string;
  backend_label: string;
  model: string | null;
  weight: number;
  availability: AvailabilityView;
  accesses: AvailabilityView[];
  requests: Count;
  share_percent: number | null;
};

export type RouteEdit = {
  replaces: string | null;
  id: string;
  models: string[];
  clients: string[];
  projects: string[];
  policy: RoutePolicyView;
  weights: BalanceWeightsView;
  sticky_secs: number | null;
  crossing: CrossingView | null;
  cache: CacheWishView | null;
  enabled: boolean;
  candidates: RouteCandidateEdit[];
};

export type RouteCandidateEdit = {
  backend: string;
  model: string | null;
  weight: number;
};

export type RouteRef = {
  id: string;
};

export type RoutesOrder = {
  ids: string[];
};

export type RouteAsk = {
  model: string;
  client: string | null;
  project: string | null;
  tools: boolean;
  vision: boolean;
  json_schema: boolean;
  input_tokens: number;
};

export type RouteDecisionView = {
  route: string | null;
  policy: RoutePolicyView;
  sentence: string;
  served: boolean;
  candidates: RouteChoiceView[];
  passed_over: PassedOverView[];
};

export type RouteChoiceView = {
  place: number;
  backend: string;
  credential: string | null;
  model: string;
  why: string;
  availability: AvailabilityView;
  parts: ScorePartView[];
};

export type ScorePartView = {
  name: string;
  measured: string;
  weight_percent: number;
  score_percent: number;
};

export type PassedOverView = {
  backend: string;
  credential: string | null;
  model: string;
  reason: string;
};

export type RouteSimulation = {
  ask: RouteAsk;
  draws: number;
  closed: string[];
};

export type RouteSimulationView = {
  sentence: string;
  draws: number;
  shares: RouteShareView[];
  failures: number;
  failure: string | null;
};

export type RouteShareView = {
  backend: string;
  model: string;
  draws: number;
  percent: number;
  expected_percent: number | null;
};

export type AvailabilityView = {
  credential: string | null;
  state: AvailabilityState;
  percent: number | null;
  why: string;
  since: UnixMs | null;
  until: UnixMs | null;
};

export type AccessView = {
  backend: string;
  backend_label: string;
  credential: string | null;
  credential_label: string | null;
  availability: AvailabilityView;
  breaker: BreakerView;
  cooldowns: CooldownView[];
  block: BlockView | null;
  forced: ForcedStateView | null;
  concurrency: ConcurrencyView;
};

export type BreakerView = {
  state: BreakerState;
  percent: number | null;
  why: string;
  since: UnixMs | null;
  until: UnixMs | null;
};

export type CooldownView = {
  model: string | null;
  why: string;
  until: UnixMs;
};

export type BlockView = {
  reason: BlockReasonView;
  why: string;
  fix: string;
  since: UnixMs | null;
};

export type ForcedStateView = {
  forced: ForcedView;
  by: string;
  since: UnixMs | null;
  until: UnixMs | null;
};

export type ConcurrencyView = {
  in_flight: number;
  limit: number | null;
  limit_max: number | null;
};

export type AccessForce = {
  backend: string;
  credential: string | null;
  forced: ForcedView;
  minutes: number | null;
};

export type AccessRef = {
  backend: string;
  credential: string | null;
};

export type BreakerTimelineQuery = {
  backend: string;
  hours: number;
};

export type BreakerTimelineView = {
  finding: string;
  from: UnixMs;
  to: UnixMs;
  strips: BreakerStripView[];
  transitions: BreakerTransitionView[];
};

export type BreakerStripView = {
  credential: string | null;
  spans: BreakerSpanView[];
};

export type BreakerSpanView = {
  from: UnixMs;
  to: UnixMs;
  state: AvailabilityState;
  why: string;
};

export type BreakerTransitionView = {
  at: UnixMs;
  credential: string | null;
  from: AvailabilityState;
  to: AvailabilityState;
  rule: string;
  evidence: string[];
  for_secs: number | null;
};

export type BacktestQuery = {
  backend: string | null;
  days: number;
  consecutive_failures: number | null;
  failure_percent: number | null;
  window_calls_min: number | null;
  open_secs: number | null;
};

export type BacktestView = {
  sentence: string;
  opened: number;
  opened_really: number;
  open_secs: number;
  attempts: number;
};

export type RequestRef = {
  id: string;
};

export type RequestPathView = {
  id: string;
  route: string | null;
  queued_ms: number | null;
  attempts: RequestAttemptView[];
  passed_over: PassedOverView[];
  cache: RequestCacheView;
};

export type RequestAttemptView = {
  backend: string;
  credential: string | null;
  model: string;
  waited_ms: number;
  duration_ms: number;
  http_status: number | null;
  class: string | null;
  owner: string | null;
  error: string | null;
  cost: MicroDollars | null;
  cost_basis: CostBasisView;
};

export type RequestCacheView = {
  outcome: CacheOutcomeView;
  reason: string;
  saved: MicroDollars | null;
  saved_ms: number | null;
};

export type AvailabilityState = "ready" | "recovering" | "trial" | "cooling_down" | "open" | "blocked" | "off";

export type BreakerState = "closed" | "open" | "half_open" | "recovering";

export type BlockReasonView = "key_rejected" | "forbidden" | "unpaid" | "quota_exhausted";

export type ForcedView = "open" | "closed" | "monitor_only" | "disabled";

export type CacheOutcomeView = "hit" | "joined" | "miss" | "bypass";

export type CacheQuery = {
  range: UsageRange;
  zone: ZoneChoice;
};

export type CacheView = {
  enabled: boolean;
  sentence: string;
  ttl_secs: number;
  tiers: CacheTierView[];
  eligible: Count;
  hits: Count;
  joined: Count;
  hit_percent: number | null;
  saved: MicroDollars;
  saved_ms: Count;
  bypasses: CacheBypassView[];
  advice: string | null;
};

export type CacheTierView = {
  tier: CacheTierName;
  state: CacheTierState;
  detail: string;
  entries: Count | null;
  bytes: Count | null;
  bytes_max: Count | null;
  hits: Count;
};

export type CacheBypassView = {
  reason: string;
  label: string;
  hint: string | null;
  requests: Count;
};

export type CachePurge = {
  what: CachePurgeWhat;
};

export type CachePurgedView = {
  entries: Count;
  sentence: string;
};

export type CacheTierName = "memory" | "disk" | "shared";

export type CacheTierState = "on" | "off" | "lost";

export type CachePurgeWhat =
  | { kind: "everything" }
  | { kind: "backend"; id: string }
  | { kind: "model"; name: string }
  | { kind: "client"; id: string }
  | { kind: "older_than"; secs: number }
  | { kind: "key"; key: string };
