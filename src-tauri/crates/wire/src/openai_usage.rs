//! Usage objects of OpenAI's family: Chat Completions, Responses, embeddings, and servers that are
//! compatible with them.
//!
//! The input count includes cached and cache-written tokens and every modality; the output count
//! includes reasoning, audio, and the accepted and rejected tokens of a prediction, which are billed
//! as output (<https://platform.openai.com/docs/api-reference/chat/object>).

use domain::{Meter, PriceTier, Usage};
use serde_json::value::RawValue;

use crate::UsageReport;
use crate::json::{Members, decode_string};
use crate::usage::{UsageBuilder, mark_unread};

/// How an API spells the counts.
pub(crate) struct UsageSpelling {
    input: &'static str,
    input_details: &'static str,
    output: &'static str,
    output_details: &'static str,
}

pub(crate) const CHAT: UsageSpelling = UsageSpelling {
    input: "prompt_tokens",
    input_details: "prompt_tokens_details",
    output: "completion_tokens",
    output_details: "completion_tokens_details",
};

pub(crate) const RESPONSES: UsageSpelling = UsageSpelling {
    input: "input_tokens",
    input_details: "input_tokens_details",
    output: "output_tokens",
    output_details: "output_tokens_details",
};

/// Counts of the whole object that are read, or that repeat one that is. Some servers send both
/// spellings of a count.
const NAMES: [&str; 15] = [
    CHAT.input,
    CHAT.input_details,
    CHAT.output,
    CHAT.output_details,
    RESPONSES.input,
    RESPONSES.input_details,
    RESPONSES.output,
    RESPONSES.output_details,
    "cached_tokens",
    "prompt_cache_hit_tokens",
    "prompt_cache_miss_tokens",
    "cache_read_input_tokens",
    "cached_input_tokens",
    "cache_creation_input_tokens",
    "reasoning_tokens",
];

const INPUT_NAMES: [&str; 14] = [
    "text_tokens",
    "audio_tokens",
    "image_tokens",
    "video_tokens",
    "cached_tokens",
    "cached_tokens_details",
    "cache_read_input_tokens",
    "cache_write_tokens",
    "cache_write_tokens_details",
    "cache_creation_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "cache_creation_token_details",
    "cache_type",
];

/// Further names of what was read from the cache: of Moonshot and Together, DeepSeek, proxies of
/// Anthropic, and Inception. Where several are sent, some may be left at zero.
const CACHE_READ_NAMES: [&str; 4] =
    ["cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens", "cached_input_tokens"];

/// Names of what was written to the cache.
const CACHE_WRITE_NAMES: [&str; 3] =
    ["cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens"];

const OUTPUT_NAMES: [&str; 6] = [
    "text_tokens",
    "audio_tokens",
    "image_tokens",
    "reasoning_tokens",
    "accepted_prediction_tokens",
    "rejected_prediction_tokens",
];

/// Parses a `usage` value; `None` if it has neither an input nor an output count.
pub(crate) fn read_usage(value: &RawValue, names: &UsageSpelling) -> Option<UsageReport> {
    let members = Members::parse(value.get()).ok()?;
    let (input, output) = (members.get(names.input), members.get(names.output));
    if input.is_none() && output.is_none() {
        return None;
    }
    let mut usage = UsageBuilder::default();
    let (input, output) = (usage.read_count(input), usage.read_count(output));
    let total = usage.read_count(members.get("total_tokens"));
    read_input(&mut usage, &members, names, input);
    let output = read_output(&mut usage, &members, names, output, total.saturating_sub(input));
    if total > input.saturating_add(output) {
        // Google's compatible endpoint leaves thoughts out of the completion count.
        usage.mark_unread("usage.total_tokens");
    }
    let tools = members.object("server_tool_use");
    let searches = usage.read_count(tools.get("web_search_requests"));
    usage.count(Meter::WebSearch, searches);
    usage.check_names("usage.server_tool_use", &tools, &["web_search_requests"]);
    let known: Vec<&str> = NAMES.into_iter().chain(["server_tool_use"]).collect();
    usage.check_names("usage", &members, &known);
    usage.read_stated_cost(&members);
    Some(usage.into_report(value))
}

/// Usage of a call without output: embeddings. Voyage reports the total only.
pub(crate) fn read_input_usage(value: &RawValue) -> Option<UsageReport> {
    read_usage(value, &CHAT).or_else(|| {
        let members = Members::parse(value.get()).ok()?;
        let mut usage = UsageBuilder::default();
        let input = usage.read_count(Some(members.get("total_tokens")?));
        usage.count(Meter::Input, input);
        usage.check_names("usage", &members, &["text_tokens"]);
        usage.read_stated_cost(&members);
        Some(usage.into_report(value))
    })
}

