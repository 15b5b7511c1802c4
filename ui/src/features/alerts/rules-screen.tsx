/** The rules that alerts come from: when each one fires, and what becomes of its alerts. */
import { SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import { AlertsPage } from "@/features/alerts/alerts-page";
import { DELIVERIES } from "@/features/alerts/deliveries";
import { RuleEditor } from "@/features/alerts/rule-editor";
import { Button, IconButton } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Select } from "@/components/form/select";
import { LoadingCard } from "@/components/notice/skeleton";
import { useAction } from "@/ipc/actions";
import { useAlertRules } from "@/ipc/alert-queries";
import { formatCounted } from "@/lib/quantity";
import { notify, notifyError } from "@/components/overlay/toast";
import type { AlertDelivery, AlertGroup, AlertRuleSet, AlertRuleView } from "@/ipc/bindings";

const GROUPS: { group: AlertGroup; title: string }[] = [
  { group: "backends", title: "Backends" },
  { group: "services", title: "Services" },
  { group: "money", title: "Money" },
  { group: "keys", title: "Keys" },
  { group: "local-app", title: "This machine" },
];

export function RulesScreen() {
  const rules = useAlertRules();
  return (
    <AlertsPage current="rules" lead={rules.data && leadOf(rules.data)}>
      <Reading of={rules} skeleton={<LoadingCard label="Loading rules" className="h-[420px]" />}>
        {(all) => (
          <>
            <Noise rules={all} />
            {GROUPS.map(({ group, title }) => {
              const rows = all.filter((rule) => rule.group === group);
              return (
                rows.length > 0 && (
                  <Card key={group} title={title} flush>
                    <ul>
                      {rows.map((rule) => (
                        <Rule key={rule.rule} rule={rule} />
                      ))}
                    </ul>
                  </Card>
                )
              );
            })}
            <p className="text-12 text-ink-3">
              Settings: <PanelLink path="/settings?part=Quiet+hours">quiet hours</PanelLink>,{" "}
              <PanelLink path="/settings?part=Notifications">desktop notifications</PanelLink>.
            </p>
          </>
        )}
      </Reading>
    </AlertsPage>
  );
}

/** Rules that told often of what nobody acted on, each with what would make it quieter. */
function Noise({ rules }: { rules: AlertRuleView[] }) {
  const noisy = rules.filter(({ noise }) => noise !== null);
  return (
    noisy.length > 0 && (
      <Card title="Nobody acted on these" note="in the last 7 days" flush>
        <ul>
          {noisy.map((rule) => (
            <NoisyRule key={rule.rule} rule={rule} />
          ))}
        </ul>
      </Card>
    )
  );
}

function NoisyRule({ rule }: { rule: AlertRuleView }) {
  const set = useAction("alertRuleSet", (call, numbers: AlertRuleSet) => call(numbers));
  if (rule.noise === null) return null;
  const { sentence, label, change } = rule.noise;
  const before: AlertRuleSet = {
    rule: rule.rule,
    delivery: rule.delivery,
    hold_secs: rule.hold?.value ?? null,
    threshold: null,
    minimum: null,
    severity: rule.severity?.value ?? null,
  };
  const quieten = (numbers: AlertRuleSet) =>
    set.mutate(numbers, {
      onError: notifyError,
      onSuccess: () =>
        notify({
          title: `Saved the rule ${rule.title}`,
          undo: () => set.mutate(before, { onError: notifyError }),
        }),
    });
  return (
    <li className="flex items-center gap-4 border-b border-line px-4 py-2.5 last:border-b-0">
      <div className="min-w-0 flex-1">
        <h3 className="font-medium text-ink-1">{rule.title}</h3>
        <p className="text-12 text-pretty text-ink-2">{sentence}</p>
      </div>
      {change !== null && (
        <Button size="small" busy={set.isPending} onClick={() => quieten(change)}>
          {label}
          <span className="sr-only">: {rule.title}</span>
        </Button>
      )}
    </li>
  );
}

function Rule({ rule }: { rule: AlertRuleView }) {
  const [isEditing, setEditing] = useState(false);
  const set = useAction("alertRuleSet", (call, delivery: AlertDelivery) =>
    call({ rule: rule.rule, delivery, hold_secs: null, threshold: null, minimum: null, severity: null }),
  );
  return (
    <li className="flex items-center gap-4 border-b border-line px-4 py-2.5 last:border-b-0">
      <div className="min-w-0 flex-1">
        <h3 className={rule.delivery === "off" ? "font-medium text-ink-3" : "font-medium text-ink-1"}>{rule.title}</h3>
        <p className="text-12 text-pretty text-ink-2">{rule.condition}</p>
        <p className="text-12 text-ink-3">
          {rule.last_fired_at === null ? (
            "Never fired"
          ) : (
            <>
              Last fired <Moment at={rule.last_fired_at} />, {formatCounted(rule.fired_last_week, "time", "times")} in 7
              days
            </>
          )}
        </p>
      </div>
      <Select
        aria-label={`${rule.title}: what becomes of its alerts`}
        options={DELIVERIES}
        value={rule.delivery}
        onChange={(delivery) => set.mutate(delivery, { onError: notifyError })}
        className="w-36"
      />
      <IconButton
        label={`Edit the rule ${rule.title}`}
        icon={SlidersHorizontal}
        disabled={rule.hold === null}
        onClick={() => setEditing(true)}
      />
      {isEditing && <RuleEditor rule={rule} onClose={() => setEditing(false)} />}
    </li>
  );
}

function leadOf(rules: AlertRuleView[]): string {
  const off = rules.filter(({ delivery }) => delivery === "off").length;
  return `${rules.length} rules${off === 0 ? ", all of them on" : `, ${off} off`}.`;
}
