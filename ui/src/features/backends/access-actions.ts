/** Sets a breaker manually and undoes it. */
import { useMemo } from "react";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { EndpointForce, EndpointRef, EndpointView, BreakerOverride } from "@/ipc/bindings";
import { FORCED_WORD } from "@/lib/tables";
import { formatClockSeconds } from "@/lib/time";

export function useAccessForce() {
  const { mutate: set } = useAction("accessForce", (call, req: EndpointForce) => call(req));
  const { mutate: clear } = useAction("accessReset", (call, req: EndpointRef) => call(req));
  return useMemo(() => {
    const force = (
      { backend, backend_label, credential }: EndpointView,
      forced: BreakerOverride,
      minutes: number | null,
    ) =>
      set(
        { backend, credential, forced, minutes },
        {
          onSuccess: ({ forced: set }) =>
            notify({
              title: `${backend_label}: ${FORCED_WORD[forced].toLowerCase()}`,
              detail: set === null || set.until === null ? "Until reset." : `Until ${formatClockSeconds(set.until)}.`,
              undo: () => clear({ backend, credential }, { onError: notifyError }),
            }),
          onError: notifyError,
        },
      );
    const reset = ({ backend, backend_label, credential }: EndpointView) =>
      clear(
        { backend, credential },
        { onSuccess: () => notify({ title: `${backend_label} was reset` }), onError: notifyError },
      );
    return { force, reset };
  }, [set, clear]);
}
