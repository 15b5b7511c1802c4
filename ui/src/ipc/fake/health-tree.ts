/** The fake core's tree of what answers depend on. The rules are the core's; these are the cases that the worlds have. */
import type {
  BackendView,
  DependencyKind,
  DependencyNodeView,
  DependencyState,
  HealthTreeView,
  PanelActionView,
} from "@/ipc/bindings";
import { backendViews, keyViews } from "@/ipc/fake/views";
import type { World } from "@/ipc/fake/world";

interface Draft {
  kind: DependencyKind;
  id: string;
  label: string;
  required: boolean | null;
  state: DependencyState;
  reason: string;
  since: number | null;
  by: string | null;
  action: PanelActionView | null;
  children: Draft[];
}

const BAD: Record<DependencyState, number> = {
  down: 4,
  blocked: 3,
  degraded: 2,
  offline: 1,
  unknown: 1,
  up: 0,
  off: 0,
  not_observed: 0,
};

function draft(kind: DependencyKind, id: string, label: string, rest: Partial<Draft> = {}): Draft {
  const plain = { required: null, state: "up", reason: "", since: null, by: null, action: null, children: [] } as const;
  return { ...plain, kind, id, label, ...rest, children: rest.children ?? [] };
}

function stateOf(backend: BackendView, world: World): DependencyState {
  const { state } = backend.health;
  if (state === "disabled") return "off";
  if (state === "down") return world.keys.some(isRefused(backend)) ? "blocked" : "down";
  if (state === "up" && world.scenario === "cooling-down" && backend.id === "openai") return "degraded";
  return state;
}

const isRefused = (backend: BackendView) => (key: World["keys"][number]) =>
  key.id === backend.credential && key.state === "rejected";

function backendDraft(backend: BackendView, world: World): Draft {
  const state = stateOf(backend, world);
  const id = `backend/${backend.id}`;
  const own = keyViews(world).filter((key) => backend.pool.members.some(({ credential }) => credential === key.id));
  const isWell = state === "up" || state === "degraded";
  const keys = own.map((key) =>
    draft("key", `key/${backend.id}/${key.id}`, `Key ${key.label}`, {
      state: key.state === "rejected" ? "blocked" : key.state === "valid" ? "up" : "unknown",
      reason:
        key.state === "valid" ? "" : key.state === "rejected" ? (key.reason ?? "") : "The vault does not give it out.",
      since: key.verified_at,
      by: key.state === "missing" ? "vault" : null,
      action: { kind: "open_key", id: key.id },
    }),
  );
  const refused = keys.find((key) => key.state === "blocked");
  const unread = keys.find((key) => key.by === "vault");
  const models = draft("models", `models/${backend.id}`, `${backend.models.length} models`, {
    state: isWell ? "up" : "unknown",
    reason: isWell ? "" : `Unknown while ${backend.label} is ${state}.`,
    by: isWell ? null : id,
  });
  return draft("backend", id, backend.label, {
    state,
    reason:
      backend.health.state === "up" && state === "degraded"
        ? "Rate limited: asks again in 14 s."
        : state === "up" || state === "off"
          ? ""
          : backend.health.reason,
    since: backend.health.since,
    by: refused?.id ?? unread?.by ?? null,
    action: { kind: "open_backend", id: backend.id },
    children: state === "off" ? [] : [...keys, models],
  });
}

function providerDraft(host: string, backends: Draft[]): Draft {
  const bad = backends.filter(({ state }) => BAD[state] > 0);
  const [first] = bad;
  if (first === undefined)
    return draft("provider", `provider/${host}`, host, {
      state: backends.every(({ state }) => state === "off") ? "off" : "up",
      children: backends,
    });
  return draft("provider", `provider/${host}`, host, {
    state: bad.length === backends.length ? first.state : "degraded",
    reason: `${first.label} is ${first.state}.`,
    since: first.since,
    by: first.by ?? first.id,
    children: backends,
  });
}

const isLocal = ({ address }: World["services"][number]) => /\/\/(.*@)?(localhost|127\.0\.0\.1)\b/.test(address);

