//! Token usage in one form for all dialects: a split by class that counts no token twice, and the
//! backend's own object.
//!
//! OpenAI's and Gemini's prompt counts include cached tokens, Anthropic's excludes them; OpenAI's
//! completion count includes reasoning, Gemini's does not. Backends also report invalid numbers
//! (negative, fractional, as text), so a split that had to be guessed or clamped is marked.

use domain::{NanoUsd, TokenUsage};
use serde_json::value::RawValue;

/// Largest raw usage object kept, in bytes; the largest seen has about 600.
pub const USAGE_RAW_BYTES_MAX: usize = 4_096;

/// Largest plausible count, in tokens; anything above it is a fault of the backend.
pub const TOKEN_COUNT_MAX: u64 = 1_000_000_000_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    pub tokens: TokenUsage,
    pub reading: UsageReading,
    /// The backend's own object; `None` if it exceeds [`USAGE_RAW_BYTES_MAX`].
    pub raw: Option<String>,
}

impl UsageReport {
    /// The cost that the backend itself states: OpenRouter's `usage.cost`, in dollars
    /// (<https://openrouter.ai/docs/use-cases/usage-accounting>). `None` if it states none, or one of a
    /// million dollars and more, which no request costs.
    #[must_use]
    pub fn stated_cost(&self) -> Option<NanoUsd> {
        #[derive(serde::Deserialize)]
        struct Stated {
            cost: Option<f64>,
        }
        let dollars = serde_json::from_str::<Stated>(self.raw.as_deref()?).ok()?.cost?;
        let nanos = (dollars * 1e9).round();
        let believable = (0.0..=1e15).contains(&nanos);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number below 2^53, checked above"
        )]
        believable.then(|| NanoUsd::new(nanos as i64))
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
        UsageReport { tokens, reading: self.reading, raw }
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
            let raw = Some(raw.to_owned());
            let report = UsageReport {
                tokens: TokenUsage::default(),
                reading: UsageReading::AsReported,
                raw,
            };
            report.stated_cost().map(NanoUsd::nanos)
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
