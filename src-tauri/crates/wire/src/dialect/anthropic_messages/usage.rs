//! Reads and writes Anthropic's usage: input counts exclude the caches, output includes thinking.
//!
//! In a stream, `message_start` has the input counts, and each `message_delta` repeats some of the
//! counts cumulatively. The last value of each count applies; nothing is summed.

use domain::{CacheWrites, CallSplit, Meter, PriceTier, Usage};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::UsageReport;
use crate::json::{Members, array_items, quote};
use crate::usage::{UsageBuilder, mark_unread};

const NAMES: [&str; 12] = [
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
    "iterations",
    "service_tier",
    "speed",
    "inference_geo",
    "fallback_credit",
];

/// Reads a `usage` value; `None` if it has neither an input nor an output count. Fields by
/// <https://docs.anthropic.com/en/api/messages>.
pub(super) fn read_usage(value: &RawValue) -> Option<UsageReport> {
    let members = Members::parse(value.get()).ok()?;
    if members.get("input_tokens").is_none() && members.get("output_tokens").is_none() {
        return None;
    }
    let mut usage = UsageBuilder::default();
    read_tokens(&mut usage, &members, "usage");
    read_iterations(&mut usage, &members);
    read_server_tools(&mut usage, &members);
    read_tier(&mut usage, &members);
    read_region(&mut usage, &members);
    read_fallback_credit(&mut usage, &members);
    usage.check_names("usage", &members, &NAMES);
    usage.read_stated_cost(&members);
    Some(usage.into_report(value))
}

fn read_tokens(usage: &mut UsageBuilder, members: &Members<'_>, path: &str) {
    for (meter, name) in
        [(Meter::Input, "input_tokens"), (Meter::CacheRead, "cache_read_input_tokens")]
    {
        let count = usage.read_count(members.get(name));
        usage.count(meter, count);
    }
    read_cache_writes(usage, members, path);
    let output = usage.read_count(members.get("output_tokens"));
    let details = members.object("output_tokens_details");
    let thought = usage.read_count(details.get("thinking_tokens"));
    usage.split(output, [(Meter::Reasoning, thought)], Meter::Output);
}

fn read_cache_writes(usage: &mut UsageBuilder, members: &Members<'_>, path: &str) {
    let total = usage.read_count(members.get("cache_creation_input_tokens"));
    let split = members.object("cache_creation");
    let names = ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"];
    let counts = names.map(|term| usage.read_count(split.get(term)));
    let path = format!("{path}.cache_creation");
    usage.check_names(&path, &split, &names);
    let writes = CacheWrites::of(total, members.get("cache_creation").map(|_| counts));
    if writes.unknown > 0 {
        usage.mark_unread(&path);
    }
    usage.count(Meter::CacheWrite5m, writes.short);
    usage.count(Meter::CacheWrite1h, writes.long);
}

/// Each iteration is a call of its own, billed by its own length. The counts of the whole object are
/// the sum of those of type `message`; those of a compaction come on top. An advisor is another model,
/// with prices of its own (<https://docs.anthropic.com/en/docs/build-with-claude/compaction>).
fn read_iterations(usage: &mut UsageBuilder, members: &Members<'_>) {
    const PATH: &str = "usage.iterations";
    let mut split = CallSplit::of(usage.quantities());
    for item in members.get("iterations").and_then(array_items).unwrap_or_default() {
        let Ok(iteration) = Members::parse(item.get()) else { continue };
        match iteration.string("type").as_deref() {
            Some("message") => {
                let round = usage.read_call(|call| read_tokens(call, &iteration, PATH));
                if !split.add_round(round) {
                    mark_too_many(usage);
                }
            }
            Some("compaction") => {
                let call = usage.read_call(|call| {
                    read_tokens(call, &iteration, PATH);
                    call.check_names(PATH, &iteration, &NAMES);
                });
                usage.add_call(call);
                if !split.add_extra(call) {
                    mark_too_many(usage);
                }
            }
            other => usage.mark_unread(&format!("{PATH}: {}", other.unwrap_or_default())),
        }
    }
    if !split.is_whole() {
        usage.mark_unread(PATH);
    }
    usage.set_inner_calls(split);
}

fn mark_too_many(usage: &mut UsageBuilder) {
    usage.mark_unread(&format!("more than {} inner calls", Usage::INNER_CALLS_MAX));
}

/// Searching for tools has no price of its own.
fn read_server_tools(usage: &mut UsageBuilder, members: &Members<'_>) {
    let tools = members.object("server_tool_use");
    let meters = [
        (Meter::WebSearch, "web_search_requests"),
        (Meter::WebFetch, "web_fetch_requests"),
        (Meter::CodeExecution, "code_execution_requests"),
    ];
    for (meter, name) in meters {
        let count = usage.read_count(tools.get(name));
        usage.count(meter, count);
    }
    let [web_search, web_fetch, code_execution] = meters.map(|(_, name)| name);
    let known = [web_search, web_fetch, code_execution, "tool_search_requests"];
    usage.check_names("usage.server_tool_use", &tools, &known);
}

