//! Spending limits: how much, for what, in which period, and what is done at their marks.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::{BackendId, BudgetId, CredentialId, NanoUsd, RouteId, UnknownWord, WallTime, words};

/// Marks of a budget that names none, in percent.
pub const BUDGET_MARKS_DEFAULT: [u16; 4] = [50, 80, 95, 100];

/// Step in which a rolling window moves, in milliseconds: the ledger sums by quarter hours.
const WINDOW_STEP_MS: i64 = 15 * 60 * 1_000;

words! {
    /// How long a budget lasts before it begins anew.
    #[derive(Default)]
    BudgetPeriod {
        /// From midnight.
        Day = "day",
        /// From Monday, or another day of the week.
        Week = "week",
        /// From the first of the month, or another day of it.
        #[default]
        Month = "month",
        /// Always the last days up to now.
        Rolling = "rolling",
    }
}

words! {
    Weekday {
        Monday = "monday",
        Tuesday = "tuesday",
        Wednesday = "wednesday",
        Thursday = "thursday",
        Friday = "friday",
        Saturday = "saturday",
        Sunday = "sunday",
    }
}

words! {
    /// What becomes of a request that a budget does not cover.
    #[derive(Default)]
    BudgetAction {
        /// It is sent anyway; the user is told at the marks.
        Tell = "tell",
        /// It is refused, and the user is asked to allow more.
        Ask = "ask",
        /// It goes to another route, or is refused if that is not covered either.
        Switch = "switch",
        /// It is refused.
        #[default]
        Stop = "stop",
    }
}

words! {
    /// What a budget tells the user about, once per period.
    BudgetMarkKind {
        /// A percentage of the limit is spent.
        Spent = "spent",
        /// At the pace so far it is used up before its period ends.
        Forecast = "forecast",
        /// Requests are refused or switched to another route.
        Refused = "refused",
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    pub limit: NanoUsd,
    pub schedule: BudgetSchedule,
    /// The one backend, client, … whose spending counts; `None` for all of it.
    pub scope: Option<(BudgetDimension, String)>,
    pub action: BudgetAction,
    /// Where [`BudgetAction::Switch`] sends requests; `None` for the other actions.
    pub switch_to: Option<RouteId>,
    /// Percentages of the limit at which the user is told, ascending.
    pub marks: Vec<u16>,
    /// True if the user is told when it will be used up before its period ends.
    pub forecast: bool,
    /// True if it refuses a request whose price is not known, which it could not count.
    pub refuse_unpriced: bool,
}

impl Budget {
    /// A budget for all spending of a month, with every default.
    #[must_use]
    pub fn new(limit: NanoUsd) -> Self {
        Self {
            limit,
            schedule: BudgetSchedule::default(),
            scope: None,
            action: BudgetAction::default(),
            switch_to: None,
            marks: BUDGET_MARKS_DEFAULT.to_vec(),
            forecast: true,
            refuse_unpriced: false,
        }
    }

    /// True if all that this key spends at this backend counts, whoever asks for what.
    #[must_use]
    pub fn counts_all_of(&self, backend: &BackendId, credential: &CredentialId) -> bool {
        match &self.scope {
            None => true,
            Some((BudgetDimension::Backend, name)) => name == backend.as_str(),
            Some((BudgetDimension::Credential, name)) => name == credential.as_str(),
            Some((
                BudgetDimension::Client | BudgetDimension::Project | BudgetDimension::Model,
                _,
            )) => false,
        }
    }
}

/// A period and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetSchedule {
    Day,
    Week {
        begins_on: Weekday,
    },
    Month {
        /// 1 to 31; months without that day begin with their last one.
        begins_on: u8,
    },
    Rolling {
        days: u16,
    },
}

impl Default for BudgetSchedule {
    fn default() -> Self {
        Self::Month { begins_on: 1 }
    }
}

impl BudgetSchedule {
    #[must_use]
    pub const fn period(self) -> BudgetPeriod {
        match self {
            Self::Day => BudgetPeriod::Day,
            Self::Week { .. } => BudgetPeriod::Week,
            Self::Month { .. } => BudgetPeriod::Month,
            Self::Rolling { .. } => BudgetPeriod::Rolling,
        }
    }

    #[must_use]
    pub const fn is_rolling(self) -> bool {
        matches!(self, Self::Rolling { .. })
    }

