//! What the headers of an answer say of the account's limits: how much is left, and when it renews.
//!
//! OpenAI's form (`x-ratelimit-*`) is also that of Groq, Mistral, Together and others
//! (<https://platform.openai.com/docs/guides/rate-limits>); Anthropic has its own
//! (<https://docs.anthropic.com/en/api/rate-limits>). What is missing or unreadable says nothing.

use std::time::Duration;

use domain::WallTime;
use endpoints::{QuotaKind, QuotaLeft};
use hyper::header::HeaderMap;
use jiff::Timestamp;

/// Names of the limit, of what is left, and of when it renews.
const NAMES: [(QuotaKind, [&str; 3]); 6] = [
    (
        QuotaKind::Requests,
        [
            "x-ratelimit-limit-requests",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
        ],
    ),
    (
        QuotaKind::Tokens,
        ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
    ),
    (
        QuotaKind::Requests,
        [
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
        ],
    ),
    (
        QuotaKind::Tokens,
        [
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset",
        ],
    ),
    (
        QuotaKind::InputTokens,
        [
            "anthropic-ratelimit-input-tokens-limit",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset",
        ],
    ),
    (
        QuotaKind::OutputTokens,
        [
            "anthropic-ratelimit-output-tokens-limit",
            "anthropic-ratelimit-output-tokens-remaining",
            "anthropic-ratelimit-output-tokens-reset",
        ],
    ),
];

/// The limits that `headers` name; empty for most backends.
pub(crate) fn read_quotas(headers: &HeaderMap, now: WallTime) -> Vec<QuotaLeft> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let count = |name: &str| text(name)?.parse::<u64>().ok();
    let quota = |(kind, [limit, remaining, reset]): &(QuotaKind, [&str; 3])| {
        let limit = count(limit).filter(|limit| *limit > 0)?;
        let remaining = count(remaining)?.min(limit);
        let renews_in = text(reset).and_then(|reset| read_reset(reset, now));
        Some(QuotaLeft { kind: *kind, limit, remaining, renews_in })
    };
    NAMES.iter().filter_map(quota).collect()
}

/// A time of RFC 3339, or a span such as `6m0s`, `7.66s`, `20ms` or `12` (seconds).
fn read_reset(text: &str, now: WallTime) -> Option<Duration> {
    if let Ok(at) = text.parse::<Timestamp>() {
        let left = at.as_millisecond().saturating_sub(now.unix_ms());
        return Some(Duration::from_millis(u64::try_from(left).unwrap_or_default()));
    }
    let mut span = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let secs = match unit {
            "ms" => 0.001,
            "s" | "" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        span = span.checked_add(Duration::try_from_secs_f64(number * secs).ok()?)?;
        rest = after;
    }
    Some(span)
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Vec<QuotaLeft> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        // 2026-11-24T20:00:00Z
        read_quotas(&headers, WallTime::from_unix_ms(1_795_550_400_000))
    }

    const fn left(kind: QuotaKind, remaining: u64, limit: u64, secs: Option<u64>) -> QuotaLeft {
        let renews_in = match secs {
            Some(secs) => Some(Duration::from_secs(secs)),
            None => None,
        };
        QuotaLeft { kind, limit, remaining, renews_in }
    }

    #[test]
    fn both_forms_are_read_and_what_is_not_whole_is_left_out() {
        assert_eq!(
            read(&[
                ("x-ratelimit-limit-requests", "60"),
                ("x-ratelimit-remaining-requests", "59"),
                ("x-ratelimit-reset-requests", "6m0s"),
                ("x-ratelimit-limit-tokens", "150000"),
                ("x-ratelimit-remaining-tokens", "149984"),
            ]),
            [
                left(QuotaKind::Requests, 59, 60, Some(360)),
                left(QuotaKind::Tokens, 149_984, 150_000, None),
            ]
        );
        assert_eq!(
            read(&[
                ("anthropic-ratelimit-input-tokens-limit", "50000"),
                ("anthropic-ratelimit-input-tokens-remaining", "0"),
                ("anthropic-ratelimit-input-tokens-reset", "2026-11-24T20:01:00Z"),
            ]),
            [left(QuotaKind::InputTokens, 0, 50_000, Some(60))]
        );
        let silent: [&[(&str, &str)]; 4] = [
            &[],
            &[("x-ratelimit-limit-requests", "60")],
            &[("x-ratelimit-limit-requests", "0"), ("x-ratelimit-remaining-requests", "0")],
            &[("x-ratelimit-limit-tokens", "many"), ("x-ratelimit-remaining-tokens", "1")],
        ];
        for pairs in silent {
            assert_eq!(read(pairs), []);
        }
    }

    #[test]
    fn a_reset_is_a_time_or_a_span() {
        let now = WallTime::from_unix_ms(1_795_550_400_000);
        let table = [
            ("1s", Some(1_000)),
            ("6m0s", Some(360_000)),
            ("2m59.56s", Some(179_560)),
            ("20ms", Some(20)),
            ("1h2m3s", Some(3_723_000)),
            ("12", Some(12_000)),
            ("2026-11-24T20:00:30Z", Some(30_000)),
            ("2026-11-24T19:00:00Z", Some(0)),
            ("soon", None),
            ("1y", None),
            ("1e999s", None),
        ];
        for (text, ms) in table {
            assert_eq!(read_reset(text, now), ms.map(Duration::from_millis), "{text}");
        }
    }
}
