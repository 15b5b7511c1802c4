//! Spending limits: how much, for what, in which period.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use crate::{NanoUsd, WallTime, words};

words! {
    /// How long a budget lasts before it begins anew.
    #[derive(Default)]
    BudgetPeriod {
        /// From midnight.
        Day = "day",
        /// From Monday.
        Week = "week",
        /// From the first of the month.
        #[default]
        Month = "month",
    }
}

words! {
    /// What the spending of a budget has in common.
    BudgetDimension {
        Backend = "backend",
        Credential = "credential",
        Client = "client",
        Project = "project",
        /// The model as the backend names it.
        Model = "model",
    }
}

/// A spending limit. Requests that could exceed it are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    pub limit: NanoUsd,
    pub period: BudgetPeriod,
    /// The one backend, client, … whose spending counts; `None` for all of it.
    pub scope: Option<(BudgetDimension, String)>,
}

impl BudgetPeriod {
    /// The start and the end of the period around `at`. `None` beyond the calendar.
    #[must_use]
    pub fn around(self, at: WallTime, zone: &TimeZone) -> Option<(WallTime, WallTime)> {
        let now = Timestamp::from_millisecond(at.unix_ms()).ok()?.to_zoned(zone.clone());
        let day = now.start_of_day().ok()?;
        let (start, length) = match self {
            Self::Day => (day, 1.day()),
            Self::Week => {
                let days = i64::from(now.weekday().since(Weekday::Monday));
                (day.checked_sub(days.days()).ok()?.start_of_day().ok()?, 1.week())
            }
            Self::Month => (now.first_of_month().ok()?.start_of_day().ok()?, 1.month()),
        };
        let end = start.checked_add(length).ok()?.start_of_day().ok()?;
        let wall = |at: &Zoned| WallTime::from_unix_ms(at.timestamp().as_millisecond());
        Some((wall(&start), wall(&end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_and_end_at_midnights_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let check = |period: BudgetPeriod, at: &str, start: &str, end: &str| {
            let at: Timestamp = at.parse().expect("a time");
            let at = WallTime::from_unix_ms(at.as_millisecond());
            let (from, to) = period.around(at, &zone).expect("a period");
            assert_eq!((from.to_rfc3339().as_str(), to.to_rfc3339().as_str()), (start, end));
        };
        let at = "2026-10-25T12:00:00Z"; // a Sunday of 25 hours
        check(BudgetPeriod::Day, at, "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z");
        check(BudgetPeriod::Week, at, "2026-10-18T22:00:00.000Z", "2026-10-25T23:00:00.000Z");
        check(BudgetPeriod::Month, at, "2026-09-30T22:00:00.000Z", "2026-10-31T23:00:00.000Z");
        let last = "2026-12-31T23:30:00Z"; // already 2027 there
        check(BudgetPeriod::Month, last, "2026-12-31T23:00:00.000Z", "2027-01-31T23:00:00.000Z");
    }
}
