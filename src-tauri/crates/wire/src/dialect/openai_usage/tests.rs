//! Splits of OpenAI's counts, and nonsense that servers report.

use super::*;
use crate::usage::TOKEN_COUNT_MAX;
use crate::{USAGE_RAW_BYTES_MAX, UsageReading};

fn check(json: &str, expected: [u64; 5], reading: UsageReading) {
    let raw: &RawValue = serde_json::from_str(json).expect("JSON");
    let report = read_usage(raw, &CHAT).unwrap_or_else(|| panic!("no usage in {json}"));
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
        (r#"{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":11}}"#, [0, 10, 0, 0, 0]),
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
        assert_eq!(read_usage(serde_json::from_str(json).expect("JSON"), &CHAT), None, "{json}");
    }
    let padded = |bytes: usize| {
        let empty = r#"{"prompt_tokens":1,"x":""}"#;
        format!(r#"{{"prompt_tokens":1,"x":"{}"}}"#, "y".repeat(bytes - empty.len()))
    };
    let kept = |bytes: usize| {
        let json = padded(bytes);
        read_usage(serde_json::from_str(&json).expect("JSON"), &CHAT).expect("usage").raw.is_some()
    };
    assert!(kept(USAGE_RAW_BYTES_MAX));
    assert!(!kept(USAGE_RAW_BYTES_MAX + 1));
}
