//! Token usage in one form for all dialects: a split by class that counts no token twice, and the
//! backend's own object.
//!
//! OpenAI's and Gemini's prompt counts include cached tokens, Anthropic's excludes them; OpenAI's
//! completion count includes reasoning, Gemini's does not. Backends also report invalid numbers
//! (negative, fractional, as text), so a split that had to be guessed or clamped is marked.

use domain::{
    CallSplit, Meter, MeteredUsage, NanoUsd, PriceTier, TokenUsage, Usage, is_naming_member,
    is_standard_word,
};
use serde_json::value::RawValue;

use crate::json::{self, Members};

/// Largest raw usage object kept, in bytes; the largest seen has about 600.
pub const USAGE_RAW_BYTES_MAX: usize = 4_096;

/// Largest plausible count, in tokens; anything above it is a fault of the backend.
pub(crate) const TOKEN_COUNT_MAX: u64 = 1_000_000_000_000;

/// Longest name kept of a part that is not understood, in characters.
const UNREAD_CHARS_MAX: usize = 120;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    pub usage: Usage,
    pub reading: UsageReading,
    /// The backend's own object; `None` if it exceeds [`USAGE_RAW_BYTES_MAX`].
    pub raw: Option<String>,
}

impl UsageReport {
    /// A report of text alone, without an object of the backend.
    #[must_use]
    pub fn of_text(tokens: TokenUsage, reading: UsageReading) -> Self {
        Self { usage: tokens.into(), reading, raw: None }
    }

    #[must_use]
    pub fn tokens(&self) -> TokenUsage {
        self.usage.tokens()
    }
}

/// How reliable a usage report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageReading {
    /// The numbers are consistent.
    AsReported,
    /// A number was negative, fractional or too large, or a part exceeded its total; it was
    /// clamped.
    Adjusted,
    /// The backend gave no usage; the gateway estimated it.
    Estimated,
}

/// Reads usage objects: counts on meters, the stated cost, and what is not understood.
#[derive(Debug, Default)]
pub(crate) struct UsageBuilder {
    usage: Usage,
    is_adjusted: bool,
}

impl UsageBuilder {
    pub(crate) fn count(&mut self, meter: Meter, quantity: u64) {
        self.usage.quantities.count(meter, quantity);
    }

    pub(crate) const fn quantities(&self) -> MeteredUsage {
        self.usage.quantities
    }

    /// Counts a call of the model that is not in the counts so far.
    pub(crate) fn add_call(&mut self, call: MeteredUsage) {
        self.usage.quantities += call;
    }

    pub(crate) fn set_inner_calls(&mut self, split: CallSplit) {
        self.usage.inner_calls = split.into_inner_calls();
    }

    /// Reads the counts of a call of the model within the answer; what is wrong in it is so in all.
    pub(crate) fn read_call(&mut self, read: impl FnOnce(&mut Self)) -> MeteredUsage {
        let mut call = Self::default();
        read(&mut call);
        self.is_adjusted |= call.is_adjusted;
        if let Some(part) = call.unread() {
            self.mark_unread(part);
        }
        call.quantities()
    }

    /// Records that a number had to be adjusted.
    pub(crate) const fn mark_adjusted(&mut self) {
        self.is_adjusted = true;
    }

    /// Records a part that may cost money and is not understood. The first one counts.
    pub(crate) fn mark_unread(&mut self, path: &str) {
        mark_unread(&mut self.usage, path);
    }

    pub(crate) fn unread(&self) -> Option<&str> {
        self.usage.unread.as_deref()
    }

    pub(crate) const fn set_tier(&mut self, tier: PriceTier) {
        self.usage.tier = tier;
    }

    pub(crate) fn set_region(&mut self, region: String) {
        self.usage.region = Some(region);
    }