/// Counts a call of a tool that Anthropic runs, by the name in its `server_tool_use` block.
pub(super) fn count_server_tool(usage: &mut Usage, name: &str) {
    match name {
        "web_search" => usage.quantities.count(Meter::WebSearch, 1),
        "web_fetch" => usage.quantities.count(Meter::WebFetch, 1),
        "code_execution" | "bash_code_execution" | "text_editor_code_execution" => {
            usage.quantities.count(Meter::CodeExecution, 1);
        }
        "tool_search_tool_regex" | "tool_search_tool_bm25" => {}
        other => mark_unread(usage, &format!("server_tool_use: {other}")),
    }
}

/// The fast mode has prices of its own, and is not offered with another tier than the standard one
/// (<https://docs.anthropic.com/en/docs/build-with-claude/fast-mode>).
fn read_tier(usage: &mut UsageBuilder, members: &Members<'_>) {
    let [tier, speed] = ["service_tier", "speed"].map(|name| {
        usage.read_word("usage", members, name).unwrap_or_else(|| "standard".to_owned())
    });
    match (tier.as_str(), speed.as_str()) {
        ("standard", "standard") => {}
        ("standard", "fast") => usage.set_tier(PriceTier::Fast),
        ("priority", "standard") => usage.set_tier(PriceTier::Priority),
        ("batch", "standard") => usage.set_tier(PriceTier::Batch),
        (tier, "standard") => usage.mark_unread(&format!("usage.service_tier: {tier}")),
        (_, speed) => usage.mark_unread(&format!("usage.speed: {speed}")),
    }
}

/// Only inference that the request kept in a region has a price of its own
/// (<https://docs.anthropic.com/en/docs/build-with-claude/data-residency>).
fn read_region(usage: &mut UsageBuilder, members: &Members<'_>) {
    let region = usage.read_word("usage", members, "inference_geo").unwrap_or_default();
    if !matches!(region.as_str(), "" | "global" | "not_available") {
        usage.set_region(region);
    }
}

/// A redeemed credit bills the answer as if the whole conversation had been with its model, which
/// the counts do not tell (<https://docs.anthropic.com/en/api/beta>).
fn read_fallback_credit(usage: &mut UsageBuilder, members: &Members<'_>) {
    let status = members.object("fallback_credit").object("status").string("type");
    if status.as_deref().is_some_and(|status| status != "not_applied") {
        usage.mark_unread("usage.fallback_credit");
    }
}

/// Overlays `later` on `earlier`. A zero does not overwrite: some servers repeat counts as zero
/// that they have already reported.
pub(super) fn merge_usage(earlier: &str, later: &RawValue) -> Box<RawValue> {
    let (Ok(old), Ok(new)) = (Members::parse(earlier), Members::parse(later.get())) else {
        return later.to_owned();
    };
    let is_news = |raw: &RawValue| !matches!(raw.get(), "0" | "null");
    let kept = old.entries().filter(|(key, _)| !new.get(key).is_some_and(is_news));
    let added = new.entries().filter(|(key, raw)| is_news(raw) || old.get_or_null(key).is_none());
    let members: Vec<String> =
        kept.chain(added).map(|(key, raw)| format!("{}:{}", quote(key), raw.get())).collect();
    let text = format!("{{{}}}", members.join(","));
    RawValue::from_string(text).unwrap_or_else(|_| later.to_owned())
}

#[derive(Debug, Serialize)]
pub(super) struct WrittenUsage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: WrittenCache,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<WrittenDetails>,
}

#[derive(Debug, Serialize)]
struct WrittenCache {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Debug, Serialize)]
struct WrittenDetails {
    thinking_tokens: u64,
}

