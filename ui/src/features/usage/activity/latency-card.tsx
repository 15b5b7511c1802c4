/** How fast answers come: percentiles over time, of all requests or of one backend, model or route. */
import { useState } from "react";
import { LatencyChart } from "@/features/usage/activity/latency-chart";
import { LatencyTable } from "@/features/usage/activity/latency-table";
import { LATENCY_GROUPS, latencyGroupOf, type LatencyGroup } from "@/features/usage/activity/latency-words";
import { periodFilter } from "@/features/usage/requests-link";
import { spanOf } from "@/features/usage/usage-period";
import type { UsagePlace } from "@/features/usage/usage-place";
import { Card } from "@/components/layout/card";
import { Choice } from "@/components/form/choice";
import { FilterChip } from "@/components/filter/filter-chip";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import type { LatencyGroupBy, LatencyPart } from "@/ipc/bindings";
import { useUsageLatency } from "@/ipc/usage-queries";
import { classNames } from "@/lib/class-names";
import type { RequestFilter } from "@/lib/request-filter";

interface LatencyCardProps {
  place: UsagePlace;
  onRequests: (filter: RequestFilter) => void;
}

/** Latencies are kept by backend, model and route, not by the other names of a filter. */
export function LatencyCard({ place, onRequests }: LatencyCardProps) {
  const group = latencyGroupOf(place);
  if (group === null)
    return (
      <Card title="Times">
        <p className="text-ink-2">Times can be filtered by one backend, model or route only.</p>
      </Card>
    );
  return group.by === "all" ? (
    <LatencyByGroup place={place} onRequests={onRequests} />
  ) : (
    <LatencyOf group={group} place={place} onRequests={onRequests} />
  );
}

/** Of the one group that the filter names. */
function LatencyOf({ group, place, onRequests }: LatencyCardProps & { group: { by: LatencyGroupBy; key: string } }) {
  const [part, setPart] = useState<LatencyPart>("first_token");
  const lines = useUsageLatency({ ...spanOf(place), group_by: group.by, name: group.key });
  return (
    <Reading of={lines} skeleton={<Skeleton className="h-[278px] rounded-card" />}>
      {(latency) => {
        const label = latency.groups.find(({ key }) => key === group.key)?.label ?? group.key;
        return (
          <div aria-busy={lines.isPlaceholderData} className={classNames(lines.isPlaceholderData && "opacity-60")}>
            <LatencyChart
              latency={latency}
              part={part}
              group={{ ...group, label }}
              place={place}
              onPart={setPart}
              onRequests={onRequests}
            />
          </div>
        );
      }}
    </Reading>
  );
}

function LatencyByGroup({ place, onRequests }: LatencyCardProps) {
  const [part, setPart] = useState<LatencyPart>("first_token");
  const [by, setBy] = useState<LatencyGroupBy>("backend");
  const [chosen, setChosen] = useState<LatencyGroup | null>(null);
  const period = spanOf(place);
  const lines = useUsageLatency({ ...period, ...(chosen ? { group_by: by, name: chosen.key } : { group_by: "all" }) });
  const groups = useUsageLatency({ ...period, group_by: by });
  const header = LATENCY_GROUPS.find((one) => one.value === by)?.label ?? "";
  return (
    <>
      <Reading of={lines} skeleton={<Skeleton className="h-[278px] rounded-card" />}>
        {(latency) => (
          <div aria-busy={lines.isPlaceholderData} className={classNames(lines.isPlaceholderData && "opacity-60")}>
            <LatencyChart
              latency={latency}
              part={part}
              group={chosen && { ...chosen, by }}
              place={place}
              onPart={setPart}
              onRequests={onRequests}
            />
          </div>
        )}
      </Reading>
      <Card
        title="Times"
        note={by === "all" ? undefined : `choose a ${header.toLowerCase()} to see its lines`}
        flush
        action={
          <>
            {chosen && <FilterChip label={header} word={chosen.label} onClear={() => setChosen(null)} />}
            <Choice
              label="Group times by"
              options={LATENCY_GROUPS}
              value={by}
              onChange={(next) => {
                setChosen(null);
                setBy(next);
              }}
            />
          </>
        }
      >
        <Reading of={groups} skeleton={<Skeleton className="m-4 h-24" />}>
          {(latency) => (
            <div aria-busy={groups.isPlaceholderData} className={classNames(groups.isPlaceholderData && "opacity-60")}>
              <LatencyTable
                latency={latency}
                part={part}
                by={by}
                chosen={chosen?.key ?? null}
                period={periodFilter(latency, place)}
                onChoose={(group) => setChosen(group.key === chosen?.key ? null : group)}
              />
            </div>
          )}
        </Reading>
      </Card>
    </>
  );
}
