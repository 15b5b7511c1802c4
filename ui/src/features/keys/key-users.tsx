/** What uses a key, each as a link: backends, the routes that lead to them, the clients that may ask these, and the rest. */
import type { Fact } from "@/components/text/facts";
import { PanelLink } from "@/components/layout/panel-link";
import type { KeyView } from "@/ipc/bindings";
import { useClients } from "@/ipc/queries";
import { useRoutes } from "@/ipc/route-queries";

const LINKS_MAX = 8;

export function useKeyUsers({ used_by: backends, dependents, billing }: KeyView): Fact[] {
  const routes = (useRoutes().data?.routes ?? [])
    .filter(({ candidates }) => candidates.some(({ backend }) => backends.includes(backend)))
    .map(({ id }) => id);
  const clients = (useClients().data ?? [])
    .filter(
      ({ reads_metrics: readsMetrics, scope }) =>
        backends.length > 0 && !readsMetrics && mayAsk(scope.backends, backends) && mayAsk(scope.routes, routes),
    )
    .map(({ id }) => id);
  const facts = [
    ...linksFact("Backends", backends, "/backends"),
    ...linksFact("Routes", routes, "/routing"),
    ...linksFact("Clients", clients, "/clients"),
    ...(dependents.services.length === 0
      ? []
      : [{ name: "Services", value: <PanelLink path="/health">{dependents.services.join(", ")}</PanelLink> }]),
    ...(dependents.cache_server
      ? [{ name: "Shared cache", value: <PanelLink path="/settings?part=Shared+cache">its password</PanelLink> }]
      : []),
    ...(billing === null ? [] : [{ name: "Cost reports", value: <PanelLink path="/billing">read with it</PanelLink> }]),
  ];
  return facts.length === 0 ? [{ name: "Used by", value: "not used" }] : facts;
}

/** An empty list allows everything of its kind. */
function mayAsk(allowed: string[], some: string[]): boolean {
  return allowed.length === 0 || allowed.some((id) => some.includes(id));
}

/** As many links as fit in two or three lines, then one to all of them. */
function linksFact(name: string, ids: string[], path: string): Fact[] {
  if (ids.length === 0) return [];
  const more = ids.length - LINKS_MAX;
  return [
    {
      name,
      value: (
        <span className="flex flex-wrap gap-x-3">
          {ids.slice(0, LINKS_MAX).map((id) => (
            <PanelLink key={id} path={`${path}/${encodeURIComponent(id)}`}>
              {id}
            </PanelLink>
          ))}
          {more > 0 && <PanelLink path={path}>{`${more} more`}</PanelLink>}
        </span>
      ),
    },
  ];
}
