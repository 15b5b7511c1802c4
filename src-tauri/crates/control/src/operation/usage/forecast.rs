//! The forecast of the month that runs, and hours by weekdays.

use analytics::{DailyCost, Forecast, ForecastBackTest, ForecastDay, ForecastMethod, Today};
use domain::{NanoUsd, SeededEntropy, ShownCurrency, WallTime, count_noun};
use engine::Engine;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use ledger::{BucketWidth, GroupBy, UsageTotals};

use crate::ApiError;
use crate::moment::time_zone;
use crate::operation::currency::currency_view;
use crate::operation::usage::period::{Period, ledger_filter, to_zoned};
use crate::operation::usage::{bar_label, segment_view, sum_period};
use crate::view::{
    ForecastBackTestView, ForecastDayView, HeatmapDayView, UnixMs, UsageForecastQuery,
    UsageForecastView, UsageHeatmapView, UsagePeriodQuery,
};

/// Whole months before this one that forecasts learn from and are tested with.
const MONTHS_BEFORE: i64 = 4;

pub(crate) async fn usage_forecast(
    engine: &Engine,
    req: UsageForecastQuery,
) -> Result<UsageForecastView, ApiError> {
    let (zone, now) = (time_zone(req.zone), engine.clock().wall());
    let calendar = || ApiError::failed("the date is outside the supported dates");
    let month = Month::of(now, &zone).ok_or_else(calendar)?;
    let period = Period { from: month.history_start, to: now, bucket: BucketWidth::Day, zone };
    let filter = ledger_filter(&req.filter);
    let sums = sum_period(engine, &period, GroupBy::Backend, &filter).await?;
    let mut days: Vec<DailyCost> = Vec::with_capacity(sums.buckets.len());
    let mut unpriced = 0;
    for bucket in &sums.buckets {
        let date = to_zoned(bucket.start, &period.zone).ok_or_else(calendar)?.date();
        let cost = bucket.groups.iter().map(|(_, totals)| totals.cost).sum();
        days.push(DailyCost { date, cost });
        if bucket.start >= month.start {
            unpriced += bucket.groups.iter().map(|(_, it)| it.unpriced_requests).sum::<u64>();
        }
    }
    let running = days.pop().filter(|day| day.date == month.today);
    let cost = running.map_or(NanoUsd::ZERO, |day| day.cost);
    let today = Today { date: month.today, cost, elapsed: month.elapsed };
    // The same month draws the same numbers, so that the band moves with the costs alone.
    let entropy = SeededEntropy::new(month.start.unix_ms().unsigned_abs());
    let forecast = analytics::forecast(&days, today, &entropy);
    let tested = analytics::back_test(&days, &entropy);
    let currency = currency_view(&engine.settings()).shown();
    Ok(UsageForecastView {
        month_start: month.start.into(),
        month_end: month.end.into(),
        finding: forecast_finding(&forecast, unpriced, currency),
        spent_nano_usd: forecast.spent.into(),
        expected_nano_usd: forecast.expected.into(),
        low_nano_usd: forecast.low.into(),
        high_nano_usd: forecast.high.into(),
        unpriced_requests: unpriced.into(),
        method: forecast.method,
        is_confident: forecast.method == ForecastMethod::ByWeekday,
        active_days: u32::try_from(forecast.active_days).unwrap_or(u32::MAX),
        back_test: tested.map(back_test_view),
        days: day_views(&days, &today, &forecast, &period).ok_or_else(calendar)?,
    })
}

/// The month of a moment, in a time zone.
struct Month {
    today: Date,
    start: WallTime,
    end: WallTime,
    history_start: WallTime,
    /// Share of today that is over.
    elapsed: f64,
}

impl Month {
    fn of(now: WallTime, zone: &TimeZone) -> Option<Self> {
        let zoned = to_zoned(now, zone)?;
        let today = zoned.date();
        let first = today.first_of_month();
        let start_of = |date: Date| date_start(date, zone);
        let day: [Zoned; 2] =
            [zoned.start_of_day().ok()?, zoned.tomorrow().ok()?.start_of_day().ok()?];
        let [day_start, day_end] = day.map(|time| time.timestamp().as_millisecond());
        let elapsed = (now.unix_ms() - day_start) as f64 / (day_end - day_start).max(1) as f64;
        Some(Self {
            today,
            start: start_of(first)?,
            end: start_of(first.checked_add(1.month()).ok()?)?,
            history_start: start_of(first.checked_sub(MONTHS_BEFORE.months()).ok()?)?,
            elapsed,
        })
    }
}

