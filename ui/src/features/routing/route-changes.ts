/** Changes, removes and reorders routes, each with an undo. */
import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ApiError, RouteEdit, RouteView } from "@/ipc/bindings";
import { freedClients } from "@/lib/losses";
import { queryKey } from "@/ipc/query-key";

/** The request that would save a route unchanged. */
export function editOf(route: RouteView, replaces: string | null = route.id): RouteEdit {
  const { id, models, clients, projects, policy, weights, sticky_secs, crossing, cache, enabled } = route;
  return {
    replaces,
    id,
    models,
    clients,
    projects,
    policy,
    weights,
    sticky_secs,
    crossing,
    cache,
    enabled,
    candidates: route.candidates.map(({ backend, model, weight }) => ({ backend, model, weight })),
  };
}

/** Every client that stays where it is, with its reason, in one sentence; what to do once each. */
function notSwitchedBack(route: string, failed: { id: string; error: ApiError }[]) {
  const reasons = failed.map(({ id, error }) => `${id} (${error.message.replace(/\.$/, "")})`);
  const hints = new Set(failed.flatMap(({ error }) => error.hint ?? []));
  return {
    title: `Route ${route} is back, but not switched to it: ${reasons.join(", ")}.`,
    detail: hints.size === 0 ? null : [...hints].join(" "),
  };
}

export function useRouteChanges() {
  const cache = useQueryClient();
  const { mutate: set } = useAction("routeSet", (call, req: RouteEdit) => call(req));
  const { mutate: drop } = useAction("routeRemove", (call, id: string) => call({ id }));
  const { mutateAsync: switchClient } = useAction("clientSwitch", (call, req: { id: string; route: string }) =>
    call(req),
  );
  const { mutateAsync: put } = useAction("routesOrder", (call, ids: string[]) => call({ ids }));
  return useMemo(() => {
    /** Changes some fields of a route, with an undo in the toast. */
    const change = (route: RouteView, fields: Partial<RouteEdit>, title: string) => {
      const before = editOf(route);
      set(
        { ...before, ...fields },
        {
          onSuccess: () => notify({ title, undo: () => set({ ...before, replaces: fields.id ?? before.id }) }),
          onError: notifyError,
        },
      );
    };
    const switchBack = async (route: RouteView) => {
      const tries = route.switched_clients.map((id) =>
        switchClient({ id, route: route.id }).then(
          () => [],
          (error: ApiError) => [{ id, error }],
        ),
      );
      const failed = (await Promise.all(tries)).flat();
      if (failed.length > 0) notify({ tone: "bad", ...notSwitchedBack(route.id, failed) });
    };
    const remove = (route: RouteView, onRemoved: () => void) =>
      drop(route.id, {
        onSuccess: () => {
          onRemoved();
          notify({
            title: `Removed route ${route.id}`,
            detail: ["Its requests now go by model name.", ...freedClients(route.switched_clients)].join(" "),
            undo: () => set(editOf(route, null), { onSuccess: () => void switchBack(route), onError: notifyError }),
          });
        },
        onError: notifyError,
      });
    /** Settles once the page has the new order, or shows why not. */
    const order = (ids: string[]) =>
      put(ids).then((routes) => cache.setQueryData(queryKey("routes"), routes), notifyError);
    return { change, remove, order };
  }, [set, drop, switchClient, put, cache]);
}
