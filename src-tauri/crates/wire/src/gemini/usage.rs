//! Reads and writes `usageMetadata`.
//!
//! The prompt's count includes cached tokens and excludes what tools add to the prompt. The
//! candidates' count excludes thoughts.

use std::collections::BTreeSet;

use domain::{Meter, MeteredUsage, PriceTier, Usage};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::UsageReport;
use crate::json::{Members, array_items, decode_string, pick};
use crate::neutral::ProviderEvent;
use crate::usage::{UsageBuilder, mark_unread};

/// Most different queries counted for one answer; more are a fault of the backend.
const QUERIES_MAX: usize = 1_000;

/// Usage of one answer by the fragments read so far: `usageMetadata`, and Google's own tools in the
/// candidates.
#[derive(Debug, Default)]
pub(super) struct AnswerUsage {
    reported: Option<ReportedUsage>,
    model: Option<String>,
    queries: BTreeSet<String>,
    has_maps: bool,
    has_pages_or_code: bool,
}

/// What `usageMetadata` says. The tokens that tools added to the prompt are apart: whether they are
/// billed depends on the tool.
#[derive(Debug, Clone)]
struct ReportedUsage {
    report: UsageReport,
    of_tools: MeteredUsage,
}

impl AnswerUsage {
    /// Notes Google's tools in a candidate. True if one is new.
    pub(super) fn read_candidate(&mut self, candidate: &Members<'_>) -> bool {
        let before = (self.queries.len(), self.has_maps, self.has_pages_or_code);
        let grounding = candidate.object("groundingMetadata");
        let queries = grounding.get("webSearchQueries").and_then(array_items).unwrap_or_default();
        for query in queries.into_iter().filter_map(decode_string) {
            if !query.is_empty() && self.queries.len() < QUERIES_MAX {
                self.queries.insert(query);
            }
        }
        let chunks = grounding.get("groundingChunks").and_then(array_items).unwrap_or_default();
        let is_map =
            |chunk: &RawValue| pick(chunk.get(), ["maps"]).is_some_and(|[maps]| maps.is_some());
        self.has_maps |= chunks.into_iter().any(is_map);
        self.has_pages_or_code |= candidate.get("urlContextMetadata").is_some();
        before != (self.queries.len(), self.has_maps, self.has_pages_or_code)
    }

    /// Notes that the model ran code.
    pub(super) const fn note_code(&mut self) {
        self.has_pages_or_code = true;
    }

    pub(super) fn note_model(&mut self, model: Option<&str>) {
        if self.model.is_none() {
            self.model = model.map(str::to_owned);
        }
    }

    pub(super) fn read_metadata(&mut self, metadata: &RawValue) {
        self.reported = ReportedUsage::read(metadata).or_else(|| self.reported.take());
    }

    /// The usage so far, or the searches that are billed beside it.
    pub(super) fn bill(&self) -> ProviderEvent {
        self.report().map_or_else(
            || {
                let mut usage = Usage::default();
                self.count_searches(&mut usage);
                ProviderEvent::BilledBeside(usage)
            },
            ProviderEvent::Usage,
        )
    }

    fn report(&self) -> Option<UsageReport> {
        let ReportedUsage { mut report, of_tools } = self.reported.clone()?;
        let usage = &mut report.usage;
        let has_tool_tokens = of_tools.tokens().total() > 0;
        let has_searched = !self.queries.is_empty();
        // What a search retrieves is not charged as input; pages and results of code are
        // (<https://ai.google.dev/gemini-api/docs/pricing>). The count does not tell them apart.
        if has_tool_tokens && (self.has_maps || (has_searched && self.has_pages_or_code)) {
            mark_unread(usage, "usageMetadata.toolUsePromptTokenCount");
        }
        if !has_searched || self.has_maps || self.has_pages_or_code {
            usage.quantities += of_tools;
        }
        self.count_searches(usage);
        Some(report)
    }

