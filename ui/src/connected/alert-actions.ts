/** Acknowledges and silences an alert that fires, wherever it is shown. */
import { BellOff, Check } from "lucide-react";
import type { MenuEntry } from "@/components/menu/menu";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { AlertSilence, AlertView } from "@/ipc/bindings";
import { useNow } from "@/lib/clock";
import { SILENCE_SPANS, silenceEnd } from "@/lib/silence-spans";

export interface AlertActions {
  /** `null` once it is acknowledged, and while it is pending. */
  acknowledge: MenuEntry | null;
  isAcknowledging: boolean;
  silences: MenuEntry[];
}

/** The actions of any alert that fires. */
export function useAlertActions(): (alert: AlertView) => AlertActions {
  const now = useNow();
  const acknowledge = useAction("alertAcknowledge", (call, of: number) => call({ number: of }));
  const remove = useAction("silenceRemove", (call, of: number) => call({ number: of }));
  const silence = useAction("alertSilence", (call, req: AlertSilence) => call(req));
  return ({ number, rule, silence_scope: scope, title, acknowledged_at: acknowledged }) => ({
    acknowledge:
      number === null || acknowledged !== null
        ? null
        : {
            label: "Acknowledge",
            icon: Check,
            onChoose: () => acknowledge.mutate(number, { onError: notifyError }),
          },
    isAcknowledging: acknowledge.isPending && acknowledge.variables === number,
    silences: SILENCE_SPANS.map(({ value, label }) => ({
      label: `Silence ${label}`,
      icon: BellOff,
      onChoose: () =>
        silence.mutate(
          { rule, scope, reason: title, until: silenceEnd(value, now) },
          {
            onError: notifyError,
            onSuccess: (made) =>
              notify({
                title: `Silenced ${title}`,
                detail: "It is still measured and listed.",
                undo: () => remove.mutate(made.number, { onError: notifyError }),
              }),
          },
        ),
    })),
  });
}