/** Those on this machine, or the others. */
function serviceDrafts(world: World, local: boolean): Draft[] {
  return world.services
    .filter((service) => isLocal(service) === local)
    .map(({ id, label, required, health: { state, reason, since } }) =>
      draft("service", `service/${id}`, label, {
        required,
        state: state === "disabled" ? "off" : state,
        reason: state === "down" || state === "unknown" ? reason : "",
        since,
        action: { kind: "open_health" },
      }),
    );
}

function sorted(nodes: Draft[]): Draft[] {
  const rank = (node: Draft) =>
    node.state === "off" ? 9 : 7 - BAD[node.state] - (node.by === null && BAD[node.state] > 0 ? 1 : 0);
  return nodes.toSorted((left, right) => rank(left) - rank(right));
}

const hasNoCause = (node: Draft): boolean =>
  (BAD[node.state] === 0 || node.by !== null) && node.children.every(hasNoCause);

function flatten(nodes: Draft[], all: Draft[], parent: string | null = null, depth = 0): DependencyNodeView[] {
  return sorted(nodes).flatMap((node) => {
    const { id, kind, label, required, state, reason, since, action, children } = node;
    const view: DependencyNodeView = {
      id,
      parent,
      depth,
      kind,
      label,
      required,
      state,
      reason,
      since,
      suppressed_by: all.find((one) => one.id === node.by)?.label ?? null,
      suppresses: all.filter(({ by }) => by === id).length,
      folded: children.length > 0 && children.every(hasNoCause),
      action,
    };
    return [view, ...flatten(children, all, id, depth + 1)];
  });
}

export function healthTree(world: World, now: number): HealthTreeView {
  const backends = backendViews(world, now).filter(({ built_in: builtIn }) => !builtIn);
  const hosts = new Map<string, Draft[]>();
  const local = new Set<string>();
  for (const backend of backends) {
    const { host, hostname } = new URL(backend.base_url ?? "http://localhost");
    if (hostname === "127.0.0.1" || hostname === "localhost") local.add(host);
    hosts.set(host, [...(hosts.get(host) ?? []), backendDraft(backend, world)]);
  }
  const providers = (isLocal: boolean) =>
    [...hosts].filter(([host]) => local.has(host) === isLocal).map(([host, own]) => providerDraft(host, own));
  const isLocked = world.vault.state === "locked";
  const action = { kind: "open_settings" } as const;
  const parts = [
    draft("gateway", "gateway", `Gateway, port ${world.settings.values.gateway_port}`, { action }),
    draft("ledger", "ledger", "Ledger", {
      action: { kind: "open_ledger" },
      ...(world.ledgerIncident && { state: "degraded", reason: "The ledger was damaged and set aside." }),
    }),
    draft("vault", "vault", "Key storage", {
      action,
      ...(isLocked && { state: "down", reason: "The vault is locked.", since: now - 6 * 60_000 }),
      ...(world.vault.state === "unavailable" && { state: "degraded", reason: "There is no keychain." }),
    }),
    draft("settings", "settings", "Settings file", {
      action,
      ...(!world.settings.valid && { state: "down", reason: "The settings file has errors." }),
    }),
    draft("web_view", "web_view", "Web view"),
    ...providers(true),
    ...serviceDrafts(world, true),
  ];
  const worst = sorted(parts)[0];
  const machine = draft("machine", "machine", "This machine", {
    children: parts,
    ...(worst !== undefined &&
      BAD[worst.state] > 0 && {
        state: "degraded",
        reason: `${worst.label} is ${worst.state}.`,
        since: worst.since,
        by: worst.by ?? worst.id,
      }),
  });
  const roots = [
    draft("network", "network", "Network", { children: [...providers(false), ...serviceDrafts(world, false)] }),
    machine,
  ];
  const all = allOf(roots);
  const causes = sorted(all.filter(({ state, by }) => BAD[state] > 1 && by === null));
  const [first] = causes;
  const what = first === undefined ? "" : `${first.label} is ${first.state}`;
  return {
    finding:
      causes.length === 0
        ? "Everything that answers depend on is up"
        : causes.length === 1
          ? `One cause: ${what}`
          : `${causes.length} causes; ${what}`,
    nodes: flatten(roots, all),
  };
}

function allOf(nodes: Draft[]): Draft[] {
  return nodes.flatMap((node) => [node, ...allOf(node.children)]);
}
