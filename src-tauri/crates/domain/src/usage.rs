//! Token counts in disjoint classes, so that no token is billed twice.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// Tokens of one attempt, each counted in exactly one class.
///
/// Prompt counts include cached tokens at OpenAI and Gemini but not at Anthropic. Completion counts
/// include reasoning at OpenAI but not at Gemini. The crate `wire` makes this split for each of
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Input neither read from nor written to a prompt cache.
    pub input_uncached: u64,
    /// Input read from the provider's prompt cache.
    pub cache_read: u64,
    /// Input written to a five-minute cache.
    pub cache_write_5m: u64,
    /// Input written to a one-hour cache.
    pub cache_write_1h: u64,
    /// Output except reasoning.
    pub output_visible: u64,
    pub reasoning: u64,
}

impl TokenUsage {
    /// The sum of all input classes.
    #[must_use]
    pub const fn input(&self) -> u64 {
        self.input_uncached
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
    }

    /// The sum of all output classes.
    #[must_use]
    pub const fn output(&self) -> u64 {
        self.output_visible.saturating_add(self.reasoning)
    }

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