    /// Parses a count. A missing one is zero; an invalid one is replaced by the nearest valid
    /// count, for the eye: what it counts has no price.
    pub(crate) fn read_count(&mut self, value: Option<&RawValue>) -> u64 {
        let Some(value) = value else { return 0 };
        let text = value.get().trim_matches('"');
        let exact = value.get().parse::<u64>().ok().filter(|count| *count <= TOKEN_COUNT_MAX);
        exact.unwrap_or_else(|| {
            self.mark_adjusted();
            if text != "null" && !is_whole_count(text) {
                self.mark_unread(&format!("a count of {text}"));
            }
            nearest_count(text)
        })
    }

    /// A part of `whole`, clamped to it for the eye: which of the two counts is wrong is not known, so
    /// the usage has no price.
    pub(crate) fn clamp_part(&mut self, part: u64, whole: u64) -> u64 {
        if part > whole {
            self.mark_adjusted();
            self.mark_unread(&format!("a part of {part} in a count of {whole}"));
        }
        part.min(whole)
    }

    /// Counts `parts` of `whole` on their meters and the rest on `text`. Parts that exceed what is
    /// left of the whole are clamped.
    pub(crate) fn split<const N: usize>(
        &mut self,
        whole: u64,
        parts: [(Meter, u64); N],
        text: Meter,
    ) {
        let rest = parts.into_iter().fold(whole, |rest, (meter, part)| {
            let part = self.clamp_part(part, rest);
            self.count(meter, part);
            rest - part
        });
        self.count(text, rest);
    }

    /// Marks the first member of `object` that counts something, or says how something is billed,
    /// under a name that is neither in `known` nor known to be free everywhere. A word may be a tier,
    /// a speed or a region with a price of its own, so the mark names it.
    pub(crate) fn check_names(&mut self, path: &str, object: &Members<'_>, known: &[&str]) {
        let is_known = |name: &str| known.contains(&name) || FREE_NAMES.contains(&name);
        let unknown = object.entries().filter(|(name, _)| !is_known(name));
        let mut costly = unknown.filter_map(|(name, value)| {
            if has_positive_number(value) {
                return Some(format!("{path}.{name}"));
            }
            let word = billing_word(name, value)?;
            Some(format!("{path}.{name}: {word}"))
        });
        if let Some(part) = costly.next() {
            self.mark_unread(&part);
        }
    }

    /// The word of a member that is read. One that is no word is marked.
    pub(crate) fn read_word(
        &mut self,
        path: &str,
        object: &Members<'_>,
        name: &str,
    ) -> Option<String> {
        let word = json::decode_string(object.get(name)?);
        if word.is_none() {
            self.mark_unread(&format!("{path}.{name}"));
        }
        word
    }

    /// Reads what the backend itself says the call costs:
    ///
    /// - OpenRouter's `cost` in dollars; with the user's own key at the provider it is OpenRouter's
    ///   fee only, and `cost_details.upstream_inference_cost` comes on top
    ///   (<https://openrouter.ai/docs/use-cases/usage-accounting>);
    /// - xAI's `cost_in_usd_ticks`, 10^10 for a dollar (<https://docs.x.ai/developers/cost-tracking>);
    /// - Perplexity's `cost.total_cost` in dollars, which is zero until the end of a stream
    ///   (<https://docs.perplexity.ai/api-reference>).
    pub(crate) fn read_stated_cost(&mut self, object: &Members<'_>) {
        let dollars = |value: &RawValue| NanoUsd::from_dollars(value.get()).ok();
        let stated = match (object.get("cost"), object.get("cost_in_usd_ticks")) {
            (_, Some(ticks)) => ticks.get().parse().ok().map(xai_ticks),
            (Some(cost), _) if cost.get().starts_with('{') => {
                let total = object.object("cost").get("total_cost").and_then(dollars);
                total.filter(|total| *total > NanoUsd::ZERO)
            }
            (Some(cost), _) if object.get("is_byok").is_some_and(|own| own.get() == "true") => {
                let upstream = object.object("cost_details");
                let upstream = upstream.get("upstream_inference_cost").and_then(dollars);
                if upstream.is_none() {
                    self.mark_unread("usage.is_byok");
                }
                dollars(cost).zip(upstream).map(|(fee, upstream)| fee + upstream)
            }
            (cost, _) => cost.and_then(dollars),
        };
        self.usage.stated_cost = stated.filter(|amount| *amount >= NanoUsd::ZERO);
    }

