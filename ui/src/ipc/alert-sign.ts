/** How alerts are shown: the severity of one that fires, and what became of one that ended. */
import type { AlertChannelState, AlertSeverity, InboxEntryView } from "@/ipc/bindings";
import type { Sign } from "@/lib/tables";

export const SEVERITY: Record<AlertSeverity, Sign> = {
  critical: { word: "Critical", shape: "barred", tone: "bad" },
  high: { word: "High", shape: "square", tone: "bad" },
  medium: { word: "Medium", shape: "triangle", tone: "warn" },
  low: { word: "Low", shape: "half", tone: "info" },
  info: { word: "Info", shape: "ring", tone: "info" },
};

const RESOLVED: Sign = { word: "Resolved", shape: "disc", tone: "ok" };
/** Its rule was switched off, or nothing is known any more. */
const ENDED: Sign = { word: "Ended", shape: "dash", tone: "muted" };

export function signOfEntry({ severity, ended_at: ended, ending }: InboxEntryView): Sign {
  if (ended === null) return SEVERITY[severity];
  return ending === "resolved" ? RESOLVED : ENDED;
}

export const CHANNEL_STATE: Record<AlertChannelState, Sign> = {
  working: { word: "Works", shape: "disc", tone: "ok" },
  failing: { word: "Fails", shape: "barred", tone: "bad" },
  "not-set-up": { word: "Not set up", shape: "triangle", tone: "warn" },
  untried: { word: "Not tried", shape: "ring", tone: "info" },
  off: { word: "Off", shape: "dash", tone: "muted" },
};
