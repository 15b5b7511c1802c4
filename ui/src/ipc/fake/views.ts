/** The fake core's responses to read operations. */
import { ledgerView } from "@/ipc/fake/ledger";
import type {
  BackendView,
  ClientView,
  DependentsView,
  GatewayView,
  KeyView,
  StatusIssueView,
  SettingsView,
  StatusView,
  TelemetryView,
  VerdictView,
} from "@/ipc/bindings";
import { DEFAULTS, RANGES, RESILIENCE } from "@/ipc/fake/catalogue";
import { spendOf, startOfDay } from "@/ipc/fake/traffic";
import type { ClientSwitchTarget, World } from "@/ipc/fake/world";
import { DAY_MS, HOUR_MS } from "@/lib/time";

export function backendViews(world: World, now: number): BackendView[] {
  return world.backends.map((backend) => {
    const rows = world.requests.filter(
      (request) => request.backend === backend.id && request.started_at > now - DAY_MS,
    );
    const perHour = (counted: typeof rows) =>
      Array.from(
        { length: 24 },
        (_, hour) => counted.filter(({ started_at: at }) => Math.floor((now - at) / HOUR_MS) === 23 - hour).length,
      );
    const failed = rows.filter((request) => request.state === "failed");
    const firsts = rows.flatMap((request) => request.first_token_ms ?? []);
    const mean = firsts.length === 0 ? null : Math.round(firsts.reduce((sum, ms) => sum + ms, 0) / firsts.length);
    return {
      ...backend,
      dependents: dependentsOf(world, [], [backend.id]),
      last_day: {
        spend: spendOf(rows),
        failed: failed.length,
        requests_per_hour: perHour(rows),
        failed_per_hour: perHour(failed),
        first_token_ms: mean,
      },
    };
  });
}

function idOf({ id }: { id: string }): string {
  return id;
}

/** The clients that are switched to such a target. */
export function switchedTo(world: World, isMeant: (target: ClientSwitchTarget) => boolean): string[] {
  return [...world.switched].filter(([, target]) => isMeant(target)).map(([id]) => id);
}

/** What is affected if these backends are removed or lose their key. */
function dependentsOf(world: World, backends: string[], lost: string[]): DependentsView {
  const routes = world.routes.filter((route) => route.candidates.some((one) => lost.includes(one.backend)));
  const broken = routes.filter((route) => route.candidates.every((one) => lost.includes(one.backend)));
  return {
    backends,
    routes: routes.map(idOf),
    broken_routes: broken.map(idOf),
    clients: switchedTo(world, ({ backend }) => backend !== null && lost.includes(backend)),
    services: [],
    cache_server: false,
  };
}

export function keyViews(world: World): KeyView[] {
  const usersOf = (key: KeyView) =>
    world.backends.filter((backend) => backend.credential === key.id).map((backend) => backend.id);
  return world.keys.map((key) => ({
    ...key,
    used_by: usersOf(key),
    dependents: dependentsOf(world, usersOf(key), usersOf(key)),
    last_month: spendOf(
      world.requests.filter((request) =>
        world.backends.some((backend) => backend.credential === key.id && backend.id === request.backend),
      ),
    ),
  }));
}

export function clientViews(world: World): ClientView[] {
  return world.clients.map((client) => ({
    ...client,
    last_month: spendOf(world.requests.filter((request) => request.client === client.id)),
  }));
}

function needsOf(world: World, now: number): StatusIssueView[] {
  const needs: StatusIssueView[] = [];
  if (!world.settings.valid)
    needs.push({
      id: "settings",
      level: "problem",
      title: "The settings file has errors",
      impact: "Defaults or the last valid settings are in use, and settings cannot be changed.",
      since: now - 4 * 60_000,
      action: { kind: "open_settings" },
    });
  if (world.backends.length === 1)
    needs.push({
      id: "setup",
      level: "not_set_up",
      title: "No backend has been added",
      impact: "Only the built-in mock answers, and its answers are made up.",
      since: null,
      action: { kind: "add_backend" },
    });
  if (world.isGatewayPaused)
    needs.push({
      id: "gateway",
      level: "attention",
      title: "The gateway is paused",
      impact: "It refuses new requests until you resume it.",
      since: null,
      action: { kind: "resume_gateway" },
    });
  if (world.vault.keychain_missing)
    needs.push({
      id: "vault/missing",
      level: "attention",
      title: "There is no keychain",
      impact: "Keys cannot be stored yet; everything else works.",
      since: null,
      action: { kind: "open_settings" },
    });
  if (world.vault.state === "locked")
    needs.push({
      id: "vault",
      level: "problem",
      title: "The keychain is locked",
      impact: "No key can be read: requests to providers fail.",
      since: now - 6 * 60_000,
      action: { kind: "open_settings" },
    });
  for (const problem of ledgerView(world, now).problems)
    needs.push({
      id: problem.id,
      level: problem.level,
      title: problem.title,
      impact: problem.detail,
      since: problem.since,
      action: { kind: "open_ledger" },
    });
  for (const key of world.keys.filter((one) => one.state === "rejected"))
    needs.push({
      id: `key-${key.id}`,
      level: "problem",
      title: `The key of ${key.label} was rejected`,
      impact: "Every request that uses it fails.",
      since: key.verified_at,
      action: { kind: "open_key", id: key.id },
    });
  for (const backend of world.backends.filter((one) => one.health.state === "down" && one.credential === null))
    needs.push({
      id: `backend-${backend.id}`,
      level: "problem",
      title: `${backend.label} is down`,
      impact: "Requests for its models fail.",
      since: backend.health.since,
      action: { kind: "open_backend", id: backend.id },
    });
  for (const backend of world.backends.filter((one) => one.health.state === "degraded"))
    needs.push({
      id: `backend-${backend.id}`,
      level: "attention",
      title: degradedTitle(backend),
      impact: degradedImpact(backend),
      since: backend.health.since,
      action: { kind: "open_backend", id: backend.id },
    });
  for (const key of world.keys.filter((one) => one.state === "missing"))
    needs.push({
      id: `missing-${key.id}`,
      level: "attention",
      title: `The key of ${key.label} is missing`,
      impact: "It is in the settings but not in the vault.",
      since: null,
      action: { kind: "open_key", id: key.id },
    });
  return needs.slice(0, 5);
}

