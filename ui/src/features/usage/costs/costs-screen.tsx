/** What was spent: the sum against the budgets, the bars, and where the month will end. Every number leads to its requests. */
import { AnomaliesLine } from "@/features/usage/costs/anomalies-line";
import { BudgetsCard } from "@/features/usage/costs/budgets-card";
import { CostHero } from "@/features/usage/costs/cost-hero";
import { GroupsTable } from "@/features/usage/bars/groups-table";
import { PeriodBar } from "@/features/usage/period-bar";
import { UsageBars } from "@/features/usage/bars/usage-bars";
import { UsageExport } from "@/features/usage/export/usage-export";
import { periodOf, periodWords, usageFilter } from "@/features/usage/usage-period";
import { MEASURES, withDays, type UsagePlace } from "@/features/usage/usage-place";
import { ForecastChart } from "@/features/usage/costs/forecast-chart";
import { ForecastFigure } from "@/features/usage/costs/forecast-figure";
import { Page } from "@/components/layout/page";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { spendText } from "@/lib/cost-sum";
import { UsageTabs } from "@/components/layout/usage-tabs";
import type { UsageView } from "@/ipc/bindings";
import { useUsage } from "@/ipc/queries";
import { useUsageForecast } from "@/ipc/usage-queries";
import { classNames } from "@/lib/class-names";
import { formatCounted } from "@/lib/quantity";
import type { RequestFilter } from "@/lib/request-filter";

interface CostsScreenProps {
  place: UsagePlace;
  onMove: (place: UsagePlace) => void;
  /** Opens the requests of a bar. */
  onRequests: (filter: RequestFilter) => void;
}

export function CostsScreen({ place, onMove, onRequests }: CostsScreenProps) {
  const { basis } = place;
  const usage = useUsage({ ...periodOf(place), group_by: place.group, compare: true, ...(basis && { basis }) });
  return (
    <Page
      title="Usage"
      lead={usage.data && leadOf(usage.data, place)}
      actions={<UsageExport usage={usage.data} place={place} />}
    >
      <UsageTabs current="costs" />
      <PeriodBar place={place} onMove={onMove} withBases />
      <Reading of={usage} skeleton={<CostsSkeleton />}>
        {(data) => (
          <div
            aria-busy={usage.isPlaceholderData}
            className={classNames("flex flex-col gap-4", usage.isPlaceholderData && "opacity-60")}
          >
            <Hero usage={data} place={place} />
            <AnomaliesLine place={place} />
            <UsageBars
              usage={data}
              measures={MEASURES}
              place={place}
              onMeasure={(measure) => onMove({ ...place, measure })}
              onRequests={onRequests}
              onZoom={(days) => onMove(withDays(place, days))}
            />
            <GroupsTable usage={data} place={place} />
            <Forecast place={place} />
          </div>
        )}
      </Reading>
    </Page>
  );
}

/** The answer first: what was spent, where the month will end, and how far the limits are. */
function Hero({ usage, place }: { usage: UsageView; place: UsagePlace }) {
  const forecast = useUsageForecast({ zone: place.zone, ...usageFilter(place) });
  return (
    <div className="grid gap-px overflow-hidden rounded-card border border-line bg-line @min-[640px]:grid-cols-2 @min-[960px]:grid-cols-[1fr_1fr_1.4fr]">
      <CostHero usage={usage} place={place} />
      <Reading of={forecast} skeleton={<ForecastSkeleton />}>
        {(data) => <ForecastFigure forecast={data} isBasisOther={place.basis !== undefined} />}
      </Reading>
      <div className="grid @min-[640px]:col-span-2 @min-[960px]:col-span-1">
        <BudgetsCard />
      </div>
    </div>
  );
}

function ForecastSkeleton() {
  return (
    <div className="bg-surface-1 px-4 py-3">
      <Skeleton className="h-full min-h-24 rounded-control" />
    </div>
  );
}

function Forecast({ place }: { place: UsagePlace }) {
  const forecast = useUsageForecast({ zone: place.zone, ...usageFilter(place) });
  return (
    <Reading of={forecast} skeleton={<Skeleton className="h-[278px] rounded-card" />}>
      {(data) => (data.method === "none" ? null : <ForecastChart forecast={data} />)}
    </Reading>
  );
}

function leadOf({ totals, zone, unpriced_word: word }: UsageView, place: UsagePlace): string {
  const asked = formatCounted(totals.requests, "request", "requests");
  const days = `Days are in ${zone.replace("Etc/", "")}.`;
  if (totals.is_cost_unknown) return `${asked} ${periodWords(place)}, ${word}. ${days}`;
  return `${spendText(totals, word)} for ${asked} ${periodWords(place)}. ${days}`;
}

function CostsSkeleton() {
  return (
    <div role="status" aria-label="Loading costs" className="flex flex-col gap-4">
      <Skeleton className="h-[132px] rounded-card" />
      <Skeleton className="h-[42px] rounded-card" />
      <Skeleton className="h-[302px] rounded-card" />
      <Skeleton className="h-[180px] rounded-card" />
    </div>
  );
}
