/** Readiness runs of the fake data: the checks, their results, and the score. */
import type { CheckSet, CheckView, ReadinessRunView, ReadinessVerdict } from "@/ipc/bindings";
import { groupBy } from "@/lib/group";
import type { World } from "@/ipc/fake/world";

const WEIGHT: Record<CheckView["severity"], number> = { blocker: 4, setup: 4, major: 3, minor: 2, info: 1 };

function check(
  id: string,
  category: string,
  severity: CheckView["severity"],
  title: string,
  evidence: string[],
  rest: Partial<CheckView> = {},
): CheckView {
  return {
    id,
    title,
    category,
    severity,
    state: "pass",
    evidence,
    cause: null,
    fix: null,
    action: null,
    depends_on: [],
    duration_ms: 12,
    ...rest,
  };
}

/** The results of all checks of a run in this scenario. */
export function plannedChecks(world: World, set: CheckSet): CheckView[] {
  const isLocked = world.vault.state === "locked";
  const { values } = world.settings;
  const local: CheckView[] = [
    check("R-14a", "Reliability", "blocker", "Request through the gateway to the mock", [
      `GET http://127.0.0.1:${values.gateway_port}/health: 200 in 1 ms`,
    ]),
    check(
      "R-13",
      "Security",
      "blocker",
      "Gateway refuses the network, unknown programs and web pages",
      ["401 without a token, 401 with a wrong one"],
      { depends_on: ["R-03"] },
    ),
    check("R-23", "Security", "major", "No keys in plain text", ["read 14 files"]),
    check("R-04", "Reliability", "blocker", "Ledger is intact and up to date", [
      "quick_check: ok",
      "4.1 MiB, write in 0.4 ms",
    ]),
    check("R-02", "Reliability", "blocker", "Data folder is writable and has free space", ["212 GiB free"]),
    check(
      "R-05",
      "Security",
      "blocker",
      "Vault stores, returns and deletes a value",
      [isLocked ? "org.freedesktop.Secret: locked" : "Written, read and removed a test entry in 4 ms"],
      isLocked
        ? {
            state: "fail",
            cause: "The login keyring is locked.",
            fix: "Unlock it in Passwords and Keys, then run the checks again.",
            action: { kind: "open_settings" },
            duration_ms: 8,
          }
        : {},
    ),
    check("R-03", "Reliability", "blocker", "Settings are valid", ["No problems in the settings file"]),
    check("R-20", "Monitoring", "major", "A budget covers each paid backend", ["2 covered by a budget"]),
    check("R-21", "Monitoring", "major", "Prices are up to date", ["the price list is of 2026-11-23"]),
    check("R-22", "Monitoring", "major", "Alerts reach you", ["desktop: test seen, 12 days ago"]),
    check(
      "R-25",
      "Guidance",
      "info",
      "A client is connected",
      [world.clients.length > 0 ? "claude-code, 2 min ago" : "No client has a token"],
      world.clients.length > 0
        ? {}
        : {
            state: "warn",
            cause: "No client is connected.",
            fix: "Connect a client tool.",
            action: { kind: "add_client" },
          },
    ),
    check(
      "R-09",
      "Guidance",
      "setup",
      "A real backend is configured",
      [`${world.backends.length - 1} besides the mock`],
      world.backends.length > 1
        ? {}
        : {
            state: "fail",
            cause: "No real backend has been added.",
            fix: "Add a backend: a provider with its key, or a local server.",
            action: { kind: "add_backend" },
          },
    ),
  ];
  if (set === "quick") return local;
  return [
    ...local,
    ...world.backends.filter((backend) => backend.enabled).flatMap((backend) => backendChecks(backend.id, world)),
  ];
}

