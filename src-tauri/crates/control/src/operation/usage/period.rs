//! Periods of usage: named ones, custom ones, and the period before for comparison. Days are those
//! of a time zone, so that one with a change of clock has 23 or 25 hours.

use domain::{DAY_MS, HOUR_MS, NanoUsd, WallTime, count_noun};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use ledger::{BucketWidth, GroupBy, UsageTotals};

use crate::ApiError;
use crate::moment::time_zone;
use crate::view::{UnixMs, UsageFilter, UsagePeriodQuery, UsageRange};

/// Longest custom period that is shown by hour, in milliseconds.
const HOURLY_MS_MAX: i64 = 2 * DAY_MS;

#[derive(Debug, Clone)]
pub(in crate::operation) struct Period {
    pub(in crate::operation) from: WallTime,
    pub(in crate::operation) to: WallTime,
    pub(in crate::operation) bucket: BucketWidth,
    pub(in crate::operation) zone: TimeZone,
}

impl Period {
    pub(in crate::operation) fn resolve(
        query: &UsagePeriodQuery,
        now: WallTime,
    ) -> Result<Self, ApiError> {
        let zone = time_zone(query.zone);
        let (from, to, bucket) = match query.from {
            Some(from) => custom_period(from, query.to, now)?,
            None => {
                let (from, bucket) = period(query.range, now, &zone)?;
                (from, now, bucket)
            }
        };
        Ok(Self { from, to, bucket, zone })
    }

    /// The period before, with a name. Days move by whole days, so that weekdays and times of day
    /// compare; other periods by their length.
    pub(in crate::operation) fn previous(&self) -> Option<(Self, String)> {
        let (start, end) = (to_zoned(self.from, &self.zone)?, to_zoned(self.to, &self.zone)?);
        let before = |from, to| Self { from, to, ..self.clone() };
        if start.start_of_day().ok()? != start {
            let length = self.to.unix_ms() - self.from.unix_ms();
            let from = self.from.minus_ms(length);
            let hours = u64::try_from(length / HOUR_MS).unwrap_or_default();
            let name = match hours {
                0 => "the same time before".to_owned(),
                _ => format!("the {} before", count_noun(hours, "hour")),
            };
            return Some((before(from, self.from), name));
        }
        let last = to_zoned(self.to.minus_ms(1), &self.zone)?;
        let days = start.date().until(last.date()).ok()?.get_days() + 1;
        let earlier = |time: &Zoned| {
            let civil: DateTime = time.datetime().checked_sub(days.days()).ok()?;
            let moved = civil.to_zoned(self.zone.clone()).ok()?;
            Some(WallTime::from_unix_ms(moved.timestamp().as_millisecond()))
        };
        let name = match days {
            1 => "the day before".to_owned(),
            _ => format!("the {days} days before"),
        };
        Some((before(earlier(&start)?, earlier(&end)?), name))
    }
}

pub(in crate::operation) fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("local time").to_owned()
}

/// Start of the day in this machine's time zone.
pub(in crate::operation) fn local_midnight(now: WallTime) -> WallTime {
    day_start(now, &TimeZone::system()).unwrap_or(now)
}

pub(in crate::operation) fn day_start(now: WallTime, zone: &TimeZone) -> Option<WallTime> {
    let start = to_zoned(now, zone)?.start_of_day().ok()?;
    Some(WallTime::from_unix_ms(start.timestamp().as_millisecond()))
}

pub(in crate::operation) fn to_zoned(time: WallTime, zone: &TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_millisecond(time.unix_ms()).ok()?.to_zoned(zone.clone()))
}

/// Empty outside the calendar.
pub(in crate::operation) fn format_zoned(time: WallTime, zone: &TimeZone, format: &str) -> String {
    to_zoned(time, zone).map(|time| time.strftime(format).to_string()).unwrap_or_default()
}