    /// The start and the end of the period around `at`. A rolling window moves a quarter hour at a
    /// time and ends with the one around `at`. `None` beyond the calendar.
    #[must_use]
    pub fn around(self, at: WallTime, zone: &TimeZone) -> Option<(WallTime, WallTime)> {
        let now = Timestamp::from_millisecond(at.unix_ms()).ok()?.to_zoned(zone.clone());
        let today = now.date();
        let (start, end) = match self {
            Self::Day => (today, today.tomorrow().ok()?),
            Self::Week { begins_on } => {
                let days = i64::from(today.weekday().since(begins_on.into()));
                let start = today.checked_sub(days.days()).ok()?;
                (start, start.checked_add(1.week()).ok()?)
            }
            Self::Month { begins_on } => {
                let day_in = |month: Date| {
                    let day = i8::try_from(begins_on).unwrap_or(i8::MAX).min(month.days_in_month());
                    month.with().day(day).build().ok()
                };
                let this = day_in(today)?;
                let start = match this <= today {
                    true => this,
                    false => day_in(today.first_of_month().yesterday().ok()?)?,
                };
                (start, day_in(start.first_of_month().checked_add(1.month()).ok()?)?)
            }
            Self::Rolling { days } => {
                let step = at.unix_ms().div_euclid(WINDOW_STEP_MS) * WINDOW_STEP_MS;
                let step_start = Timestamp::from_millisecond(step).ok()?.to_zoned(zone.clone());
                let start = step_start.checked_sub(i64::from(days).days()).ok()?;
                let end = WallTime::from_unix_ms(step + WINDOW_STEP_MS);
                return Some((wall(start.timestamp()), end));
            }
        };
        // A day without a midnight begins with its first moment.
        let midnight = |date: Date| Some(wall(date.to_zoned(zone.clone()).ok()?.timestamp()));
        Some((midnight(start)?, midnight(end)?))
    }

    /// When all that was spent until `at` no longer counts: the end of the period, or for a rolling
    /// window its length from `at`.
    #[must_use]
    pub fn renewal(self, at: WallTime, zone: &TimeZone) -> Option<WallTime> {
        let Self::Rolling { days } = self else { return Some(self.around(at, zone)?.1) };
        let now = Timestamp::from_millisecond(at.unix_ms()).ok()?.to_zoned(zone.clone());
        Some(wall(now.checked_add(i64::from(days).days()).ok()?.timestamp()))
    }
}

fn wall(at: Timestamp) -> WallTime {
    WallTime::from_unix_ms(at.as_millisecond())
}

impl From<Weekday> for jiff::civil::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// More than the limit, allowed for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetAllowance {
    pub amount: NanoUsd,
    /// When it was allowed.
    pub at: WallTime,
    /// When it ends, exclusive.
    pub until: WallTime,
}

/// What a budget tells the user about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetMark {
    /// So many percent of the limit are spent.
    Spent(u16),
    Forecast,
    Refused,
}

impl BudgetMark {
    #[must_use]
    pub const fn kind(self) -> BudgetMarkKind {
        match self {
            Self::Spent(_) => BudgetMarkKind::Spent,
            Self::Forecast => BudgetMarkKind::Forecast,
            Self::Refused => BudgetMarkKind::Refused,
        }
    }

    #[must_use]
    pub const fn percent(self) -> Option<u16> {
        match self {
            Self::Spent(percent) => Some(percent),
            Self::Forecast | Self::Refused => None,
        }
    }
}

/// A percentage, or the word of the other kinds: `80`, `forecast`.
impl std::fmt::Display for BudgetMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Spent(percent) => write!(f, "{percent}"),
            Self::Forecast | Self::Refused => f.write_str(self.kind().word()),
        }
    }
}

