//! The share of the observed time in which a backend or a service answered.

use std::time::Duration;

use domain::{DAY_MS, WallTime};
use engine::{Engine, row_time, uptime};
use ledger::{ObservedSubject, ObservedTimeRow};
use service_levels::{ObservedTime, Uptime, strip_cell};

use crate::ApiError;
use crate::view::{AvailabilityShareView, StripDayView};

/// Cells of the strip.
const STRIP_DAYS: i64 = 90;
/// What availability is told of, in hours.
const PERIODS: [(&str, u64); 3] = [("24 h", 24), ("7 d", 7 * 24), ("90 d", 90 * 24)];

/// All that was observed in the time of the strip.
pub(in crate::operation) async fn observed_time(
    engine: &Engine,
) -> Result<Vec<ObservedTimeRow>, ApiError> {
    let from = strip_start(engine.clock().wall());
    Ok(engine.service_levels().observed_since(WallTime::from_unix_ms(from)).await?)
}

pub(in crate::operation) fn rows_of<'a>(
    observed: &'a [ObservedTimeRow],
    subject: &ObservedSubject,
) -> Vec<&'a ObservedTimeRow> {
    observed.iter().filter(|row| row.subject == *subject).collect()
}

/// One for each of [`PERIODS`].
pub(in crate::operation) fn availability_views(
    observed: &[&ObservedTimeRow],
    now: WallTime,
) -> Vec<AvailabilityShareView> {
    let view = |(period, hours)| availability_view(period, availability(observed, now, hours));
    PERIODS.map(view).into()
}

pub(super) fn availability(observed: &[&ObservedTimeRow], now: WallTime, hours: u64) -> Uptime {
    uptime(observed.iter().copied(), now, Duration::from_secs(hours * 3_600))
}

fn availability_view(period: &str, found: Uptime) -> AvailabilityShareView {
    let observed = found.time.observed();
    let percent = found.share().map(|share| share * 100.0);
    let sentence = match percent {
        None if observed.is_zero() => "not observed".to_owned(),
        None => "observed for less than a minute".to_owned(),
        Some(percent) => {
            format!("{} of {} observed", percent_text(percent), span_text(observed))
        }
    };
    AvailabilityShareView {
        period: period.to_owned(),
        percent,
        observed_secs: observed.as_secs().into(),
        coverage_percent: found.coverage() * 100.0,
        sentence,
    }
}

/// Rounded down, so that only what never failed is 100 %.
pub(in crate::operation) fn percent_text(percent: f64) -> String {
    let floored = (percent * 100.0 + 1e-6).floor() / 100.0;
    if floored >= 100.0 { "100 %".to_owned() } else { format!("{floored:.2} %") }
}

pub(in crate::operation) fn span_text(span: Duration) -> String {
    match span.as_secs() {
        secs @ 0..60 => format!("{secs} s"),
        secs @ 60..7_200 => format!("{} min", secs / 60),
        secs @ 7_200..259_200 => format!("{} h", secs / 3_600),
        secs => format!("{} d", secs / 86_400),
    }
}

fn strip_start(now: WallTime) -> i64 {
    now.day_start().unix_ms() - (STRIP_DAYS - 1) * DAY_MS
}

pub(in crate::operation) fn strip(
    observed: &[&ObservedTimeRow],
    now: WallTime,
) -> Vec<StripDayView> {
    let minutes = |time: Duration| u32::try_from(time.as_secs() / 60).unwrap_or(u32::MAX);
    (0..STRIP_DAYS)
        .map(|day| {
            let start = WallTime::from_unix_ms(strip_start(now) + day * DAY_MS);
            let own = observed.iter().filter(|row| row.slot.day_start() == start);
            let time: ObservedTime = own.map(|row| row_time(row)).sum();
            let whole = Uptime { time, period: Duration::from_secs(86_400) };
            StripDayView {
                day: start.to_day(),
                cell: strip_cell(time),
                percent: whole.share().map(|share| share * 100.0),
                observed_minutes: minutes(time.observed()),
                down_minutes: minutes(time.bad),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