pub(in crate::operation) fn period(
    range: UsageRange,
    to: WallTime,
    zone: &TimeZone,
) -> Result<(WallTime, BucketWidth), ApiError> {
    let back = |ms: i64| to.minus_ms(ms);
    let midnight = |days: i64| {
        days_before(to, days, zone)
            .ok_or_else(|| ApiError::failed("the date is outside the supported dates"))
    };
    Ok(match range {
        UsageRange::Today => (midnight(0)?, BucketWidth::Hour),
        UsageRange::LastDay => (back(DAY_MS), BucketWidth::Hour),
        UsageRange::LastWeek => (midnight(6)?, BucketWidth::Day),
        UsageRange::LastMonth => (midnight(29)?, BucketWidth::Day),
    })
}

/// Start of the day that is `days` before that of `now`.
pub(in crate::operation) fn days_before(
    now: WallTime,
    days: i64,
    zone: &TimeZone,
) -> Option<WallTime> {
    let date = to_zoned(now, zone)?.date().checked_sub(days.days()).ok()?;
    let start = date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
    Some(WallTime::from_unix_ms(start.timestamp().as_millisecond()))
}

fn custom_period(
    from: UnixMs,
    to: Option<UnixMs>,
    now: WallTime,
) -> Result<(WallTime, WallTime, BucketWidth), ApiError> {
    let to = to.map_or(now, |to| now.min(WallTime::from_unix_ms(to.0)));
    let length = to.unix_ms() - from.0;
    if length <= 0 {
        let message = match from.0 >= now.unix_ms() {
            true => "the period starts in the future",
            false => "the period ends before it starts",
        };
        return Err(ApiError::invalid("since", message));
    }
    let bucket = if length <= HOURLY_MS_MAX { BucketWidth::Hour } else { BucketWidth::Day };
    Ok((WallTime::from_unix_ms(from.0), to, bucket))
}

pub(in crate::operation) fn ledger_filter(filter: &UsageFilter) -> ledger::DimensionFilter {
    filter_names(filter).collect()
}

pub(in crate::operation) fn filter_names(
    filter: &UsageFilter,
) -> impl Iterator<Item = (GroupBy, String)> {
    let UsageFilter { backend, model, client, credential, project, route } = filter;
    [
        (GroupBy::Backend, backend),
        (GroupBy::Model, model),
        (GroupBy::Client, client),
        (GroupBy::Credential, credential),
        (GroupBy::Project, project),
        (GroupBy::Route, route),
    ]
    .into_iter()
    .filter_map(|(dimension, name)| Some((dimension, name.clone()?)))
}

/// Change of a cost in percent; `None` where either is unknown or there was none before.
pub(in crate::operation) fn cost_change_percent(
    now: &UsageTotals,
    before: &UsageTotals,
) -> Option<i32> {
    let known = |totals: &UsageTotals| totals.requests == 0 || totals.is_cost_known();
    let amount = |cost: NanoUsd| i128::from(cost.nanos());
    (known(now) && known(before)).then(|| change_percent(amount(now.cost), amount(before.cost)))?
}

pub(in crate::operation) fn requests_change_percent(
    now: &UsageTotals,
    before: &UsageTotals,
) -> Option<i32> {
    change_percent(now.requests.into(), before.requests.into())
}

