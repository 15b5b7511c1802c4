//! Claude Code: `projects/<folder>/<session>.jsonl`, and a file for each subagent below it.
//!
//! A line for each block of an answer, all with the answer's id. Each repeats the usage, which
//! grows while the answer streams, so only the line with the most output counts. Answers are also
//! copied into other sessions, there with another request id.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::{CacheWrites, CallSplit, MeteredUsage, PriceTier, TokenUsage};
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::Raw;
use crate::part::PartBuilder;
use crate::record::{RecordKey, UsageRecord};

/// Shortest id that is taken for one of Anthropic's, which are unique. Servers that speak its
/// dialect are known to number their answers.
const UNIQUE_ID_CHARS_MIN: usize = 20;

/// What stands for no place of its own.
const NO_REGION: [&str; 2] = ["global", "not_available"];

/// Members of a usage object that are read here, or repeat one that is.
const NAMES: [&str; 13] = [
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
    "service_tier",
    "speed",
    "inference_geo",
    "iterations",
    "total_tokens",
    "stop_reason",
];

const ITERATIONS: &str = "message.usage.iterations";

/// Most calls inside one answer that are kept.
const INNER_CALLS_MAX: usize = domain::Usage::INNER_CALLS_MAX;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Raw<'a>,
    session_id: Raw<'a>,
    timestamp: Raw<'a>,
    cwd: Raw<'a>,
    request_id: Raw<'a>,
    #[serde(rename = "costUSD")]
    cost_usd: Raw<'a>,
    message: Raw<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    model: Raw<'a>,
    usage: Raw<'a>,
}

#[derive(Deserialize)]
struct Usage<'a> {
    #[serde(borrow)]
    input_tokens: Raw<'a>,
    cache_creation_input_tokens: Raw<'a>,
    cache_read_input_tokens: Raw<'a>,
    output_tokens: Raw<'a>,
    cache_creation: Raw<'a>,
    output_tokens_details: Raw<'a>,
    server_tool_use: Raw<'a>,
    service_tier: Raw<'a>,
    speed: Raw<'a>,
    inference_geo: Raw<'a>,
    #[serde(default)]
    iterations: Raw<'a>,
    /// In an iteration: what it was for.
    #[serde(rename = "type")]
    kind: Raw<'a>,
    /// In an iteration of an advisor: its own model.
    model: Raw<'a>,
}

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    ephemeral_5m_input_tokens: Raw<'a>,
    ephemeral_1h_input_tokens: Raw<'a>,
}

const AGES: [&str; 2] = ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"];

#[derive(Deserialize)]
struct OutputDetails<'a> {
    #[serde(borrow)]
    thinking_tokens: Raw<'a>,
}

/// Calls of the provider's tools that cost nothing by themselves
/// (<https://docs.claude.com/en/docs/about-claude/pricing>).
const FREE_TOOLS: [&str; 2] = ["web_fetch_requests", "tool_search_requests"];

