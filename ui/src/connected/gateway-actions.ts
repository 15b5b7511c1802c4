/** Pauses and resumes the gateway, with an undo in the toast. */
import { useMemo } from "react";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";

export function useGatewayPause() {
  const { mutate: pause, isPending: isPausing } = useAction("gatewayPause", (call) => call());
  const { mutate: resume, isPending: isResuming } = useAction("gatewayResume", (call) => call());
  const change = useMemo(() => {
    const set = (paused: boolean) =>
      (paused ? pause : resume)(undefined, {
        onSuccess: () =>
          notify({
            title: paused ? "The gateway is paused" : "The gateway answers again",
            detail: paused ? "New requests are refused; requests in flight continue." : null,
            undo: () => set(!paused),
          }),
        onError: notifyError,
      });
    return set;
  }, [pause, resume]);
  return { change, isPending: isPausing || isResuming };
}