fn date_start(date: Date, zone: &TimeZone) -> Option<WallTime> {
    let start = date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
    Some(WallTime::from_unix_ms(start.timestamp().as_millisecond()))
}

fn back_test_view(tested: ForecastBackTest) -> ForecastBackTestView {
    ForecastBackTestView {
        months: u32::try_from(tested.months).unwrap_or(u32::MAX),
        error_percent: (tested.error_percent * 10.0).round() / 10.0,
    }
}

fn forecast_finding(forecast: &Forecast, unpriced: u64, currency: ShownCurrency) -> String {
    let [expected, low, high] =
        [forecast.expected, forecast.low, forecast.high].map(|amount| currency.format(amount));
    let finding = match forecast.method {
        ForecastMethod::ByWeekday if low == high => format!("About {expected} this month"),
        ForecastMethod::ByWeekday => {
            format!("About {expected} this month, between {low} and {high}")
        }
        ForecastMethod::RunRate => {
            format!("{expected} this month at the rate so far; too few days for a forecast")
        }
        ForecastMethod::None if unpriced > 0 => {
            "Nothing with a known price was spent yet".to_owned()
        }
        ForecastMethod::None => "Nothing was spent yet".to_owned(),
    };
    finding + &without_unpriced(unpriced)
}

/// The end of a sentence on costs: `, without 2 unpriced requests`.
fn without_unpriced(unpriced: u64) -> String {
    match unpriced {
        0 => String::new(),
        count => format!(", without {}", count_noun(count, "unpriced request")),
    }
}

fn day_views(
    past: &[DailyCost],
    today: &Today,
    forecast: &Forecast,
    period: &Period,
) -> Option<Vec<ForecastDayView>> {
    let day = |date, spent: Option<NanoUsd>, expected: Option<&ForecastDay>, sum: NanoUsd| {
        let start = date_start(date, &period.zone)?;
        let cumulative = |value: fn(&ForecastDay) -> NanoUsd| expected.map_or(sum, value).into();
        Some(ForecastDayView {
            start: start.into(),
            label: bar_label(start, period),
            spent_nano_usd: spent.map(Into::into),
            expected_nano_usd: expected.map(|day| day.expected.into()),
            cumulative_nano_usd: cumulative(|day| day.cumulative),
            cumulative_low_nano_usd: cumulative(|day| day.cumulative_low),
            cumulative_high_nano_usd: cumulative(|day| day.cumulative_high),
        })
    };
    let mut sum = NanoUsd::ZERO;
    let first = today.date.first_of_month();
    let past = past.iter().filter(|known| known.date >= first).map(|known| {
        sum += known.cost;
        day(known.date, Some(known.cost), None, sum)
    });
    let past: Option<Vec<_>> = past.collect();
    let rest = forecast.days.iter().map(|expected| {
        let spent = (expected.date == today.date).then_some(today.cost);
        day(expected.date, spent, Some(expected), NanoUsd::ZERO)
    });
    let rest: Option<Vec<_>> = rest.collect();
    Some([past?, rest?].concat())
}

const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Sums by weekday and hour of the zone's clock.
pub(crate) async fn usage_heatmap(
    engine: &Engine,
    req: UsagePeriodQuery,
) -> Result<UsageHeatmapView, ApiError> {
    let period = Period::resolve(&req, engine.clock().wall())?;
    let filter = ledger_filter(&req.filter);
    let hours = engine.ledger().usage_by_hour(period.from, period.to, filter).await?;
    let mut table = [[HeatmapCell::default(); 24]; 7];
    for (start, totals) in &hours {
        let cell = to_zoned(*start, &period.zone).and_then(|time| {
            let row = table.get_mut(weekday_index(time.weekday()))?;
            row.get_mut(usize::try_from(time.hour()).ok()?)
        });
        let Some(cell) = cell else { continue };
        cell.totals += *totals;
        if totals.requests > 0 {
            cell.newest = cell.newest.max(Some(UnixMs::from(*start)));
        }
    }
    let day = |(weekday, cells): (&str, &[HeatmapCell; 24])| HeatmapDayView {
        weekday: weekday.to_owned(),
        hours: cells.iter().map(|cell| segment_view(&cell.totals)).collect(),
        newest: cells.iter().map(|cell| cell.newest).collect(),
    };
    Ok(UsageHeatmapView {
        from: UnixMs::from(period.from),
        to: period.to.into(),
        finding: heatmap_finding(&table),
        weekdays: WEEKDAYS.into_iter().zip(&table).map(day).collect(),
    })
}

fn weekday_index(weekday: Weekday) -> usize {
    usize::try_from(weekday.to_monday_zero_offset()).unwrap_or_default()
}

