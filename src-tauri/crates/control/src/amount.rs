//! Amounts and times as people write them.

use std::time::Duration;

use domain::NanoUsd;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::view::UnixMs;

/// Digits after the decimal point of a nano-dollar.
const NANO_DIGITS: usize = 9;

/// Parses US dollars such as `0.10` or `$2`, exactly from the digits.
#[must_use]
pub(crate) fn parse_dollars(text: &str) -> Option<NanoUsd> {
    let text = text.trim();
    let text = text.strip_prefix('$').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || fraction.len() > NANO_DIGITS
        || !are_digits(whole)
        || !are_digits(fraction)
    {
        return None;
    }
    format!("{whole}{fraction:0<NANO_DIGITS$}").parse().ok().map(NanoUsd::new)
}

/// Parses a time span such as `800ms`, `5s`, `90m`, `12h`, `7d` or `4w`; never zero.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    let ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    };
    let ms = number.parse::<u64>().ok()?.checked_mul(ms)?;
    // Past this, times of day could not be computed.
    (1..=SPAN_MS_MAX).contains(&ms).then(|| Duration::from_millis(ms))
}

/// Parses a time to come: a span from `now` such as `2h`, a day or a time of this machine's zone
/// (`2026-12-01`, `2026-12-01 18:00`), `tomorrow` for its next morning, or an RFC 3339 time.
#[must_use]
pub fn parse_time_to_come(text: &str, now: UnixMs) -> Option<UnixMs> {
    parse_time_in(text, now, TimeZone::system()).filter(|time| *time > now)
}

fn parse_time_in(text: &str, now: UnixMs, zone: TimeZone) -> Option<UnixMs> {
    if let Some(span) = parse_span(text) {
        return now.0.checked_add(i64::try_from(span.as_millis()).ok()?).map(UnixMs);
    }
    if text.trim() == "tomorrow" {
        let today = Timestamp::from_millisecond(now.0).ok()?.to_zoned(zone.clone()).date();
        let morning = today.tomorrow().ok()?.at(MORNING_HOUR, 0, 0, 0).to_zoned(zone).ok()?;
        return Some(UnixMs(morning.timestamp().as_millisecond()));
    }
    let timestamp = match text.trim().parse::<Timestamp>() {
        Ok(timestamp) => timestamp,
        Err(_) => text.trim().parse::<DateTime>().ok()?.to_zoned(zone).ok()?.timestamp(),
    };
    Some(UnixMs(timestamp.as_millisecond()))
}

/// Hour of this machine's zone at which `tomorrow` is.
pub const MORNING_HOUR: i8 = 8;
/// Longest span, in milliseconds: a hundred years.
const SPAN_MS_MAX: u64 = 3_155_760_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_from_their_digits() {
        let check = |text: &str, nanos: Option<i64>| {
            assert_eq!(parse_dollars(text), nanos.map(NanoUsd::new), "{text}");
        };
        check("0.10", Some(100_000_000));
        check(" $2 ", Some(2_000_000_000));
        check("0.000000001", Some(1));
        check("1.", Some(1_000_000_000));
        for wrong in ["", "$", ".5", "-1", "1,5", "1e3", "0.0000000001", "9999999999999"] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_span_is_a_number_with_a_unit() {
        let check = |text: &str, ms: Option<u64>| {
            assert_eq!(parse_span(text), ms.map(Duration::from_millis), "{text}");
        };
        check("800ms", Some(800));
        check("5s", Some(5_000));
        check("90m", Some(5_400_000));
        check(" 12h ", Some(43_200_000));
        check("7d", Some(604_800_000));
        check("4w", Some(2_419_200_000));
        for wrong in ["", "s", "5", "0s", "-1h", "1.5h", "5 s", "1y", "99999999999999999999s"] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_time_is_a_span_a_local_time_or_a_timestamp() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let check = |text: &str, ms: Option<i64>| {
            let parsed = parse_time_in(text, UnixMs(1_000), zone.clone());
            assert_eq!(parsed, ms.map(UnixMs), "{text}");
        };
        check("2h", Some(7_201_000));
        check("1970-01-02", Some(82_800_000));
        check("1970-01-01 02:00", Some(3_600_000));
        check("1970-01-01T02:00:00Z", Some(7_200_000));
        check("tomorrow", Some(111_600_000));
        check("yesterday", None);
        check("", None);
        assert_eq!(parse_time_to_come("1970-01-01T00:00:00Z", UnixMs(0)), None);
    }
}
