/** The backends that would be tried, in order, with the reason for each, and those that would be skipped. */
import { formatPercent } from "@/lib/percent";
import { AvailabilityBadge, AvailabilityWhy } from "@/components/state/availability";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { StateMark } from "@/components/state/state-mark";
import { useRouteExplain } from "@/ipc/route-queries";
import type {
  ExcludedCandidateView,
  HypotheticalRequest,
  RankedCandidateView,
  ScoreComponentView,
} from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import type { Sign } from "@/lib/tables";

const NOT_SERVED: Sign = { word: "Not served", shape: "barred", tone: "bad" };
const SERVED: Sign = { word: "Served", shape: "disc", tone: "ok" };

export function Decision({ ask }: { ask: HypotheticalRequest }) {
  const reading = useRouteExplain(ask);
  return (
    <Reading of={reading} skeleton={<DecisionSkeleton />}>
      {(decision) => (
        <div aria-busy={reading.isPlaceholderData} className="flex flex-col gap-3">
          <p role="status" className="flex gap-2 text-15 leading-5 font-medium text-pretty">
            <span className="pt-1">
              <StateMark sign={decision.served ? SERVED : NOT_SERVED} />
            </span>
            <span>{decision.sentence}</span>
          </p>
          {decision.candidates.length > 0 && (
            <ol aria-label="Backends tried, in order" className="flex flex-col">
              {decision.candidates.map((choice) => (
                <Tried key={`${choice.backend}/${choice.credential}/${choice.model}`} choice={choice} />
              ))}
            </ol>
          )}
          {decision.passed_over.length > 0 && <PassedOver all={decision.passed_over} />}
        </div>
      )}
    </Reading>
  );
}

function Tried({ choice }: { choice: RankedCandidateView }) {
  const isFirst = choice.place === 1;
  return (
    <li className="grid grid-cols-[20px_minmax(0,1fr)_auto] gap-x-2 border-t border-line py-2 first:border-t-0">
      <span className={classNames("text-12 leading-5", isFirst ? "font-semibold text-accent" : "text-ink-3")}>
        {choice.place}
      </span>
      <span className="min-w-0">
        <span className="font-medium">{choice.backend}</span>{" "}
        <code className="font-mono text-12 [overflow-wrap:anywhere] text-ink-2">{choice.model}</code>
      </span>
      <AvailabilityBadge of={choice.availability} />
      <span className="col-span-2 col-start-2 text-12 text-ink-2">
        {choice.why}
        {choice.availability.state !== "ready" && (
          <span className="block text-ink-3">
            <AvailabilityWhy of={choice.availability} />
          </span>
        )}
      </span>
      {choice.parts.length > 0 && (
        <span className="col-span-2 col-start-2">
          <Parts parts={choice.parts} />
        </span>
      )}
    </li>
  );
}

/** The parts of a score: width is the weight, fill is the value. */
function Parts({ parts }: { parts: ScoreComponentView[] }) {
  return (
    <dl className="mt-1.5 flex gap-2 text-12">
      {parts.map((part) => (
        <div key={part.name} className="min-w-[92px]" style={{ flexGrow: part.weight_percent, flexBasis: 0 }}>
          <div aria-hidden className="h-1.5 overflow-hidden rounded-full bg-surface-3">
            <span data-mark className="block h-full bg-series-2" style={{ width: `${part.score_percent}%` }} />
          </div>
          <dt className="mt-0.5 truncate text-ink-3">
            {part.name} {formatPercent(part.weight_percent)}
          </dt>
          <dd className="text-ink-1">{part.measured}</dd>
        </div>
      ))}
    </dl>
  );
}

function PassedOver({ all }: { all: ExcludedCandidateView[] }) {
  return (
    <section aria-label="Skipped" className="rounded-control bg-surface-2 px-3 py-2">
      <h3 className="text-12 font-medium text-ink-2">Skipped</h3>
      <ul className="mt-1 flex flex-col gap-1">
        {all.map((one) => (
          <li key={`${one.backend}/${one.credential}/${one.model}`} className="text-12">
            <span className="font-medium">{one.backend}</span>{" "}
            <code className="font-mono [overflow-wrap:anywhere] text-ink-2">{one.model}</code>
            <span className="text-ink-2">: {one.reason}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function DecisionSkeleton() {
  return (
    <div role="status" aria-label="Loading decision" className="flex flex-col gap-3">
      <Skeleton className="h-4 w-4/5" />
      <Skeleton className="h-10" />
      <Skeleton className="h-10" />
    </div>
  );
}
