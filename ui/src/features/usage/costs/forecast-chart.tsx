/** The month that runs now: what was spent so far and what is to be expected, with its range. */
import { ChartCard } from "@/components/chart/chart-card";
import { ChartTable } from "@/components/chart/chart-table";
import { LineChart } from "@/components/chart/line-chart";
import type { UsageForecastView } from "@/ipc/bindings";
import { useMoneyUnit } from "@/ipc/queries";
import { toCsv } from "@/lib/csv";
import { formatMoney, formatMoneyTick } from "@/lib/money";

const HEIGHT_PX = 200;

export function ForecastChart({ forecast }: { forecast: UsageForecastView }) {
  const { days } = forecast;
  const unit = useMoneyUnit();
  const today = days.findLastIndex((day) => day.spent_nano_usd !== null);
  // From yesterday on, so that both lines meet there. Of today only a part is spent.
  const isAhead = (index: number) => index >= today - 1;
  const spentUntil = (index: number) =>
    index === today ? forecast.spent_nano_usd : index < today ? (days[index]?.cumulative_nano_usd ?? null) : null;
  return (
    <ChartCard
      finding={forecast.finding}
      note={`This month, ${unit} added up${forecast.is_confident ? "" : "; run rate, low confidence"}`}
      file={{ name: "gatehouse-forecast", csv: () => forecastCsv(forecast) }}
      table={
        <ChartTable
          label="Forecast by day"
          height={HEIGHT_PX}
          columns={["Day", "Spent", "Expected", "Sum", "Range of the sum"]}
          rows={days.map((day, index) => ({
            key: String(day.start),
            cells: [
              day.label,
              day.spent_nano_usd === null ? "–" : formatMoney(day.spent_nano_usd),
              day.expected_nano_usd === null ? "–" : formatMoney(day.expected_nano_usd),
              formatMoney(day.cumulative_nano_usd),
              isAhead(index)
                ? `${formatMoney(day.cumulative_low_nano_usd)}–${formatMoney(day.cumulative_high_nano_usd)}`
                : "–",
            ],
          }))}
        />
      }
    >
      <LineChart
        label="Spending of this month added up"
        height={HEIGHT_PX}
        points={days.map((day) => ({ key: String(day.start), label: day.label }))}
        lines={[
          {
            key: "expected",
            label: "expected",
            colour: "var(--series-2)",
            dashed: true,
            values: days.map((day, index) => (isAhead(index) ? day.cumulative_nano_usd : null)),
          },
          {
            key: "spent",
            label: "spent",
            colour: "var(--series-1)",
            values: days.map((_, index) => spentUntil(index)),
          },
        ]}
        band={{
          label: "8 of 10 times",
          colour: "var(--series-2)",
          low: days.map((day, index) => (isAhead(index) ? day.cumulative_low_nano_usd : null)),
          high: days.map((day, index) => (isAhead(index) ? day.cumulative_high_nano_usd : null)),
        }}
        format={formatMoney}
        formatTick={formatMoneyTick}
      />
    </ChartCard>
  );
}

function forecastCsv({ days }: UsageForecastView): string {
  return toCsv(
    ["start_utc", "spent_nano_usd", "expected_nano_usd", "sum_nano_usd", "sum_low_nano_usd", "sum_high_nano_usd"],
    days.map((day) => [
      new Date(day.start).toISOString(),
      day.spent_nano_usd,
      day.expected_nano_usd,
      day.cumulative_nano_usd,
      day.cumulative_low_nano_usd,
      day.cumulative_high_nano_usd,
    ]),
  );
}