/// One hour of one weekday, over all weeks of the period.
#[derive(Clone, Copy, Default)]
struct HeatmapCell {
    totals: UsageTotals,
    /// When the newest such hour with a request began.
    newest: Option<UnixMs>,
}

fn heatmap_finding(table: &[[HeatmapCell; 24]; 7]) -> String {
    let cells = WEEKDAYS.into_iter().zip(table).flat_map(|(weekday, hours)| {
        (0_u8..).zip(hours).map(move |(hour, cell)| (weekday, hour, cell.totals))
    });
    let most = cells.max_by_key(|(_, _, totals)| (totals.cost, totals.requests));
    let Some((weekday, hour, totals)) = most.filter(|(_, _, totals)| totals.requests > 0) else {
        return "No requests in this period".to_owned();
    };
    let when = format!("on {weekday} from {hour:02}:00 to {:02}:00", hour + 1);
    if totals.cost == NanoUsd::ZERO {
        return format!("Most requests come {when}");
    }
    let unpriced = table.iter().flatten().map(|cell| cell.totals.unpriced_requests).sum();
    format!("Most is spent {when}{}", without_unpriced(unpriced))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> WallTime {
        let time: jiff::Timestamp = text.parse().expect("a time");
        WallTime::from_unix_ms(time.as_millisecond())
    }

    #[test]
    fn a_month_is_that_of_the_zone_and_a_day_of_25_hours_passes_slower() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let month = Month::of(moment("2026-10-31T23:30Z"), &zone).expect("a month");
        assert_eq!(month.start.to_rfc3339(), "2026-10-31T23:00:00.000Z");
        assert_eq!(month.end.to_rfc3339(), "2026-11-30T23:00:00.000Z");
        assert_eq!(month.history_start.to_rfc3339(), "2026-06-30T22:00:00.000Z");
        let month = Month::of(moment("2026-10-25T10:30Z"), &zone).expect("a month");
        assert_eq!(month.elapsed, 0.5);
    }

    #[test]
    fn every_day_of_the_month_is_shown_and_the_sums_go_on() {
        let date = |day| jiff::civil::date(2026, 11, day);
        let past: Vec<_> = (1..20)
            .map(|day| DailyCost { date: date(day), cost: NanoUsd::new(1_000_000_000) })
            .collect();
        let today = Today { date: date(20), cost: NanoUsd::new(500_000_000), elapsed: 0.5 };
        let forecast = analytics::forecast(&past, today, &SeededEntropy::new(1));
        let (from, to) = (moment("2026-11-01T00:00Z"), moment("2026-11-20T12:00Z"));
        let period = Period { from, to, bucket: BucketWidth::Day, zone: TimeZone::UTC };
        let days = day_views(&past, &today, &forecast, &period).expect("days");
        assert_eq!(days.len(), 30);
        let dollars = |day: &ForecastDayView| day.cumulative_nano_usd.0 / 1_000_000_000;
        assert_eq!(days.iter().map(dollars).collect::<Vec<_>>(), (1..=30).collect::<Vec<_>>());
        let shown =
            |day: &ForecastDayView| (day.spent_nano_usd.is_some(), day.expected_nano_usd.is_some());
        assert_eq!(
            [18, 19, 20].map(|index: usize| shown(&days[index])),
            [(true, false), (true, true), (false, true)]
        );
        assert_eq!(days[20].label, "21 Nov");
        let currency = currency_view(&settings::Settings::default()).shown();
        assert_eq!(forecast_finding(&forecast, 0, currency), "About $30.00 this month");
        let partly = "About $30.00 this month, without 2 unpriced requests";
        assert_eq!(forecast_finding(&forecast, 2, currency), partly);
    }

    #[test]
    fn the_busiest_hour_is_named() {
        let mut table = [[HeatmapCell::default(); 24]; 7];
        assert_eq!(heatmap_finding(&table), "No requests in this period");
        table[1][14].totals.requests = 5;
        assert_eq!(heatmap_finding(&table), "Most requests come on Tuesday from 14:00 to 15:00");
        table[6][23].totals =
            UsageTotals { requests: 1, cost: NanoUsd::new(7), ..UsageTotals::default() };
        assert_eq!(heatmap_finding(&table), "Most is spent on Sunday from 23:00 to 24:00");
        table[0][3].totals =
            UsageTotals { requests: 2, unpriced_requests: 2, ..UsageTotals::default() };
        assert_eq!(
            heatmap_finding(&table),
            "Most is spent on Sunday from 23:00 to 24:00, without 2 unpriced requests"
        );
    }
}
