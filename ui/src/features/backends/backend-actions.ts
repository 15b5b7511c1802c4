/** Switches a backend on and off, with an undo in the toast. */
import { useMemo } from "react";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { BackendView, RouteView } from "@/ipc/bindings";
import { useRoutes } from "@/ipc/route-queries";
import { freedClients, routeLosses } from "@/lib/losses";

const NO_ROUTES: RouteView[] = [];

/** The enabled routes that use a backend, and those that have no other backend. */
function routesOf(backend: BackendView, routes: RouteView[]): { used: string[]; broken: string[] } {
  const used = routes.filter(
    (route) => route.enabled && route.in_profile && route.candidates.some((one) => one.backend === backend.id),
  );
  const isOther = ({ backend: id, availability: { state } }: RouteView["candidates"][number]) =>
    id !== backend.id && state !== "off" && state !== "removed";
  const broken = used.filter((route) => !route.candidates.some(isOther));
  return { used: used.map((route) => route.id), broken: broken.map((route) => route.id) };
}

/** The effect while a backend is off: its routes have other backends, or none. */
function whatNow(backend: BackendView, routes: RouteView[]): string {
  const { used, broken } = routesOf(backend, routes);
  const pinned = `Requests for ${backend.id}/… are refused.`;
  if (broken.length > 0) return `${pinned} No other backend for ${broken.join(", ")}.`;
  return used.length > 0 ? `${pinned} Routes use their other backends.` : pinned;
}

/** What removing a backend breaks, and what is kept. */
export function useRemovalLosses(backend: BackendView | undefined): string[] {
  const routes = useRoutes().data?.routes ?? NO_ROUTES;
  if (backend === undefined) return [];
  const { used, broken } = routesOf(backend, routes);
  return [
    `Requests for ${backend.id}/… are refused from now on.`,
    ...routeLosses(used, broken),
    ...freedClients(backend.dependents.clients),
    "Its usage and costs stay in the ledger.",
    ...(backend.credential === null ? [] : [`Its key ${backend.credential} stays in the vault.`]),
  ];
}

export function useBackendSwitch() {
  const routes = useRoutes().data?.routes ?? NO_ROUTES;
  const { mutate } = useAction("backendSwitch", (call, req: { id: string; enabled: boolean }) => call(req));
  return useMemo(() => {
    const change = (backend: BackendView, enabled: boolean) =>
      mutate(
        { id: backend.id, enabled },
        {
          onSuccess: () =>
            notify({
              title: enabled ? `${backend.label} is on` : `${backend.label} is off`,
              detail: enabled ? null : whatNow(backend, routes),
              undo: () => change(backend, !enabled),
            }),
          onError: notifyError,
        },
      );
    return { change };
  }, [mutate, routes]);
}
