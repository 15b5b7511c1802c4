/** Usage and its cost: the finding, the bars, the table behind them, the single requests. */
import { UsageBars } from "@/features/usage/usage-bars";
import { GroupsTable } from "@/features/usage/groups-table";
import { MetersTable } from "@/features/usage/meters-table";
import { REQUESTS_ID, RequestsTable } from "@/features/usage/requests-table";
import { SessionLogs } from "@/features/usage/session-logs";
import { Totals } from "@/features/usage/totals";
import { UsageExport } from "@/features/usage/usage-export";
import {
  filterOf,
  GROUPS,
  RANGES,
  RANGE_WORDS,
  withFilter,
  withoutTime,
  ZONES,
  type RequestFilter,
  type UsagePlace,
} from "@/features/usage/usage-place";
import { Choice } from "@/components/choice";
import { Page } from "@/components/page";
import { Reading } from "@/components/reading";
import { Skeleton } from "@/components/skeleton";
import { classNames } from "@/lib/class-names";
import type { UsageRange, UsageView } from "@/ipc/bindings";
import { useUsage } from "@/ipc/queries";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";
import type { ReactNode } from "react";

const QUARTER_HOUR_MS = 900_000;

interface UsageScreenProps {
  place: UsagePlace;
  /** The tabs to the other half of Usage. */
  tabs: ReactNode;
  onMove: (place: UsagePlace) => void;
  /** Like `onMove`, but adds a history entry, so that Back returns here. */
  onVisit: (place: UsagePlace) => void;
}

export function UsageScreen({ place, tabs, onMove, onVisit }: UsageScreenProps) {
  const usage = useUsage({ range: place.range, group_by: place.group, zone: place.zone });
  const visit = (filter: RequestFilter) => {
    onVisit(withFilter(place, filter));
    showRequests();
  };
  return (
    <Page
      title="Usage"
      lead={usage.data && leadOf(usage.data, place.range)}
      actions={<UsageExport usage={usage.data} group={place.group} />}
    >
      <div className="flex flex-wrap items-center gap-2">
        {tabs}
        <Choice
          label="Period"
          options={RANGES}
          value={place.range}
          onChange={(range) => onMove({ ...withoutTime(place), range })}
        />
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
          onChange={(zone) => onMove({ ...withoutTime(place), zone })}
        />
      </div>
      <Reading of={usage} skeleton={<UsageSkeleton />}>
        {(data) => (
          <div
            aria-busy={usage.isPlaceholderData}
            className={classNames("flex flex-col gap-4", usage.isPlaceholderData && "opacity-60")}
          >
            <Totals usage={data} onFailed={() => visit({ outcome: "failed" })} />
            <UsageBars
              usage={data}
              measure={place.measure}
              range={place.range}
              onMeasure={(measure) => onMove({ ...place, measure })}
              chosen={place.since ?? null}
              onChoose={(part) => visit({ ...filterOf(withoutTime(place)), ...part })}
            />
            <GroupsTable usage={data} group={place.group} />
            <MetersTable meters={data.meters} />
          </div>
        )}
      </Reading>
      <RequestsTable
        since={usage.data && periodStart(usage.data.from)}
        filter={filterOf(place)}
        zone={place.zone}
        onFilter={(filter) => onMove(withFilter(place, filter))}
        openId={place.request ?? null}
        onOpen={(request) => onMove({ ...place, request })}
        onClose={() => {
          const { request: _closed, ...rest } = place;
          onMove(rest);
        }}
      />
      <SessionLogs zone={place.zone} />
    </Page>
  );
}

/** Scrolls the requests into view and focuses them. */
function showRequests() {
  const requests = document.getElementById(REQUESTS_ID);
  requests?.focus({ preventScroll: true });
  // Not `scrollIntoView`, which would also scroll the frame around the page.
  const page = requests?.closest("main");
  if (requests && page) page.scrollTop += requests.getBoundingClientRect().top - page.getBoundingClientRect().top;
}

/** A period's totals begin at the quarter hour of its start. */
function periodStart(from: number): number {
  return Math.floor(from / QUARTER_HOUR_MS) * QUARTER_HOUR_MS;
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
