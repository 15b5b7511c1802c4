/** Percentiles of one part of the latency over time. */
import { Timer } from "lucide-react";
import {
  formatLatency,
  formatLatencyTick,
  LATENCY_PARTS,
  latencyFinding,
  latencyOf,
  type LatencyGroup,
} from "@/features/usage/activity/latency-words";
import { barFilter, latencyFilter } from "@/features/usage/requests-link";
import { periodLabel } from "@/features/usage/usage-period";
import type { UsagePlace } from "@/features/usage/usage-place";
import { ChartCard } from "@/components/chart/chart-card";
import { ChartTable } from "@/components/chart/chart-table";
import { Choice } from "@/components/form/choice";
import { EmptyState } from "@/components/notice/empty-state";
import { LineChart } from "@/components/chart/line-chart";
import type { LatencyGroupBy, LatencyPart, UsageLatencyView } from "@/ipc/bindings";
import { toCsv } from "@/lib/csv";
import { latencySpan } from "@/lib/latency-span";
import { formatCount, formatDuration } from "@/lib/quantity";
import type { RequestFilter } from "@/lib/request-filter";

/** Lowest first: where they are equal, their names stand in this order upwards. */
const PERCENTILES = [
  { key: "p50_ms", label: "p50", colour: "var(--series-1)" },
  { key: "p95_ms", label: "p95", colour: "var(--series-2)" },
  { key: "p99_ms", label: "p99", colour: "var(--series-3)" },
] as const;

const HEIGHT_PX = 200;

interface LatencyChartProps {
  latency: UsageLatencyView;
  part: LatencyPart;
  /** Only its requests count. */
  group: (LatencyGroup & { by: LatencyGroupBy }) | null;
  place: UsagePlace;
  onPart: (part: LatencyPart) => void;
  onRequests: (filter: RequestFilter) => void;
}

export function LatencyChart({ latency, part, group, place, onPart, onRequests }: LatencyChartProps) {
  const { buckets, parts } = latency;
  const span = latencySpan(part, group?.by ?? "all");
  const filter = latencyFilter(group?.key ?? "", group?.by ?? "all");
  return (
    <ChartCard
      finding={latencyFinding(parts, part, group)}
      note={`${periodLabel(place)}, ${span}`}
      controls={<Choice label="Part of the time" options={LATENCY_PARTS} value={part} onChange={onPart} />}
      file={{ name: "gatehouse-latency", csv: () => latencyCsv(latency) }}
      table={<PercentileTable latency={latency} part={part} />}
    >
      {latencyOf(parts, part) === null ? (
        <div style={{ height: HEIGHT_PX }} className="flex items-center justify-center">
          <EmptyState icon={Timer} title="Nothing measured in this period">
            Only requests that a backend answered to the end count, not those from the cache.
          </EmptyState>
        </div>
      ) : (
        <LineChart
          label={`Time ${span}`}
          height={HEIGHT_PX}
          points={buckets.map(({ start, label }) => ({ key: String(start), label }))}
          lines={PERCENTILES.map(({ key, label, colour }) => ({
            key,
            label,
            colour,
            values: buckets.map((bucket) => latencyOf(bucket.parts, part)?.[key] ?? null),
          }))}
          format={formatDuration}
          formatTick={formatLatencyTick}
          onChoose={(index) => onRequests({ ...filter, ...barFilter(buckets, index, place) })}
        />
      )}
    </ChartCard>
  );
}

function PercentileTable({ latency, part }: { latency: UsageLatencyView; part: LatencyPart }) {
  return (
    <ChartTable
      label="Percentiles over time"
      height={HEIGHT_PX}
      columns={["Start", "Requests", "p50", "p95", "p99", "Longest"]}
      rows={latency.buckets.map(({ start, label, parts }) => {
        const one = latencyOf(parts, part);
        const times = [one?.p50_ms, one?.p95_ms, one?.p99_ms, one?.max_ms].map((ms) => formatLatency(ms ?? null));
        return { key: String(start), cells: [label, formatCount(one?.count ?? 0), ...times] };
      })}
    />
  );
}

function latencyCsv({ buckets }: UsageLatencyView): string {
  return toCsv(
    ["start_utc", "part", "requests", "p50_ms", "p95_ms", "p99_ms", "max_ms"],
    buckets.flatMap(({ start, parts }) =>
      parts.map(({ part, count, p50_ms, p95_ms, p99_ms, max_ms }) => [
        new Date(start).toISOString(),
        part,
        count,
        p50_ms,
        p95_ms,
        p99_ms,
        max_ms,
      ]),
    ),
  );
}