    /// Searches of Google by Gemini 3 are billed by the query, of older models by the prompt. Empty
    /// and repeated queries are free (<https://ai.google.dev/gemini-api/docs/google-search>). A prompt
    /// that uses Google Maps is billed once, also with several queries
    /// (<https://ai.google.dev/gemini-api/docs/maps-grounding>).
    fn count_searches(&self, usage: &mut Usage) {
        let generation = self.model.as_deref().and_then(generation);
        if self.has_maps {
            match generation {
                Some(..3) => usage.quantities.count(Meter::MapSearch, 1),
                // Documented for older models only.
                _ => mark_unread(usage, "groundingMetadata.groundingChunks.maps"),
            }
        } else if !self.queries.is_empty() {
            let queries = u64::try_from(self.queries.len()).unwrap_or(u64::MAX);
            match generation {
                Some(3..) => usage.quantities.count(Meter::WebSearch, queries),
                Some(_) => usage.quantities.count(Meter::WebSearch, 1),
                None => mark_unread(usage, "groundingMetadata.webSearchQueries"),
            }
        }
    }
}

/// The first number in a model's name: 3 for `gemini-3.1-pro-preview`.
fn generation(model: &str) -> Option<u32> {
    let (_, number) = model.split_once("gemini-")?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number.get(..digits)?.parse().ok()
}

/// Usage of an answer without candidates: embeddings.
pub(crate) fn read_usage(value: &RawValue) -> Option<UsageReport> {
    let mut usage = AnswerUsage::default();
    usage.read_metadata(value);
    usage.report()
}

const NAMES: [&str; 12] = [
    "promptTokenCount",
    "cachedContentTokenCount",
    "toolUsePromptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "totalTokenCount",
    "promptTokensDetails",
    "cacheTokensDetails",
    "toolUsePromptTokensDetails",
    "candidatesTokensDetails",
    "trafficType",
    "serviceTier",
];

impl ReportedUsage {
    /// `None` without a prompt, candidates or total count.
    fn read(value: &RawValue) -> Option<Self> {
        let members = Members::parse(value.get()).ok()?;
        let known = ["promptTokenCount", "candidatesTokenCount", "totalTokenCount"];
        if known.iter().all(|key| members.get(key).is_none()) {
            return None;
        }
        let mut usage = UsageBuilder::default();
        let [prompt, cached, tools, output, thoughts, total] = [
            "promptTokenCount",
            "cachedContentTokenCount",
            "toolUsePromptTokenCount",
            "candidatesTokenCount",
            "thoughtsTokenCount",
            "totalTokenCount",
        ]
        .map(|name| usage.read_count(members.get(name)));
        let cached = usage.clamp_part(cached, prompt);
        read_prompt(&mut usage, &members, prompt, cached);
        let of_output = Modalities::read(&mut usage, &members, "candidatesTokensDetails");
        of_output.split(&mut usage, output, OUTPUT_METERS);
        usage.count(Meter::Reasoning, thoughts);
        if total > [prompt, tools, output, thoughts].into_iter().fold(0, u64::saturating_add) {
            usage.mark_unread("usageMetadata.totalTokenCount");
        }
        read_tier(&mut usage, &members);
        usage.check_names("usageMetadata", &members, &NAMES);
        let mut of_tools = UsageBuilder::default();
        let details = Modalities::read(&mut usage, &members, "toolUsePromptTokensDetails");
        details.split(&mut of_tools, tools, INPUT_METERS);
        Some(Self { report: usage.into_report(value), of_tools: of_tools.quantities() })
    }
}

