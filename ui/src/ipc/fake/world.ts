/** The state of the fake core, and the initial state of each scenario. */
import type {
  BudgetSet,
  ActiveOverrideView,
  BackendView,
  ClientView,
  HealthView,
  KeyView,
  ReadinessRunSummaryView,
  ReadinessRunView,
  RemovedKeyCopyView,
  RequestView,
  RouteEdit,
  ServiceView,
  SettingsValues,
  VaultKind,
  VaultStateView,
  VaultView,
} from "@/ipc/bindings";
import { DEFAULTS, modelsOf } from "@/ipc/fake/catalogue";
import { PRESETS } from "@/ipc/fake/presets";
import { seededRandom } from "@/ipc/fake/random";
import { makeRoutes } from "@/ipc/fake/routes";
import { makeServices } from "@/ipc/fake/service-data";
import { makeRequests } from "@/ipc/fake/traffic";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "@/lib/time";

export const SCENARIOS = [
  "fresh",
  "no-keychain",
  "busy",
  "failing",
  "one-open",
  "cooling-down",
  "degraded",
  "blocked",
  "offline",
  "slow",
  "invalid-settings",
] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface ClientSwitchTarget {
  backend: string | null;
  route: string | null;
}

export interface World {
  scenario: Scenario;
  backends: BackendView[];
  keys: KeyView[];
  clients: ClientView[];
  budgets: BudgetSet[];
  /** Newest first. */
  requests: RequestView[];
  run: ReadinessRunView | null;
  history: ReadinessRunSummaryView[];
  vault: VaultView;
  settings: { values: SettingsValues; valid: boolean };
  routes: RouteEdit[];
  isGatewayPaused: boolean;
  /** Manual settings by backend. */
  forced: Map<string, ActiveOverrideView>;
  /** Backends whose breaker was reset. */
  reset: Set<string>;
  purged: boolean;
  services: ServiceView[];
  /** The ledger's file was damaged, and nothing has been restored yet. */
  ledgerIncident: boolean;
  /** Where the requests of switched clients go. */
  switched: Map<string, ClientSwitchTarget>;
  /** Files from which plain copies of keys were removed, newest first. */
  removedCopies: RemovedKeyCopyView[];
}

const SEED = 4283;

const NO_LIMITS = { requests_per_minute: null, tokens_per_minute: null, in_flight_max: null };

export const NO_DEPENDENTS = {
  backends: [],
  routes: [],
  broken_routes: [],
  clients: [],
  services: [],
  cache_server: false,
};

export const NO_SPEND = { cost_nano_usd: 0, is_cost_unknown: false, requests: 0, unpriced_requests: 0 };
export function health(
  state: HealthView["state"],
  reason: string,
  since: number | null,
  checked: number | null,
  probe_ms: number | null,
): HealthView {
  return { state, reason, since, last_checked: checked, probe_ms, last_known: null };
}

export function makeBackend(id: string, credential: string | null, state: HealthView): BackendView {
  const preset = PRESETS.find((known) => known.id === id);
  const isMock = id === "mock";
  return {
    id,
    label: isMock ? "Mock" : (preset?.label ?? id),
    kind: isMock ? "mock" : (preset?.kind ?? "openai-compatible"),
    base_url: isMock ? null : (preset?.base_url ?? null),
    enabled: state.state !== "disabled",
    in_profile: true,
    built_in: isMock,
    credential,
    pool: { order: "ordered", members: credential === null ? [] : [{ credential, weight: 1 }] },
    limits: NO_LIMITS,
    health: state,
    models: modelsOf(id),
    declared_models: [],
    lacks: preset?.lacks ?? [],
    offers: preset?.offers ?? [],
    crossing: "strict",
    dependents: NO_DEPENDENTS,
    last_day: {
      spend: NO_SPEND,
      failed: 0,
      requests_per_hour: Array.from({ length: 24 }, () => 0),
      failed_per_hour: Array.from({ length: 24 }, () => 0),
      first_token_ms: null,
    },
  };
}

export function vaultOf(kind: VaultKind, state: VaultStateView, hint: string | null): VaultView {
  return {
    kind,
    state,
    hint,
    keychain_missing: kind === "keychain" && (state === "unavailable" || state === "no_collection"),
    file_exists: kind === "file" && state !== "locked",
    set_by_environment: false,
  };
}

const LEFT_SENTENCE = "$4.28 left of the key's limit, for 2 days at the pace of the last week";

function openRouterLimit(now: number): KeyView["balance"] {
  return {
    left: "$4.28",
    sentence: LEFT_SENTENCE,
    read_at: now - 4 * MINUTE_MS,
    days_left: 2,
    is_used_up: false,
  };
}

