/** What was down, when and for how long: the states of everything that answers depend on, side by side. */
import { LatencyOverTime } from "@/features/health/latency-over-time";
import { HealthPage } from "@/features/health/health-page";
import { ChartCard } from "@/components/chart/chart-card";
import { Choice } from "@/components/form/choice";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import { namesWidth } from "@/components/chart/margin";
import { SwimLanes } from "@/components/chart/swim-lanes";
import { SwimLanesTable } from "@/components/chart/swim-lanes-table";
import type { HealthTimelineView } from "@/ipc/bindings";
import { useHealthTimeline } from "@/ipc/health-queries";
import { classNames } from "@/lib/class-names";
import { toCsv } from "@/lib/csv";
import { TIMELINE_RANGES, type TimelineRange } from "@/lib/timeline-range";

interface TimelineScreenProps {
  range: TimelineRange;
  onRange: (range: TimelineRange) => void;
}

export function TimelineScreen({ range, onRange }: TimelineScreenProps) {
  const { hours, words } = TIMELINE_RANGES.find(({ value }) => value === range) ?? TIMELINE_RANGES[0];
  const timeline = useHealthTimeline(hours);
  return (
    <HealthPage current="timeline" lead={timeline.data && `${timeline.data.finding}.`}>
      <Reading of={timeline} skeleton={<LoadingCard label="Loading the time line" className="h-[320px]" />}>
        {(view) => (
          <ChartCard
            finding="States over time"
            note="hatched: not observed"
            controls={<Choice label="Range" options={TIMELINE_RANGES} value={range} onChange={onRange} />}
            file={{ name: "gatehouse-states", csv: () => timelineCsv(view) }}
            table={<SwimLanesTable lanes={view.lanes} />}
            className={classNames(timeline.isPlaceholderData && "opacity-60")}
          >
            {/* As much room at the right as the lines below have for their names: both share one time axis. */}
            <div style={{ paddingRight: namesWidth() }}>
              <SwimLanes
                label={`States of ${words}`}
                from={view.from}
                to={view.to}
                lanes={view.lanes}
                markers={view.markers}
              />
            </div>
          </ChartCard>
        )}
      </Reading>
      <LatencyOverTime range={range} span={timeline.data} />
    </HealthPage>
  );
}

function timelineCsv({ lanes }: HealthTimelineView): string {
  return toCsv(
    ["of", "state", "from_utc", "to_utc", "reason"],
    lanes.flatMap(({ id, spans }) =>
      spans.map(({ from, to, state, why }) => [
        id,
        state,
        new Date(from).toISOString(),
        new Date(to).toISOString(),
        why,
      ]),
    ),
  );
}