/// The prompt's details include what was read from the cache.
fn read_prompt(usage: &mut UsageBuilder, members: &Members<'_>, prompt: u64, cached: u64) {
    let all = Modalities::read(usage, members, "promptTokensDetails");
    let of_cache = Modalities::read(usage, members, "cacheTokensDetails");
    if cached > 0 && all.audio > 0 && members.get("cacheTokensDetails").is_none() {
        // Audio has another price than text, cached or not, and nothing says which was cached.
        usage.mark_unread("usageMetadata.cachedContentTokenCount");
    }
    of_cache.split(usage, cached, CACHE_METERS);
    let new = all.without(&of_cache);
    let new = if cached > 0 { new.capped(prompt - cached) } else { new };
    new.split(usage, prompt - cached, INPUT_METERS);
}

/// Tokens that are not text. Documents count as text: Google lists no other price for them.
#[derive(Debug, Default, Clone, Copy)]
struct Modalities {
    audio: u64,
    image: u64,
    video: u64,
}

const INPUT_METERS: [Meter; 4] =
    [Meter::InputAudio, Meter::InputImage, Meter::InputVideo, Meter::Input];
const CACHE_METERS: [Meter; 4] =
    [Meter::CacheReadAudio, Meter::CacheReadImage, Meter::CacheReadVideo, Meter::CacheRead];
const OUTPUT_METERS: [Meter; 4] =
    [Meter::OutputAudio, Meter::OutputImage, Meter::OutputVideo, Meter::Output];

impl Modalities {
    fn read(usage: &mut UsageBuilder, members: &Members<'_>, name: &str) -> Self {
        let mut found = Self::default();
        for item in members.get(name).and_then(array_items).unwrap_or_default() {
            let Some([modality, count]) = pick(item.get(), ["modality", "tokenCount"]) else {
                continue;
            };
            let modality = modality.and_then(decode_string).unwrap_or_default();
            let count = usage.read_count(count);
            let place = match modality.as_str() {
                "TEXT" | "DOCUMENT" => continue,
                "AUDIO" => &mut found.audio,
                "IMAGE" => &mut found.image,
                "VIDEO" => &mut found.video,
                _ if count == 0 => continue,
                _ => {
                    usage.mark_unread(&format!("usageMetadata.{name}: {modality}"));
                    continue;
                }
            };
            *place = place.saturating_add(count);
        }
        found
    }

    const fn without(self, other: &Self) -> Self {
        Self {
            audio: self.audio.saturating_sub(other.audio),
            image: self.image.saturating_sub(other.image),
            video: self.video.saturating_sub(other.video),
        }
    }

    /// Without details of the cache, cached images and videos count as cached text, which has the
    /// same price.
    fn capped(self, whole: u64) -> Self {
        Self { audio: self.audio, image: self.image.min(whole), video: self.video.min(whole) }
    }

    fn split(self, usage: &mut UsageBuilder, whole: u64, meters: [Meter; 4]) {
        let [audio, image, video, text] = meters;
        usage.split(whole, [(audio, self.audio), (image, self.image), (video, self.video)], text);
    }
}

/// `trafficType` of Vertex AI (<https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse#TrafficType>),
/// `serviceTier` of the Gemini API (<https://ai.google.dev/gemini-api/docs/optimization>).
fn read_tier(usage: &mut UsageBuilder, members: &Members<'_>) {
    for name in ["trafficType", "serviceTier"] {
        let Some(word) = usage.read_word("usageMetadata", members, name) else { continue };
        let word = word.to_ascii_uppercase();
        let tier = match word.strip_prefix("SERVICE_TIER_").unwrap_or(&word) {
            "ON_DEMAND" | "STANDARD" => PriceTier::Standard,
            "ON_DEMAND_FLEX" | "FLEX" => PriceTier::Flex,
            "ON_DEMAND_PRIORITY" | "PRIORITY" => PriceTier::Priority,
            "BATCH" => PriceTier::Batch,
            "PROVISIONED_THROUGHPUT" => PriceTier::Reserved,
            "TRAFFIC_TYPE_UNSPECIFIED" | "UNSPECIFIED" => continue,
            _ => {
                usage.mark_unread(&format!("usageMetadata.{name}: {word}"));
                continue;
            }
        };
        usage.set_tier(tier);
    }
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
