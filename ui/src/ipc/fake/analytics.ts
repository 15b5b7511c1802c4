import type {
  ForecastDayView,
  RequestView,
  UsageForecastQuery,
  UsageForecastView,
  UsageHeatmapView,
  UsagePeriodQuery,
} from "@/ipc/bindings";
import { isWanted, segmentOf, startOfDay, startsOf } from "@/ipc/fake/traffic";
import { DAY_MS } from "@/lib/time";

/** Width of the band, up and down. */
const BAND_SHARE = 0.18;

function monthOf(now: number, zone: UsageForecastQuery["zone"]): number[] {
  const today = new Date(startOfDay(now, zone));
  const count =
    zone === "utc"
      ? new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + 1, 0)).getUTCDate()
      : new Date(today.getFullYear(), today.getMonth() + 1, 0).getDate();
  return Array.from({ length: count }, (_, index) =>
    zone === "utc"
      ? Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), index + 1)
      : new Date(today.getFullYear(), today.getMonth(), index + 1).getTime(),
  );
}

const dollars = (amount: number) => `$${(amount / 1_000_000_000).toFixed(2)}`;

/** The mean day of the month so far goes on; the core weights weekdays and draws a band. */
export function forecastOf(requests: RequestView[], query: UsageForecastQuery, now: number): UsageForecastView {
  const starts = monthOf(now, query.zone);
  const wanted = requests.filter((request) => isWanted(request, query.filter));
  const costs = starts.map((start, index) => {
    const end = starts[index + 1] ?? start + DAY_MS;
    return segmentOf(wanted.filter(({ started_at }) => started_at >= start && started_at < end)).cost_nano_usd;
  });
  const today = startOfDay(now, query.zone);
  const spent = costs.reduce((sum, cost) => sum + cost, 0);
  const activeDays = costs.filter((cost) => cost > 0).length;
  const daily = activeDays === 0 ? 0 : spent / activeDays;
  const label = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    ...(query.zone === "utc" ? { timeZone: "UTC" } : {}),
  });
  let sum = 0;
  let expectedSum = 0;
  const days: ForecastDayView[] = starts.map((start, index) => {
    const isPast = start < today;
    const rest = start === today ? 1 - (now - today) / DAY_MS : 1;
    const expected = isPast ? 0 : Math.round(daily * rest);
    sum += (costs[index] ?? 0) + expected;
    expectedSum += expected;
    const band = Math.round(expectedSum * BAND_SHARE);
    return {
      start,
      label: label.format(start),
      spent_nano_usd: start <= today ? (costs[index] ?? 0) : null,
      expected_nano_usd: isPast ? null : expected,
      cumulative_nano_usd: sum,
      cumulative_low_nano_usd: sum - band,
      cumulative_high_nano_usd: sum + band,
    };
  });
  const last = days.at(-1);
  const [low, high] = [last?.cumulative_low_nano_usd ?? spent, last?.cumulative_high_nano_usd ?? spent];
  return {
    month_start: starts[0] ?? now,
    month_end: (starts.at(-1) ?? now) + DAY_MS,
    unpriced_requests: wanted.filter(
      ({ cost_nano_usd, started_at }) =>
        cost_nano_usd === null && started_at >= (starts[0] ?? now) && started_at <= now,
    ).length,
    finding:
      spent === 0
        ? "Nothing was spent yet"
        : `About ${dollars(sum)} this month, between ${dollars(low)} and ${dollars(high)}`,
    spent_nano_usd: spent,
    expected_nano_usd: sum,
    low_nano_usd: low,
    high_nano_usd: high,
    method: spent === 0 ? "none" : "by_weekday",
    is_confident: spent > 0,
    active_days: activeDays,
    back_test: spent === 0 ? null : { months: 2, error_percent: 9.4 },
    days,
  };
}

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const clockHour = (hour: number) => `${String(hour).padStart(2, "0")}:00`;

const hourStart = ({ started_at }: RequestView) => started_at - (started_at % 3_600_000);

export function heatmapOf(requests: RequestView[], query: UsagePeriodQuery, clock: number): UsageHeatmapView {
  const now = Math.min(clock, query.to ?? clock);
  const from = startsOf(query, now).starts[0] ?? now;
  const wanted = requests.filter(
    (request) => isWanted(request, query.filter) && request.started_at >= from && request.started_at < now,
  );
  const cellOf = ({ started_at }: RequestView) => {
    const date = new Date(started_at);
    const [day, hour] =
      query.zone === "utc" ? [date.getUTCDay(), date.getUTCHours()] : [date.getDay(), date.getHours()];
    return `${(day + 6) % 7} ${hour}`;
  };
  const weekdays = WEEKDAYS.map((weekday, row) => {
    const cells = Array.from({ length: 24 }, (_, hour) =>
      wanted.filter((request) => cellOf(request) === `${row} ${hour}`),
    );
    return {
      weekday,
      hours: cells.map(segmentOf),
      newest: cells.map((cell) => (cell.length === 0 ? null : Math.max(...cell.map(hourStart)))),
    };
  });
  const cells = weekdays.flatMap(({ weekday, hours }) => hours.map((cell, hour) => ({ weekday, hour, cell })));
  const most = cells.toSorted(
    ({ cell: left }, { cell: right }) => right.cost_nano_usd - left.cost_nano_usd || right.requests - left.requests,
  )[0];
  const what = (most?.cell.cost_nano_usd ?? 0) > 0 ? "Most is spent" : "Most requests come";
  return {
    from,
    to: now,
    finding:
      most === undefined || most.cell.requests === 0
        ? "No requests in this period"
        : `${what} on ${most.weekday} from ${clockHour(most.hour)} to ${clockHour(most.hour + 1)}`,
    weekdays,
  };
}