impl WrittenUsage {
    /// Unknown counts become zero, since the dialect requires numbers.
    pub(super) fn from_report(usage: Option<&UsageReport>) -> Self {
        let tokens = usage.map(|report| report.tokens()).unwrap_or_default();
        Self {
            input_tokens: tokens.input_uncached,
            cache_creation_input_tokens: tokens
                .cache_write_5m
                .saturating_add(tokens.cache_write_1h),
            cache_read_input_tokens: tokens.cache_read,
            cache_creation: WrittenCache {
                ephemeral_5m_input_tokens: tokens.cache_write_5m,
                ephemeral_1h_input_tokens: tokens.cache_write_1h,
            },
            output_tokens: tokens.output(),
            output_tokens_details: (tokens.reasoning > 0)
                .then_some(WrittenDetails { thinking_tokens: tokens.reasoning }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UsageReading;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).expect("JSON")
    }

    fn check(json: &str, expected: [u64; 6], reading: UsageReading) {
        let report = read_usage(raw(json)).expect("usage");
        let t = report.tokens();
        let input = [t.input_uncached, t.cache_read, t.cache_write_5m, t.cache_write_1h];
        let got = [input[0], input[1], input[2], input[3], t.output_visible, t.reasoning];
        assert_eq!((got, report.reading), (expected, reading), "{json}");
    }

    /// litellm#9812, #11364, #11789, #31069, bifrost#3451: input counts exclude cached tokens.
    #[test]
    fn class_8_cached_tokens_are_counted_once() {
        use UsageReading::{Adjusted, AsReported};
        check(r#"{"input_tokens":10,"output_tokens":5}"#, [10, 0, 0, 0, 5, 0], AsReported);
        check(
            r#"{"input_tokens":3,"cache_creation_input_tokens":30,"cache_read_input_tokens":60,
            "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},
            "output_tokens":9,"output_tokens_details":{"thinking_tokens":4},
            "server_tool_use":null,"service_tier":"standard"}"#,
            [3, 60, 10, 20, 5, 4],
            AsReported,
        );
        check(
            r#"{"input_tokens":3,"cache_creation_input_tokens":30,"output_tokens":1}"#,
            [3, 0, 30, 0, 1, 0],
            AsReported,
        );
        check(
            r#"{"input_tokens":-3,"output_tokens":2,"output_tokens_details":{"thinking_tokens":4}}"#,
            [0, 0, 0, 0, 0, 2],
            Adjusted,
        );
        assert_eq!(read_usage(raw("{}")), None);
        assert_eq!(read_usage(raw("null")), None);
    }

    #[test]
    fn f48_the_last_word_counts_and_nothing_is_added() {
        let start =
            r#"{"input_tokens":100,"cache_read_input_tokens":7,"output_tokens":1,"x":null}"#;
        let only_output = merge_usage(start, raw(r#"{"output_tokens":25}"#));
        let report = read_usage(&only_output).expect("usage");
        assert_eq!((report.tokens().input(), report.tokens().output()), (107, 25));
        let all = raw(r#"{"input_tokens":110,"cache_read_input_tokens":0,"output_tokens":30}"#);
        let report = read_usage(&merge_usage(only_output.get(), all)).expect("usage");
        assert_eq!((report.tokens().input_uncached, report.tokens().cache_read), (110, 7));
        assert_eq!(report.tokens().output(), 30);
        let zeros = raw(r#"{"input_tokens":0,"output_tokens":0}"#);
        assert_eq!(merge_usage("{}", zeros).get(), zeros.get());
        assert_eq!(merge_usage("7", zeros).get(), zeros.get());
    }

    #[test]
    fn an_answer_of_too_many_calls_has_no_price() {
        const MAX: usize = Usage::INNER_CALLS_MAX;
        let check = |rounds: usize, compactions: usize, kept: usize, unread: Option<&str>| {
            let round = r#"{"type":"message","input_tokens":3,"output_tokens":1}"#;
            let compaction = r#"{"type":"compaction","input_tokens":3,"output_tokens":1}"#;
            let empty = r#"{"type":"compaction"}"#;
            let mut calls = vec![empty; 3 * MAX];
            calls.extend(vec![compaction; compactions]);
            calls.extend(vec![round; rounds]);
            let (input, output) = (3 * rounds, rounds);
            let calls = calls.join(",");
            let json = format!(
                r#"{{"input_tokens":{input},"output_tokens":{output},"iterations":[{calls}]}}"#
            );
            let usage = read_usage(raw(&json)).expect("usage").usage;
            let of_all = (rounds + compactions) as u64;
            assert_eq!(usage.tokens().output(), of_all, "all are counted");
            assert_eq!((usage.inner_calls.len(), usage.unread.as_deref()), (kept, unread));
        };
        let too_many = Some("more than 64 inner calls");
        check(1, 0, 0, None);
        check(1, MAX, MAX, None);
        check(1, MAX + 1, MAX, too_many);
        check(MAX + 1, 0, MAX, None);
        check(MAX + 2, 0, MAX, too_many);
        check(MAX, 2, MAX, too_many);
    }

    #[test]
    fn what_is_written_reads_back() {
        let usage = r#"{"input_tokens":3,"cache_creation_input_tokens":30,"cache_read_input_tokens":60,
            "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},
            "output_tokens":9,"output_tokens_details":{"thinking_tokens":4}}"#;
        let report = read_usage(raw(usage)).expect("usage");
        let written =
            serde_json::to_string(&WrittenUsage::from_report(Some(&report))).expect("JSON");
        assert_eq!(read_usage(raw(&written)).expect("usage").tokens(), report.tokens());
        let nothing = serde_json::to_value(WrittenUsage::from_report(None)).expect("JSON");
        assert_eq!((&nothing["input_tokens"], &nothing["output_tokens"]), (&0.into(), &0.into()));
    }
}
