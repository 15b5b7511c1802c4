//! Reads single fields of a log, leniently: a wrong field is a problem, and the rest is used.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::{NanoUsd, WallTime, is_naming_member, is_standard_word};
use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::part::PartBuilder;

/// A field of any type; `None` if it is missing or null.
pub(crate) type Raw<'a> = Option<&'a RawValue>;

/// Most tokens of one class in one answer. Models read at most some ten million; more is a fault
/// of the tool, and would swamp every total.
pub const TOKENS_MAX: u64 = 100_000_000;

/// How far in the future a time may lie, for clocks that differ: one day.
pub(crate) const FUTURE_MS_MAX: i64 = 24 * 3_600 * 1_000;

/// 2020-01-01, before any of the tools. An earlier time is a fault.
const EARLIEST_MS: i64 = 1_577_836_800_000;

/// Longest text that is kept, in characters: names, ids, paths.
const TEXT_CHARS_MAX: usize = 512;

/// Longest name kept of a member that is not understood, in characters.
const NAME_CHARS_MAX: usize = 64;

/// A standard word in logs alone.
const NOT_APPLIED: &str = "not_applied";

impl PartBuilder {
    /// Notes the first member of `object` that counts something, or says how something is billed, under
    /// a name that is not in `known`. As for answers of the gateway, it may cost money.
    pub(crate) fn check_names(&mut self, at: &str, object: Raw<'_>, known: &[&str]) {
        let members: Option<BTreeMap<Cow<'_, str>, &RawValue>> =
            object.and_then(|object| serde_json::from_str(object.get()).ok());
        let is_costly = |(name, value): &(Cow<'_, str>, &RawValue)| {
            !known.contains(&&**name) && !is_naming_member(name) && bills(value)
        };
        if let Some((name, _)) = members.unwrap_or_default().into_iter().find(is_costly) {
            let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
            let name: String = name.chars().filter(is_plain).take(NAME_CHARS_MAX).collect();
            self.note_unread(format!("{at}.{name}"));
        }
    }

    /// Parses `text` as an object with the fields of `T`.
    pub(crate) fn parse<'a, T: Deserialize<'a>>(
        &mut self,
        field: &str,
        text: &'a str,
    ) -> Option<T> {
        match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(field, describe(&error));
                None
            }
        }
    }

    pub(crate) fn object<'a, T: Deserialize<'a>>(
        &mut self,
        field: &str,
        raw: Raw<'a>,
    ) -> Option<T> {
        self.parse(field, raw?.get())
    }

    /// A number of tokens; 0 if it is missing, and if it is wrong.
    /// `part`, at most `whole`. Which of two counts is wrong is not known, so such an answer has no price.
    pub(crate) fn part_of(&mut self, part: u64, whole: u64) -> u64 {
        if part > whole {
            self.note_unread("a part larger than its whole");
        }
        part.min(whole)
    }

    pub(crate) fn count(&mut self, field: &str, raw: Raw<'_>) -> u64 {
        let Some(raw) = raw else { return 0 };
        match read_count(raw.get()) {
            Ok(count) => count,
            Err(what) => {
                self.problem(field, what);
                self.note_unread("a wrong count");
                0
            }
        }
    }

    pub(crate) fn text(&mut self, field: &str, raw: Raw<'_>) -> Option<String> {
        match serde_json::from_str::<Cow<'_, str>>(raw?.get()) {
            Ok(text) if text.is_empty() => None,
            Ok(text) => Some(text.chars().take(TEXT_CHARS_MAX).collect()),
            Err(_) => {
                self.problem(field, "is not a text");
                None
            }
        }
    }

    /// A time as RFC 3339, or in milliseconds since 1970. Where it is missing or implausible: the
    /// last good time in this file, else the time when the file was changed.
    pub(crate) fn time(&mut self, field: &str, raw: Raw<'_>) -> WallTime {
        let read = match raw {
            Some(raw) => read_time(raw.get()),
            None => Err("is missing".to_owned()),
        };
        let checked = read.and_then(|time| match time.unix_ms() {
            ms if ms > self.now().unix_ms().saturating_add(FUTURE_MS_MAX) => {
                Err(format!("is in the future ({})", time.to_rfc3339()))
            }
            ms if ms < EARLIEST_MS => Err(format!("is before 2020 ({})", time.to_rfc3339())),
            _ => Ok(time),
        });
        match checked {
            Ok(time) => {
                self.set_last_time(time);
                time
            }
            Err(what) => {
                self.problem(field, what);
                self.last_time()
            }
        }
    }

    /// Dollars as a decimal number, exactly; `None` if missing, zero or wrong.
    pub(crate) fn amount(&mut self, field: &str, raw: Raw<'_>) -> Option<NanoUsd> {
        match read_nano_usd(raw?.get()) {
            Ok(nanos) => i64::try_from(nanos).ok().filter(|nanos| *nanos > 0).map(NanoUsd::new),
            Err(what) => {
                self.problem(field, what);
                None
            }
        }
    }
}

/// Never serde's own words: they repeat the text.
fn describe(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "ends in the middle of a JSON value".to_owned(),
        Category::Data => "is not a JSON object".to_owned(),
        Category::Syntax | Category::Io => format!("is not JSON at byte {}", error.column()),
    }
}

