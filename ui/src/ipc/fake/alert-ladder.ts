/** The fake core's ladder of alerts: a sound after ten minutes, and the webhook where clients are. */
import type { AlertLadderStepView, AlertLadderView, LadderStep } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault } from "@/ipc/fake/rules";
import type { Host } from "@/ipc/host";

type LadderOperation = "alertLadder" | "alertLadderSet";

const WAIT_SECS_MAX = 86_400;

const WHAT: Record<LadderStep, string> = {
  inbox: "the inbox",
  notification: "a notification",
  sound: "a sound",
  webhook: "the webhook",
  mail: "mail",
};

function stepsOf({ clients }: Doing["world"]): AlertLadderStepView[] {
  const isUsed = clients.length > 0;
  return [
    {
      step: "inbox",
      is_on: true,
      from_severity: "info",
      wait_secs: 0,
      text: "Every alert whose rule is not off.",
      is_editable: false,
    },
    {
      step: "notification",
      is_on: true,
      from_severity: "medium",
      wait_secs: 30,
      text: "A notification of the desktop; of critical alerts after 10 s.",
      is_editable: false,
    },
    {
      step: "sound",
      is_on: true,
      from_severity: "critical",
      wait_secs: 600,
      text: "The notification again, with a sound where the desktop plays one.",
      is_editable: true,
    },
    {
      step: "webhook",
      is_on: isUsed,
      from_severity: "high",
      wait_secs: isUsed ? 1800 : 0,
      text: isUsed
        ? "A message, and another one when it is over."
        : "Off. Switch it on in the settings of the webhook.",
      is_editable: true,
    },
    {
      step: "mail",
      is_on: false,
      from_severity: "high",
      wait_secs: 0,
      text: "Off. Switch it on in the settings of mail.",
      is_editable: true,
    },
  ];
}

function waitText(secs: number): string {
  if (secs === 0) return "at once";
  if (secs < 60) return `after ${secs} s`;
  return secs < 3600 ? `after ${Math.floor(secs / 60)} min` : `after ${Math.floor(secs / 3600)} h`;
}

function ladderOf(all: AlertLadderStepView[]): AlertLadderView {
  const steps = all.toSorted(
    (one, other) => Number(other.is_on) - Number(one.is_on) || one.wait_secs - other.wait_secs,
  );
  const parts = steps.filter(({ is_on }) => is_on).map(({ step, wait_secs }) => `${waitText(wait_secs)} ${WHAT[step]}`);
  const told = parts.join(", ");
  return { sentence: `${told.charAt(0).toUpperCase()}${told.slice(1)}. It ends when somebody acknowledges.`, steps };
}

export function fakeAlertLadder({ world, answer, changed }: Doing): Pick<Host, LadderOperation> {
  let steps = stepsOf(world);
  return {
    alertLadder: () => answer(() => ladderOf(steps)),
    alertLadderSet: ({ step: name, wait_secs: wait, from_severity: from }) =>
      answer(() => {
        if (wait !== null && wait > WAIT_SECS_MAX)
          throw fault("invalid_input", `a number from 0 to ${WAIT_SECS_MAX} s`, null, "wait_secs");
        steps = steps.map((step) =>
          step.step === name
            ? {
                ...step,
                wait_secs: wait ?? step.wait_secs,
                from_severity: from ?? step.from_severity,
                is_on: name === "sound" && wait !== null ? wait > 0 : step.is_on,
              }
            : step,
        );
        changed("alerts", "settings");
        return ladderOf(steps);
      }),
  };
}
