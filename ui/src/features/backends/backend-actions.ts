/** Switching a backend on and off, with the way back in the toast. */
import { useMemo } from "react";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { BackendView } from "@/ipc/bindings";

export function useBackendSwitch() {
  const { mutate } = useAction(["backends", "status"], (host, req: { id: string; enabled: boolean }) =>
    host.backendSwitch(req),
  );
  return useMemo(() => {
    const change = (backend: BackendView, enabled: boolean) =>
      mutate(
        { id: backend.id, enabled },
        {
          onSuccess: () =>
            notify({
              title: enabled ? `${backend.label} is on` : `${backend.label} is off`,
              detail: enabled ? null : "Requests for its models are refused until it is on again.",
              undo: () => change(backend, !enabled),
            }),
          onError: (error) => notify({ tone: "bad", title: error.message, detail: error.hint }),
        },
      );
    return { change };
  }, [mutate]);
}
