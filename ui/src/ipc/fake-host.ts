/**
 * A complete host with fake data: every operation works and keeps state. Used for development, screenshots, component
 * and browser tests, so a missing operation does not compile. Only `fake.tsx` loads it.
 */
import { offlineError } from "@/ipc/api-error";
import type { BackendView, KeyView, PanelEvent, ChangeTag } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { modelsOf } from "@/ipc/fake/catalogue";
import { PRESETS } from "@/ipc/fake/presets";
import { newRun, plannedChecks, runAfter } from "@/ipc/fake/checks";
import { fakeAccesses } from "@/ipc/fake/accesses";
import { fakeBackendAsk } from "@/ipc/fake/backend-ask";
import { fakeBackups } from "@/ipc/fake/backups";
import { fakeExports } from "@/ipc/fake/exports";
import { fakeBilling } from "@/ipc/fake/billing";
import { fakeAlertChannels } from "@/ipc/fake/alert-channels";
import { fakeAlertLadder } from "@/ipc/fake/alert-ladder";
import { fakeAlertTrials } from "@/ipc/fake/alert-trials";
import { fakeAlerts } from "@/ipc/fake/alerts";
import { fakeAgents } from "@/ipc/fake/agents";
import { fakeAudit } from "@/ipc/fake/audit";
import { fakeHealth } from "@/ipc/fake/health";
import { fakeBudgets } from "@/ipc/fake/budgets";
import { fakeCache } from "@/ipc/fake/cache";
import { fakeClients } from "@/ipc/fake/clients";
import { fakeGateway } from "@/ipc/fake/gateway";
import { fakePins } from "@/ipc/fake/pins";
import { fakeProfiles } from "@/ipc/fake/profiles";
import { fakePrices } from "@/ipc/fake/prices";
import { fakeLedger } from "@/ipc/fake/ledger";
import { fakePlayground } from "@/ipc/fake/playground";
import {
  checkNewBackend,
  fault,
  finishRun,
  originOf,
  requireOrigin,
  raise,
  recordRun,
  requireDiffering,
  requireId,
  requireLimits,
  requireRanges,
  requireSecret,
  requireVault,
  testOf,
} from "@/ipc/fake/rules";
import { fakeKeyCopies } from "@/ipc/fake/key-copies";
import { fakeKeyLife } from "@/ipc/fake/key-life";
import { fakeRequests } from "@/ipc/fake/requests";
import { fakeRoutes } from "@/ipc/fake/routes";
import { fakePlans } from "@/ipc/fake/plans";
import { fakeSessionLogs } from "@/ipc/fake/session-logs";
import { savedFile, statementOf } from "@/ipc/fake/statement";
import { fakeUsage } from "@/ipc/fake/usage";
import { fakeVault } from "@/ipc/fake/vault";
import { fakeWiring } from "@/ipc/fake/wiring";
import { backendViews, keyViews, settingsView, switchedTo } from "@/ipc/fake/views";
import { NO_DEPENDENTS, health, makeBackend, makeKey, makeWorld, vaultOf, type Scenario } from "@/ipc/fake/world";
import type { Clock } from "@/lib/clock";

const SLOW_MS = 2_500;
const CHECK_MS = 260;

export interface FakeOptions {
  scenario: Scenario;
  clock: Clock;
  /** Calls `run` after a delay; tests pass one that calls it at once. */
  later: (ms: number, run: () => void) => void;
}

export interface FakeHost extends Host {
  /** From now on every operation fails as if the core were offline. */
  drop(): void;
  /** Sends an event to the panel, as the core would on its own. */
  announce(event: PanelEvent): void;
}

