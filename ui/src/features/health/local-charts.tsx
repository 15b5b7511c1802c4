/** One small line chart per measure of the last hours, with the table behind it. */
import { ChartCard } from "@/components/chart/chart-card";
import { ChartTable } from "@/components/chart/chart-table";
import { LineChart } from "@/components/chart/line-chart";
import type { LocalChartView, LocalUnit } from "@/ipc/bindings";
import { toCsv } from "@/lib/csv";
import { formatPercent } from "@/lib/percent";
import { formatBytes } from "@/lib/quantity";
import { HOUR_MS, formatClock, formatSpan } from "@/lib/time";

const HEIGHT_PX = 112;
const CLOCK_STEPS_MS = [0.25, 0.5, 1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS);
const CLOCK_TICKS_MAX = 4;

interface LocalChartsProps {
  points: number[];
  charts: LocalChartView[];
}

export function LocalCharts({ points, charts }: LocalChartsProps) {
  // One width for all plots, so that the time is at one place in each column.
  const letters = Math.max(0, ...charts.map(({ latest }) => latest?.length ?? 0));
  return (
    <div className="grid grid-cols-1 gap-4 @xl:grid-cols-2 @4xl:grid-cols-3">
      {charts.map((chart) => (
        <LocalChart key={chart.measure} points={points} chart={chart} letters={letters} />
      ))}
    </div>
  );
}

function LocalChart({ points, chart, letters }: { points: number[]; chart: LocalChartView; letters: number }) {
  const { measure, label, latest, values, unit, limit, is_beyond: isBeyond } = chart;
  const format = (value: number) => valueText(unit, value);
  const moments = points.map((at) => ({ key: String(at), label: formatClock(at) }));
  return (
    <ChartCard
      finding={label}
      note={noteOf(points, chart)}
      file={{
        name: `gatehouse-${measure.replaceAll("_", "-")}`,
        csv: () =>
          toCsv(
            ["time", unit],
            points.map((at, index) => [new Date(at).toISOString(), values[index] ?? null]),
          ),
      }}
      table={
        <ChartTable
          label={label}
          height={HEIGHT_PX}
          columns={["Time", label]}
          rows={moments
            .map(({ key, label: time }, index) => {
              const value = values[index] ?? null;
              return { key, cells: [time, value === null ? "–" : format(value)] };
            })
            .toReversed()}
        />
      }
    >
      <LineChart
        label={label}
        height={HEIGHT_PX}
        points={moments}
        ticks={clockTicks(points)}
        lines={[
          {
            key: measure,
            // Beside its limit, the number would be written over it.
            label: limit === null ? (latest ?? "") : "",
            colour: isBeyond ? "var(--bad)" : "var(--series-1)",
            values,
          },
        ]}
        limit={limit === null ? undefined : { label: format(limit), value: limit }}
        format={format}
        formatTick={(value) => (value === 0 ? "0" : format(value))}
        letters={letters}
      />
    </ChartCard>
  );
}

/** Full hours, at the first measurement of each. */
function clockTicks(points: number[]): Map<number, string> {
  const [first = 0, last = 0] = [points[0], points.at(-1)];
  const step = CLOCK_STEPS_MS.find((ms) => (last - first) / ms <= CLOCK_TICKS_MAX) ?? 24 * HOUR_MS;
  const midnight = new Date(first).setHours(0, 0, 0, 0);
  const stepOf = (at: number) => Math.floor((at - midnight) / step);
  return new Map(
    points.flatMap((at, index) => {
      const before = points[index - 1];
      const isFirst = before !== undefined && stepOf(before) < stepOf(at);
      return isFirst ? [[index, formatClock(midnight + stepOf(at) * step)] as const] : [];
    }),
  );
}

function noteOf(points: number[], { measure, latest, extreme }: LocalChartView): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || extreme === null) return "not measured yet";
  if (latest === null) return "not known now";
  if (last === first) return `${latest} now`;
  const which = measure === "disk_free" ? "least" : "most";
  return `${latest} now, at ${which} ${extreme} in ${formatSpan(last - first)}`;
}

function valueText(unit: LocalUnit, value: number): string {
  return unit === "percent" ? formatPercent(value) : formatBytes(value);
}