impl FromStr for BudgetMark {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        if let Ok(percent) = text.parse() {
            return Ok(Self::Spent(percent));
        }
        match text.parse()? {
            BudgetMarkKind::Forecast => Ok(Self::Forecast),
            BudgetMarkKind::Refused => Ok(Self::Refused),
            BudgetMarkKind::Spent => Err(UnknownWord { allowed: BudgetMarkKind::WORDS }),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetCrossing {
    pub budget: BudgetId,
    pub mark: BudgetMark,
    /// Start of the period it was reached in.
    pub period_from: WallTime,
    pub at: WallTime,
    /// What was spent at that time.
    pub spent: NanoUsd,
    /// The limit at that time, with what was allowed more.
    pub limit: NanoUsd,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: BudgetSchedule = BudgetSchedule::Month { begins_on: 1 };
    const MONDAYS: BudgetSchedule = BudgetSchedule::Week { begins_on: Weekday::Monday };

    fn around(schedule: BudgetSchedule, at: &str, zone: &str) -> (String, String) {
        let zone = TimeZone::get(zone).expect("a zone");
        let at: Timestamp = at.parse().expect("a time");
        let (from, to) = schedule.around(wall(at), &zone).expect("a period");
        assert!(from <= wall(at) && wall(at) < to);
        (from.to_rfc3339(), to.to_rfc3339())
    }

    #[test]
    fn periods_begin_and_end_at_midnights_of_the_zone() {
        let check = |schedule: BudgetSchedule, at: &str, start: &str, end: &str| {
            let (from, to) = around(schedule, at, "Europe/Berlin");
            assert_eq!((from.as_str(), to.as_str()), (start, end));
        };
        let at = "2026-10-25T12:00:00Z"; // a Sunday of 25 hours
        let day = BudgetSchedule::Day;
        check(day, at, "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z");
        check(MONDAYS, at, "2026-10-18T22:00:00.000Z", "2026-10-25T23:00:00.000Z");
        check(FIRST, at, "2026-09-30T22:00:00.000Z", "2026-10-31T23:00:00.000Z");
        let last = "2026-12-31T23:30:00Z"; // already 2027 there
        check(FIRST, last, "2026-12-31T23:00:00.000Z", "2027-01-31T23:00:00.000Z");
    }

    #[test]
    fn a_period_begins_on_the_chosen_day() {
        let check = |schedule: BudgetSchedule, at: &str, start: &str, end: &str| {
            let (from, to) = around(schedule, at, "UTC");
            assert_eq!((&from[..10], &to[..10]), (start, end), "{at}");
        };
        let month = |begins_on| BudgetSchedule::Month { begins_on };
        check(month(15), "2026-11-14T23:59:00Z", "2026-10-15", "2026-11-15");
        check(month(15), "2026-11-15T00:00:00Z", "2026-11-15", "2026-12-15");
        // Months without the day begin with their last one.
        check(month(31), "2027-02-27T12:00:00Z", "2027-01-31", "2027-02-28");
        check(month(31), "2027-02-28T12:00:00Z", "2027-02-28", "2027-03-31");
        check(month(30), "2028-03-01T00:00:00Z", "2028-02-29", "2028-03-30");
        let thursdays = BudgetSchedule::Week { begins_on: Weekday::Thursday };
        check(thursdays, "2026-11-23T12:00:00Z", "2026-11-19", "2026-11-26");
        check(thursdays, "2026-11-26T00:00:00Z", "2026-11-26", "2026-12-03");
    }

    #[test]
    fn a_rolling_window_is_days_of_the_clock_and_moves_by_quarter_hours() {
        let week = BudgetSchedule::Rolling { days: 7 };
        // The hour that Berlin repeats on 25 October is in the window.
        let (from, to) = around(week, "2026-10-27T11:07:00Z", "Europe/Berlin");
        assert_eq!(
            (from.as_str(), to.as_str()),
            ("2026-10-20T10:00:00.000Z", "2026-10-27T11:15:00.000Z")
        );
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let at: Timestamp = "2026-10-20T10:00:00Z".parse().expect("a time");
        let renewal = week.renewal(wall(at), &zone).expect("a time");
        assert_eq!(renewal.to_rfc3339(), "2026-10-27T11:00:00.000Z");
        assert_eq!(FIRST.renewal(wall(at), &zone), FIRST.around(wall(at), &zone).map(|it| it.1));
    }

    #[test]
    fn a_day_without_a_midnight_begins_with_its_first_moment() {
        // Beirut skipped the first hour of 29 March 2026.
        let (from, to) = around(BudgetSchedule::Day, "2026-03-29T10:00:00Z", "Asia/Beirut");
        assert_eq!(
            (from.as_str(), to.as_str()),
            ("2026-03-28T22:00:00.000Z", "2026-03-29T21:00:00.000Z")
        );
    }

    #[test]
    fn a_mark_is_a_percentage_or_a_word() {
        for mark in [BudgetMark::Spent(80), BudgetMark::Forecast, BudgetMark::Refused] {
            assert_eq!(mark.to_string().parse(), Ok(mark));
        }
        assert!("spent".parse::<BudgetMark>().is_err());
    }
}
