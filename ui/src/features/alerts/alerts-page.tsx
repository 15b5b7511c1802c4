/** The frame that the parts of Alerts share. */
import type { ReactNode } from "react";
import { LinkTabs } from "@/components/layout/link-tabs";
import { Page } from "@/components/layout/page";
import { useAlerts } from "@/ipc/alert-queries";
import { ALERT_SEVERITY } from "@/lib/tables";
import type { AlertsView } from "@/ipc/bindings";
import { formatCounted } from "@/lib/quantity";

export type AlertsPart = "firing" | "history" | "rules" | "silences" | "channels";

interface AlertsPageProps {
  current: AlertsPart;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function AlertsPage({ current, lead, actions, children }: AlertsPageProps) {
  const alerts = useAlerts().data;
  const firing = alerts?.alerts.filter(({ state }) => state !== "pending").length ?? 0;
  const tabs = [
    { id: "firing", label: "Firing", path: "/alerts", count: firing },
    { id: "history", label: "History", path: "/alerts/history" },
    { id: "rules", label: "Rules", path: "/alerts/rules" },
    { id: "silences", label: "Silences", path: "/alerts/silences", count: alerts?.silences.length ?? 0 },
    { id: "channels", label: "Channels", path: "/alerts/channels" },
  ];
  return (
    <Page title="Alerts" lead={lead ?? (alerts && leadOf(alerts))} actions={actions}>
      <LinkTabs label="Parts of Alerts" tabs={tabs} current={current} />
      {children}
    </Page>
  );
}

/** The question of the screen, answered: does something fire, and how bad is the worst of it? */
function leadOf({ alerts }: AlertsView): string {
  const [worst, ...others] = alerts.filter(({ state }) => state !== "pending");
  if (worst === undefined) return "No alerts are firing.";
  const all = formatCounted(others.length + 1, "alert is firing", "alerts are firing");
  return `${all}, ${others.length === 0 ? "" : "the worst is "}${ALERT_SEVERITY[worst.severity].word.toLowerCase()}.`;
}