    /// The report of what was read from the object `raw`.
    pub(crate) fn into_report(self, raw: &RawValue) -> UsageReport {
        let reading = match self.is_adjusted {
            true => UsageReading::Adjusted,
            false => UsageReading::AsReported,
        };
        let raw = raw.get();
        let raw = (raw.len() <= USAGE_RAW_BYTES_MAX).then(|| raw.to_owned());
        UsageReport { usage: self.usage, reading, raw }
    }
}

/// Records a part that may cost money and is not understood. The first one counts.
pub(crate) fn mark_unread(usage: &mut Usage, path: &str) {
    usage.unread.get_or_insert_with(|| crate::error::sanitize(path, UNREAD_CHARS_MAX));
}

/// Ten ticks are a nano-dollar; half a nano-dollar rounds up.
const fn xai_ticks(ticks: i64) -> NanoUsd {
    NanoUsd::new(ticks.saturating_add(5).div_euclid(10))
}

/// Members of usage objects that say nothing about the bill beyond other members: sums, times and
/// rates of Groq and `SambaNova`, and the cost, which is read on its own.
const FREE_NAMES: [&str; 21] = [
    "total_tokens",
    "cost",
    "cost_details",
    "is_byok",
    "cost_in_usd_ticks",
    "estimated_cost",
    "queue_time",
    "prompt_time",
    "completion_time",
    "total_time",
    "start_time",
    "end_time",
    "total_latency",
    "time_to_first_token",
    "acceptance_rate",
    "completion_tokens_after_first_per_sec",
    "completion_tokens_after_first_per_sec_first_ten",
    "completion_tokens_after_first_per_sec_graph",
    "completion_tokens_per_sec",
    "total_tokens_per_sec",
    "stop_reason",
];

/// The first word in the value of a member that may say how something is billed.
fn billing_word<'a>(name: &str, value: &'a RawValue) -> Option<&'a str> {
    if is_naming_member(name) {
        return None;
    }
    let is_number = |word: &str| word.parse::<f64>().is_ok();
    json::string_values(value.get()).find(|word| !is_standard_word(word) && !is_number(word))
}

/// True if `value` is a number above zero, also as text, or contains one.
fn has_positive_number(value: &RawValue) -> bool {
    let text = value.get();
    let is_positive = |text: &str| text.parse::<f64>().is_ok_and(|number| number > 0.0);
    match text.starts_with(['{', '[']) {
        true => json::scalars(text).any(is_positive),
        false => is_positive(text.trim_matches('"')),
    }
}

