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
    pub(crate) const fn is_input(self) -> bool {
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

/// Tokens written to Anthropic's caches by the term that they are kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheWrites {
    /// Five minutes.
    pub short: u64,
    /// One hour.
    pub long: u64,
    /// Of a term that is not told: they may have any price, so they are in no class.
    pub unknown: u64,
}

impl CacheWrites {
    /// Without a split by term (`split`: five minutes, one hour), all writes have the default of five
    /// minutes. Where the split is of fewer writes than the total, as in streams, whose total is
    /// cumulative, the others have the term of those in it.
    #[must_use]
    pub const fn of(total: u64, split: Option<[u64; 2]>) -> Self {
        let Some([short, long]) = split else { return Self { short: total, long: 0, unknown: 0 } };
        let others = total.saturating_sub(short.saturating_add(long));
        match (short, long) {
            (0, 1..) => Self { short: 0, long: long.saturating_add(others), unknown: 0 },
            (1.., 0) => Self { short: short.saturating_add(others), long: 0, unknown: 0 },
            _ => Self { short, long, unknown: others },
        }
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

/// Members of usage objects whose words name something and bill nothing.
const NAMING_MEMBERS: [&str; 7] = ["object", "id", "model", "type", "currency", "unit", "source"];

/// Words that say that nothing special was asked for or given.
const STANDARD_WORDS: [&str; 6] = ["", "standard", "default", "none", "global", "not_available"];

/// True if the words of this member of a usage object bill nothing, whatever they are. Any other word
/// under a name that is not known may be a tier, a speed or a region with a price of its own.
#[must_use]
pub fn is_naming_member(name: &str) -> bool {
    NAMING_MEMBERS.contains(&name)
}

/// True for a word of a usage object that says that nothing special was asked for or given.
#[must_use]
pub fn is_standard_word(word: &str) -> bool {
    STANDARD_WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_writes_have_the_term_of_those_whose_term_is_told() {
        let check = |total, split, expected: (u64, u64, u64)| {
            let got = CacheWrites::of(total, split);
            assert_eq!((got.short, got.long, got.unknown), expected, "{total} {split:?}");
        };
        check(30, None, (30, 0, 0));
        check(30, Some([10, 20]), (10, 20, 0));
        check(30, Some([10, 0]), (30, 0, 0));
        check(30, Some([0, 10]), (0, 30, 0));
        check(30, Some([5, 10]), (5, 10, 15));
        check(30, Some([0, 0]), (0, 0, 30));
        check(0, Some([5, 10]), (5, 10, 0));
    }

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
