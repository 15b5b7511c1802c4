/** Clients of the fake core: their tokens, limits, where their requests go, and their block. */
import type { ClientSwitch, ClientTargetView, ClientView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise, requireId, requireLimits } from "@/ipc/fake/rules";
import { clientViews } from "@/ipc/fake/views";
import { type ClientSwitchTarget, makeClient, type World } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";

const RULES: ClientSwitchTarget = { backend: null, route: null };

type ClientOperation =
  "clients" | "clientAdd" | "clientEdit" | "clientSwitch" | "clientBlock" | "clientAllow" | "clientRevoke";

export function fakeClients({ world, now, answer, changed }: Doing): Pick<Host, ClientOperation> {
  const find = (id: string) =>
    world.clients.find((known) => known.id === id) ??
    raise(fault("not_found", `There is no client named ${id}.`, null));
  const view = (client: ClientView) => ({
    ...client,
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
        Object.assign(added, { scope: req.scope, reads_metrics: req.reads_metrics ?? false });
        added.expires_at = req.expires_in_days === null ? null : now() + req.expires_in_days * 86_400_000;
        world.clients.push(added);
        changed("clients", "status");
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
    clientRevoke: (req) =>
      answer(() => {
        world.clients = world.clients.filter((known) => known.id !== req.id);
        changed("clients", "status");
        return null;
      }),
  };
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
