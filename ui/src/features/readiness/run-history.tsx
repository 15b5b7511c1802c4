/** The scores of previous runs, newest first. */
import { Card } from "@/components/layout/card";
import { Moment } from "@/components/text/moment";
import { StateMark } from "@/components/state/state-mark";
import type { ReadinessRunSummaryView } from "@/ipc/bindings";
import { formatTenths } from "@/lib/quantity";
import { RUN_VERDICT } from "@/lib/tables";

const SHOWN_MAX = 8;

export function RunHistory({ history }: { history: ReadinessRunSummaryView[] }) {
  if (history.length === 0) return null;
  return (
    <Card
      title="Earlier runs"
      note={history.length > SHOWN_MAX ? `newest ${SHOWN_MAX} of ${history.length}` : history.length}
      flush
    >
      <ol>
        {history.slice(0, SHOWN_MAX).map((run) => (
          <li
            key={run.id}
            title={`${run.set === "quick" ? "Quick checks" : "All checks"}: ${run.sentence}`}
            className="flex h-9 items-center gap-2.5 border-b border-line px-4 text-12 last:border-b-0"
          >
            <StateMark sign={RUN_VERDICT[run.verdict]} />
            <span className="min-w-0 flex-1 truncate text-ink-2">{RUN_VERDICT[run.verdict].word}</span>
            <span className="numeric font-medium text-ink-1">
              {run.score_tenths === null ? "–" : formatTenths(run.score_tenths)}
            </span>
            <span className="numeric w-20 text-ink-3">
              <Moment at={run.ended_at} />
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
