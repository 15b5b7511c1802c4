/** One row per backend: state, days, availability, first tokens and score; what is behind them opens below it. */
import { useState, type ReactNode } from "react";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { HealthScore } from "@/components/state/health-score";
import { PanelLink } from "@/components/layout/panel-link";
import { StateMark } from "@/components/state/state-mark";
import { AvailabilityList, AvailabilityStrip, ObservedDays } from "@/features/health/availability";
import { durationText } from "@/features/health/duration-text";
import { HealthWord } from "@/features/health/health-word";
import type { BackendHealthView, FirstTokenView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { formatPercent } from "@/lib/percent";
import { HEALTH } from "@/lib/tables";

const GRID = "grid grid-cols-[minmax(0,1.3fr)_minmax(0,1.6fr)_64px_64px_64px_40px] gap-x-4 pr-4 pl-10";

export function BackendRows({ backends }: { backends: BackendHealthView[] }) {
  return (
    <>
      {/* Each figure names itself for screen readers. */}
      <div aria-hidden="true" className={classNames(GRID, "border-b border-line py-2 text-12 text-ink-3")}>
        <span>Backend</span>
        <span>90 days</span>
        <span className="text-right">24 hours</span>
        <span className="text-right" title="Half of the first tokens came within this time">
          p50
        </span>
        <span className="text-right" title="95 % of the first tokens came within this time">
          p95
        </span>
        <span className="text-right">Score</span>
      </div>
      <ul>
        {backends.map((backend) => (
          <BackendRow key={backend.id} backend={backend} />
        ))}
      </ul>
    </>
  );
}

function BackendRow({ backend }: { backend: BackendHealthView }) {
  const [isOpen, setOpen] = useState(false);
  const { label, health, availability, strip, first_token: first } = backend;
  const sign = HEALTH[health.state];
  return (
    <li className="relative border-b border-line py-2.5 last:border-b-0">
      <dl className={classNames(GRID, "items-center")}>
        <div className="min-w-0">
          <dt className="flex items-center gap-2 font-medium text-ink-1">
            <StateMark sign={sign} size={14} />
            <PanelLink look="plain" path={`/backends/${backend.id}`} className="truncate">
              {label}
            </PanelLink>
            <HealthWord health={health} />
          </dt>
          <dd className="truncate text-12 text-ink-3 first-letter:uppercase" title={health.reason}>
            {health.reason}
          </dd>
        </div>
        <div className="min-w-0">
          <dt className="sr-only">90 days</dt>
          <dd>
            <AvailabilityStrip label={label} availability={availability} strip={strip} />
          </dd>
        </div>
        <Figure name="24 hours" text={formatPercent(availability[0]?.percent ?? null)} />
        <FirstTokens first={first} percentile={50} />
        <FirstTokens first={first} percentile={95} />
        <Figure name="Score" text={backend.score.points === null ? "–" : String(backend.score.points)} />
      </dl>
      <details className="group pr-4 pl-10" onToggle={(event) => setOpen(event.currentTarget.open)}>
        {/* Before the name, as in the tree above. */}
        <DisclosureSummary className="absolute top-2 left-3 rounded-mark p-1.5 hover:bg-surface-2">
          <span className="sr-only">Details of {label}</span>
        </DisclosureSummary>
        {isOpen && <Behind backend={backend} />}
      </details>
    </li>
  );
}

function Figure({ name, text, children }: { name: string; text: string; children?: ReactNode }) {
  return (
    <div className="text-right">
      <dt className="sr-only">{name}</dt>
      <dd className="numeric whitespace-nowrap text-ink-1">{text}</dd>
      {children}
    </div>
  );
}

/** A percentile, marked where it is certain that it is worse than in the week before. */
function FirstTokens({ first, percentile }: { first: FirstTokenView | null; percentile: 50 | 95 }) {
  const ms = percentile === 50 ? first?.p50_ms : first?.p95_ms;
  const change = first?.changes.find((it) => it.percentile === percentile);
  return (
    <Figure name={`First token, p${percentile}`} text={durationText(ms ?? null)}>
      {change?.change === "slower" && (
        <dd className="text-11 whitespace-nowrap text-warn" title={`${change.sentence}.`}>
          ▲ slower
        </dd>
      )}
    </Figure>
  );
}

function Behind({
  backend: { label, availability, strip, first_token: first, score },
}: {
  backend: BackendHealthView;
}) {
  return (
    <div className="grid grid-cols-1 gap-x-8 gap-y-4 pt-3 pb-1 @2xl:grid-cols-2">
      <HealthScore score={score} />
      <div className="min-w-0">
        <AvailabilityList availability={availability} />
        {first !== null && (
          <p className="pt-2 text-12 text-ink-2">
            First token of {first.count} answers in 24 hours: half within {durationText(first.p50_ms)}, 95 % within{" "}
            {durationText(first.p95_ms)}
            {first.usual_p95_ms !== null && `, usually ${durationText(first.usual_p95_ms)}`}.
          </p>
        )}
        {first?.changes.map(({ percentile, change, sentence }) => (
          <p key={percentile} className={classNames("pt-1 text-12", change === "slower" ? "text-warn" : "text-ink-3")}>
            {sentence}.
          </p>
        ))}
        <ObservedDays label={label} strip={strip} />
      </div>
    </div>
  );
}
