/** The checks by category, live while a run goes; each opens to its evidence, cause and repair. */
import { ChevronRight } from "lucide-react";
import { ActionButton } from "@/ipc/action-button";
import { StateMark, TONE_TEXT } from "@/components/state-mark";
import type { CheckView, RunView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { groupBy } from "@/lib/group";
import { formatDuration } from "@/lib/quantity";
import { CHECK, SEVERITY_WORD } from "@/lib/states";

export function ChecksList({ run }: { run: RunView }) {
  const settled = run.checks.filter((check) => check.state !== "waiting" && check.state !== "running").length;
  return (
    <section
      aria-label="Checks"
      aria-busy={run.state === "running"}
      className="overflow-hidden rounded-card border border-line bg-surface-1"
    >
      {run.state === "running" && (
        <div className="border-b border-line px-4 py-2.5">
          <div className="mb-1.5 flex justify-between text-12 text-ink-2">
            <span role="status">{run.sentence}</span>
            <span>{run.set === "quick" ? "quick set" : "all checks"}</span>
          </div>
          <div
            role="progressbar"
            aria-label="Checks done"
            aria-valuemin={0}
            aria-valuemax={run.checks.length}
            aria-valuenow={settled}
            className="h-1 overflow-hidden rounded-full bg-surface-3"
          >
            <div
              data-mark
              className="h-full bg-accent transition-[width] duration-150 ease-out"
              style={{ width: `${(settled / Math.max(run.checks.length, 1)) * 100}%` }}
            />
          </div>
        </div>
      )}
      {[...groupBy(run.checks, (check) => check.category)].map(([category, checks]) => (
        <div key={category} className="border-b border-line last:border-b-0">
          <h2 className="flex h-8 items-center bg-surface-2/60 px-4 text-12 font-medium text-ink-2">{category}</h2>
          {checks.map((check) => (
            <Check key={check.id} check={check} />
          ))}
        </div>
      ))}
    </section>
  );
}

function Check({ check }: { check: CheckView }) {
  const sign = CHECK[check.state];
  const isBad = check.state === "fail" || check.state === "warn" || check.state === "crashed";
  return (
    <details key={isBad ? "bad" : "fine"} open={isBad} className="group border-t border-line first-of-type:border-t-0">
      <summary className="focus-inset flex min-h-10 list-none items-center gap-3 px-4 py-1.5 hover:bg-surface-2 [&::-webkit-details-marker]:hidden">
        <StateMark sign={sign} />
        <span className="min-w-0 flex-1 text-ink-1">{check.title}</span>
        <span className={classNames("text-12 whitespace-nowrap", isBad ? TONE_TEXT[sign.tone] : "text-ink-2")}>
          {sign.word}
        </span>
        <span className="hidden w-14 text-12 text-ink-3 @min-[640px]:inline">{SEVERITY_WORD[check.severity]}</span>
        <span className="numeric hidden w-14 text-12 text-ink-3 @min-[640px]:inline">
          {check.duration_ms === null ? "" : formatDuration(check.duration_ms)}
        </span>
        <ChevronRight
          size={14}
          strokeWidth={1.5}
          aria-hidden
          className="shrink-0 text-ink-3 transition-transform duration-150 group-open:rotate-90"
        />
      </summary>
      <div className="flex items-start gap-4 px-4 pt-0.5 pb-3 pl-10">
        <div className="flex min-w-0 flex-1 flex-col gap-1 [overflow-wrap:anywhere]">
          {check.cause !== null && <p className="text-ink-1">{check.cause}</p>}
          {check.fix !== null && <p className="text-ink-2">{check.fix}</p>}
          {check.evidence.length > 0 && (
            <ul aria-label="Evidence" className="flex flex-col gap-0.5 font-mono text-11 leading-4 text-ink-3">
              {check.evidence.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )}
          <p className="text-11 text-ink-3">
            {check.id}
            {check.depends_on.length > 0 && `, after ${check.depends_on.join(", ")}`}
          </p>
        </div>
        {check.action !== null && <ActionButton action={check.action} />}
      </div>
    </details>
  );
}
