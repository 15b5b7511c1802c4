/** Switches a client's backend or route, and blocks or allows it, with an undo in the toast. */
import { useMemo } from "react";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ClientTargetView, ClientView } from "@/ipc/bindings";

/** Where the client's requests go now. */
export function currentTarget(client: ClientView): ClientTargetView | undefined {
  return client.targets.find(({ current }) => current);
}

/** What the user reads: `Groq`, or `Groq (is switched off)`. */
export function targetLabel({ label, unavailable }: ClientTargetView): string {
  return unavailable === null ? label : `${label} (${unavailable})`;
}

/** What it called with last: `claude-cli 2.1.3`. */
export function programText({ program }: ClientView): string {
  if (program === null) return "unknown";
  return program.version === null ? program.name : `${program.name} ${program.version}`;
}

/** Names one of the targets of a client. */
export function targetKey({ backend, route }: ClientTargetView): string {
  return backend === null ? (route === null ? "rules" : `route:${route}`) : `backend:${backend}`;
}

interface TargetChange {
  id: string;
  to: ClientTargetView;
  /** Where its requests went until now. */
  before: ClientTargetView | undefined;
}

function effectOf({ backend, route }: ClientTargetView): string {
  if (backend !== null) return "Its requests for chat models go there now, whatever the routing rules say.";
  return route === null
    ? "The routing rules decide about its requests again."
    : "Its requests for chat models go to this route now, whatever model they name.";
}

export function useClientSwitch() {
  const { mutate } = useAction("clientSwitch", (call, { id, to: { backend, route } }: TargetChange) =>
    call({ id, backend, route }),
  );
  return useMemo(() => {
    const change = ({ id, to, before }: TargetChange) =>
      mutate(
        { id, to, before },
        {
          onSuccess: () =>
            notify({
              title: `${id}: ${to.label}`,
              detail: effectOf(to),
              ...(before && { undo: () => change({ id, to: before, before: to }) }),
            }),
          onError: notifyError,
        },
      );
    return change;
  }, [mutate]);
}

export function useClientBlock() {
  const { mutate: block } = useAction("clientBlock", (call, id: string) => call({ id }));
  const { mutate: allow } = useAction("clientAllow", (call, id: string) => call({ id }));
  return useMemo(() => {
    const change = (id: string, blocked: boolean) => {
      const onSuccess = () =>
        notify({
          title: blocked ? `${id} is blocked` : `${id} may send requests again`,
          detail: blocked ? "Its new requests are refused. Its token stays." : null,
          undo: () => change(id, !blocked),
        });
      (blocked ? block : allow)(id, { onSuccess, onError: notifyError });
    };
    return change;
  }, [block, allow]);
}