export function makeKey(id: string, tail: string, origin: string | null, now: number, ageDays: number): KeyView {
  const label = PRESETS.find((known) => known.id === id)?.label ?? id;
  return {
    id,
    label,
    tail,
    origin,
    created_at: now - ageDays * DAY_MS,
    replaced_at: null,
    state: "valid",
    reason: null,
    verified_at: now - 12 * MINUTE_MS,
    used_at: now - 2 * MINUTE_MS,
    used_by: [id],
    dependents: NO_DEPENDENTS,
    storage: "keychain",
    billing: null,
    expires_at: null,
    note: null,
    oauth: null,
    balance: null,
    permissions: null,
    notices: [],
    keys_url: PRESETS.find((preset) => preset.id === id)?.keys_url ?? null,
    retired: null,
    read_only: false,
    last_month: NO_SPEND,
  };
}

export function makeClient(id: string, now: number, port: number): ClientView {
  const address = `http://127.0.0.1:${port}`;
  return {
    id,
    state: "unused",
    created_at: now,
    expires_at: null,
    expired: false,
    blocked: false,
    refused: null,
    seen_at: null,
    program: null,
    last_month: NO_SPEND,
    limits: NO_LIMITS,
    cache: null,
    priority: "interactive",
    scope: { models: [], backends: [], routes: [] },
    targets: [],
    mcp: false,
    reads_metrics: false,
    project: null,
    own_budget: null,
    other_budgets: [],
    snippets: [
      {
        title: "Shell",
        code: `export OPENAI_BASE_URL=${address}/v1\nexport OPENAI_API_KEY="$(gatehouse token ${id})"`,
      },
      {
        title: "curl",
        code: `curl ${address}/v1/chat/completions \\\n  -H "authorization: Bearer $(gatehouse token ${id})" \\\n  -H "content-type: application/json" \\\n  -d '{"model":"mock/echo","messages":[{"role":"user","content":"hello"}]}'`,
      },
      {
        title: "Python",
        code: `import subprocess\nfrom openai import OpenAI\n\ntoken = subprocess.check_output(["gatehouse", "token", "${id}"], text=True).strip()\nclient = OpenAI(base_url="${address}/v1", api_key=token)`,
      },
    ],
  };
}

export function makeWorld(scenario: Scenario, now: number): World {
  const world: World = {
    scenario,
    backends: [makeBackend("mock", null, health("up", "Built in: always answers.", now - 2 * HOUR_MS, now - 8_000, 1))],
    keys: [],
    clients: [],
    budgets: [],
    requests: [],
    run: null,
    history: [],
    vault: vaultOf("keychain", "ready", null),
    settings: { values: DEFAULTS, valid: scenario !== "invalid-settings" },
    routes: [],
    forced: new Map(),
    reset: new Set(),
    purged: false,
    services: makeServices(scenario, now),
    isGatewayPaused: false,
    ledgerIncident: scenario === "failing",
    switched: new Map(),
    removedCopies: [],
  };
  if (scenario === "no-keychain")
    world.vault = vaultOf(
      "keychain",
      "unavailable",
      "Run `gatehouse vault set file` to store keys in an encrypted file.",
    );
  if (scenario === "fresh" || scenario === "no-keychain") return world;
  furnish(world, now);
  world.routes = makeRoutes();
  if (scenario === "failing") breakThings(world, now);
  if (scenario === "degraded") degradeBackends(world, now);
  return world;
}

/** One answers slowly, one fails often. */
function degradeBackends(world: World, now: number): void {
  const reasons: Record<string, string> = {
    openai: "first token 4.2 s, usually 0.9 s",
    groq: "3 of 10 requests failed in half an hour",
  };
  for (const backend of world.backends) {
    const reason = reasons[backend.id];
    if (reason !== undefined)
      backend.health = { ...backend.health, state: "degraded", reason, since: now - 12 * MINUTE_MS };
  }
}