pub(in crate::operation) fn change_percent(now: i128, before: i128) -> Option<i32> {
    if before <= 0 {
        return None;
    }
    let doubled = (now - before) * 200;
    i32::try_from((doubled + before * doubled.signum()) / (2 * before)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> WallTime {
        let time: Timestamp = text.parse().expect("a time");
        WallTime::from_unix_ms(time.as_millisecond())
    }

    #[test]
    fn periods_begin_at_the_zones_midnight() {
        let zone = TimeZone::get("Asia/Kolkata").expect("a zone");
        let now = time("2026-11-20T23:00Z"); // 04:30 on the 21st
        let (from, _) = period(UsageRange::Today, now, &zone).expect("a period");
        assert_eq!(from.to_rfc3339(), "2026-11-20T18:30:00.000Z");
        let (from, _) = period(UsageRange::LastWeek, now, &TimeZone::UTC).expect("a period");
        assert_eq!(from.to_rfc3339(), "2026-11-14T00:00:00.000Z");
    }

    #[test]
    fn a_week_with_a_day_of_25_hours_begins_at_midnight() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        // 00:30 on 30 October: six times 24 hours before is 23 October, 01:30 in summer time.
        let now = time("2026-10-29T23:30Z");
        let (from, _) = period(UsageRange::LastWeek, now, &zone).expect("a period");
        assert_eq!(from.to_rfc3339(), "2026-10-23T22:00:00.000Z");
        // 23:30 on 4 April: six times 24 hours before is 29 March, 22:30 or 23:30.
        let now = time("2026-04-04T21:30Z");
        let (from, _) = period(UsageRange::LastWeek, now, &zone).expect("a period");
        assert_eq!(from.to_rfc3339(), "2026-03-28T23:00:00.000Z");
    }

    #[test]
    fn the_period_before_has_the_same_days_or_the_same_length() {
        let check = |from: &str, to: &str, zone: &str, expected: (&str, &str, &str)| {
            let zone = TimeZone::get(zone).expect("a zone");
            let period = Period { from: time(from), to: time(to), bucket: BucketWidth::Day, zone };
            let (before, name) = period.previous().expect("a period");
            let shown = (before.from.to_rfc3339(), before.to.to_rfc3339(), name);
            let (from, to, name) = expected;
            let whole = |text: &str| text.replace('Z', ":00.000Z");
            assert_eq!(shown, (whole(from), whole(to), name.to_owned()));
        };
        check(
            "2026-11-14T00:00Z",
            "2026-11-20T10:15Z",
            "UTC",
            ("2026-11-07T00:00Z", "2026-11-13T10:15Z", "the 7 days before"),
        );
        check(
            "2026-11-20T00:00Z",
            "2026-11-20T10:15Z",
            "UTC",
            ("2026-11-19T00:00Z", "2026-11-19T10:15Z", "the day before"),
        );
        check(
            "2026-11-01T00:00Z",
            "2026-11-11T00:00Z",
            "UTC",
            ("2026-10-22T00:00Z", "2026-11-01T00:00Z", "the 10 days before"),
        );
        // The days before have the 25 hours of 25 October.
        check(
            "2026-10-25T23:00Z",
            "2026-11-01T23:00Z",
            "Europe/Berlin",
            ("2026-10-18T22:00Z", "2026-10-25T23:00Z", "the 7 days before"),
        );
        check(
            "2026-11-19T10:15Z",
            "2026-11-20T10:15Z",
            "UTC",
            ("2026-11-18T10:15Z", "2026-11-19T10:15Z", "the 24 hours before"),
        );
    }

    #[test]
    fn a_custom_period_ends_now_at_the_latest() {
        let now = time("2026-11-20T10:00Z");
        let ms = |text: &str| UnixMs(time(text).unix_ms());
        let resolve = |from, to| custom_period(from, to, now).map(|(_, to, bucket)| (to, bucket));
        let (to, bucket) =
            resolve(ms("2026-11-20T00:00Z"), Some(ms("2026-11-21T00:00Z"))).expect("a period");
        assert_eq!((to, bucket), (now, BucketWidth::Hour));
        let past =
            resolve(ms("2026-11-01T00:00Z"), Some(ms("2026-11-04T00:00Z"))).expect("a period");
        assert_eq!(past, (time("2026-11-04T00:00Z"), BucketWidth::Day));
        assert!(resolve(ms("2026-11-21T00:00Z"), None).is_err());
        assert!(resolve(ms("2026-11-10T00:00Z"), Some(ms("2026-11-10T00:00Z"))).is_err());
    }

    #[test]
    fn changes_are_rounded_and_absent_where_nothing_compares() {
        let check = |now, before, expected| assert_eq!(change_percent(now, before), expected);
        check(150, 100, Some(50));
        check(88, 100, Some(-12));
        check(2, 3, Some(-33));
        check(1, 3, Some(-67));
        check(0, 3, Some(-100));
        check(5, 0, None);
        let unpriced = UsageTotals { requests: 2, unpriced_requests: 2, ..UsageTotals::default() };
        let paid = UsageTotals { requests: 1, cost: NanoUsd::new(5), ..UsageTotals::default() };
        assert_eq!(cost_change_percent(&unpriced, &paid), None);
        assert_eq!(cost_change_percent(&UsageTotals::default(), &paid), Some(-100));
    }
}
