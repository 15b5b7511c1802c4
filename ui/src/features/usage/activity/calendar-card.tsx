/** The days of the last 53 weeks, whatever period is chosen: a column for each week, a row for each weekday. */
import { useState } from "react";
import { lastWeeks } from "@/features/usage/activity/last-weeks";
import { periodOf } from "@/features/usage/usage-period";
import { ACTIVITY_MEASURES, filterOf, withDays, type Measure, type UsagePlace } from "@/features/usage/usage-place";
import { barFilter } from "@/features/usage/requests-link";
import { ChartCard } from "@/components/chart/chart-card";
import { ChartTable } from "@/components/chart/chart-table";
import { Choice } from "@/components/form/choice";
import { Heatmap, heatmapHeight, type HeatmapCell, type HeatmapRow } from "@/components/chart/heatmap";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import type { TimeZoneChoice, UsageBucketView, UsageView } from "@/ipc/bindings";
import { useUsage } from "@/ipc/queries";
import { useNow } from "@/lib/clock";
import { toCsv } from "@/lib/csv";
import { formatCounted, formatCountShort } from "@/lib/quantity";
import type { RequestFilter } from "@/lib/request-filter";
import { HALF_DAY_MS } from "@/lib/time";

const WEEKS = 53;
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const ROW_PX = 18;

type Counted = Exclude<Measure, "cost">;

const FORMATS: Record<Counted, (value: number) => string> = {
  requests: (count) => formatCounted(count, "request", "requests"),
  tokens: (count) => `${formatCountShort(count)} tokens`,
};

interface CalendarCardProps {
  place: UsagePlace;
  onRequests: (filter: RequestFilter) => void;
}

export function CalendarCard({ place, onRequests }: CalendarCardProps) {
  const year = withDays(place, lastWeeks(useNow(), place.zone, WEEKS));
  const usage = useUsage({ ...periodOf(year), group_by: place.group });
  return (
    <Reading of={usage} skeleton={<LoadingCard label="Loading the calendar" className="h-[236px]" />}>
      {({ buckets, totals }) =>
        totals.requests > 0 && <Calendar buckets={buckets} year={year} onRequests={onRequests} />
      }
    </Reading>
  );
}

interface CalendarProps {
  /** A day each, from a Monday on, without gaps. */
  buckets: UsageView["buckets"];
  year: UsagePlace;
  onRequests: (filter: RequestFilter) => void;
}

function Calendar({ buckets, year, onRequests }: CalendarProps) {
  const [measure, setMeasure] = useState<Counted>("requests");
  const { zone } = year;
  const first = buckets.findIndex(({ total }) => total.requests > 0);
  const since = buckets[first];
  const monthOf = dateFormat({ month: "short" }, zone);
  const dateOf = dateFormat({ day: "numeric", month: "short", year: "numeric" }, zone);
  const columns = Array.from({ length: WEEKS }, (_, week) => String(week));
  return (
    <ChartCard
      finding={findingOf(buckets, measure, dateOf)}
      note={`last ${WEEKS} weeks${since && first > 0 ? `, the first on ${dateOf(since)}` : ""}; a cell opens its day`}
      controls={<Choice label="Measure of the days" options={COUNTED} value={measure} onChange={setMeasure} />}
      file={{ name: "gatehouse-days", csv: () => daysCsv(buckets) }}
      table={
        <ChartTable
          label="Days"
          height={heatmapHeight(WEEKDAYS.length, ROW_PX)}
          columns={["Day", "Requests", "Tokens"]}
          rows={buckets
            .slice(first)
            .toReversed()
            .map((day) => ({
              key: String(day.start),
              cells: [dateOf(day), FORMATS.requests(day.total.requests), FORMATS.tokens(day.total.tokens)],
            }))}
        />
      }
    >
      <Heatmap
        label="Use by day"
        walked="weeks and days"
        rowHeight={ROW_PX}
        columns={columns}
        ticks={columns.map((_, week) => monthTick(buckets, week, monthOf))}
        rows={WEEKDAYS.map((label, weekday) => rowOf(label, weekday, buckets, { first, measure, dateOf }))}
        format={FORMATS[measure]}
        onChoose={(weekday, week) => {
          const index = week * WEEKDAYS.length + weekday;
          if (index >= first && index < buckets.length)
            onRequests({ ...filterOf(year), ...barFilter(buckets, index, year) });
        }}
      />
    </ChartCard>
  );
}

const COUNTED = ACTIVITY_MEASURES.map(({ value, label }) => ({ value: value as Counted, label }));

type DateText = (day: UsageBucketView) => string;

/** By its noon, because a day begins an hour earlier or later where the clock was changed. */
function dateFormat(parts: Intl.DateTimeFormatOptions, zone: TimeZoneChoice): DateText {
  const format = new Intl.DateTimeFormat("en-GB", { ...parts, ...(zone === "utc" && { timeZone: "UTC" }) });
  return ({ start }) => format.format(start + HALF_DAY_MS);
}

/** The month under the first of its weeks. */
function monthTick(buckets: UsageBucketView[], week: number, monthOf: DateText): string | null {
  const monday = (of: number) => buckets[of * WEEKDAYS.length];
  const [now, before] = [monday(week), monday(week - 1)];
  if (now === undefined || before === undefined || monthOf(now) === monthOf(before)) return null;
  return monthOf(now);
}

interface RowOptions {
  /** The first day with a request: before it nothing is known. */
  first: number;
  measure: Counted;
  dateOf: DateText;
}

function rowOf(label: string, weekday: number, buckets: UsageBucketView[], options: RowOptions): HeatmapRow {
  const { first, measure, dateOf } = options;
  const cells = Array.from({ length: WEEKS }, (_, week): HeatmapCell => {
    const index = week * WEEKDAYS.length + weekday;
    const day = buckets[index];
    if (day === undefined) return { value: 0, name: label, words: "still to come", isAbsent: true };
    const name = `${label}, ${dateOf(day)}`;
    if (index < first) return { value: 0, name, words: "nothing recorded", isAbsent: true };
    return { value: day.total[measure], name };
  });
  return { label, cells };
}

function findingOf(buckets: UsageBucketView[], measure: Counted, dateOf: DateText): string {
  const [most] = buckets.toSorted((left, right) => right.total[measure] - left.total[measure]);
  if (most === undefined || most.total[measure] === 0) return `No ${measure} in ${WEEKS} weeks`;
  return `Most ${measure}: ${dateOf(most)}, ${FORMATS[measure](most.total[measure])}`;
}

function daysCsv(buckets: UsageBucketView[]): string {
  return toCsv(
    ["day_start", "requests", "tokens"],
    buckets.map(({ start, total }) => [new Date(start).toISOString(), total.requests, total.tokens]),
  );
}