export function fakeHost({ scenario, clock, later }: FakeOptions): FakeHost {
  const now = () => clock.now();
  const world = makeWorld(scenario, now());
  const listeners = new Set<(event: PanelEvent) => void>();
  let isGone = scenario === "offline";
  let runs = world.history.length + 34;
  if (world.history.length > 0) finishRun(world, now());

  const announce = (event: PanelEvent) => {
    for (const listener of listeners) listener(event);
  };
  const changed = (...tags: ChangeTag[]) => announce({ kind: "changed", tags });

  const playground = fakePlayground({ world, now, later, announce });

  function answer<Output>(work: () => Output): Promise<Output> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        try {
          if (isGone) throw offlineError();
          resolve(structuredClone(work()));
        } catch (thrown) {
          reject(thrown);
        }
      };
      if (scenario === "slow") later(SLOW_MS, settle);
      else settle();
    });
  }

  const doing = { world, now, answer, changed };
  const backend = (id: string) =>
    world.backends.find((known) => known.id === id) ??
    raise(fault("not_found", `There is no backend named ${id}.`, "It may have been removed elsewhere."));
  const key = (id: string) =>
    world.keys.find((known) => known.id === id) ??
    raise(fault("not_found", `There is no key named ${id}.`, "It may have been removed elsewhere."));
  const labelOf = (id: string) => world.backends.find((known) => known.id === id)?.label ?? id;
  const viewOf = (id: string) => backendViews(world, now()).find((known) => known.id === id) ?? backend(id);

  const putKey = (id: string, label: string, secret: string, origin: string | null): KeyView => {
    requireVault(world);
    requireSecret(secret);
    const added: KeyView = {
      ...makeKey(id, secret.slice(-4), origin, now(), 0),
      label: label || id,
      state: "unverified",
      verified_at: null,
      used_at: null,
    };
    world.keys.push(added);
    return added;
  };

  function step(done: number, planned = plannedChecks(world, world.run?.set ?? "full")): void {
    const { run } = world;
    if (run === null || run.state !== "running") return;
    world.run = runAfter(run, planned, done, now(), world.history[0]?.score_tenths ?? null);
    if (world.run.state === "finished") recordRun(world);
    announce({ kind: "run_progress", run: structuredClone(world.run) });
    if (world.run.state === "running") later(CHECK_MS, () => step(done + 1, planned));
  }

  return {
    session: null,
    ...fakeGateway(doing),
    backends: () => answer(() => backendViews(world, now())),
    presets: () => answer(() => PRESETS),
    backendAdd: (req) =>
      answer(() => {
        checkNewBackend(world, req);
        const origin = originOf(req.base_url);
        if (req.key.kind === "new") putKey(req.id, req.label, req.key.secret, origin);
        const credential = req.key.kind === "new" ? req.id : req.key.kind === "stored" ? req.key.id : null;
        const models = req.models.length > 0 ? req.models.map((id) => ({ id, price: null })) : modelsOf(req.id);
        const added: BackendView = {
          ...makeBackend(req.id, credential, health("unknown", "Not probed yet.", now(), null, null)),
          label: req.label || req.id,
          kind: req.kind,
          base_url: req.base_url,
          models,
          declared_models: req.models,
          lacks: req.lacks,
          offers: req.offers,
          crossing: req.crossing,
        };
        world.backends.splice(-1, 0, added);
        changed("status", "backends", "keys");
        return added;
      }),
    backendEdit: (req) =>
      answer(() => {
        const origin = originOf(req.base_url);
        const edited = backend(req.id);
        requireDiffering(req, edited);
        if (req.limits) requireLimits(req.limits);
        const credentials = req.pool?.members.map((member) => member.credential) ?? [req.credential];
        for (const credential of credentials) if (credential !== null) requireOrigin(world, credential, origin);
        Object.assign(edited, {
          label: req.label || req.id,
          kind: req.kind,
          base_url: req.base_url,
          credential: req.credential,
          limits: req.limits ?? edited.limits,
          pool: req.pool ?? edited.pool,
          lacks: req.lacks,
          offers: req.offers,
          crossing: req.crossing,
        });
        edited.declared_models = req.models;
        edited.models =
          req.models.length > 0
            ? req.models.map((id) => edited.models.find((model) => model.id === id) ?? { id, price: null })
            : modelsOf(req.id);
        changed("backends", "keys", "status");
        return viewOf(req.id);
      }),
    backendSwitch: (req) =>
      answer(() => {
        const switched = backend(req.id);
        switched.enabled = req.enabled;
        switched.health = req.enabled
          ? health("up", "Answered the last probe.", now(), now(), 96)
          : health("disabled", "Switched off.", now(), null, null);
        changed("backends", "status");
        return viewOf(req.id);
      }),
    backendTest: (req) =>
      answer(() => {
        const result = testOf(backend(req.id));
        if (result.passed)
          Object.assign(backend(req.id), { health: health("up", "Answered the last test.", now(), now(), 121) });
        changed("backends", "keys", "status");
        return result;
      }),
    ...fakeBackendAsk({ ...doing, later, backend }),
    backendRemove: (req) =>
      answer(() => {
        if (backend(req.id).built_in) throw fault("invalid_input", "The mock is built in.", "Switch it off instead.");
        world.backends = world.backends.filter((known) => known.id !== req.id);
        for (const id of switchedTo(world, (target) => target.backend === req.id)) world.switched.delete(id);
        changed("backends", "keys", "status");
        return null;
      }),

    keys: () => answer(() => keyViews(world)),
    keyAdd: (req) =>
      answer(() => {
        requireId(req.id, "key");
        if (world.keys.some((known) => known.id === req.id))
          throw fault(
            "invalid_input",
            `There is a key named ${req.id} already.`,
            "Choose another name, or replace that key.",
            "id",
          );
        const added = putKey(req.id, req.label, req.secret, req.url === null ? null : originOf(req.url, "url"));
        added.billing = req.billing ?? null;
        changed("keys", "status");
        return { ...added, used_by: [], dependents: NO_DEPENDENTS };
      }),
    ...fakeKeyCopies(doing),
    ...fakeKeyLife(doing),
    keyVerify: (req) =>
      answer(() => {
        requireVault(world);
        const verified = key(req.id);
        if (verified.origin === null)
          return {
            id: req.id,
            state: verified.state,
            detail: "No backend uses this key, so there is nowhere to ask.",
            fix: "Give it to a backend first.",
          };
        verified.verified_at = now();
        if (verified.state !== "rejected") verified.state = "valid";
        changed("keys", "status");
        return verified.state === "rejected"
          ? {
              id: req.id,
              state: "rejected",
              detail: "GET /models answered 401: invalid_api_key.",
              fix: "Make a new key at the provider and replace this one.",
            }
          : {
              id: req.id,
              state: "valid",
              detail: "GET /models answered 200 in 164 ms. Nothing was billed.",
              fix: null,
            };
      }),
    keyRemove: (req) =>
      answer(() => {
        requireVault(world);
        key(req.id);
        world.keys = world.keys.filter((known) => known.id !== req.id);
        for (const user of world.backends) if (user.credential === req.id) user.credential = null;
        changed("keys", "backends", "status");
        return null;
      }),

    ...fakeClients(doing),
    ...fakeRoutes(doing),
    ...fakeAccesses(doing),
    ...fakeBudgets(doing),
    ...fakeCache(doing),
    ...fakeLedger(doing),
    ...fakeBackups(doing),
    ...fakeExports(doing),
    ...fakePlans(doing),
    ...fakeSessionLogs({ ...doing, later, announce }),
    ...fakeRequests(doing),
    ...fakePins(doing),
    ...fakeProfiles(doing),
    ...fakeAudit(doing),
    ...fakeWiring(doing),
    ...fakeAgents(doing),
    ...fakeAlerts(doing),
    ...fakeHealth(doing),
    ...fakeAlertChannels(doing),
    ...fakeAlertLadder(doing),
    ...fakeAlertTrials(doing),
    ...fakePrices(doing),

    ...fakeUsage(doing, labelOf),
    statement: (req) => answer(() => statementOf(world.requests, req, now())),
    statementSave: (req) => answer(() => savedFile(statementOf(world.requests, req, now()))),

    readiness: () => answer(() => ({ run: world.run, history: world.history })),
    readinessStart: ({ set = "full" }) =>
      answer(() => {
        runs += 1;
        world.run = newRun(`run-${runs}`, set, plannedChecks(world, set), now());
        later(CHECK_MS, () => step(1));
        changed("readiness");
        return world.run;
      }),
    readinessCancel: () =>
      answer(() => {
        if (world.run?.state === "running") {
          world.run = {
            ...world.run,
            state: "cancelled",
            ended_at: now(),
            sentence: "Cancelled",
            checks: world.run.checks.map((one) =>
              one.state === "running" || one.state === "waiting" ? { ...one, state: "cancelled" } : one,
            ),
          };
        }
        changed("readiness");
        return null;
      }),

    playground: () => answer(() => playground.runs()),
    playgroundSend: (req) => answer(() => playground.send(req)),
    playgroundCancel: (req) => answer(() => playground.cancel(req.run)),
    playgroundRaw: (req) => answer(() => playground.raw(req.run)),
    playgroundSnippets: (req) => answer(() => playground.snippets(req)),

    settings: () => answer(() => settingsView(world)),
    settingsEdit: (req) =>
      answer(() => {
        if (!world.settings.valid)
          throw fault("settings_invalid", "The settings file has errors, so it is not written to.", "Repair it first.");
        requireRanges(req);
        if (req.vault_kind !== world.vault.kind)
          world.vault =
            req.vault_kind === "file"
              ? vaultOf("file", "locked", "Give the passphrase to open the encrypted file.")
              : vaultOf(req.vault_kind, "ready", null);
        world.settings.values = req;
        changed("settings", "status", "usage");
        return settingsView(world);
      }),
    settingsFix: () =>
      answer(() => {
        world.settings.valid = true;
        changed("settings", "status");
        return settingsView(world);
      }),
    settingsFixUndo: () =>
      answer(() => {
        world.settings.valid = false;
        changed("settings", "status");
        return settingsView(world);
      }),
    notificationTest: () =>
      answer(() =>
        scenario === "failing"
          ? {
              delivered: false,
              detail: "No notification service answers on the session bus. Start one, for example dunst.",
            }
          : { delivered: true, detail: "The desktop took it. If nothing appeared, look at Do not disturb." },
      ),

    ...fakeBilling(doing),
    ...fakeVault(doing),

    openUrl: (url) =>
      answer(() =>
        url.startsWith("https://") ? null : raise(fault("invalid_input", "Only https pages are opened.", null)),
      ),
    chooseFolder: () => answer(() => "/home/ada/projects/atlas"),
    launchTool: ({ folder }) =>
      answer(() =>
        /^[/~]/.test(folder)
          ? null
          : raise({
              ...fault("invalid_input", "not a whole path", "Begin with / or ~, or choose a folder."),
              field: "folder",
            }),
      ),
    painted: () => Promise.resolve(null),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    drop: () => {
      isGone = true;
    },
    announce,
  };
}
