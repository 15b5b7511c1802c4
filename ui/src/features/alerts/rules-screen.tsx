/** The rules that alerts come from: when each one fires, and what becomes of its alerts. */
import { AlertsPage } from "@/features/alerts/alerts-page";
import { RuleColumns, RuleRow } from "@/features/alerts/rule-row";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import { useAction } from "@/ipc/actions";
import { useAlertChannels, useAlertRules } from "@/ipc/alert-queries";
import { notify, notifyError } from "@/components/overlay/toast";
import type { AlertChannelView, AlertGroup, AlertRuleSet, AlertRuleView } from "@/ipc/bindings";

const GROUPS: { group: AlertGroup; title: string }[] = [
  { group: "backends", title: "Backends" },
  { group: "services", title: "Services" },
  { group: "money", title: "Money" },
  { group: "keys", title: "Keys" },
  { group: "local-app", title: "This machine" },
];

export function RulesScreen() {
  const rules = useAlertRules();
  const channels = useAlertChannels().data ?? [];
  return (
    <AlertsPage current="rules" lead={rules.data && leadOf(rules.data)}>
      <Reading of={rules} skeleton={<LoadingCard label="Loading rules" className="h-[420px]" />}>
        {(all) => (
          <>
            <Noise rules={all} />
            <section
              aria-label="Rules"
              className="@container overflow-hidden rounded-card border border-line bg-surface-1"
            >
              <RuleColumns />
              {GROUPS.map(({ group, title }) => (
                <Group
                  key={group}
                  title={title}
                  rules={all.filter((rule) => rule.group === group)}
                  channels={channels}
                />
              ))}
            </section>
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

interface GroupProps {
  title: string;
  rules: AlertRuleView[];
  channels: AlertChannelView[];
}

function Group({ title, rules, channels }: GroupProps) {
  return (
    rules.length > 0 && (
      <>
        <h2 className="border-t border-line bg-surface-2 px-4 py-1.5 text-12 font-medium text-ink-2">{title}</h2>
        <ul aria-label={title}>
          {rules.map((rule) => (
            <RuleRow key={rule.rule} rule={rule} channels={channels} />
          ))}
        </ul>
      </>
    )
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

function leadOf(rules: AlertRuleView[]): string {
  const off = rules.filter(({ delivery }) => delivery === "off").length;
  return `${rules.length} rules${off === 0 ? ", all of them on" : `, ${off} off`}.`;
}
