//! Reads and writes `usageMetadata`.
//!
//! The prompt's count includes cached tokens and excludes what tools add to the prompt. The
//! candidates' count excludes thoughts.

use domain::TokenUsage;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::UsageReport;
use crate::json::Members;
use crate::usage::CountReader;

/// `None` without a prompt, candidates or total count.
pub(super) fn read_usage(value: &RawValue) -> Option<UsageReport> {
    let members = Members::parse(value.get()).ok()?;
    let known = ["promptTokenCount", "candidatesTokenCount", "totalTokenCount"];
    if known.iter().all(|key| members.get(key).is_none()) {
        return None;
    }
    let mut counts = CountReader::new();
    let prompt = counts.read_count_value(members.get("promptTokenCount"));
    let cached = counts.read_count_value(members.get("cachedContentTokenCount"));
    let tools = counts.read_count_value(members.get("toolUsePromptTokenCount"));
    let cache_read = counts.clamp_part(cached, prompt);
    let tokens = TokenUsage {
        input_uncached: (prompt - cache_read).saturating_add(tools),
        cache_read,
        output_visible: counts.read_count_value(members.get("candidatesTokenCount")),
        reasoning: counts.read_count_value(members.get("thoughtsTokenCount")),
        ..TokenUsage::default()
    };
    Some(counts.into_report(tokens, value))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageMetadata {
    prompt_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cached_content_token_count: u64,
    candidates_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    thoughts_token_count: u64,
    total_token_count: u64,
}

impl From<&UsageReport> for UsageMetadata {
    fn from(report: &UsageReport) -> Self {
        let tokens = &report.tokens();
        let (prompt, thoughts) = (tokens.input(), tokens.reasoning);
        Self {
            prompt_token_count: prompt,
            cached_content_token_count: tokens.cache_read,
            candidates_token_count: tokens.output_visible,
            thoughts_token_count: thoughts,
            total_token_count: prompt
                .saturating_add(tokens.output_visible)
                .saturating_add(thoughts),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UsageReading::{self, Adjusted, AsReported};

    fn check(json: &str, expected: [u64; 4], reading: UsageReading) {
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");
        let report = read_usage(raw).unwrap_or_else(|| panic!("no usage in {json}"));
        let t = report.tokens();
        let got = [t.input_uncached, t.cache_read, t.output_visible, t.reasoning];
        assert_eq!((got, report.reading), (expected, reading), "{json}");
        assert_eq!(report.raw.as_deref(), Some(json));
    }

    #[test]
    fn class_8_cached_tokens_are_inside_and_thoughts_outside() {
        check(
            r#"{"promptTokenCount":100,"cachedContentTokenCount":60,"toolUsePromptTokenCount":5,
               "candidatesTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":155}"#,
            [45, 60, 20, 30],
            AsReported,
        );
        check(r#"{"promptTokenCount":7,"totalTokenCount":7}"#, [7, 0, 0, 0], AsReported);
    }

    #[test]
    fn f50_nonsense_is_clamped_and_flagged() {
        check(
            r#"{"promptTokenCount":5,"cachedContentTokenCount":9,"candidatesTokenCount":-1}"#,
            [0, 5, 0, 0],
            Adjusted,
        );
        assert_eq!(read_usage(serde_json::from_str(r#"{"trafficType":"x"}"#).expect("JSON")), None);
    }

    #[test]
    fn what_is_written_reads_back() {
        let raw = r#"{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":3,"thoughtsTokenCount":2,"totalTokenCount":15}"#;
        let report = read_usage(serde_json::from_str(raw).expect("JSON")).expect("usage");
        let written = serde_json::to_string(&UsageMetadata::from(&report)).expect("JSON");
        assert_eq!(written, raw);
    }
}
