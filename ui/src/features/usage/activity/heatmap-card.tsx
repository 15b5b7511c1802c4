/** When requests come: by hour and weekday. */
import { useState } from "react";
import { periodLabel, periodOf } from "@/features/usage/usage-period";
import { MEASURES, filterOf, type Measure, type UsagePlace } from "@/features/usage/usage-place";
import { ChartCard } from "@/components/chart/chart-card";
import { ChartTable } from "@/components/chart/chart-table";
import { Choice } from "@/components/form/choice";
import { Heatmap, heatmapHeight } from "@/components/chart/heatmap";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { isNothing, spendText, spendValue } from "@/lib/cost-sum";
import type { UsageSegmentView } from "@/ipc/bindings";
import type { UsageHeatmapView } from "@/ipc/bindings";
import { useUsageHeatmap } from "@/ipc/usage-queries";
import { toCsv } from "@/lib/csv";
import { formatMoney } from "@/lib/money";
import { formatCounted, formatCountShort } from "@/lib/quantity";
import type { RequestFilter } from "@/lib/request-filter";
import { HOUR_MS } from "@/lib/time";

const HOURS = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, "0")}:00`);

const FORMATS: Record<Measure, (value: number) => string> = {
  cost: formatMoney,
  requests: (count) => formatCounted(count, "request", "requests"),
  tokens: (count) => `${formatCountShort(count)} tokens`,
};

function amountOf(segment: UsageSegmentView, measure: Measure): number {
  return measure === "cost" ? segment.cost_nano_usd : segment[measure];
}

interface HeatmapCardProps {
  place: UsagePlace;
  onRequests: (filter: RequestFilter) => void;
}

export function HeatmapCard({ place, onRequests }: HeatmapCardProps) {
  const heatmap = useUsageHeatmap(periodOf(place));
  return (
    <Reading of={heatmap} skeleton={<Skeleton className="h-[292px] rounded-card" />}>
      {(data) => <Hours heatmap={data} place={place} onRequests={onRequests} />}
    </Reading>
  );
}

function Hours({ heatmap, place, onRequests }: HeatmapCardProps & { heatmap: UsageHeatmapView }) {
  const [measure, setMeasure] = useState<Measure>("requests");
  const format = FORMATS[measure];
  const wordOf = (hour: UsageSegmentView) => {
    if (measure !== "cost") return format(amountOf(hour, measure));
    return isNothing(hour) ? "no requests" : spendText(hour);
  };
  const rows = heatmap.weekdays.map(({ weekday, hours }) => ({
    label: weekday,
    cells: hours.map((hour) => ({
      value: amountOf(hour, measure),
      words: wordOf(hour),
      isUnknown: measure === "cost" && hour.is_cost_unknown,
    })),
  }));
  return (
    <ChartCard
      finding={findingOf(heatmap, measure)}
      note={`${periodLabel(place)}, by hour and weekday; a cell opens its newest hour`}
      controls={<Choice label="Measure of the hours" options={MEASURES} value={measure} onChange={setMeasure} />}
      file={{ name: "gatehouse-hours", csv: () => hoursCsv(heatmap) }}
      table={
        <ChartTable
          label="Hours and weekdays"
          height={heatmapHeight(rows.length)}
          columns={["Hour", ...rows.map((row) => row.label)]}
          rows={HOURS.map((hour, index) => ({
            key: hour,
            cells: [
              hour,
              ...heatmap.weekdays.map(({ hours }) => {
                const one = hours[index];
                return one === undefined || isNothing(one) ? "–" : wordOf(one);
              }),
            ],
          }))}
        />
      }
    >
      <Heatmap
        label="Use by hour and weekday"
        columns={HOURS}
        rows={rows}
        format={format}
        onChoose={(row, column) => {
          const since = heatmap.weekdays[row]?.newest[column];
          if (since != null) onRequests({ ...filterOf(place), since, until: since + HOUR_MS });
        }}
      />
    </ChartCard>
  );
}

/** The strongest hour. The core provides the sentence about cost. */
function findingOf({ finding, weekdays }: UsageHeatmapView, measure: Measure): string {
  if (measure === "cost") return finding;
  const cells = weekdays.flatMap(({ weekday, hours }) =>
    hours.map((hour, index) => ({ weekday, hour: HOURS[index], amount: amountOf(hour, measure) })),
  );
  const most = cells.reduce((best, cell) => (cell.amount > best.amount ? cell : best), {
    weekday: "",
    hour: "",
    amount: 0,
  });
  return most.amount === 0 ? `No ${measure} in this period` : `Most ${measure}: ${most.weekday} from ${most.hour}`;
}

function hoursCsv({ weekdays }: UsageHeatmapView): string {
  return toCsv(
    ["weekday", "hour", "cost_nano_usd", "requests", "tokens", "unpriced_requests"],
    weekdays.flatMap(({ weekday, hours }) =>
      hours.map((hour, index) => [
        weekday,
        index,
        spendValue(hour),
        hour.requests,
        hour.tokens,
        hour.unpriced_requests,
      ]),
    ),
  );
}
