//! A period as people type it: `3h`, `last 3h`, `yesterday`, `2026-11-03`, `2026-11-01..2026-11-07`.

use domain::WallTime;

use crate::amount::parse_span;
use crate::moment::DayOrInstant;
use crate::view::{TimeZoneChoice, UnixMs};

/// What an error says to write instead.
const EXAMPLES: &str = "write a span such as last 3h, a day such as 2026-11-03, or both ends such as \
    2026-11-01..2026-11-07";

/// When the period begins and ends, where it does.
pub(crate) type Ends = (Option<WallTime>, Option<WallTime>);

/// Reads a period of this machine's zone. A day counts whole, also as the last one.
///
/// # Errors
/// A sentence that names the part that is not understood.
pub(crate) fn parse_typed_period(
    text: &str,
    now: WallTime,
    zone: TimeZoneChoice,
) -> Result<Ends, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(EXAMPLES.to_owned());
    }
    if let Some(span) = text.strip_prefix("last ") {
        let begun = ago(span, now);
        let begun = begun.ok_or_else(|| format!("“{}” is no span; {EXAMPLES}", span.trim()))?;
        return Ok((Some(begun), None));
    }
    if let Some(begun) = ago(text, now) {
        return Ok((Some(begun), None));
    }
    let Some((from, to)) = text.split_once("..") else {
        let begun = start(text, now, zone)?;
        let ended = match moment(text, now, zone) {
            Some(day @ DayOrInstant::Day(_)) => day.end(zone).map(wall_time),
            _ => None,
        };
        return Ok((Some(begun), ended));
    };
    let (from, to) = (from.trim(), to.trim());
    let begun = (!from.is_empty()).then(|| start(from, now, zone)).transpose()?;
    let ended = (!to.is_empty()).then(|| end(to, now, zone)).transpose()?;
    match (begun, ended) {
        (None, None) => Err(format!("“{text}” has no end; {EXAMPLES}")),
        (Some(begun), Some(ended)) if begun >= ended => {
            Err(format!("“{from}” is not before “{to}”"))
        }
        ends => Ok(ends),
    }
}

fn start(text: &str, now: WallTime, zone: TimeZoneChoice) -> Result<WallTime, String> {
    let found = moment(text, now, zone).and_then(|moment| moment.start(zone)).map(wall_time);
    found.or_else(|| ago(text, now)).ok_or_else(|| unknown(text))
}

fn end(text: &str, now: WallTime, zone: TimeZoneChoice) -> Result<WallTime, String> {
    let found = moment(text, now, zone).and_then(|moment| moment.end(zone)).map(wall_time);
    found.or_else(|| ago(text, now)).ok_or_else(|| unknown(text))
}

fn moment(text: &str, now: WallTime, zone: TimeZoneChoice) -> Option<DayOrInstant> {
    let today = || DayOrInstant::today(UnixMs(now.unix_ms()), zone);
    match (text, today) {
        ("today", today) => today(),
        ("yesterday", today) => match today()? {
            DayOrInstant::Day(date) => date.yesterday().ok().map(DayOrInstant::Day),
            other => Some(other),
        },
        _ => DayOrInstant::parse(text),
    }
}

fn unknown(text: &str) -> String {
    format!("“{text}” is no day or time; {EXAMPLES}")
}

fn ago(span: &str, now: WallTime) -> Option<WallTime> {
    let span = i64::try_from(parse_span(span)?.as_millis()).ok()?;
    Some(now.minus_ms(span))
}

const fn wall_time(at: UnixMs) -> WallTime {
    WallTime::from_unix_ms(at.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T08:00:00Z.
    const NOW: WallTime = WallTime::from_unix_ms(1_795_248_000_000);

    fn read(text: &str) -> Result<(Option<String>, Option<String>), String> {
        let ends = parse_typed_period(text, NOW, TimeZoneChoice::Utc)?;
        let shown = |end: Option<WallTime>| {
            end.map(|end| end.to_rfc3339().chars().take(16).collect::<String>())
        };
        Ok((shown(ends.0), shown(ends.1)))
    }

    #[test]
    fn a_period_is_a_span_a_day_or_two_ends() {
        let check = |text: &str, from: Option<&str>, to: Option<&str>| {
            let expected = (from.map(str::to_owned), to.map(str::to_owned));
            assert_eq!(read(text), Ok(expected), "{text}");
        };
        check("3h", Some("2026-11-21T05:00"), None);
        check(" last 90m ", Some("2026-11-21T06:30"), None);
        check("today", Some("2026-11-21T00:00"), Some("2026-11-22T00:00"));
        check("yesterday", Some("2026-11-20T00:00"), Some("2026-11-21T00:00"));
        check("2026-11-03", Some("2026-11-03T00:00"), Some("2026-11-04T00:00"));
        check("2026-11-03T09:30", Some("2026-11-03T09:30"), None);
        check("2026-11-01..2026-11-07", Some("2026-11-01T00:00"), Some("2026-11-08T00:00"));
        check("2026-11-01 ..", Some("2026-11-01T00:00"), None);
        check("..yesterday", None, Some("2026-11-21T00:00"));
        check("2d..1d", Some("2026-11-19T08:00"), Some("2026-11-20T08:00"));
        check(
            "2026-11-03T09:30:00+01:00..2026-11-03T09:00:00Z",
            Some("2026-11-03T08:30"),
            Some("2026-11-03T09:00"),
        );
    }

    #[test]
    fn an_error_names_the_part_that_is_wrong() {
        let check = |text: &str, part: &str| {
            let error = read(text).expect_err(text);
            assert!(error.starts_with(part), "{text}: {error}");
        };
        check("", "write a span");
        check("soon", "“soon” is no day or time; write");
        check("last week", "“week” is no span; write");
        check("2026-11-01..2026-13-07", "“2026-13-07” is no day or time");
        check("2026-11-31..", "“2026-11-31” is no day or time");
        check("..", "“..” has no end");
        check("2026-11-07..2026-11-01", "“2026-11-07” is not before “2026-11-01”");
        check("1d..2d", "“1d” is not before “2d”");
        check("0h", "“0h” is no day or time");
    }
}
