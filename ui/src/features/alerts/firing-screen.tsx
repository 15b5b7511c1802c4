/** What fires now, what is about to, and what is part of something else. */
import { ShieldCheck } from "lucide-react";
import type { ReactNode } from "react";
import { AlertsPage } from "@/features/alerts/alerts-page";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { useContextualActions } from "@/components/menu/contextual-actions";
import { EmptyState } from "@/components/notice/empty-state";
import { Menu } from "@/components/menu/menu";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { StateMark } from "@/components/state/state-mark";
import { WithCode } from "@/components/text/with-code";
import { useAlertActions } from "@/connected/alert-actions";
import { useAlerts } from "@/ipc/alert-queries";
import { ALERT_SEVERITY } from "@/lib/tables";
import type { AlertsView, AlertView, SilenceView, SuppressedAlertView } from "@/ipc/bindings";

export function FiringScreen() {
  const alerts = useAlerts();
  return (
    <AlertsPage current="firing">
      <Reading
        of={alerts}
        skeleton={
          <div className="rounded-card border border-line bg-surface-1">
            <SkeletonRows rows={4} label="Loading alerts" />
          </div>
        }
      >
        {(data) => <Now alerts={data} />}
      </Reading>
    </AlertsPage>
  );
}

function Now({ alerts: { alerts, suppressed, silences } }: { alerts: AlertsView }) {
  const firing = alerts.filter(({ state }) => state !== "pending");
  const pending = alerts.filter(({ state }) => state === "pending");
  const silenceOf = ({ silenced_by: by }: AlertView) => silences.find(({ number }) => number === by);
  return (
    <>
      <section aria-label="Firing" className="rounded-card border border-line bg-surface-1">
        {firing.length === 0 ? (
          <EmptyState icon={ShieldCheck} title="No alerts are firing">
            An alert fires when one of the rules holds for long enough. What fired before is in the history.
          </EmptyState>
        ) : (
          <ul>
            {firing.map((alert) => (
              <Line key={`${alert.number} ${alert.title}`} alert={alert} silence={silenceOf(alert)}>
                <AlertControls alert={alert} />
              </Line>
            ))}
          </ul>
        )}
      </section>
      {pending.length > 0 && (
        <Card title="Pending" note="these fire if they last" flush>
          <ul>
            {pending.map((alert) => (
              <Line key={`${alert.rule} ${alert.title}`} alert={alert} />
            ))}
          </ul>
        </Card>
      )}
      {suppressed.length > 0 && <Suppressed alerts={suppressed} />}
    </>
  );
}

const ROW = "flex min-h-[52px] items-center gap-3 border-b border-line px-4 py-2 last:border-b-0";

interface LineProps {
  alert: AlertView;
  silence?: SilenceView | undefined;
  children?: ReactNode;
}

function Line({ alert, silence, children }: LineProps) {
  const sign = ALERT_SEVERITY[alert.severity];
  return (
    <li className={ROW}>
      <StateMark sign={sign} size={14} />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium text-ink-1" title={alert.title}>
          <span className="sr-only">{sign.word}: </span>
          {alert.number === null ? (
            alert.title
          ) : (
            <PanelLink look="plain" path={`/alerts/${alert.number}`}>
              {alert.title}
            </PanelLink>
          )}
        </p>
        <p className="text-12 text-ink-2">
          <WithCode>{alert.detail}</WithCode>{" "}
          <span className="text-ink-3">
            Began <Moment at={alert.since} />
            {alert.acknowledged_at !== null && ", acknowledged"}
            {alert.state === "ending" && ", over unless it comes back"}
            {silence !== undefined && (
              <>
                , silenced (ends <Moment at={silence.until} />)
              </>
            )}
            .
          </span>
        </p>
      </div>
      {children}
    </li>
  );
}

function AlertControls({ alert }: { alert: AlertView }) {
  const { acknowledge, isAcknowledging, silences } = useAlertActions()(alert);
  const { number, title, path } = alert;
  useContextualActions({
    kind: "Alert",
    id: String(number),
    name: title,
    isOpen: false,
    actions: [...(acknowledge === null ? [] : [acknowledge]), ...silences],
  });
  return (
    <span className="flex items-center gap-1.5">
      {acknowledge !== null && (
        <Button size="small" icon={acknowledge.icon} busy={isAcknowledging} onClick={acknowledge.onChoose}>
          {acknowledge.label}
        </Button>
      )}
      <Button asChild size="small">
        <PanelLink look="none" path={path}>
          Open
        </PanelLink>
      </Button>
      <Menu label={`More for ${title}`} entries={silences} />
    </span>
  );
}

function Suppressed({ alerts }: { alerts: SuppressedAlertView[] }) {
  return (
    <Card title="Part of another alert" note="these have no alert of their own" flush>
      <ul>
        {alerts.map((alert) => (
          <li key={`${alert.rule} ${alert.title}`} className={ROW}>
            <div className="min-w-0 flex-1">
              <p className="truncate text-ink-1">{alert.title}</p>
              <p className="text-12 text-ink-2">
                Part of <code className="font-mono text-11">{alert.by}</code>
              </p>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}