function backendChecks(id: string, world: World): CheckView[] {
  const backend = world.backends.find((known) => known.id === id);
  const label = backend?.label ?? id;
  const isDown = backend?.health.state === "down";
  const isRejected = isDown && backend?.credential !== null;
  const accepts = check(`R-10/${id}`, "Security", "major", `Key accepted by ${label}`, ["GET /models: 200"], {
    depends_on: backend?.credential === null ? ["R-03"] : ["R-03", "R-05"],
    duration_ms: 180,
  });
  if (backend?.credential === null)
    Object.assign(accepts, { state: "not_applicable", evidence: ["no key needed"], duration_ms: null });
  if (isRejected)
    Object.assign(accepts, {
      state: "fail",
      severity: "blocker",
      evidence: ["GET /models: 401 invalid_api_key"],
      cause: `${label} rejected its key.`,
      fix: "Replace the key with one that this provider accepts.",
      action: { kind: "open_key", id: backend?.credential },
    });
  const models = check(
    `R-12/${id}`,
    "Reliability",
    "major",
    `Models available on ${label}`,
    [`${backend?.models.length ?? 0} models listed`],
    { depends_on: [`R-10/${id}`], duration_ms: 96 },
  );
  if (isRejected)
    Object.assign(models, { state: "skipped", evidence: [`Skipped: R-10/${id} failed.`], duration_ms: null });
  else if (isDown)
    Object.assign(models, {
      state: "fail",
      evidence: [`GET /models: no answer from ${backend?.base_url ?? label}`],
      cause: `${label} does not list its models.`,
      fix: "Check its address and your network.",
      action: { kind: "open_backend", id },
    });
  return [accepts, models];
}

function scoreOf(checks: CheckView[]): number | null {
  const tried = checks.filter((one) => one.state === "pass" || one.state === "warn" || one.state === "fail");
  const whole = tried.reduce((sum, one) => sum + WEIGHT[one.severity], 0);
  const won = tried.reduce(
    (sum, one) => sum + WEIGHT[one.severity] * (one.state === "pass" ? 1 : one.state === "warn" ? 0.5 : 0),
    0,
  );
  return whole === 0 ? null : Math.round((won * 100) / whole);
}

/** The run after `done` of its checks, with the results from `planned`. */
export function runAfter(
  run: ReadinessRunView,
  planned: CheckView[],
  done: number,
  now: number,
  before: number | null,
): ReadinessRunView {
  const checks = planned.map((one, index): CheckView =>
    index < done
      ? one
      : {
          ...one,
          state: index === done ? "running" : "waiting",
          evidence: [],
          cause: null,
          fix: null,
          action: null,
          duration_ms: null,
        },
  );
  if (done < planned.length)
    return {
      ...run,
      checks,
      sentence: `${done} of ${planned.length} checks done`,
      confidence_percent: Math.round((done * 100) / planned.length),
    };
  const failed = checks.filter((one) => one.state === "fail");
  const blockers = failed.filter((one) => one.severity === "blocker");
  const setup = failed.filter((one) => one.severity === "setup");
  const score = blockers.length === 0 && setup.length > 0 ? null : scoreOf(checks);
  const verdict: ReadinessVerdict =
    blockers.length > 0
      ? "not_ready"
      : setup.length > 0
        ? "not_set_up"
        : checks.some((one) => one.state === "fail" || one.state === "warn")
          ? "ready_with_warnings"
          : "ready";
  const count = blockers.length === 1 ? "1 blocker" : `${blockers.length} blockers`;
  return {
    ...run,
    state: "finished",
    ended_at: now,
    checks,
    verdict,
    sentence:
      verdict === "not_ready"
        ? `${count}: ${blockers.map((one) => one.cause).join(" ")}`
        : verdict === "not_set_up"
          ? `Not set up yet: ${setup.map((one) => one.cause).join(" ")}`
          : `${verdict === "ready" ? "Ready" : "Ready with warnings"}, ${((score ?? 0) / 10).toFixed(1)} of 10`,
    score_tenths: score,
    score_change_tenths: score === null || before === null ? null : score - before,
    confidence_percent: Math.round((checks.filter((one) => one.state !== "skipped").length * 100) / checks.length),
    categories: [...groupBy(checks, (one) => one.category)].map(([name, members]) => ({
      name,
      score_tenths: scoreOf(members),
    })),
    best_fixes: [...failed, ...checks.filter((one) => one.state === "warn")].slice(0, 3).map((one) => one.id),
  };
}

export function newRun(id: string, set: CheckSet, planned: CheckView[], now: number): ReadinessRunView {
  const run: ReadinessRunView = {
    id,
    set,
    state: "running",
    started_at: now,
    ended_at: null,
    verdict: null,
    sentence: "",
    score_tenths: null,
    score_change_tenths: null,
    confidence_percent: 0,
    categories: [],
    checks: [],
    best_fixes: [],
  };
  return runAfter(run, planned, 0, now, null);
}
