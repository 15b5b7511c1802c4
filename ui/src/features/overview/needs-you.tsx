/** What needs attention, most urgent first. The core limits it to five. */
import { SquareArrowOutUpRight } from "lucide-react";
import { alertsAbout } from "@/features/overview/issue-alerts";
import { ActionButton } from "@/connected/action-button";
import { useAlertActions } from "@/connected/alert-actions";
import { Card } from "@/components/layout/card";
import { useContextualActions } from "@/components/menu/contextual-actions";
import { Menu, type MenuEntry } from "@/components/menu/menu";
import { Moment } from "@/components/text/moment";
import { StateMark } from "@/components/state/state-mark";
import { WithCode } from "@/components/text/with-code";
import { useAlerts } from "@/ipc/alert-queries";
import type { AlertView, SilenceView, StatusIssueView, VerdictView } from "@/ipc/bindings";
import { VERDICT } from "@/lib/tables";

const NO_SILENCES: SilenceView[] = [];

export function NeedsYou({ verdict }: { verdict: VerdictView }) {
  const { alerts = [], silences = NO_SILENCES } = useAlerts().data ?? {};
  if (verdict.needs.length === 0) {
    return (
      <section
        aria-label="Issues"
        className="flex items-center gap-3 rounded-card border border-line bg-surface-1 px-4 py-3"
      >
        <StateMark sign={VERDICT[verdict.level]} size={14} />
        <h2 className="font-medium whitespace-nowrap">{verdict.level === "ok" ? "All clear" : "No known issues"}</h2>
        <span className="truncate text-12 text-ink-3">Problems will show up here, most urgent first.</span>
      </section>
    );
  }
  const issues = verdict.needs.map((need) => ({ need, alerts: alertsAbout(need, alerts) }));
  const hasMenus = issues.some((issue) => issue.alerts.length > 0);
  return (
    <Card title="Issues" note={verdict.needs.length} flush>
      <ul>
        {issues.map((issue) => (
          <Issue key={issue.need.id} {...issue} silences={silences} hasMenus={hasMenus} />
        ))}
      </ul>
    </Card>
  );
}

interface IssueProps {
  need: StatusIssueView;
  /** Those that fire about it. */
  alerts: AlertView[];
  silences: SilenceView[];
  /** Other issues have a menu, for which there is room here too. */
  hasMenus: boolean;
}

function Issue({ need, alerts, silences, hasMenus }: IssueProps) {
  return (
    <li className="flex min-h-[44px] items-center gap-3 border-b border-line px-4 py-1 last:border-b-0">
      <StateMark sign={VERDICT[need.level]} size={14} />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium text-ink-1" title={need.title}>
          <span className="sr-only">{VERDICT[need.level].word}: </span>
          {need.title}
        </p>
        <p className="text-12 text-ink-2">
          <WithCode>{need.impact}</WithCode>
          {need.since !== null && (
            <span className="text-ink-3">
              {" "}
              Began <Moment at={need.since} />.
            </span>
          )}
          {alerts.map((alert) => (
            <Handled
              key={alert.number}
              alert={alert}
              silence={silences.find(({ number }) => number === alert.silenced_by)}
            />
          ))}
        </p>
      </div>
      <ActionButton action={need.action} need={need.id} />
      {alerts.length > 0 ? <AlertMenu need={need} alerts={alerts} /> : hasMenus && <span className="size-7 shrink-0" />}
    </li>
  );
}

/** What the user did about an alert. */
function Handled({ alert, silence }: { alert: AlertView; silence: SilenceView | undefined }) {
  return (
    <span className="text-ink-3">
      {alert.acknowledged_at !== null && " Acknowledged."}
      {silence !== undefined && (
        <>
          {" "}
          Silenced, ends <Moment at={silence.until} />.
        </>
      )}
    </span>
  );
}

function AlertMenu({ need, alerts }: { need: StatusIssueView; alerts: AlertView[] }) {
  const actionsOf = useAlertActions();
  const entries = alerts.flatMap((alert): MenuEntry[] => {
    const { acknowledge, silences } = actionsOf(alert);
    const open = {
      label: "Open alert",
      icon: SquareArrowOutUpRight,
      onChoose: () => {
        window.location.hash = `/alerts/${alert.number}`;
      },
    };
    const all = [...(acknowledge === null ? [] : [acknowledge]), ...silences, open];
    // Of several alerts each entry says which one it is about.
    return alerts.length === 1 ? all : all.map((entry) => ({ ...entry, label: `${entry.label}: ${alert.title}` }));
  });
  useContextualActions({ kind: "Alert", id: need.id, name: need.title, isOpen: false, actions: entries });
  return <Menu label={`More for ${need.title}`} entries={entries} />;
}
