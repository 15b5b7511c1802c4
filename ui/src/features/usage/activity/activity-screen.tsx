/** What was asked and answered: requests, tokens by class, who used them, how fast they were and what failed. */
import { ActivityTotals } from "@/features/usage/activity/activity-totals";
import { CalendarCard } from "@/features/usage/activity/calendar-card";
import { FailuresCard } from "@/features/usage/activity/failures-card";
import { GroupsTable } from "@/features/usage/bars/groups-table";
import { LatencyCard } from "@/features/usage/activity/latency-card";
import { PeriodBar } from "@/features/usage/period-bar";
import { UsageBars } from "@/features/usage/bars/usage-bars";
import { UsageExport } from "@/features/usage/export/usage-export";
import { periodOf, periodWords } from "@/features/usage/usage-period";
import { ACTIVITY_MEASURES, withDays, type UsagePlace } from "@/features/usage/usage-place";
import { HeatmapCard } from "@/features/usage/activity/heatmap-card";
import { Page } from "@/components/layout/page";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { UsageTabs } from "@/components/layout/usage-tabs";
import type { UsageView } from "@/ipc/bindings";
import { useUsage } from "@/ipc/queries";
import { classNames } from "@/lib/class-names";
import { formatCount, formatCounted } from "@/lib/quantity";
import type { RequestFilter } from "@/lib/request-filter";

interface ActivityScreenProps {
  place: UsagePlace;
  onMove: (place: UsagePlace) => void;
  /** Opens the requests of a bar. */
  onRequests: (filter: RequestFilter) => void;
}

export function ActivityScreen({ place, onMove, onRequests }: ActivityScreenProps) {
  const usage = useUsage({ ...periodOf(place), group_by: place.group });
  return (
    <Page
      title="Usage"
      lead={usage.data && leadOf(usage.data, place)}
      actions={<UsageExport usage={usage.data} place={place} />}
    >
      <UsageTabs current="activity" />
      <PeriodBar place={place} onMove={onMove} />
      <Reading of={usage} skeleton={<ActivitySkeleton />}>
        {(data) => (
          <div
            aria-busy={usage.isPlaceholderData}
            className={classNames("flex flex-col gap-4", usage.isPlaceholderData && "opacity-60")}
          >
            <ActivityTotals usage={data} place={place} />
            <UsageBars
              usage={data}
              measures={ACTIVITY_MEASURES}
              place={place}
              onMeasure={(measure) => onMove({ ...place, measure })}
              onRequests={onRequests}
              onZoom={(days) => onMove(withDays(place, days))}
            />
            <GroupsTable usage={data} place={place} withoutCost />
            {data.totals.requests > 0 && (
              <>
                <LatencyCard place={place} onRequests={onRequests} />
                <FailuresCard place={place} />
                <HeatmapCard place={place} onRequests={onRequests} />
              </>
            )}
            <CalendarCard place={place} onRequests={onRequests} />
          </div>
        )}
      </Reading>
    </Page>
  );
}

function leadOf({ totals, zone }: UsageView, place: UsagePlace): string {
  const asked = formatCounted(totals.requests, "request", "requests");
  const failed = totals.failed_requests === 0 ? "none failed" : `${formatCount(totals.failed_requests)} failed`;
  return `${asked} ${periodWords(place)}${totals.requests === 0 ? "" : `, ${failed}`}. Days are in ${zone.replace("Etc/", "")}.`;
}

function ActivitySkeleton() {
  return (
    <div role="status" aria-label="Loading activity" className="flex flex-col gap-4">
      <Skeleton className="h-[132px] rounded-card" />
      <Skeleton className="h-[302px] rounded-card" />
      <Skeleton className="h-[180px] rounded-card" />
    </div>
  );
}
