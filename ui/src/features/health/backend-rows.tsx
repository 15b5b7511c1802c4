/** One row per backend: state, days, availability, first tokens and score; what is behind them opens below it. */
import { useState } from "react";
import { DayStrip, spellDay } from "@/features/health/day-strip";
import { formatPercent } from "@/features/health/percent";
import { ChartTable } from "@/components/chart-table";
import { DisclosureSummary } from "@/components/disclosure-summary";
import { PanelLink } from "@/components/panel-link";
import { StateMark } from "@/components/state-mark";
import type { BackendHealthView, HealthScoreView, StripDayView } from "@/ipc/bindings";
import { useNow } from "@/lib/clock";
import { formatDuration } from "@/lib/quantity";
import { HEALTH, STRIP_CELL } from "@/lib/tables";
import { formatExact, formatSpan } from "@/lib/time";

const TABLE_HEIGHT_PX = 160;

export function BackendRows({ backends }: { backends: BackendHealthView[] }) {
  return (
    <ul>
      {backends.map((backend) => (
        <BackendRow key={backend.id} backend={backend} />
      ))}
    </ul>
  );
}

function BackendRow({ backend }: { backend: BackendHealthView }) {
  const [day, setDay] = useState<StripDayView | null>(null);
  const [isOpen, setOpen] = useState(false);
  const now = useNow();
  const { label, health, availability, strip, first_token: first } = backend;
  const sign = HEALTH[health.state];
  const quarter = availability.at(-1);
  return (
    <li className="border-b border-line px-4 py-3 last:border-b-0">
      <div className="grid grid-cols-[minmax(0,1.3fr)_minmax(0,1.6fr)_auto] items-center gap-x-6">
        <div className="min-w-0">
          <p className="flex items-center gap-2 font-medium text-ink-1">
            <StateMark sign={sign} size={14} />
            <PanelLink look="plain" path={`/backends/${backend.id}`}>
              {label}
            </PanelLink>
            <span
              className="truncate text-12 font-normal text-ink-2"
              title={health.since === null ? undefined : `Since ${formatExact(health.since)}`}
            >
              {sign.word}
              {health.since !== null && ` for ${formatSpan(now - health.since)}`}
            </span>
          </p>
          <p className="truncate text-12 text-ink-3 first-letter:uppercase" title={health.reason}>
            {health.reason}
          </p>
        </div>
        <div className="min-w-0">
          <DayStrip label={`${label}, last 90 days`} days={strip} onPoint={setDay} />
          <p className="truncate text-12 text-ink-2">
            {day === null ? `90 days: ${quarter?.sentence ?? "not observed"}` : spellDay(day)}
          </p>
        </div>
        <dl className="grid grid-cols-[64px_140px_48px] gap-x-4 text-right">
          <Figure name="24 hours" text={formatPercent(availability[0]?.percent ?? null)} />
          <Figure
            name="First token p50 / p95"
            text={first === null ? "–" : `${latencyText(first.p50_ms)} / ${latencyText(first.p95_ms)}`}
          />
          <Figure name="Score" text={backend.score.points === null ? "–" : String(backend.score.points)} />
        </dl>
      </div>
      <details className="group mt-1" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <DisclosureSummary className="w-fit cursor-pointer rounded-mark text-12 text-ink-2">
          Score, availability and days of {label}
        </DisclosureSummary>
        {isOpen && <Behind backend={backend} />}
      </details>
    </li>
  );
}

function Figure({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt className="text-11 text-ink-3">{name}</dt>
      <dd className="numeric whitespace-nowrap text-ink-1">{text}</dd>
    </div>
  );
}

function latencyText(ms: number | null): string {
  return ms === null ? "–" : formatDuration(ms);
}

function Behind({
  backend: { label, availability, strip, first_token: first, score },
}: {
  backend: BackendHealthView;
}) {
  const seen = strip.filter(({ percent }) => percent !== null).toReversed();
  return (
    <div className="grid grid-cols-1 gap-x-8 gap-y-4 pt-3 @2xl:grid-cols-2">
      <Score score={score} />
      <div className="min-w-0">
        <h3 className="text-12 font-medium text-ink-1">Availability</h3>
        <ul className="text-12 text-ink-2">
          {availability.map(({ period, sentence, coverage_percent: coverage }) => (
            <li key={period}>
              {period}: {sentence} <span className="text-ink-3">({formatPercent(coverage)} of the time)</span>
            </li>
          ))}
        </ul>
        {first !== null && (
          <p className="pt-2 text-12 text-ink-2">
            First token of {first.count} answers in 24 hours: half within {latencyText(first.p50_ms)}, 95 % within{" "}
            {latencyText(first.p95_ms)}
            {first.usual_p95_ms !== null && `, usually ${latencyText(first.usual_p95_ms)}`}.
          </p>
        )}
        {seen.length > 0 && (
          <ChartTable
            label={`Days of ${label}`}
            height={TABLE_HEIGHT_PX}
            columns={["Day (UTC)", "", "Answered", "Down"]}
            rows={seen.map((day) => ({
              key: day.day,
              cells: [day.day, STRIP_CELL[day.cell].word, formatPercent(day.percent), `${day.down_minutes} min`],
            }))}
          />
        )}
      </div>
    </div>
  );
}

function Score({ score }: { score: HealthScoreView }) {
  return (
    <div className="min-w-0">
      <h3 className="text-12 font-medium text-ink-1">
        {score.points === null ? "No score yet" : `Score ${score.points} of 100`}{" "}
        <span className="font-normal text-ink-3">{score.confidence} confidence</span>
      </h3>
      {score.cap_sentence !== null && <p className="text-12 text-warn">{score.cap_sentence}</p>}
      <table className="w-full text-12">
        <tbody>
          {score.parts.map(({ part, meaning, points, points_max: most }) => (
            <tr key={part}>
              <th scope="row" className="py-1 pr-3 text-left font-normal text-ink-2">
                {meaning}
              </th>
              <td className="numeric py-1 whitespace-nowrap text-ink-1">
                {points === null ? "not measured" : `${points.toFixed(1)} of ${most}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
