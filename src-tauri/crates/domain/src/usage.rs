//! Token counts in disjoint classes, so that no token is billed twice.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

crate::keyed_fields! {
    /// Tokens of one attempt, each counted in exactly one class.
    ///
    /// Prompt counts include cached tokens at OpenAI and Gemini but not at Anthropic. Completion
    /// counts include reasoning at OpenAI but not at Gemini. The crate `wire` makes this split for
    /// each of them. Saved records without a class read as zero tokens of it.
    #[derive(Hash, Serialize, Deserialize)]
    #[serde(default)]
    TokenUsage by
    /// A class of tokens. Its name is also its column in the ledger.
    TokenClass: u64 {
        /// Input neither read from nor written to a prompt cache.
        input_uncached = InputUncached,
        /// Input read from the provider's prompt cache.
        cache_read = CacheRead,
        /// Input written to a five-minute cache.
        cache_write_5m = CacheWrite5m,
        /// Input written to a one-hour cache.
        cache_write_1h = CacheWrite1h,
        /// Output except reasoning.
        output_visible = OutputVisible,
        reasoning = Reasoning,
    }
}

impl TokenClass {
    #[must_use]
    pub const fn is_input(self) -> bool {
        match self {
            Self::InputUncached | Self::CacheRead | Self::CacheWrite5m | Self::CacheWrite1h => true,
            Self::OutputVisible | Self::Reasoning => false,
        }
    }
}

impl TokenUsage {
    /// The sum of all input classes.
    #[must_use]
    pub fn input(&self) -> u64 {
        self.sum(TokenClass::is_input)
    }

    /// The sum of all output classes.
    #[must_use]
    pub fn output(&self) -> u64 {
        self.sum(|class| !class.is_input())
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.sum(|_| true)
    }

    fn sum(&self, is_counted: impl Fn(TokenClass) -> bool) -> u64 {
        let counted = TokenClass::ALL.iter().filter(|class| is_counted(**class));
        counted.fold(0, |sum: u64, class| sum.saturating_add(self.get(*class)))
    }
}

impl Add for TokenUsage {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::from_fn(|class| self.get(class).saturating_add(other.get(class)))
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
