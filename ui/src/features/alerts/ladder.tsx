/** The ladder of alerts as a time line: who is told when, until somebody acknowledges. Waits and severities are set here. */
import { Card } from "@/components/layout/card";
import { Reading } from "@/components/notice/reading";
import { Select } from "@/components/form/select";
import { LoadingCard } from "@/components/notice/skeleton";
import { SEVERITIES } from "@/features/alerts/severities";
import { useAction } from "@/ipc/actions";
import { useAlertLadder } from "@/ipc/alert-queries";
import { notifyError } from "@/components/overlay/toast";
import type { AlertLadderSet, AlertLadderStepView, AlertSeverity, LadderStep } from "@/ipc/bindings";
import { ALERT_SEVERITY } from "@/lib/tables";
import { formatCountdown } from "@/lib/time";

const TITLES: Record<LadderStep, string> = {
  inbox: "Inbox",
  notification: "Notification",
  sound: "Notification with a sound",
  webhook: "Webhook",
  mail: "Mail",
};

/** In seconds. */
const WAITS = [0, 60, 300, 600, 1800, 3600, 14_400] as const;

export function Ladder() {
  const ladder = useAlertLadder();
  return (
    <Reading of={ladder} skeleton={<LoadingCard label="Loading the ladder" className="h-[260px]" />}>
      {({ steps }) => (
        <Card title="Escalation" note="until somebody acknowledges" flush>
          <ol aria-label="Steps of the ladder" className="px-4 py-2">
            {steps.map((step) => (
              <Step key={step.step} step={step} />
            ))}
          </ol>
        </Card>
      )}
    </Reading>
  );
}

function Step({ step }: { step: AlertLadderStepView }) {
  const { step: name, is_on: isOn, text, from_severity: from, wait_secs: wait, is_editable: isEditable } = step;
  const set = useAction("alertLadderSet", (call, req: AlertLadderSet) => call(req));
  const change = (changed: Partial<AlertLadderSet>) =>
    set.mutate({ step: name, wait_secs: null, from_severity: null, ...changed }, { onError: notifyError });
  const title = TITLES[name];
  return (
    <li className="grid grid-cols-[64px_12px_1fr] gap-x-3">
      <span className="numeric py-2 text-12 text-ink-3">{isOn ? waitText(wait) : "off"}</span>
      <span aria-hidden className="flex flex-col items-center">
        <span
          className={
            isOn
              ? "mt-3 size-2 shrink-0 rounded-full bg-accent"
              : "mt-3 size-2 shrink-0 rounded-full border border-line-strong"
          }
        />
        <span className="-mb-3 w-px flex-1 bg-line [li:last-child_&]:hidden" />
      </span>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1.5 py-1.5">
        <div className="min-w-[200px] flex-1">
          <p className={isOn ? "font-medium text-ink-1" : "font-medium text-ink-3"}>{title}</p>
          <p className="text-12 text-pretty text-ink-2">{text}</p>
        </div>
        {isEditable ? (
          <>
            <Select
              aria-label={`${title}: wait`}
              options={waitOptions(name, wait)}
              value={String(wait)}
              onChange={(secs) => change({ wait_secs: Number(secs) })}
              className="w-36"
            />
            <Select
              aria-label={`${title}: from severity`}
              options={SEVERITIES.map(({ value }) => ({ value, label: fromText(value) }))}
              value={from}
              onChange={(severity) => change({ from_severity: severity })}
              className="w-36"
            />
          </>
        ) : (
          <span className="text-12 text-ink-3">{name === "inbox" ? "All alerts" : fromText(from)}</span>
        )}
      </div>
    </li>
  );
}

function waitText(secs: number): string {
  return secs === 0 ? "at once" : formatCountdown(secs * 1_000);
}

/** The usual waits and the present one. No wait is never for the sound, which would come with every notification. */
function waitOptions(step: LadderStep, present: number) {
  const all = [...new Set([...WAITS, present])].toSorted((left, right) => left - right);
  return all.map((secs) => ({
    value: String(secs),
    label: secs === 0 ? (step === "sound" ? "Never" : "At once") : `After ${formatCountdown(secs * 1_000)}`,
  }));
}

function fromText(severity: AlertSeverity): string {
  return `From ${ALERT_SEVERITY[severity].word.toLowerCase()}`;
}
