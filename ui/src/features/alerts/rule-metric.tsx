/** What a rule compares with its threshold, over the days of the back-test. */
import { ChartCard } from "@/components/chart/chart-card";
import { ChartTable } from "@/components/chart/chart-table";
import { LineChart } from "@/components/chart/line-chart";
import { seriesColour } from "@/components/chart/series-colour";
import type { AlertMetricView } from "@/ipc/bindings";
import { toCsv } from "@/lib/csv";
import { formatCount, formatCounted } from "@/lib/quantity";
import { DAY_MS, formatClock, formatDay, formatPart, formatSpan } from "@/lib/time";

const HEIGHT_PX = 160;

export function RuleMetric({ metric, from, to }: { metric: AlertMetricView; from: number; to: number }) {
  const { finding, lines, steps, threshold, unit } = metric;
  const text = (value: number) =>
    `${formatCount(value < 10 ? Math.round(value * 10) / 10 : Math.round(value))} ${unit}`;
  const stepText = (index: number) => formatPart(steps[index] ?? from, steps[index + 1] ?? to, "local");
  const label = "What the rule compares";
  return (
    <ChartCard
      finding={finding}
      note={noteOf(metric, to - from)}
      file={{ name: "gatehouse-rule", csv: () => metricCsv(metric) }}
      table={
        <ChartTable
          label={label}
          height={HEIGHT_PX}
          columns={["Time", ...lines.map(({ name }) => name)]}
          rows={steps
            .map((start, index) => ({
              key: String(start),
              cells: [
                stepText(index),
                ...lines.map(({ values }) => {
                  const value = values[index] ?? null;
                  return value === null ? "–" : text(value);
                }),
              ],
            }))
            .toReversed()}
        />
      }
    >
      <LineChart
        label={label}
        height={HEIGHT_PX}
        points={steps.map((start, index) => ({
          key: String(start),
          label: to - from <= DAY_MS ? formatClock(start) : formatDay(start),
          title: stepText(index),
        }))}
        lines={lines.map(({ name, values }, index) => ({
          key: name,
          label: lines.length === 1 ? "" : name,
          colour: seriesColour(index),
          values,
        }))}
        limit={{ label: text(threshold), value: threshold }}
        format={text}
        formatTick={(value) => formatCount(value)}
      />
    </ChartCard>
  );
}

function noteOf({ lines, steps, left_out: more }: AlertMetricView, lengthMs: number): string {
  const names = lines.length === 1 ? `${lines[0]?.name}, ` : "";
  const step = formatSpan(lengthMs / Math.max(steps.length, 1));
  const rest = more === 0 ? "" : `; ${formatCounted(more, "other is", "others are")} left out`;
  return `${names}what came closest to the threshold in each ${step}${rest}`;
}

function metricCsv({ lines, steps }: AlertMetricView): string {
  return toCsv(
    ["start_utc", ...lines.map(({ name }) => name)],
    steps.map((start, index) => [new Date(start).toISOString(), ...lines.map(({ values }) => values[index] ?? null)]),
  );
}
