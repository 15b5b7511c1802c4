/** Severities of alerts: a choice of them, and which of them no notification tells. */
import { ALERT_SEVERITY } from "@/lib/tables";
import type { AlertChannelView, AlertRuleView, AlertSeverity } from "@/ipc/bindings";

/** From the least severe on. */
const ORDER: readonly AlertSeverity[] = ["info", "low", "medium", "high", "critical"];

export const SEVERITIES = ORDER.map((value) => ({ value, label: ALERT_SEVERITY[value].word }));

/** Null where it depends on what happened. One that is fixed is a word of the rule's own sentence. */
export function severityOf({ severity, condition }: AlertRuleView): AlertSeverity | null {
  const isNamed = (one: AlertSeverity) => condition.includes(`. ${ALERT_SEVERITY[one].word}.`);
  return severity?.value ?? ORDER.find(isNamed) ?? null;
}

/** Says that the desktop shows no alert of this severity, and where it is instead; null if it shows it. */
export function unshownText(
  severity: AlertSeverity,
  channels: AlertChannelView[],
): { short: string; sentence: string } | null {
  const isTold = ({ state, from_severity: from }: AlertChannelView) =>
    state !== "off" && ORDER.indexOf(severity) >= ORDER.indexOf(from);
  const desktop = channels.find(({ channel }) => channel === "desktop");
  if (desktop === undefined || ORDER.indexOf(severity) >= ORDER.indexOf(desktop.from_severity)) return null;
  const isSent = channels.some(isTold);
  const from = ALERT_SEVERITY[desktop.from_severity].word.toLowerCase();
  return {
    short: isSent ? "not shown" : "inbox only",
    sentence: `${isSent ? "Not on the desktop" : "In the inbox only"}: the desktop shows alerts from ${from}.`,
  };
}
