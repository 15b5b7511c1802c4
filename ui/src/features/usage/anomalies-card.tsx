/** Spending that is unlike what it usually is, each with what explains it. */
import { dimensionFilter } from "@/features/usage/requests-link";
import type { UsagePlace } from "@/features/usage/usage-place";
import { DisclosureSummary } from "@/components/disclosure-summary";
import { Moment } from "@/components/moment";
import { PanelLink } from "@/components/panel-link";
import { Reading } from "@/components/reading";
import { Skeleton } from "@/components/skeleton";
import { StateMark } from "@/components/state-mark";
import { Unavailable } from "@/features/usage/unavailable";
import type { UsageAnomaliesView, UsageAnomalyRule, UsageAnomalyView } from "@/ipc/bindings";
import { useUsageAnomalies } from "@/ipc/usage-queries";
import { formatMoney } from "@/lib/money";
import { requestsPath } from "@/lib/request-filter";
import type { Sign } from "@/lib/tables";

const DAYS = 7;
const SHOWN_MAX = 5;

const SIGNS: Record<UsageAnomalyRule, Sign> = {
  cost: { word: "Cost", shape: "triangle", tone: "warn" },
  request_rate: { word: "Many requests", shape: "triangle", tone: "warn" },
  cache_collapse: { word: "Cache not read", shape: "half", tone: "warn" },
  first_seen: { word: "First seen", shape: "ring", tone: "info" },
};

const CALM: Sign = { word: "Usual", shape: "disc", tone: "ok" };

/** One line until it is opened, whatever was found: nothing moves when it comes. */
export function AnomaliesCard({ place }: { place: UsagePlace }) {
  const anomalies = useUsageAnomalies({ zone: place.zone, days: DAYS });
  return (
    <Reading of={anomalies} skeleton={<Skeleton className="h-[42px] rounded-card" />}>
      {(data) => <Anomalies view={data} />}
    </Reading>
  );
}

const FRAME = "rounded-card border border-line bg-surface-1 px-4";

function Anomalies({ view }: { view: UsageAnomaliesView }) {
  const { anomalies, finding, learning, unavailable_rules: unavailable } = view;
  const [first] = anomalies;
  const summary = (
    <span className="flex min-w-0 flex-1 items-center gap-3">
      <StateMark sign={first ? SIGNS[first.rule] : CALM} />
      <span className="font-semibold whitespace-nowrap text-ink-1">{finding}</span>
      <span className="min-w-0 truncate text-12 text-ink-3 group-open:hidden">
        {first?.finding}
        {learning && `${first ? "; " : ""}still learning what is usual`}
      </span>
    </span>
  );
  if (first === undefined)
    return (
      <section aria-label="Unusual spending" className={`${FRAME} flex h-[42px] items-center`}>
        {summary}
      </section>
    );
  return (
    <details aria-label="Unusual spending" className={`group ${FRAME}`}>
      <DisclosureSummary className="h-10">{summary}</DisclosureSummary>
      <ul aria-label="Unusual spending" className="border-t border-line py-1">
        {anomalies.slice(0, SHOWN_MAX).map((anomaly) => (
          <Anomaly key={`${anomaly.rule}-${anomaly.start}-${anomaly.finding}`} anomaly={anomaly} />
        ))}
      </ul>
      <Unavailable rules={unavailable} />
    </details>
  );
}

const LINK = "rounded-mark hover:underline hover:underline-offset-2";

function Anomaly({ anomaly }: { anomaly: UsageAnomalyView }) {
  const { rule, subject, start, end, contributors } = anomaly;
  const sign = SIGNS[rule];
  const about = subject === null ? {} : dimensionFilter(subject);
  const explanation = explanationOf(anomaly);
  return (
    <li className="flex items-start gap-3 border-t border-line py-2 first:border-t-0">
      <span className="mt-1" title={sign.word}>
        <StateMark sign={sign} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="text-ink-1">
          <span className="sr-only">{sign.word}: </span>
          <PanelLink look="none" path={requestsPath({ ...about, since: start, until: end })} className={LINK}>
            {anomaly.finding}
          </PanelLink>
        </p>
        {(explanation !== "" || contributors.length > 0) && (
          <p className="flex flex-wrap gap-x-3 text-12 text-ink-3">
            {explanation !== "" && <span className="text-ink-2">{explanation}</span>}
            {contributors.map((one) => (
              <PanelLink
                key={`${one.dimension}-${one.key}`}
                look="none"
                path={requestsPath({ ...dimensionFilter(one), since: start, until: end })}
                className={LINK}
              >
                {`${one.label} +${formatMoney(one.excess_nano_usd)}`}
              </PanelLink>
            ))}
          </p>
        )}
      </div>
      <span className="text-12 whitespace-nowrap text-ink-3">
        <Moment at={start} />
      </span>
    </li>
  );
}

/** Volume, mix and price add up to what was more than usual. */
function explanationOf({ split }: UsageAnomalyView): string {
  if (split === null) return "";
  const parts = [
    { words: "more tokens", nano: split.volume_nano_usd },
    { words: "dearer models", nano: split.mix_nano_usd },
    { words: "dearer tokens", nano: split.price_nano_usd },
  ];
  return parts
    .filter((part) => part.nano > 0)
    .toSorted((left, right) => right.nano - left.nano)
    .map((part) => `${formatMoney(part.nano)} from ${part.words}`)
    .join(", ");
}