pub(crate) fn is_wanted(line: &[u8]) -> bool {
    memmem::find(line, br#""usage""#).is_some()
}

pub(crate) fn read_line(text: &str, part: &mut PartBuilder) {
    let Some(line) = part.parse::<Line<'_>>("", text) else { return };
    if line.kind.is_some_and(|kind| kind.get() != r#""assistant""#) {
        return;
    }
    let Some(message) = part.object::<Message<'_>>("message", line.message) else { return };
    let Some(usage) = part.object::<Usage<'_>>("message.usage", message.usage) else { return };
    let model = part.text("message.model", message.model);
    if model.as_deref() == Some("<synthetic>") {
        return;
    }
    let session = part.text("sessionId", line.session_id);
    let message_id = part.text("message.id", message.id);
    let request_id = part.text("requestId", line.request_id);
    let time = part.time("timestamp", line.timestamp);
    let key = identity(part, &session, &message_id, &request_id, time.unix_ms());
    let mut unread = None;
    let tokens = read_usage(part, &mut unread, "message.usage", &usage);
    part.check_names("message.usage", message.usage, &NAMES);
    let mut record = UsageRecord {
        key: RecordKey::of(part.tool(), &as_parts(&key)),
        session,
        message_id,
        request_id,
        time,
        model,
        provider: None,
        project: part.text("cwd", line.cwd),
        usage: tokens,
        inner_calls: Vec::new(),
        web_searches: 0,
        service_tier: PriceTier::Standard,
        region: None,
        unread,
        stated_cost: part.amount("costUSD", line.cost_usd),
        line: part.line(),
    };
    read_server_tools(part, &mut record, usage.server_tool_use);
    read_tier(part, &mut record, &usage);
    let region = part.text("message.usage.inference_geo", usage.inference_geo);
    record.region = region.filter(|region| !NO_REGION.contains(&region.as_str()));
    // Before an advisor's answer takes it.
    record.unread = record.unread.or(part.take_unread());
    add_iterations(part, &mut record, &key, usage.iterations);
    part.add(record);
}

/// The texts that an answer is recognised by.
fn identity(
    part: &PartBuilder,
    session: &Option<String>,
    message: &Option<String>,
    request: &Option<String>,
    time_ms: i64,
) -> Vec<String> {
    let session = || session.clone().unwrap_or_default();
    match (message, request) {
        (Some(message), _)
            if message.starts_with("msg_") && message.len() >= UNIQUE_ID_CHARS_MIN =>
        {
            vec![message.clone()]
        }
        (Some(message), Some(request)) => vec![message.clone(), request.clone()],
        (Some(message), None) => vec![message.clone(), session(), time_ms.to_string()],
        (None, Some(request)) => vec![String::new(), request.clone()],
        (None, None) => vec![session(), time_ms.to_string(), part.line().to_string()],
    }
}

fn as_parts(key: &[String]) -> Vec<&str> {
    key.iter().map(String::as_str).collect()
}

/// Input excludes the caches; output includes thinking.
fn read_usage(
    part: &mut PartBuilder,
    unread: &mut Option<Cow<'static, str>>,
    at: &str,
    usage: &Usage<'_>,
) -> TokenUsage {
    let mut count = |name: &str, raw| part.count(&format!("{at}.{name}"), raw);
    let input_uncached = count("input_tokens", usage.input_tokens);
    let cache_read = count("cache_read_input_tokens", usage.cache_read_input_tokens);
    let written = count("cache_creation_input_tokens", usage.cache_creation_input_tokens);
    let output = count("output_tokens", usage.output_tokens);
    let written_at = format!("{at}.cache_creation");
    part.check_names(&written_at, usage.cache_creation, &AGES);
    let ages = part.object::<Written<'_>>(&written_at, usage.cache_creation);
    let split = ages.map(|ages| {
        let mut count = |name: &str, raw| part.count(&format!("{at}.cache_creation.{name}"), raw);
        let short = count("ephemeral_5m_input_tokens", ages.ephemeral_5m_input_tokens);
        [short, count("ephemeral_1h_input_tokens", ages.ephemeral_1h_input_tokens)]
    });
    let details = format!("{at}.output_tokens_details");
    let details = part.object::<OutputDetails<'_>>(&details, usage.output_tokens_details);
    let thought = details.map_or(0, |details| {
        let field = format!("{at}.output_tokens_details.thinking_tokens");
        part.count(&field, details.thinking_tokens)
    });
    let writes = CacheWrites::of(written, split);
    if writes.unknown > 0 {
        *unread = Some("message.usage.cache_creation".into());
    }
    let reasoning = part.part_of(thought, output);
    TokenUsage {
        input_uncached,
        cache_read,
        cache_write_5m: writes.short,
        cache_write_1h: writes.long,
        output_visible: output - reasoning,
        reasoning,
    }
}

fn read_server_tools(part: &mut PartBuilder, record: &mut UsageRecord, tools: Raw<'_>) {
    let at = "message.usage.server_tool_use";
    let Some(tools) = part.object::<BTreeMap<String, &RawValue>>(at, tools) else { return };
    for (name, calls) in tools {
        let calls = part.count(&format!("{at}.{name}"), Some(calls));
        match name.as_str() {
            "web_search_requests" => record.web_searches = calls,
            name if calls > 0 && !FREE_TOOLS.contains(&name) => record.unread = Some(at.into()),
            _ => {}
        }
    }
}

fn read_tier(part: &mut PartBuilder, record: &mut UsageRecord, usage: &Usage<'_>) {
    let speed = part.text("message.usage.speed", usage.speed);
    let tier = part.text("message.usage.service_tier", usage.service_tier);
    let mut standard_but = |field: &'static str| {
        record.unread = Some(field.into());
        PriceTier::Standard
    };
    record.service_tier = match (speed.as_deref(), tier.as_deref()) {
        (Some("fast"), None | Some("standard")) => PriceTier::Fast,
        (None | Some("standard"), Some("priority")) => PriceTier::Priority,
        (None | Some("standard"), Some("batch")) => PriceTier::Batch,
        (None | Some("standard"), None | Some("standard")) => PriceTier::Standard,
        (None | Some("standard" | "fast"), _) => standard_but("message.usage.service_tier"),
        (Some(_), _) => standard_but("message.usage.speed"),
    };
}

/// Calls of the model inside one answer. Its usage holds all but compactions, which are added, and
/// advisors, which are answers of another model.
fn add_iterations(
    part: &mut PartBuilder,
    record: &mut UsageRecord,
    key: &[String],
    iterations: Raw<'_>,
) {
    let Some(iterations) = part.object::<Vec<Raw<'_>>>(ITERATIONS, iterations) else { return };
    let mut split = CallSplit::of(MeteredUsage::from(record.usage));
    for (number, iteration) in iterations.into_iter().enumerate() {
        let at = format!("{ITERATIONS}[{number}]");
        part.check_names(&at, iteration, &NAMES);
        let Some(iteration) = part.object::<Usage<'_>>(&at, iteration) else {
            record.unread = Some(ITERATIONS.into());
            continue;
        };
        let mut read = |unread| read_usage(part, unread, &at, &iteration);
        match iteration.kind.map(|kind| kind.get()) {
            Some(r#""compaction""#) => {
                let call = read(&mut record.unread);
                record.usage += call;
                if !split.add_extra(call.into()) {
                    record.unread = Some(ITERATIONS.into());
                }
            }
            Some(r#""advisor_message""#) if number <= INNER_CALLS_MAX => {
                let number = number.to_string();
                let mut parts = as_parts(key);
                parts.extend(["advisor", &number]);
                let mut unread = record.unread.clone();
                let usage = read(&mut unread);
                let advice = UsageRecord {
                    key: RecordKey::of(part.tool(), &parts),
                    model: part.text(&format!("{at}.model"), iteration.model),
                    usage,
                    inner_calls: Vec::new(),
                    web_searches: 0,
                    unread,
                    stated_cost: None,
                    ..record.clone()
                };
                part.add(advice);
            }
            Some(r#""message""#) => {
                let round = read(&mut record.unread);
                if !split.add_round(round.into()) {
                    record.unread = Some(ITERATIONS.into());
                }
            }
            None => {}
            Some(_) => record.unread = Some(ITERATIONS.into()),
        }
    }
    if !split.is_whole() {
        record.unread = Some(ITERATIONS.into());
    }
    record.inner_calls = split.into_inner_calls().iter().map(MeteredUsage::tokens).collect();
}
