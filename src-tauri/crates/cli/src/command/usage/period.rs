//! Arguments that choose the requests of a usage report: a period, a time zone and filters.

use clap::ValueEnum;
use control::DayOrInstant;
use control::view::{TimeZoneChoice, UnixMs, UsageFilter, UsagePeriodQuery, UsageRange};

use crate::exit::{CommandError, Exit};
use crate::span::parse_span_ms;

/// Which requests count.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PeriodArguments {
    /// Start: today, a time span back from now such as 90m, 12h, 7d or 4w, a day or a time such as
    /// 2026-11-01 or 2026-11-01T08:00
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: UsagePeriod,
    /// End, written as the start; a day counts whole [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<UsageEnd>,
    #[command(flatten)]
    chosen: UsageFilterArguments,
}

/// Whose days, and filters.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct UsageFilterArguments {
    /// Days are in UTC, as on provider dashboards, instead of local time
    #[arg(long)]
    utc: bool,
    /// Only requests to this backend; "" for those to none
    #[arg(long, value_name = "ID")]
    backend: Option<String>,
    /// Only requests of this model
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Only requests of this client
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Only requests with this key; "" for those without one
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// Only requests of this project; "" for those without one
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Only requests of this route
    #[arg(long, value_name = "ID")]
    route: Option<String>,
}

impl PeriodArguments {
    pub(super) fn query(&self, now: UnixMs) -> Result<UsagePeriodQuery, CommandError> {
        let zone = self.chosen.zone();
        let to = self.until.map(|end| end.resolve(now, zone)).transpose()?;
        let (range, from) = match (self.since, to) {
            (UsagePeriod::Range(range), None) => (range, None),
            (since, _) => (UsageRange::LastDay, Some(since.resolve(now, zone)?)),
        };
        Ok(UsagePeriodQuery { range, zone, from, to, filter: self.chosen.filter() })
    }
}

impl UsageFilterArguments {
    pub(super) fn zone(&self) -> TimeZoneChoice {
        if self.utc { TimeZoneChoice::Utc } else { TimeZoneChoice::Local }
    }

    pub(super) fn filter(&self) -> UsageFilter {
        UsageFilter {
            backend: self.backend.clone(),
            model: self.model.clone(),
            client: self.client.clone(),
            credential: self.key.clone(),
            project: self.project.clone(),
            route: self.route.clone(),
        }
    }
}

/// A period, up to now.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::command) enum PeriodArgument {
    /// Since midnight
    Today,
    /// 24 hours
    #[value(name = "24h")]
    Day,
    /// 7 days
    #[value(name = "7d")]
    Week,
    /// 30 days
    #[value(name = "30d")]
    Month,
}

impl PeriodArgument {
    pub(in crate::command) const fn range(self) -> UsageRange {
        match self {
            Self::Today => UsageRange::Today,
            Self::Day => UsageRange::LastDay,
            Self::Week => UsageRange::LastWeek,
            Self::Month => UsageRange::LastMonth,
        }
    }
}

/// Start of a period: a range that the panel offers too, any span up to now, or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UsagePeriod {
    Range(UsageRange),
    SpanMs(i64),
    Moment(DayOrInstant),
}

impl UsagePeriod {
    fn resolve(self, now: UnixMs, zone: TimeZoneChoice) -> Result<UnixMs, CommandError> {
        let days_ago = |days: i64| Some(UnixMs(now.0 - days * domain::DAY_MS));
        let start = match self {
            Self::Range(UsageRange::Today) => {
                DayOrInstant::today(now, zone).and_then(|day| day.start(zone))
            }
            Self::Range(UsageRange::LastDay) => days_ago(1),
            Self::Range(UsageRange::LastWeek) => days_ago(7),
            Self::Range(UsageRange::LastMonth) => days_ago(30),
            Self::SpanMs(span) => Some(UnixMs(now.0 - span)),
            Self::Moment(moment) => moment.start(zone),
        };
        start.ok_or_else(outside_calendar)
    }
}

impl std::str::FromStr for UsagePeriod {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "today" => Ok(Self::Range(UsageRange::Today)),
            "24h" | "1d" => Ok(Self::Range(UsageRange::LastDay)),
            "7d" => Ok(Self::Range(UsageRange::LastWeek)),
            "30d" => Ok(Self::Range(UsageRange::LastMonth)),
            other => match DayOrInstant::parse(other) {
                Some(moment) => Ok(Self::Moment(moment)),
                None => parse_span_ms(other).map(Self::SpanMs).map_err(|_| not_a_time(other)),
            },
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UsageEnd {
    SpanMs(i64),
    Moment(DayOrInstant),
}

impl UsageEnd {
    fn resolve(self, now: UnixMs, zone: TimeZoneChoice) -> Result<UnixMs, CommandError> {
        match self {
            Self::SpanMs(span) => Ok(UnixMs(now.0 - span)),
            Self::Moment(moment) => moment.end(zone).ok_or_else(outside_calendar),
        }
    }
}

impl std::str::FromStr for UsageEnd {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match DayOrInstant::parse(text) {
            Some(moment) => Ok(Self::Moment(moment)),
            None => parse_span_ms(text).map(Self::SpanMs).map_err(|_| not_a_time(text)),
        }
    }
}

fn not_a_time(text: &str) -> String {
    format!("{text:?} is not a time; write it like 90m, 12h, 7d, 2026-11-01 or 2026-11-01T08:00")
}

fn outside_calendar() -> CommandError {
    CommandError::new(Exit::Usage, "the date is outside the supported dates")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_span_of_time_is_understood() {
        let check = |typed: &str, wanted: Option<UsagePeriod>| {
            assert_eq!(typed.parse().ok(), wanted, "{typed}");
        };
        check("today", Some(UsagePeriod::Range(UsageRange::Today)));
        check("1d", Some(UsagePeriod::Range(UsageRange::LastDay)));
        check("90m", Some(UsagePeriod::SpanMs(5_400_000)));
        check("2w", Some(UsagePeriod::SpanMs(1_209_600_000)));
        check("2026-11-01", DayOrInstant::parse("2026-11-01").map(UsagePeriod::Moment));
        check(
            "2026-11-01T08:00Z",
            DayOrInstant::parse("2026-11-01T08:00Z").map(UsagePeriod::Moment),
        );
        for wrong in ["", "d", "0h", "-1d", "1y", "9223372036854775807w", "1é", "2026-11-31"] {
            check(wrong, None);
        }
    }
}
