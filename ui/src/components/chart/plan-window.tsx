/** One window of a plan: how much of it is used, how much of its time is over, and whether it lasts. */
import { BudgetBar } from "@/components/chart/budget-bar";
import { Moment } from "@/components/text/moment";
import { TONE_TEXT } from "@/components/state/state-mark";
import type { PlanWindowView } from "@/ipc/bindings";
import { PLAN_WINDOW } from "@/lib/tables";
import { formatPercent } from "@/lib/percent";

export function PlanWindow({ window }: { window: PlanWindowView }) {
  const sign = PLAN_WINDOW[window.state];
  return (
    <div className="flex flex-col gap-1.5">
      <p className="flex flex-wrap items-baseline gap-x-2 text-12">
        <span className="min-w-0 flex-1 truncate">
          <span className="font-medium text-ink-1">{window.label}</span>{" "}
          <span className={sign.tone === "ok" ? "text-ink-3" : TONE_TEXT[sign.tone]}>{sign.word.toLowerCase()}</span>
        </span>
        <span className="whitespace-nowrap text-ink-2">{usedWords(window)}</span>
      </p>
      <PlanWindowBar name={window.label} window={window} />
      <p className="text-12 text-ink-3">
        {window.state === "started_again" ? (
          <>
            Started again <Moment at={window.resets_at} />. Use since then has not been told yet.
          </>
        ) : (
          <>
            Resets <Moment at={window.resets_at} focusable />
            {window.runs_out_at !== null && (
              <span className="text-warn">
                , at this pace used up <Moment at={window.runs_out_at} focusable />
              </span>
            )}
            .
          </>
        )}
      </p>
    </div>
  );
}

/** How much is used beside how much of the time was over; nothing if it is not known. */
export function PlanWindowBar({ name, window }: { name: string; window: PlanWindowView }) {
  if (window.used_percent === null) return null;
  return (
    <BudgetBar
      label={`${name}: used`}
      usedPercent={window.used_percent}
      elapsedPercent={window.elapsed_percent}
      marks={[]}
      tone={PLAN_WINDOW[window.state].tone}
      text={barWords(window)}
    />
  );
}

export function usedWords({ used_percent: used }: PlanWindowView): string {
  return used === null ? "not known" : `${formatPercent(used)} used`;
}

function barWords(window: PlanWindowView): string {
  const { elapsed_percent: elapsed } = window;
  return elapsed === null ? usedWords(window) : `${usedWords(window)}, ${formatPercent(elapsed)} of the time was over`;
}