/** Several providers and tools, and a month of requests. */
function furnish(world: World, now: number): void {
  const up = (ms: number, days: number) =>
    health("up", "Answered the last probe and the last request.", now - days * DAY_MS, now - 12_000, ms);
  world.backends.unshift(
    makeBackend("openai", "openai", up(142, 6)),
    makeBackend("openrouter", "openrouter", up(188, 3)),
    makeBackend("groq", "groq", up(64, 11)),
    makeBackend("mistral", "mistral", health("disabled", "Switched off.", now - 9 * DAY_MS, null, null)),
    makeBackend("ollama", null, up(3, 1)),
  );
  world.keys = [
    {
      ...makeKey("openai", "x7Qa", "https://api.openai.com:443", now, 212),
      notices: [{ notice: "old", sentence: "It has been in use for 212 days. Replace it, and revoke this one." }],
    },
    {
      ...makeKey("openrouter", "9c1e", "https://openrouter.ai:443", now, 98),
      balance: openRouterLimit(now),
      permissions: { sentence: "It may ask models, with a limit of $100.00", manages_keys: false },
      notices: [{ notice: "balance_low", sentence: `${LEFT_SENTENCE}.` }],
    },
    { ...makeKey("groq", "Lm4T", "https://api.groq.com:443", now, 41), expires_at: now + 120 * DAY_MS },
    {
      ...makeKey("mistral", "p0Zk", "https://api.mistral.ai:443", now, 30),
      state: "unverified",
      verified_at: null,
      used_at: null,
    },
    {
      ...makeKey("vertex", "Qk8s", "https://europe-west4-aiplatform.googleapis.com:443", now, 21),
      label: "Google Vertex",
      used_at: null,
      used_by: [],
      oauth: {
        token_url: "https://oauth2.googleapis.com/token",
        client_id: "4711-gatehouse.apps.googleusercontent.com",
        grant: "refresh_token",
        scope: "https://www.googleapis.com/auth/cloud-platform",
        refreshed_at: now - 18 * MINUTE_MS,
        access_expires_at: now + 42 * MINUTE_MS,
      },
    },
    {
      ...makeKey("pinecone", "44af", null, now, 12),
      label: "Pinecone",
      state: "unverified",
      verified_at: null,
      used_at: null,
      used_by: [],
    },
  ];
  const port = world.settings.values.gateway_port;
  world.clients = [
    {
      ...makeClient("claude-code", now - 61 * DAY_MS, port),
      state: "active",
      seen_at: now - 2 * MINUTE_MS,
      program: { name: "claude-cli", version: "2.1.3" },
    },
    {
      ...makeClient("codex", now - 40 * DAY_MS, port),
      state: "inactive",
      seen_at: now - 26 * MINUTE_MS,
      expires_at: now + 50 * DAY_MS,
    },
    { ...makeClient("zed", now - 22 * DAY_MS, port), state: "inactive", seen_at: now - 4 * HOUR_MS },
    {
      ...makeClient("nightly-evals", now - 90 * DAY_MS, port),
      state: "inactive",
      seen_at: now - 8 * DAY_MS,
      priority: "background",
      scope: { models: [], backends: ["groq"], routes: [] },
      limits: { requests_per_minute: 30, tokens_per_minute: null, in_flight_max: 2 },
      expires_at: now - 2 * DAY_MS,
      expired: true,
    },
  ];
  world.requests = makeRequests(seededRandom(SEED), now, world.scenario === "failing");
  world.history = [93, 89, 91, 86, 90, 78, 84].map((score_tenths, index) => ({
    id: `run-${40 - index}`,
    set: index % 3 === 1 ? "quick" : "full",
    ended_at: now - (index * 26 + 3) * HOUR_MS,
    verdict: score_tenths >= 90 ? "ready" : score_tenths >= 80 ? "ready_with_warnings" : "not_ready",
    sentence:
      score_tenths >= 90
        ? `Ready, ${score_tenths / 10} of 10`
        : score_tenths >= 80
          ? `Ready with warnings, ${score_tenths / 10} of 10`
          : "Not ready, 4.2 of 10",
    score_tenths,
  }));
}

/** A backend that is down, a rejected key, a locked vault, unknown costs. */
function breakThings(world: World, now: number): void {
  const down = health(
    "down",
    "No answer within 5 s: connection refused at 127.0.0.1:11434.",
    now - 47 * MINUTE_MS,
    now - 9_000,
    null,
  );
  const rejected = health(
    "down",
    "The key was rejected: 401, invalid_api_key.",
    now - 18 * MINUTE_MS,
    now - 21_000,
    211,
  );
  world.backends = world.backends.map((backend) =>
    backend.id === "ollama"
      ? { ...backend, health: down }
      : backend.id === "openrouter"
        ? { ...backend, health: rejected }
        : backend.id === "groq"
          ? {
              ...backend,
              health: health(
                "unknown",
                "Not probed since the vault was locked.",
                now - 6 * MINUTE_MS,
                now - 7 * MINUTE_MS,
                null,
              ),
            }
          : backend,
  );
  world.keys = world.keys.map((key) =>
    key.id === "openrouter"
      ? {
          ...key,
          state: "rejected",
          reason: "OpenRouter answered 401: the key was revoked or never valid. Create a new one and replace it here.",
          verified_at: now - 18 * MINUTE_MS,
        }
      : key.id === "groq"
        ? {
            ...key,
            state: "missing",
            reason: "It is not in this vault; replace it to enter it again.",
            tail: null,
            verified_at: null,
          }
        : key,
  );
  world.vault = vaultOf(
    "keychain",
    "locked",
    "Unlock the login keyring: open Passwords and Keys, or log out and in again.",
  );
}