fn read_count(text: &str) -> Result<u64, String> {
    if let Ok(count) = text.parse::<u64>() {
        return match count {
            0..=TOKENS_MAX => Ok(count),
            _ => Err(format!("is implausible ({count}); at most {TOKENS_MAX} are believed")),
        };
    }
    match text.parse::<f64>() {
        Ok(number) if number < 0.0 => Err(format!("is negative ({number})")),
        // The limit has eight digits, which a float holds exactly.
        Ok(number) => match format!("{number}").parse::<u64>() {
            Ok(count) if count <= TOKENS_MAX => Ok(count),
            Err(_) if number.fract() != 0.0 && number.is_finite() => {
                Err(format!("is not a whole number ({number})"))
            }
            _ => Err("is implausible; it has too many digits".to_owned()),
        },
        Err(_) => Err("is not a number".to_owned()),
    }
}

fn read_time(text: &str) -> Result<WallTime, String> {
    if let Ok(ms) = text.parse::<i64>() {
        return Ok(WallTime::from_unix_ms(ms));
    }
    let wrong = || "is not a time".to_owned();
    let text: Cow<'_, str> = serde_json::from_str(text).map_err(|_| wrong())?;
    let time: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    Ok(WallTime::from_unix_ms(time.as_millisecond()))
}

/// Reads the digits of a JSON number, rounded down to billionths.
fn read_nano_usd(text: &str) -> Result<u64, String> {
    let wrong = || "is not an amount".to_owned();
    if text.starts_with('-') {
        return Err("is negative".to_owned());
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.trim_start_matches('+').parse().map_err(|_| wrong())?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: u128 = match format!("{whole}{fraction}") {
        digits if digits.len() > 30 => digits.get(..30).unwrap_or_default().parse(),
        digits => digits.parse(),
    }
    .map_err(|_| wrong())?;
    let cut = (whole.len() + fraction.len()).saturating_sub(30);
    let places = i32::try_from(fraction.len()).map_err(|_| wrong())?;
    let cut = i32::try_from(cut).map_err(|_| wrong())?;
    let scale = 9_i32.saturating_add(exponent).saturating_add(cut).saturating_sub(places);
    let power = 10_u128.checked_pow(scale.unsigned_abs());
    let amount = match (scale >= 0, power) {
        (true, Some(power)) => digits.checked_mul(power),
        (false, Some(power)) => Some(digits / power),
        (true, None) => Some(digits).filter(|digits| *digits == 0),
        (false, None) => Some(0),
    };
    let amount = amount.and_then(|amount| u64::try_from(amount).ok());
    amount.filter(|amount| *amount <= NANO_USD_MAX).ok_or_else(|| "is implausible".to_owned())
}

/// Most that one answer may be stated to cost: 10,000 dollars.
const NANO_USD_MAX: u64 = 10_000_000_000_000;

/// True if `value` has a number above zero, also as text, or a word that is not a standard one.
fn bills(value: &RawValue) -> bool {
    fn is_costly(value: &Value) -> bool {
        match value {
            Value::Null | Value::Bool(_) => false,
            Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
            Value::String(word) => match word.parse::<f64>() {
                Ok(number) => number > 0.0,
                Err(_) => !is_standard_word(word) && word != NOT_APPLIED,
            },
            Value::Array(items) => items.iter().any(is_costly),
            Value::Object(members) => members.values().any(is_costly),
        }
    }
    // What is too deep to be read is not understood.
    serde_json::from_str(value.get()).map_or(true, |value| is_costly(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_positive_and_plausible() {
        let told = |text: &str| read_count(text).unwrap_or_else(|what| panic!("{text} {what}"));
        assert_eq!((told("0"), told("17"), told("12.0"), told("1e3")), (0, 17, 12, 1_000));
        let refused = |text: &str| read_count(text).expect_err(text);
        assert_eq!(refused("-5"), "is negative (-5)");
        assert_eq!(refused("1.5"), "is not a whole number (1.5)");
        assert_eq!(refused("\"7\""), "is not a number");
        assert_eq!(refused("{}"), "is not a number");
        assert!(refused("100000001").starts_with("is implausible (100000001)"));
        assert!(refused("1e18").starts_with("is implausible"));
        assert!(refused("1e400").starts_with("is implausible"));
        assert!(refused("99999999999999999999").starts_with("is implausible"));
    }

    #[test]
    fn amounts_are_read_from_their_digits() {
        let told = |text: &str| read_nano_usd(text).unwrap_or_else(|what| panic!("{text} {what}"));
        assert_eq!(told("0.1"), 100_000_000);
        assert_eq!(told("12"), 12_000_000_000);
        assert_eq!(told("1.5e-7"), 150);
        assert_eq!(told("0.00000000019"), 0);
        assert_eq!(told("0.123456789123456789123456789123456789"), 123_456_789);
        assert_eq!(told("1e-300"), 0);
        for wrong in ["-1", "1e300", "\"1\"", "null", "10000.000000001"] {
            assert!(read_nano_usd(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn problems_do_not_repeat_the_text() {
        let error = serde_json::from_str::<u64>("\"secret prompt\"").expect_err("a text");
        assert_eq!(describe(&error), "is not a JSON object");
        let error = serde_json::from_str::<u64>("secret").expect_err("no JSON");
        assert_eq!(describe(&error), "is not JSON at byte 1");
    }
}
