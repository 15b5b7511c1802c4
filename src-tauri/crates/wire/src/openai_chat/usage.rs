//! Usage as OpenAI-compatible backends report it, split so that no token is counted twice.
//!
//! OpenAI's prompt count includes cached tokens and its completion count includes reasoning; other
//! backends differ or report invalid numbers (negative, fractional, as text). The raw object is
//! kept with the split, and a split that had to be guessed or clamped is marked.

use domain::TokenUsage;
use serde_json::value::RawValue;

use crate::UsageReport;
use crate::json::pick;
use crate::usage::CountReader;

/// Parses a `usage` value; `None` if it has neither a prompt nor a completion count.
pub(crate) fn read_usage(value: &RawValue) -> Option<UsageReport> {
    let keys = [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
        // DeepSeek's older name for tokens read from its cache.
        "prompt_cache_hit_tokens",
    ];
    let [prompt, completion, total, inside, thought, hit] = pick(value.get(), keys)?;
    if prompt.is_none() && completion.is_none() {
        return None;
    }
    let mut counts = CountReader::new();
    let prompt = counts.read_count_value(prompt);
    let completion = counts.read_count_value(completion);
    let total = counts.read_count_value(total);
    let inside =
        inside.and_then(|inside| pick(inside.get(), ["cached_tokens", "cache_write_tokens"]));
    let [cached, written] = inside.unwrap_or_default();
    let cached = counts.read_count_value(cached.or(hit));
    let written = counts.read_count_value(written);
    let thought = thought.and_then(|thought| pick(thought.get(), ["reasoning_tokens"]));
    let [thought] = thought.unwrap_or_default();
    let thought = counts.read_count_value(thought);
    let mut tokens = TokenUsage::default();
    counts.split_input(&mut tokens, prompt, cached, written);
    counts.split_output(&mut tokens, completion, thought, total.saturating_sub(prompt));
    Some(counts.into_report(tokens, value))
}

impl CountReader {
    /// Most backends include cache writes in the prompt count. Where that is impossible (the parts
    /// would exceed the total), they are treated as additional.
    fn split_input(&mut self, tokens: &mut TokenUsage, prompt: u64, cached: u64, written: u64) {
        tokens.cache_read = self.clamp_part(cached, prompt);
        tokens.cache_write_5m = written;
        let rest = prompt - tokens.cache_read;
        tokens.input_uncached = rest.checked_sub(written).unwrap_or_else(|| {
            self.mark_adjusted();
            rest
        });
    }

    /// The completion count includes reasoning, unless the total shows that it is separate (xAI).
    fn split_output(&mut self, tokens: &mut TokenUsage, completion: u64, thought: u64, all: u64) {
        if thought > 0 && all == completion.saturating_add(thought) {
            (tokens.output_visible, tokens.reasoning) = (completion, thought);
            return;
        }
        tokens.reasoning = self.clamp_part(thought, completion);
        tokens.output_visible = completion - tokens.reasoning;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TOKEN_COUNT_MAX, USAGE_RAW_BYTES_MAX, UsageReading};

    fn check(json: &str, expected: [u64; 5], reading: UsageReading) {
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");
        let report = read_usage(raw).unwrap_or_else(|| panic!("no usage in {json}"));
        let t = report.tokens();
        let got = [t.input_uncached, t.cache_read, t.cache_write_5m, t.output_visible, t.reasoning];
        assert_eq!((got, report.reading), (expected, reading), "{json}");
        assert_eq!(report.raw.as_deref(), Some(json));
    }

    #[test]
    fn parts_are_taken_out_of_their_wholes() {
        use UsageReading::AsReported;
        check(r#"{"prompt_tokens":10,"completion_tokens":5}"#, [10, 0, 0, 5, 0], AsReported);
        check(
            r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
               "prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":30},
               "completion_tokens_details":{"reasoning_tokens":20}}"#,
            [10, 60, 30, 30, 20],
            AsReported,
        );
        check(
            r#"{"prompt_tokens":10,"prompt_tokens_details":null,"prompt_cache_hit_tokens":4}"#,
            [6, 4, 0, 0, 0],
            AsReported,
        );
        check(
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":22,
               "completion_tokens_details":{"reasoning_tokens":7}}"#,
            [10, 0, 0, 5, 7],
            AsReported,
        );
    }

    #[test]
    fn nonsense_is_clamped_and_flagged() {
        use UsageReading::Adjusted;
        let cases = [
            (r#"{"prompt_tokens":-3,"completion_tokens":5}"#, [0, 0, 0, 5, 0]),
            (r#"{"prompt_tokens":3.9,"completion_tokens":"5"}"#, [3, 0, 0, 5, 0]),
            (r#"{"prompt_tokens":1e400}"#, [TOKEN_COUNT_MAX, 0, 0, 0, 0]),
            (r#"{"prompt_tokens":1000000000001}"#, [TOKEN_COUNT_MAX, 0, 0, 0, 0]),
            (r#"{"prompt_tokens":[],"completion_tokens":1}"#, [0, 0, 0, 1, 0]),
            (
                r#"{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":11}}"#,
                [0, 10, 0, 0, 0],
            ),
            (
                r#"{"prompt_tokens":10,"prompt_tokens_details":{"cache_write_tokens":11}}"#,
                [10, 0, 11, 0, 0],
            ),
            (
                r#"{"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":6}}"#,
                [0, 0, 0, 0, 5],
            ),
        ];
        for (json, expected) in cases {
            check(json, expected, Adjusted);
        }
    }

    #[test]
    fn no_counts_is_no_usage_and_a_huge_object_is_not_kept() {
        for json in ["{}", "[]", "3", r#"{"prompt_tokens":null}"#, r#"{"cost":1}"#] {
            assert_eq!(read_usage(serde_json::from_str(json).expect("JSON")), None, "{json}");
        }
        let padded = |bytes: usize| {
            let empty = r#"{"prompt_tokens":1,"x":""}"#;
            format!(r#"{{"prompt_tokens":1,"x":"{}"}}"#, "y".repeat(bytes - empty.len()))
        };
        let kept = |bytes: usize| {
            let json = padded(bytes);
            read_usage(serde_json::from_str(&json).expect("JSON")).expect("usage").raw.is_some()
        };
        assert!(kept(USAGE_RAW_BYTES_MAX));
        assert!(!kept(USAGE_RAW_BYTES_MAX + 1));
    }
}
