/** What a rule would do with made-up facts, step by step. Nothing of it is saved, shown elsewhere or sent. */
import { ErrorNotice } from "@/components/notice/error-notice";
import { useRuleRehearsal } from "@/ipc/alert-queries";
import type { AlertRehearsalStepView, AlertRuleSet } from "@/ipc/bindings";
import { formatCountdown } from "@/lib/time";

export function Rehearsal({ numbers }: { numbers: AlertRuleSet }) {
  const { data, error } = useRuleRehearsal(numbers);
  return (
    <section ref={reveal} aria-label="Rehearsal" className="flex flex-col gap-2 border-t border-line pt-4">
      <h3 className="font-semibold">Rehearsal</h3>
      <p role="status" className="text-pretty text-ink-1">
        {data?.sentence}
      </p>
      {data?.notes.map((note) => (
        <p key={note} className="text-12 text-ink-3">
          {note}
        </p>
      ))}
      {data !== undefined && data.steps.length > 0 && (
        <ol aria-label="Steps of the rehearsal" className="flex flex-col">
          {data.steps.map((step, place) => (
            <Step key={place} step={step} />
          ))}
        </ol>
      )}
      {error?.code !== "invalid_input" && <ErrorNotice error={error} />}
    </section>
  );
}

/** It opens below what is in sight. */
function reveal(section: HTMLElement | null) {
  section?.scrollIntoView?.({ block: "nearest" });
}

function Step({ step }: { step: AlertRehearsalStepView }) {
  const { after_secs: after, text, title, body } = step;
  return (
    <li className="grid grid-cols-[72px_12px_1fr] gap-x-2 pb-2 last:pb-0">
      <span className="numeric text-12 text-ink-3">{after === 0 ? "at once" : formatCountdown(after * 1_000)}</span>
      <span aria-hidden className="flex flex-col items-center">
        <span
          className={
            title === null ? "mt-1.5 size-1.5 rounded-full bg-line-strong" : "mt-1.5 size-1.5 rounded-full bg-accent"
          }
        />
        <span className="-mb-2 w-px flex-1 bg-line [li:last-child_&]:hidden" />
      </span>
      <span className="min-w-0">
        <span className="text-12 text-ink-1">{text}</span>
        {title !== null && (
          <span className="mt-1 block rounded-control border border-line bg-surface-2 px-2.5 py-1.5 text-12">
            <span className="block font-medium text-ink-1">{title}</span>
            {body !== null && <span className="block text-ink-2">{body}</span>}
          </span>
        )}
      </span>
    </li>
  );
}
