/** The latest score, the fixes that would raise it most, and a button to check again. */
import { Card } from "@/components/layout/card";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { ScoreDial } from "@/components/chart/score-dial";
import { Skeleton } from "@/components/notice/skeleton";
import { StateBadge, StateMark } from "@/components/state/state-mark";
import { RunChecksButton } from "@/connected/action-button";
import type { ReadinessRunView } from "@/ipc/bindings";
import { useReadiness } from "@/ipc/queries";
import { formatTenths, formatTenthsChange } from "@/lib/quantity";
import { CHECK, RUN_VERDICT } from "@/lib/tables";

export function ReadinessCard({ className }: { className: string }) {
  const readiness = useReadiness();
  return (
    <Card
      title="Readiness"
      className={className}
      action={
        <PanelLink path="/readiness" className="text-12">
          Details
        </PanelLink>
      }
    >
      <Reading of={readiness} skeleton={<Skeleton className="h-[88px]" />}>
        {({ run }) => (run === null ? <NeverRun /> : <LastRun run={run} />)}
      </Reading>
    </Card>
  );
}

function NeverRun() {
  return (
    <div className="flex items-center gap-4">
      <ScoreDial tenths={null} tone="muted" size={72} />
      <div className="flex flex-col items-start gap-2">
        <p className="text-ink-2">No checks have run yet. The quick ones are free and take under 3 seconds.</p>
        <RunChecksButton look="plain" size="small" set="quick" />
      </div>
    </div>
  );
}

function LastRun({ run }: { run: ReadinessRunView }) {
  const sign = run.verdict === null ? null : RUN_VERDICT[run.verdict];
  const fixes = run.best_fixes.flatMap((id) => run.checks.find((check) => check.id === id) ?? []);
  return (
    <div className="flex flex-col gap-2">
      <div className="flex items-center gap-4">
        <ScoreDial tenths={run.score_tenths} tone={sign?.tone ?? "muted"} size={72} />
        <div className="flex min-w-0 flex-1 flex-col items-start gap-1">
          <span className="font-medium">{sign ? <StateBadge sign={sign} /> : run.sentence}</span>
          <span className="text-12 text-ink-2">
            {run.score_change_tenths !== null && (
              <>{formatTenthsChange(run.score_change_tenths)} since the last run · </>
            )}
            <Moment at={run.ended_at ?? run.started_at} />
          </span>
          <RunChecksButton look="plain" size="small" set="full" />
        </div>
      </div>
      {fixes.length === 0 && run.categories.length > 0 && (
        <ul aria-label="By category" className="grid grid-cols-2 gap-x-6 gap-y-0.5 border-t border-line pt-2 text-12">
          {run.categories.map((category) => (
            <li key={category.name} className="flex justify-between gap-2 whitespace-nowrap text-ink-2">
              <span>{category.name}</span>
              <span className="text-ink-1">
                {category.score_tenths === null ? "–" : formatTenths(category.score_tenths)}
              </span>
            </li>
          ))}
        </ul>
      )}
      {fixes.length > 0 && (
        <ul aria-label="Best fixes" className="flex flex-col gap-1 border-t border-line pt-2">
          {fixes.map((check) => (
            <li key={check.id} className="flex items-center gap-2 text-12" title={check.fix ?? undefined}>
              <StateMark sign={CHECK[check.state]} />
              <span className="truncate text-ink-2">
                <span className="sr-only">{CHECK[check.state].word}: </span>
                {check.cause ?? check.title}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
