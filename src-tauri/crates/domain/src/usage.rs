//! Tokens in disjoint classes, so that no class is ever billed twice.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// Tokens of one attempt, each counted in exactly one class.
///
/// OpenAI's and Gemini's prompt counts include cached tokens, Anthropic's exclude them; reasoning is
/// inside OpenAI's completion count and outside Gemini's. `wire` makes this split from each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Input that was not read from a prompt cache and not written to one.
    pub input_uncached: u64,
    /// Input read from the provider's prompt cache.
    pub cache_read: u64,
    /// Input written to a five-minute cache.
    pub cache_write_5m: u64,
    /// Input written to a one-hour cache.
    pub cache_write_1h: u64,
    /// Output a person or tool sees.
    pub output_visible: u64,
    /// Output spent on reasoning.
    pub reasoning: u64,
}

impl TokenUsage {
    /// All input classes.
    #[must_use]
    pub const fn input(&self) -> u64 {
        self.input_uncached
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
    }

    /// All output classes.
    #[must_use]
    pub const fn output(&self) -> u64 {
        self.output_visible.saturating_add(self.reasoning)
    }

    /// Everything.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.input().saturating_add(self.output())
    }
}

impl Add for TokenUsage {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            input_uncached: self.input_uncached.saturating_add(other.input_uncached),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write_5m: self.cache_write_5m.saturating_add(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            output_visible: self.output_visible.saturating_add(other.output_visible),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }
}

impl AddAssign for TokenUsage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_add_every_class_and_saturate() {
        let usage =
            TokenUsage { input_uncached: 1, cache_read: 2, reasoning: 3, ..Default::default() };
        let twice = usage + usage;
        assert_eq!((twice.input(), twice.output(), twice.total()), (6, 6, 12));
        let most = TokenUsage { output_visible: u64::MAX, ..usage };
        assert_eq!((most + usage).total(), u64::MAX);
    }
}