/// Most servers include cache writes in the input count. Where that is impossible (the parts would
/// exceed the total), they are treated as additional.
fn read_input(usage: &mut UsageBuilder, members: &Members<'_>, names: &UsageSpelling, input: u64) {
    let inside = members.object(names.input_details);
    let path = format!("usage.{}", names.input_details);
    usage.check_names(&path, &inside, &INPUT_NAMES);
    // Alibaba's word for writes that live five minutes, which its counts say too.
    if usage.read_word(&path, &inside, "cache_type").is_some_and(|word| word != "ephemeral") {
        usage.mark_unread(&format!("{path}.cache_type"));
    }
    let cached = read_largest(usage, [members, &inside], &CACHE_READ_NAMES);
    let cached = usage.clamp_part(cached, input);
    if cached > 0 && inside.string("cache_type").is_some() {
        // Alibaba reads what was cached on request at half the price of what it cached by itself
        // (<https://www.alibabacloud.com/help/en/model-studio/context-cache>).
        usage.mark_unread(&format!("{path}.cache_type"));
    }
    let written = read_cache_writes(usage, members, &inside, &path);
    let rest = input - cached;
    let rest = rest.checked_sub(written).unwrap_or_else(|| {
        usage.mark_adjusted();
        rest
    });
    let of_cached = inside.object("cached_tokens_details");
    let [audio, image, video] = MEDIA.map(|name| usage.read_count(inside.get(name)));
    let [cached_audio, cached_image, cached_video] =
        MEDIA.map(|name| usage.read_count(of_cached.get(name)));
    if cached > 0 && audio > 0 && inside.get("cached_tokens_details").is_none() {
        // Audio has another price than text, cached or not, and nothing says which was cached.
        usage.mark_unread(&format!("{path}.cached_tokens"));
    }
    let cached_parts = [
        (Meter::CacheReadAudio, cached_audio),
        (Meter::CacheReadImage, cached_image),
        (Meter::CacheReadVideo, cached_video),
    ];
    usage.split(cached, cached_parts, Meter::CacheRead);
    // Without details, cached images count as cached text, which has the same price.
    let most = if cached > 0 { rest } else { u64::MAX };
    let new_parts = [
        (Meter::InputAudio, audio.saturating_sub(cached_audio).min(most)),
        (Meter::InputImage, image.saturating_sub(cached_image).min(most)),
        (Meter::InputVideo, video.saturating_sub(cached_video).min(most)),
    ];
    usage.split(rest, new_parts, Meter::Input);
}

fn read_largest(usage: &mut UsageBuilder, places: [&Members<'_>; 2], names: &[&str]) -> u64 {
    let counts = places.into_iter().flat_map(|place| names.iter().map(|name| place.get(name)));
    counts.fold(0, |largest, count| usage.read_count(count).max(largest))
}

/// Alibaba and LiteLLM tell the lifetime of what was written as Anthropic does. OpenAI lists one
/// price for writes, and none for those that live twelve hours.
fn read_cache_writes(
    usage: &mut UsageBuilder,
    members: &Members<'_>,
    inside: &Members<'_>,
    path: &str,
) -> u64 {
    let written = read_largest(usage, [members, inside], &CACHE_WRITE_NAMES);
    let ages = ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"];
    let mut of_hour = 0;
    for name in ["cache_creation", "cache_creation_token_details"] {
        let split = inside.object(name);
        usage.check_names(&format!("{path}.{name}"), &split, &ages);
        of_hour = usage.read_count(split.get(ages[1])).max(of_hour);
    }
    let of_hour = usage.clamp_part(of_hour, written);
    let lifetimes = inside.object("cache_write_tokens_details");
    let of_lifetimes = format!("{path}.cache_write_tokens_details");
    usage.check_names(&of_lifetimes, &lifetimes, &["ttl_30m_tokens"]);
    usage.count(Meter::CacheWrite5m, written - of_hour);
    usage.count(Meter::CacheWrite1h, of_hour);
    written
}

const MEDIA: [&str; 3] = ["audio_tokens", "image_tokens", "video_tokens"];

/// The output count includes reasoning, unless the total shows that it is separate (xAI), or it
/// stands beside the counts and is more than all output (Perplexity). Returns all output tokens;
/// `beyond_input` is how many there are by the total.
fn read_output(
    usage: &mut UsageBuilder,
    members: &Members<'_>,
    names: &UsageSpelling,
    output: u64,
    beyond_input: u64,
) -> u64 {
    let inside = members.object(names.output_details);
    usage.check_names(&format!("usage.{}", names.output_details), &inside, &OUTPUT_NAMES);
    // SGLang has it beside the details.
    let inside_thought = inside.get("reasoning_tokens");
    let thought = usage.read_count(inside_thought.or_else(|| members.get("reasoning_tokens")));
    let [audio, image] =
        ["audio_tokens", "image_tokens"].map(|name| usage.read_count(inside.get(name)));
    let with_thought = output.saturating_add(thought);
    let is_more = inside_thought.is_none() && thought > output;
    let is_apart = is_more || (thought > 0 && beyond_input == with_thought);
    let all = if is_apart { with_thought } else { output };
    let parts =
        [(Meter::Reasoning, thought), (Meter::OutputAudio, audio), (Meter::OutputImage, image)];
    usage.split(all, parts, Meter::Output);
    all
}

/// The tier that an answer was made at, by the `service_tier` beside its usage. Words of OpenAI
/// (<https://platform.openai.com/docs/api-reference/chat/object>) and Groq (`on_demand`,
/// <https://console.groq.com/docs/service-tiers>). What a server answers by `auto` is not known.
pub(crate) fn apply_tier(usage: &mut Usage, word: &RawValue) {
    let word = decode_string(word).unwrap_or_default();
    usage.tier = match word.as_str() {
        "default" | "standard" | "on_demand" => PriceTier::Standard,
        "flex" => PriceTier::Flex,
        "priority" => PriceTier::Priority,
        "scale" => PriceTier::Reserved,
        "batch" => PriceTier::Batch,
        _ => {
            mark_unread(usage, &format!("service_tier: {word}"));
            return;
        }
    };
}

#[cfg(test)]
mod tests;
