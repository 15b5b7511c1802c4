/** Percentiles of the first token of one backend or all, with the time that counts as late. */
import { Timer } from "lucide-react";
import { useState } from "react";
import { ChartCard } from "@/components/chart/chart-card";
import { ChartTable } from "@/components/chart/chart-table";
import { EmptyState } from "@/components/notice/empty-state";
import { LineChart } from "@/components/chart/line-chart";
import { Reading } from "@/components/notice/reading";
import { Select } from "@/components/form/select";
import { LoadingCard } from "@/components/notice/skeleton";
import { LANES_LEFT_PX } from "@/components/chart/swim-lanes";
import type { LatencyPartView, UsageLatencyView, UsageRange } from "@/ipc/bindings";
import { useHealth, useServiceLevels } from "@/ipc/health-queries";
import { useUsageLatency } from "@/ipc/usage-queries";
import { classNames } from "@/lib/class-names";
import { toCsv } from "@/lib/csv";
import { latencySpan } from "@/lib/latency-span";
import { formatCount, formatDuration } from "@/lib/quantity";
import type { TimelineRange } from "@/lib/timeline-range";

const HEIGHT_PX = 200;
const RANGES: Record<TimelineRange, UsageRange> = { "24h": "last_day", "7d": "last_week", "30d": "last_month" };
const LINES = [
  { key: "p50_ms", label: "p50", colour: "var(--series-1)" },
  { key: "p95_ms", label: "p95", colour: "var(--series-2)" },
] as const;
const ALL = "";

interface LatencyOverTimeProps {
  range: TimelineRange;
  /** Of the states above. */
  span: { from: number; to: number } | undefined;
}

export function LatencyOverTime({ range, span }: LatencyOverTimeProps) {
  const [backend, setBackend] = useState(ALL);
  const backends = useHealth().data?.backends.filter(({ health }) => health.state !== "disabled") ?? [];
  const limit = useServiceLevels().data?.first_token_max_ms;
  const latency = useUsageLatency({
    range: RANGES[range],
    zone: "local",
    ...(backend === ALL ? { group_by: "all" as const } : { group_by: "backend" as const, name: backend }),
  });
  const options = [{ value: ALL, label: "All backends" }, ...backends.map(({ id, label }) => ({ value: id, label }))];
  return (
    <Reading of={latency} skeleton={<LoadingCard label="Loading first tokens" className="h-[278px]" />}>
      {(view) => (
        <ChartCard
          finding={view.finding}
          note={latencySpan("first_token", backend === ALL ? "all" : "backend")}
          controls={
            <Select aria-label="Backend" className="w-40" options={options} value={backend} onChange={setBackend} />
          }
          file={{ name: "gatehouse-first-tokens", csv: () => latencyCsv(view) }}
          table={<LatencyTable view={view} />}
          className={classNames(latency.isPlaceholderData && "opacity-60")}
        >
          {firstTokenOf(view.parts) === null ? (
            <div style={{ height: HEIGHT_PX }} className="flex items-center justify-center">
              <EmptyState icon={Timer} title="No first token in this time">
                Only answers of backends count, not those from the cache.
              </EmptyState>
            </div>
          ) : (
            <LineChart
              label="Time to first token"
              height={HEIGHT_PX}
              points={view.buckets.map(({ start, label }) => ({ key: String(start), label }))}
              lines={LINES.map(({ key, label, colour }) => ({
                key,
                label,
                colour,
                values: view.buckets.map(({ parts }) => firstTokenOf(parts)?.[key] ?? null),
              }))}
              span={span && { from: span.from, to: span.to, middles: middlesOf(view, span), left: LANES_LEFT_PX }}
              limit={limit === undefined ? undefined : { label: "late", value: limit }}
              format={formatDuration}
              formatTick={(ms) => (ms === 0 ? "0" : formatDuration(ms))}
            />
          )}
        </ChartCard>
      )}
    </Reading>
  );
}

/** The middles of what the buckets have of the time that is shown. */
function middlesOf({ buckets, to }: UsageLatencyView, span: { from: number; to: number }): number[] {
  const within = (moment: number) => Math.min(Math.max(moment, span.from), span.to);
  return buckets.map(({ start }, index) => (within(start) + within(buckets[index + 1]?.start ?? to)) / 2);
}

function firstTokenOf(parts: LatencyPartView[]): LatencyPartView | null {
  return parts.find(({ part }) => part === "first_token") ?? null;
}

function LatencyTable({ view }: { view: UsageLatencyView }) {
  return (
    <ChartTable
      label="First tokens over time"
      height={HEIGHT_PX}
      columns={["Start", "Answers", "p50", "p95", "p99"]}
      rows={view.buckets.map(({ start, label, parts }) => {
        const one = firstTokenOf(parts);
        const times = [one?.p50_ms, one?.p95_ms, one?.p99_ms].map((ms) => (ms == null ? "–" : formatDuration(ms)));
        return { key: String(start), cells: [label, formatCount(one?.count ?? 0), ...times] };
      })}
    />
  );
}

function latencyCsv({ buckets }: UsageLatencyView): string {
  return toCsv(
    ["start_utc", "answers", "p50_ms", "p95_ms", "p99_ms"],
    buckets.map(({ start, parts }) => {
      const one = firstTokenOf(parts);
      return [
        new Date(start).toISOString(),
        one?.count ?? 0,
        one?.p50_ms ?? null,
        one?.p95_ms ?? null,
        one?.p99_ms ?? null,
      ];
    }),
  );
}
