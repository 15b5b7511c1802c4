//! Token usage in one form for all dialects: a split by class that counts no token twice, and the
//! backend's own object.
//!
//! OpenAI's and Gemini's prompt counts include cached tokens, Anthropic's excludes them; OpenAI's
//! completion count includes reasoning, Gemini's does not. Backends also report invalid numbers
//! (negative, fractional, as text), so a split that had to be guessed or clamped is marked.

use domain::{NanoUsd, TokenUsage, Usage};
use serde_json::value::RawValue;

use crate::json::pick;

/// Largest raw usage object kept, in bytes; the largest seen has about 600.
pub const USAGE_RAW_BYTES_MAX: usize = 4_096;

/// Largest plausible count, in tokens; anything above it is a fault of the backend.
pub const TOKEN_COUNT_MAX: u64 = 1_000_000_000_000;

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

/// The cost that a usage object states: OpenRouter's `cost`, in dollars
/// (<https://openrouter.ai/docs/use-cases/usage-accounting>). `None` if it states none, or no amount.
fn read_stated_cost(object: &RawValue) -> Option<NanoUsd> {
    let [cost] = pick(object.get(), ["cost"])?;
    let amount = NanoUsd::from_dollars(cost?.get()).ok()?;
    (amount >= NanoUsd::ZERO).then_some(amount)
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

/// Parses counts and records whether any had to be adjusted.
#[derive(Debug)]
pub(crate) struct CountReader {
    reading: UsageReading,
}

impl CountReader {
    pub(crate) const fn new() -> Self {
        Self { reading: UsageReading::AsReported }
    }

    /// Makes the report of `tokens`, which were read from `value`.
    pub(crate) fn into_report(self, tokens: TokenUsage, value: &RawValue) -> UsageReport {
        let raw = value.get();
        let raw = (raw.len() <= USAGE_RAW_BYTES_MAX).then(|| raw.to_owned());
        let usage = Usage { stated_cost: read_stated_cost(value), ..tokens.into() };
        UsageReport { usage, reading: self.reading, raw }
    }

    /// Records that a number had to be adjusted.
    pub(crate) const fn mark_adjusted(&mut self) {
        self.reading = UsageReading::Adjusted;
    }

    /// Parses a count. A missing one is zero; an invalid one is replaced by the nearest valid
    /// count.
    pub(crate) fn read_count_value(&mut self, value: Option<&RawValue>) -> u64 {
        let Some(value) = value else { return 0 };
        let text = value.get().trim_matches('"');
        let exact = value.get().parse::<u64>().ok().filter(|count| *count <= TOKEN_COUNT_MAX);
        exact.unwrap_or_else(|| {
            self.reading = UsageReading::Adjusted;
            nearest_count(text)
        })
    }

    /// A part of `whole`, clamped to it.
    pub(crate) fn clamp_part(&mut self, part: u64, whole: u64) -> u64 {
        if part > whole {
            self.reading = UsageReading::Adjusted;
        }
        part.min(whole)
    }
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

    #[test]
    fn a_stated_cost_is_read_in_dollars() {
        let cost = |raw: &str| {
            read_stated_cost(serde_json::from_str(raw).expect("JSON")).map(NanoUsd::nanos)
        };
        assert_eq!(cost(r#"{"prompt_tokens":1,"cost":0.000142}"#), Some(142_000));
        assert_eq!(cost(r#"{"cost":1.4e-5}"#), Some(14_000));
        assert_eq!(cost(r#"{"cost":0}"#), Some(0));
        assert_eq!(cost(r#"{"prompt_tokens":1}"#), None);
        assert_eq!(cost(r#"{"cost":-1}"#), None);
        assert_eq!(cost(r#"{"cost":"1"}"#), None);
        assert_eq!(cost(r#"{"cost":1e300}"#), None);
    }
}
