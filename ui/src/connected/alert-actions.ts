/** Acknowledges and silences an alert that fires, wherever it is shown. */
import { BellOff, Check } from "lucide-react";
import type { MenuEntry } from "@/components/menu";
import { notify, notifyError } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { AlertSilence, AlertView } from "@/ipc/bindings";
import { useNow } from "@/lib/clock";
import { HOUR_MS } from "@/lib/time";

const SILENCES = [
  { label: "Silence for 1 hour", hours: 1 },
  { label: "Silence for 8 hours", hours: 8 },
  { label: "Silence for a day", hours: 24 },
];

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
    silences: SILENCES.map(({ label, hours }) => ({
      label,
      icon: BellOff,
      onChoose: () =>
        silence.mutate(
          { rule, scope, reason: title, until: now + hours * HOUR_MS },
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
