/** Clients of the fake core: their tokens, limits, where their requests go, and their block. */
import type { BudgetSet, ClientState, ClientSwitch, ClientTargetView, ClientView } from "@/ipc/bindings";
import { budgetOfClient } from "@/ipc/fake/budgets";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise, requireId, requireLimits } from "@/ipc/fake/rules";
import { clientViews } from "@/ipc/fake/views";
import { type ClientSwitchTarget, makeClient, type World } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";

const RULES: ClientSwitchTarget = { backend: null, route: null };

type ClientOperation =
  | "clients"
  | "clientAdd"
  | "clientEdit"
  | "clientSwitch"
  | "clientBlock"
  | "clientAllow"
  | "clientRevoke"
  | "clientRestore";

export function fakeClients({ world, now, answer, changed }: Doing): Pick<Host, ClientOperation> {
  const budgetsOf = (id: string) =>
    world.budgets.filter(({ scope }) => scope?.dimension === "client" && scope.name === id);
  const ownBudget = (id: string) => budgetsOf(id).find((budget) => budget.id === id);
  const find = (id: string) =>
    world.clients.find((known) => known.id === id) ??
    raise(fault("not_found", `There is no client named ${id}.`, null));
  const revoked = new Map<string, { client: ClientView; budget: BudgetSet | undefined }>();
  const view = (client: ClientView) => ({
    ...client,
    state: stateOf(client),
    own_budget: ownBudget(client.id)?.id ?? null,
    other_budgets: budgetsOf(client.id).flatMap(({ id }) => (id === client.id ? [] : [id])),
    targets: client.reads_metrics ? [] : targetsOf(world, client, world.switched.get(client.id) ?? RULES),
  });
  const block = (id: string, blocked: boolean) =>
    answer(() => {
      const client = find(id);
      client.blocked = blocked;
      client.refused = null;
      changed("clients", "status");
      return view(client);
    });
  return {
    clients: () => answer(() => clientViews(world).map(view)),
    clientAdd: (req) =>
      answer(() => {
        requireId(req.id, "client");
        if (world.clients.some((known) => known.id === req.id))
          throw fault("invalid_input", `There is a client named ${req.id} already.`, "Choose another name.", "id");
        const added = makeClient(req.id, now(), world.settings.values.gateway_port);
        Object.assign(added, {
          scope: req.scope,
          reads_metrics: req.reads_metrics ?? false,
          project: req.project ?? null,
        });
        added.expires_at = req.expires_in_days === null ? null : now() + req.expires_in_days * 86_400_000;
        world.clients.push(added);
        if (req.monthly_limit_usd != null) world.budgets.push(budgetOfClient(req.id, req.monthly_limit_usd));
        changed("clients", "status", "usage");
        return view(added);
      }),
    clientEdit: (req) =>
      answer(() => {
        const { id, ...changes } = req;
        const edited = find(id);
        requireLimits(req.limits);
        Object.assign(edited, changes, { expired: req.expires_at !== null && req.expires_at <= now() });
        changed("clients");
        return view(edited);
      }),
    clientSwitch: ({ id, backend = null, route = null }: ClientSwitch) =>
      answer(() => {
        const client = find(id);
        if (backend === null && route === null) world.switched.delete(id);
        else world.switched.set(id, { backend, route });
        changed("clients", "routes", "settings");
        return view(client);
      }),
    clientBlock: ({ id }) => block(id, true),
    clientAllow: ({ id }) => block(id, false),
    clientRevoke: ({ id }) =>
      answer(() => {
        const [client, budget] = [find(id), ownBudget(id)];
        revoked.set(id, { client, budget });
        world.clients = world.clients.filter((known) => known !== client);
        world.budgets = world.budgets.filter((known) => known !== budget);
        changed("clients", "status", "usage");
        return { id, budget: budget?.id ?? null };
      }),
    clientRestore: ({ id }) =>
      answer(() => {
        const kept = revoked.get(id) ?? raise(fault("not_found", `no client named ${id} was revoked`, null));
        world.clients.push(kept.client);
        if (kept.budget) world.budgets.push(kept.budget);
        revoked.delete(id);
        changed("clients", "status", "usage");
        return view(kept.client);
      }),
  };
}

function stateOf({ blocked, expired, state }: ClientView): ClientState {
  if (blocked) return "blocked";
  return expired ? "expired" : state;
}

const allows = (list: string[], name: string) => list.length === 0 || list.includes(name);

function targetsOf(world: World, { id, scope }: ClientView, chosen: ClientSwitchTarget): ClientTargetView[] {
  const target = (of: ClientSwitchTarget, label: string, unavailable: string | null): ClientTargetView => {
    const current = of.backend === chosen.backend && of.route === chosen.route;
    return { ...of, label, current, unavailable: current ? unavailable : null };
  };
  const isFree = scope.routes.length === 0;
  return [
    target(RULES, "Routing rules", null),
    ...world.backends
      .filter(({ id: name, enabled }) => (isFree && enabled && allows(scope.backends, name)) || name === chosen.backend)
      .map(({ id: backend, label, enabled }) =>
        target({ backend, route: null }, label, enabled ? null : "is switched off"),
      ),
    ...world.routes
      .filter((route) => route.enabled && allows(scope.routes, route.id) && allows(route.clients, id))
      .filter((route) => route.candidates.some(({ backend }) => allows(scope.backends, backend)))
      .map((route) => target({ backend: null, route: route.id }, `Route ${route.id}`, null)),
  ];
}
