//! Times in sentences that the engine writes.

use domain::WallTime;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `1 Dec 09:00`. Empty outside the calendar.
pub(crate) fn format_time(at: WallTime, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at.unix_ms())
        .map(|time| time.to_zoned(zone.clone()).strftime("%-d %b %H:%M").to_string())
        .unwrap_or_default()
}
