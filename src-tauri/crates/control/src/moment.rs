//! Ends of a period as people write them: days and instants.

use domain::DAY_MS;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::view::{TimeZoneChoice, UnixMs};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOrInstant {
    /// `2026-11-20`
    Day(Date),
    /// `2026-11-20T08:00`, by the clock of a time zone.
    Clock(DateTime),
    /// `2026-11-20T08:00:00Z` or with another offset.
    Instant(Timestamp),
}

impl DayOrInstant {
    /// `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(instant) = text.parse() {
            return Some(Self::Instant(instant));
        }
        // A date is also a time of day at midnight.
        match text.contains(['T', 't', ' ']) {
            true => text.parse().ok().map(Self::Clock),
            false => text.parse().ok().map(Self::Day),
        }
    }

    /// When a period that begins here begins; `None` outside the calendar.
    #[must_use]
    pub fn start(self, zone: TimeZoneChoice) -> Option<UnixMs> {
        self.resolve(&time_zone(zone), 0)
    }

    /// When a period that ends here ends: a day counts whole.
    #[must_use]
    pub fn end(self, zone: TimeZoneChoice) -> Option<UnixMs> {
        self.resolve(&time_zone(zone), 1)
    }

    /// The day at `now`.
    #[must_use]
    pub fn today(now: UnixMs, zone: TimeZoneChoice) -> Option<Self> {
        let now = Timestamp::from_millisecond(now.0).ok()?;
        Some(Self::Day(now.to_zoned(time_zone(zone)).date()))
    }

    fn resolve(self, zone: &TimeZone, days_later: i64) -> Option<UnixMs> {
        let instant = match self {
            Self::Day(date) => {
                let date = date.checked_add(days_later.days()).ok()?;
                date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?.timestamp()
            }
            Self::Clock(time) => time.to_zoned(zone.clone()).ok()?.timestamp(),
            Self::Instant(instant) => instant,
        };
        Some(UnixMs(instant.as_millisecond()))
    }
}

/// A time that comes within a day of `now` as `15:30`, a later one as `3 Dec 15:30`. Empty outside the
/// calendar.
#[must_use]
pub fn clock_time(at: UnixMs, now: UnixMs, zone: TimeZoneChoice) -> String {
    let format = if at.0 - now.0 < DAY_MS { "%H:%M" } else { "%-d %b %H:%M" };
    let zoned = Timestamp::from_millisecond(at.0).map(|at| at.to_zoned(time_zone(zone)));
    zoned.map(|at| at.strftime(format).to_string()).unwrap_or_default()
}

pub(crate) fn time_zone(choice: TimeZoneChoice) -> TimeZone {
    match choice {
        TimeZoneChoice::Local => TimeZone::system(),
        TimeZoneChoice::Utc => TimeZone::UTC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_another_day_names_it() {
        let ms = |text: &str| UnixMs(text.parse::<Timestamp>().expect("a time").as_millisecond());
        let now = ms("2026-11-20T23:40Z");
        let told = |at: &str| clock_time(ms(at), now, TimeZoneChoice::Utc);
        assert_eq!(told("2026-11-21T00:40Z"), "00:40");
        assert_eq!(told("2026-11-21T23:40Z"), "21 Nov 23:40");
        assert_eq!(clock_time(UnixMs(i64::MAX), now, TimeZoneChoice::Utc), "");
    }

    #[test]
    fn days_count_whole_and_instants_keep_their_offset() {
        let check = |text: &str, start: &str, end: &str| {
            let ms = |text: &str| text.parse::<Timestamp>().expect("a time").as_millisecond();
            let moment = DayOrInstant::parse(text).expect(text);
            let utc = TimeZoneChoice::Utc;
            assert_eq!(moment.start(utc), Some(UnixMs(ms(start))), "{text}");
            assert_eq!(moment.end(utc), Some(UnixMs(ms(end))), "{text}");
        };
        check("2026-11-20", "2026-11-20T00:00Z", "2026-11-21T00:00Z");
        check(" 2026-11-20T08:00 ", "2026-11-20T08:00Z", "2026-11-20T08:00Z");
        check("2026-11-20T08:00:30+02:00", "2026-11-20T06:00:30Z", "2026-11-20T06:00:30Z");
        for wrong in
            ["", "7d", "today", "2026-13-01", "2026-11-31", "20.11.2026", "2026-11-20T25:00"]
        {
            assert_eq!(DayOrInstant::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_day_of_a_zone_with_a_change_of_clock_has_its_own_length() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let day = DayOrInstant::parse("2026-10-25").expect("a day");
        let edge = |days| day.resolve(&zone, days).expect("in the calendar").0;
        assert_eq!(edge(1) - edge(0), 25 * 3_600_000);
    }
}
