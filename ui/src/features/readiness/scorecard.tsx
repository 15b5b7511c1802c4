/** The score as a dial, its parts as bars, and the few fixes that would raise it most. */
import { Card } from "@/components/layout/card";
import { Moment } from "@/components/text/moment";
import { ScoreBar, ScoreDial } from "@/components/chart/score-dial";
import { StateBadge, StateMark } from "@/components/state/state-mark";
import type { ReadinessRunView } from "@/ipc/bindings";
import { formatTenthsChange } from "@/lib/quantity";
import { CHECK, RUN_VERDICT } from "@/lib/tables";
import { formatPercent } from "@/lib/percent";

export function Scorecard({ run }: { run: ReadinessRunView }) {
  const sign =
    run.state === "running" ? CHECK.running : run.verdict === null ? CHECK.cancelled : RUN_VERDICT[run.verdict];
  const fixes = run.best_fixes.flatMap((id) => run.checks.find((check) => check.id === id) ?? []);
  return (
    <Card title="Score" note={run.set === "quick" ? "quick checks" : "all checks"}>
      <div className="flex items-center gap-3">
        <ScoreDial tenths={run.score_tenths} tone={sign.tone} size={100} />
        <div className="flex min-w-0 flex-col gap-1 text-12 text-ink-2">
          <span className="text-13 font-medium">
            <StateBadge sign={sign} />
          </span>
          {run.score_change_tenths !== null && (
            <span>{formatTenthsChange(run.score_change_tenths)} since the last run</span>
          )}
          <span>
            {run.ended_at === null ? "started " : "ended "}
            <Moment at={run.ended_at ?? run.started_at} focusable />
          </span>
          <span title="Share of the checks that ran, by weight">
            {run.confidence_percent === 100
              ? "All checks ran"
              : `${formatPercent(run.confidence_percent)} of checks ran`}
          </span>
        </div>
      </div>
      {run.categories.length > 0 && (
        <div className="mt-4 flex flex-col gap-2 border-t border-line pt-4">
          {run.categories.map((category) => (
            <ScoreBar key={category.name} name={category.name} tenths={category.score_tenths} />
          ))}
        </div>
      )}
      {fixes.length > 0 && (
        <section aria-label="Best fixes" className="mt-4 border-t border-line pt-3">
          <h3 className="mb-2 text-12 font-medium text-ink-3">Fix these first</h3>
          <ul className="flex flex-col gap-2">
            {fixes.map((check) => (
              <li key={check.id} className="flex items-start gap-2 text-12">
                <span className="pt-[3px]">
                  <StateMark sign={CHECK[check.state]} />
                </span>
                <span className="min-w-0 [overflow-wrap:anywhere]">
                  {check.fix ?? check.title} <span className="whitespace-nowrap text-ink-3">{check.id}</span>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </Card>
  );
}