function degradedTitle({ label, health: { reason } }: World["backends"][number]): string {
  const failed = /^(.*) failed/.exec(reason)?.[1];
  return failed === undefined ? `${label} is slow: ${reason}` : `${label} fails ${failed}`;
}

function degradedImpact({ health: { reason } }: World["backends"][number]): string {
  const times = /^first token (.*), usually (.*)$/.exec(reason);
  if (times === null) return `${reason}.`;
  return `Nearly all first tokens of half an hour came within ${times[1]}, those of the week before within ${times[2]}.`;
}

function verdictOf(world: World, now: number): VerdictView {
  const needs = needsOf(world, now);
  const isNew = needs.some((need) => need.level === "not_set_up");
  const isBad = needs.some((need) => need.level === "problem");
  const level = isBad ? "problem" : isNew ? "not_set_up" : needs.length > 0 ? "attention" : "ok";
  const isDegraded = level === "attention" && world.backends.some(({ health }) => health.state === "degraded");
  const start = isDegraded ? "Ready, degraded: " : "";
  const [first, ...more] = needs;
  const sentence =
    first === undefined
      ? "Everything works"
      : level === "not_set_up"
        ? "Not set up yet: add a backend"
        : start + (more.length === 0 ? first.title : `${first.title} (and ${more.length} more)`);
  return { level, needs, sentence };
}

function telemetryOf(world: World, now: number): TelemetryView | null {
  if (world.settings.values.telemetry_enabled !== true) return null;
  const sent = world.requests.length;
  return world.ledgerIncident
    ? {
        sent,
        dropped: 12,
        sentence: `the collector takes nothing: it cannot be reached; ${sent} requests sent, 12 dropped`,
        failing_since: now - 5 * 60_000,
      }
    : { sent, dropped: 0, sentence: `${sent} requests sent`, failing_since: null };
}

export function gatewayView(world: World): GatewayView {
  const { gateway_port: port } = world.settings.values;
  const at = { address: `http://127.0.0.1:${port}`, port };
  return world.isGatewayPaused
    ? { ...at, state: "paused", reason: "Paused: new requests are refused" }
    : { ...at, state: "listening", reason: null };
}

export function statusView(world: World, now: number): StatusView {
  const count = (state: string) => world.backends.filter((backend) => backend.health.state === state).length;
  return {
    version: "0.1.0",
    now,
    started_at: now - 5 * HOUR_MS,
    verdict: verdictOf(world, now),
    gateway: gatewayView(world),
    lowest_quota: null,
    vault: world.vault,
    backends: {
      total: world.backends.length,
      up: count("up"),
      degraded: count("degraded"),
      down: count("down"),
      unknown: count("unknown"),
      disabled: count("disabled"),
    },
    requests_in_flight: world.requests.length > 0 ? 2 : 0,
    spend_today: spendOf(world.requests.filter((request) => request.started_at >= startOfDay(now, "local"))),
    first_steps: {
      backend_added: world.backends.some((backend) => !backend.built_in),
      client_added: world.clients.length > 0,
      request_seen: world.requests.length > 0,
      checks_run: world.history.length > 0,
    },
    last_run: world.history[0] ?? null,
    telemetry: telemetryOf(world, now),
    data_folder: "/home/ada/.local/share/gatehouse",
  };
}

const PROPOSED_FIX = `--- settings.toml
+++ settings.toml (repaired)
@@ -2,7 +2,7 @@
 [gateway]
-port = 70000
+port = 4283
 in_flight_max = 50
@@ -14,5 +14,5 @@
 [backends.groq]
-base_url = "api.groq.com/openai/v1"
+base_url = "https://api.groq.com/openai/v1"
 credential = "groq"
`;

export function settingsView(world: World): SettingsView {
  const { values, valid } = world.settings;
  return {
    path: "/home/ada/.config/gatehouse/settings.toml",
    valid,
    values: valid ? values : DEFAULTS,
    defaults: DEFAULTS,
    ranges: RANGES,
    resilience: RESILIENCE,
    problems: valid
      ? []
      : [
          {
            path: "gateway.port",
            line: 3,
            fatal: true,
            message: "70000 is outside 1 to 65535; write port = 65535",
          },
          {
            path: "backends.groq.base_url",
            line: 15,
            fatal: true,
            message: '"api.groq.com/openai/v1" has no scheme. Write https:// in front.',
          },
          {
            path: "health.intervall_secs",
            line: 22,
            fatal: false,
            message: "unknown setting, ignored; did you mean interval_secs?",
          },
        ],
    proposed_fix: valid ? null : PROPOSED_FIX,
    vault: world.vault,
    folders: {
      config: "/home/ada/.config/gatehouse",
      data: "/home/ada/.local/share/gatehouse",
      state: "/home/ada/.local/state/gatehouse",
      ledger_bytes: 4_321_280,
    },
  };
}
