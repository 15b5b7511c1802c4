/** Usage and its cost: the finding, the bars, the table behind them. Every number leads to its requests. */
import { Budgets } from "@/features/usage/budgets";
import { UsageBars } from "@/features/usage/usage-bars";
import { GroupsTable } from "@/features/usage/groups-table";
import { MetersTable } from "@/features/usage/meters-table";
import { SessionLogs } from "@/features/usage/session-logs";
import { Totals } from "@/features/usage/totals";
import { UsageExport } from "@/features/usage/usage-export";
import { GROUPS, RANGES, RANGE_WORDS, ZONES, type UsagePlace } from "@/features/usage/usage-place";
import { Choice } from "@/components/choice";
import { Page } from "@/components/page";
import { Reading } from "@/components/reading";
import { Skeleton } from "@/components/skeleton";
import { classNames } from "@/lib/class-names";
import type { UsageRange, UsageView } from "@/ipc/bindings";
import { useUsage } from "@/ipc/queries";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";
import type { RequestFilter } from "@/lib/request-filter";
import type { ReactNode } from "react";

interface UsageScreenProps {
  place: UsagePlace;
  /** The tabs to the other half of Usage. */
  tabs: ReactNode;
  onMove: (place: UsagePlace) => void;
  /** Opens the requests of a bar. */
  onRequests: (filter: RequestFilter) => void;
}

export function UsageScreen({ place, tabs, onMove, onRequests }: UsageScreenProps) {
  const usage = useUsage({ range: place.range, group_by: place.group, zone: place.zone });
  return (
    <Page
      title="Usage"
      lead={usage.data && leadOf(usage.data, place.range)}
      actions={<UsageExport usage={usage.data} group={place.group} />}
    >
      <div className="flex flex-wrap items-center gap-2">
        {tabs}
        <Choice label="Period" options={RANGES} value={place.range} onChange={(range) => onMove({ ...place, range })} />
        <Choice
          label="Group by"
          options={GROUPS}
          value={place.group}
          onChange={(group) => onMove({ ...place, group })}
        />
        <Choice
          label="Time zone of the days"
          options={ZONES}
          value={place.zone}
          onChange={(zone) => onMove({ ...place, zone })}
        />
      </div>
      <Budgets />
      <Reading of={usage} skeleton={<UsageSkeleton />}>
        {(data) => (
          <div
            aria-busy={usage.isPlaceholderData}
            className={classNames("flex flex-col gap-4", usage.isPlaceholderData && "opacity-60")}
          >
            <Totals usage={data} />
            <UsageBars
              usage={data}
              measure={place.measure}
              range={place.range}
              group={place.group}
              onMeasure={(measure) => onMove({ ...place, measure })}
              onRequests={onRequests}
            />
            <GroupsTable usage={data} group={place.group} />
            <MetersTable meters={data.meters} />
          </div>
        )}
      </Reading>
      <SessionLogs zone={place.zone} />
    </Page>
  );
}

function leadOf({ totals, zone }: UsageView, range: UsageRange): string {
  const asked = formatCounted(totals.requests, "request", "requests");
  return `${formatMoney(totals.cost_nano_usd)} for ${asked} ${RANGE_WORDS[range]}. Days are in ${zone.replace("Etc/", "")}.`;
}

function UsageSkeleton() {
  return (
    <div role="status" aria-label="Loading usage" className="flex flex-col gap-4">
      <Skeleton className="h-[76px] rounded-card" />
      <Skeleton className="h-[302px] rounded-card" />
      <Skeleton className="h-[180px] rounded-card" />
    </div>
  );
}