/// True for a plausible count in another form: `12.0`, or as text.
fn is_whole_count(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|number| (0.0..=1e12).contains(&number) && number.fract() == 0.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=10^12 before the cast; NaN becomes 0"
)]
fn nearest_count(text: &str) -> u64 {
    let near = text.parse::<f64>().unwrap_or(0.0);
    near.clamp(0.0, 1e12) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(json: &str) -> Option<i64> {
        let mut usage = UsageBuilder::default();
        usage.read_stated_cost(&Members::parse(json).expect("an object"));
        usage.usage.stated_cost.map(NanoUsd::nanos)
    }

    #[test]
    fn a_stated_cost_is_read_in_dollars() {
        assert_eq!(stated(r#"{"prompt_tokens":1,"cost":0.000142}"#), Some(142_000));
        assert_eq!(stated(r#"{"cost":1.4e-5}"#), Some(14_000));
        assert_eq!(stated(r#"{"cost":0}"#), Some(0));
        assert_eq!(stated(r#"{"prompt_tokens":1}"#), None);
        assert_eq!(stated(r#"{"cost":-1}"#), None);
        assert_eq!(stated(r#"{"cost":"1"}"#), None);
        assert_eq!(stated(r#"{"cost":1e300}"#), None);
    }

    #[test]
    fn every_provider_states_its_cost_in_its_own_way() {
        assert_eq!(stated(r#"{"cost_in_usd_ticks":37756000}"#), Some(3_775_600));
        assert_eq!(stated(r#"{"cost_in_usd_ticks":5}"#), Some(1), "half a nano-dollar rounds up");
        assert_eq!(
            stated(r#"{"cost":{"total_cost":0.006,"request_cost":0.005}}"#),
            Some(6_000_000)
        );
        assert_eq!(stated(r#"{"cost":{"input_tokens_cost":0,"total_cost":0}}"#), None);
        let own_key =
            r#"{"cost":0.95,"is_byok":true,"cost_details":{"upstream_inference_cost":19}}"#;
        assert_eq!(stated(own_key), Some(19_950_000_000));
        let credits =
            r#"{"cost":0.95,"is_byok":false,"cost_details":{"upstream_inference_cost":0.95}}"#;
        assert_eq!(stated(credits), Some(950_000_000));
        assert_eq!(stated(r#"{"cost":0.95,"is_byok":true}"#), None);
    }

    #[test]
    fn a_part_beyond_its_whole_has_no_price() {
        let split = |whole, parts: [(Meter, u64); 2]| {
            let mut usage = UsageBuilder::default();
            usage.split(whole, parts, Meter::Input);
            let counts: Vec<_> = usage.quantities().iter().map(|(_, count)| count).collect();
            (counts, usage.usage.unread)
        };
        let parts = |audio, image| [(Meter::InputAudio, audio), (Meter::InputImage, image)];
        assert_eq!(split(10, parts(4, 6)), (vec![4, 6], None));
        let unread = |text: &str| Some(text.to_owned());
        let beyond = unread("a part of 7 in a count of 6");
        assert_eq!(split(10, parts(4, 7)), (vec![4, 6], beyond));
    }

    #[test]
    fn what_counts_under_an_unknown_name_is_marked() {
        let unread = |json: &str| {
            let mut usage = UsageBuilder::default();
            usage.check_names("usage", &Members::parse(json).expect("an object"), &["known"]);
            usage.usage.unread
        };
        for harmless in [
            r#"{"known":7,"total_tokens":9,"queue_time":0.02}"#,
            r#"{"new":0,"more":-1,"speed":"standard","flag":true,"none":null}"#,
            r#"{"new":{"a":0,"9":[0.0,"8",{"b\"7":"1"}]}}"#,
            r#"{"model":"m-1","region":"global","tiers":{"batch":"none"},"place":""}"#,
        ] {
            assert_eq!(unread(harmless), None, "{harmless}");
        }
        for costly in
            [r#"{"new":1}"#, r#"{"new":"1"}"#, r#"{"new":1e-3}"#, r#"{"new":{"a":[0,2]}}"#]
        {
            assert_eq!(unread(costly).as_deref(), Some("usage.new"), "{costly}");
        }
        for (worded, expected) in [
            (r#"{"speed":"turbo"}"#, "usage.speed: turbo"),
            (r#"{"region": {"eu-1" : "eu"}}"#, "usage.region: eu"),
            (r#"{"tiers":["standard","a\"b"]}"#, r#"usage.tiers: a\"b"#),
            (r#"{"model":"m","new":"8x"}"#, "usage.new: 8x"),
        ] {
            assert_eq!(unread(worded).as_deref(), Some(expected), "{worded}");
        }
        let deep = format!("{{\"new\":{}1{}}}", "[".repeat(90_000), "]".repeat(90_000));
        assert!(unread(&deep).is_some(), "no stack is used up");
    }
}
