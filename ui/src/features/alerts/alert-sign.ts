/** How an alert is shown: by its severity while it fires, then by what became of it. */
import type { InboxEntryView } from "@/ipc/bindings";
import { ALERT_ENDING, ALERT_SEVERITY, type Sign } from "@/lib/tables";

export function signOfEntry({ severity, ended_at: ended, ending }: InboxEntryView): Sign {
  return ended === null ? ALERT_SEVERITY[severity] : ALERT_ENDING[ending ?? "unknown"];
}
