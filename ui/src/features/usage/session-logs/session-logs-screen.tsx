/** Usage from the session logs of coding tools, which is part of no other total. */
import { SessionLogs } from "@/features/usage/session-logs/session-logs";
import { Page } from "@/components/layout/page";
import { UsageTabs } from "@/components/layout/usage-tabs";

export function SessionLogsScreen() {
  return (
    <Page title="Usage" lead="What coding tools wrote down themselves. It is part of no other total.">
      <UsageTabs current="session-logs" />
      <SessionLogs zone="local" />
    </Page>
  );
}
