//! Usage as Responses reports it: the input count includes cached and cache-written tokens, the
//! output count includes reasoning.

use domain::TokenUsage;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::UsageReport;
use crate::json::Members;
use crate::usage::CountReader;

/// Parses a `usage` value; `None` if it has neither an input nor an output count.
pub(super) fn read_usage(value: &RawValue) -> Option<UsageReport> {
    let members = Members::parse(value.get()).ok()?;
    let (input, output) = (members.get("input_tokens"), members.get("output_tokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let mut counts = CountReader::new();
    let (input, output) = (counts.read_count_value(input), counts.read_count_value(output));
    let inside = members.object("input_tokens_details");
    let cached = counts.read_count_value(inside.get("cached_tokens"));
    let written = counts.read_count_value(inside.get("cache_write_tokens"));
    let thought = members.object("output_tokens_details");
    let thought = counts.read_count_value(thought.get("reasoning_tokens"));
    let cache_read = counts.clamp_part(cached, input);
    let cache_write_5m = counts.clamp_part(written, input - cache_read);
    let reasoning = counts.clamp_part(thought, output);
    let tokens = TokenUsage {
        input_uncached: input - cache_read - cache_write_5m,
        cache_read,
        cache_write_5m,
        output_visible: output - reasoning,
        reasoning,
        ..TokenUsage::default()
    };
    Some(counts.into_report(tokens, value))
}

/// A `usage` value for a client.
#[derive(Debug, Serialize)]
pub(super) struct ResponsesUsage {
    input_tokens: u64,
    input_tokens_details: ResponsesInputDetails,
    output_tokens: u64,
    output_tokens_details: ResponsesOutputDetails,
    total_tokens: u64,
}

#[derive(Debug, Serialize)]
struct ResponsesInputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct ResponsesOutputDetails {
    reasoning_tokens: u64,
}

impl ResponsesUsage {
    pub(super) fn of(tokens: &TokenUsage) -> Self {
        let written = tokens.cache_write_5m.saturating_add(tokens.cache_write_1h);
        Self {
            input_tokens: tokens.input(),
            input_tokens_details: ResponsesInputDetails {
                cached_tokens: tokens.cache_read,
                cache_write_tokens: written,
            },
            output_tokens: tokens.output(),
            output_tokens_details: ResponsesOutputDetails { reasoning_tokens: tokens.reasoning },
            total_tokens: tokens.total(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UsageReading;

    fn check(json: &str, expected: [u64; 5], reading: UsageReading) {
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");
        let report = read_usage(raw).unwrap_or_else(|| panic!("no usage in {json}"));
        let t = report.tokens();
        let got = [t.input_uncached, t.cache_read, t.cache_write_5m, t.output_visible, t.reasoning];
        assert_eq!((got, report.reading), (expected, reading), "{json}");
    }

    #[test]
    fn class_8_cached_tokens_are_counted_once() {
        let json = r#"{"input_tokens":100,"input_tokens_details":{"cached_tokens":60,
            "cache_write_tokens":30},"output_tokens":50,
            "output_tokens_details":{"reasoning_tokens":20},"total_tokens":150}"#;
        check(json, [10, 60, 30, 30, 20], UsageReading::AsReported);
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");
        let tokens = read_usage(raw).expect("usage").tokens();
        let again = serde_json::to_value(ResponsesUsage::of(&tokens)).expect("JSON");
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(json).expect("JSON"));
    }

    #[test]
    fn f50_parts_larger_than_their_whole_are_clamped_and_flagged() {
        use UsageReading::Adjusted;
        check(
            r#"{"input_tokens":10,"input_tokens_details":{"cached_tokens":11}}"#,
            [0, 10, 0, 0, 0],
            Adjusted,
        );
        check(
            r#"{"output_tokens":"5","output_tokens_details":{"reasoning_tokens":-1}}"#,
            [0, 0, 0, 5, 0],
            Adjusted,
        );
        let none = |json: &str| read_usage(serde_json::from_str(json).expect("JSON"));
        assert_eq!((none("{}"), none("3"), none("[]")), (None, None, None));
    }
}
