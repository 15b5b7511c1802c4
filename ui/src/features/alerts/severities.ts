/** Severities of alerts, from the least severe on, for a choice. */
import { ALERT_SEVERITY } from "@/lib/tables";
import type { AlertSeverity } from "@/ipc/bindings";

const ORDER: readonly AlertSeverity[] = ["info", "low", "medium", "high", "critical"];

export const SEVERITIES = ORDER.map((value) => ({ value, label: ALERT_SEVERITY[value].word }));
