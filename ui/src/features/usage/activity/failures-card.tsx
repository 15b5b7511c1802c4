/** Failed attempts by class, each leading to its requests. */
import { periodFilter } from "@/features/usage/requests-link";
import { periodLabel, periodOf } from "@/features/usage/usage-period";
import { filterOf, type UsagePlace } from "@/features/usage/usage-place";
import { Card } from "@/components/layout/card";
import { ChartCard } from "@/components/chart/chart-card";
import { ChartTable } from "@/components/chart/chart-table";
import { PanelLink } from "@/components/layout/panel-link";
import { RankedBars } from "@/components/chart/ranked-bars";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { Spend } from "@/components/text/spend";
import type { CostSum } from "@/lib/cost-sum";
import type { FailureBackendView, FailureClassView, UsageFailuresView } from "@/ipc/bindings";
import { useUsageFailures } from "@/ipc/usage-queries";
import { classNames } from "@/lib/class-names";
import { toCsv } from "@/lib/csv";
import { formatCount, formatCounted } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";
import { FAILURE_WORD } from "@/lib/tables";
import { formatPercent } from "@/lib/percent";

const BAR_PX = 39;
const ROW_PX = 32;
const HEAD_PX = 26;
/** Backends named beside a bar; the table names them all. */
const BACKENDS_MAX = 2;

/** Failures are kept by backend and key, not by the other names of a filter. */
export function FailuresCard({ place }: { place: UsagePlace }) {
  const { backend: _backend, key: _key, ...others } = filterOf(place);
  if (Object.keys(others).length === 0) return <Failures place={place} />;
  return (
    <Card
      title="Failed attempts"
      action={
        <PanelLink path={requestsPath({ ...filterOf(place), state: "failed" })} className="text-12 whitespace-nowrap">
          Failed requests
        </PanelLink>
      }
    >
      <p className="text-ink-2">Failed attempts are counted by backend and key only, not by the rest of this filter.</p>
    </Card>
  );
}

function Failures({ place }: { place: UsagePlace }) {
  const failures = useUsageFailures(periodOf(place));
  return (
    <Reading of={failures} skeleton={<Skeleton className="h-[198px] rounded-card" />}>
      {(data) => (
        <div aria-busy={failures.isPlaceholderData} className={classNames(failures.isPlaceholderData && "opacity-60")}>
          <ChartCard
            finding={findingOf(data)}
            note={`${periodLabel(place)}, ${shareOf(data.failed_percent)}also those that a retry made good`}
            file={{ name: "gatehouse-failures", csv: () => failuresCsv(data) }}
            table={<ClassTable classes={data.classes} />}
          >
            <div style={{ minHeight: heightOf(data.classes) }}>
              <ClassBars failures={data} place={place} />
            </div>
          </ChartCard>
        </div>
      )}
    </Reading>
  );
}

function findingOf({ attempts, failed_attempts: failed, classes }: UsageFailuresView): string {
  const [most] = classes;
  if (most === undefined) return "No attempt failed";
  return `${formatCount(failed)} of ${formatCounted(attempts, "attempt", "attempts")} failed, most often: ${wordOf(most.class).toLowerCase()}`;
}

/** The height of the bars and of the table, so that nothing moves between them. */
function heightOf({ length }: FailureClassView[]): number {
  return Math.max(length * BAR_PX, length * ROW_PX + HEAD_PX);
}

function shareOf(percent: number | null): string {
  return percent === null ? "" : `${formatPercent(percent)} of the attempts, `;
}

function ClassBars({ failures, place }: { failures: UsageFailuresView; place: UsagePlace }) {
  if (failures.classes.length === 0)
    return <p className="pb-1 text-ink-2">{formatCounted(failures.attempts, "attempt", "attempts")}, none failed.</p>;
  const period = periodFilter(failures, place);
  return (
    <RankedBars
      label="Failed attempts by class"
      colour="var(--bad)"
      bars={failures.classes.map((one) => ({
        key: one.class,
        label: wordOf(one.class),
        value: one.attempts,
        amount: formatCounted(one.attempts, "attempt", "attempts"),
        note: `${shareOf(one.percent_of_attempts)}${firstBackends(one.backends)}`,
        path: requestsPath({ failure: one.class, ...period }),
      }))}
    />
  );
}

function ClassTable({ classes }: { classes: FailureClassView[] }) {
  return (
    <ChartTable
      label="Failed attempts by class"
      height={heightOf(classes)}
      columns={["Class", "Attempts", "Share", "Cost", "Backends"]}
      rows={classes.map((one) => ({
        key: one.class,
        cells: [
          wordOf(one.class),
          formatCount(one.attempts),
          formatPercent(one.percent_of_attempts),
          <Spend key="cost" spend={asSpend(one)} counted={["attempt", "attempts"]} />,
          one.backends.map(countedBackend).join(", "),
        ],
      }))}
    />
  );
}

function asSpend({ attempts, unpriced_attempts, cost_nano_usd, is_cost_unknown }: FailureClassView): CostSum {
  return { cost_nano_usd, is_cost_unknown, requests: attempts, unpriced_requests: unpriced_attempts };
}

function firstBackends(backends: FailureBackendView[]): string {
  const named = backends.slice(0, BACKENDS_MAX).map(countedBackend).join(", ");
  const more = backends.length - BACKENDS_MAX;
  return more > 0 ? `${named} and ${more} more` : named;
}

function countedBackend({ label, attempts }: FailureBackendView): string {
  return `${label} ${formatCount(attempts)}`;
}

/** A class of another version has no word here. */
function wordOf(name: string): string {
  const words: Partial<Record<string, string>> = FAILURE_WORD;
  return words[name] ?? name;
}

function failuresCsv({ classes }: UsageFailuresView): string {
  return toCsv(
    ["class", "backend", "attempts"],
    classes.flatMap((one) => one.backends.map((backend) => [one.class, backend.key, backend.attempts])),
  );
}
