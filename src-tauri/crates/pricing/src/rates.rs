//! Rates per million tokens, and the rate of each class of tokens.

use domain::{NanoUsd, TokenClass, TokenUsage};

domain::keyed_fields! {
    /// The price of a model per million tokens of each class.
    ///
    /// Usage in a class without a rate (`None`) has no price: unknown is never zero.
    Rates by
    /// A line of a price list. Its name is also its column in the ledger.
    RateKind: Option<NanoUsd> {
        /// Input that was not read from a prompt cache.
        input = Input,
        /// Input read from the provider's prompt cache.
        cache_read = CacheRead,
        /// Input written to a cache that lives five minutes (Anthropic's default).
        cache_write_5m = CacheWrite5m,
        /// Input written to a cache that lives one hour.
        cache_write_1h = CacheWrite1h,
        /// Output, both visible and reasoning.
        output = Output,
    }
}

impl RateKind {
    /// The rate that prices the tokens of `class`.
    #[must_use]
    pub const fn of(class: TokenClass) -> Self {
        match class {
            TokenClass::InputUncached => Self::Input,
            TokenClass::CacheRead => Self::CacheRead,
            TokenClass::CacheWrite5m => Self::CacheWrite5m,
            TokenClass::CacheWrite1h => Self::CacheWrite1h,
            TokenClass::OutputVisible | TokenClass::Reasoning => Self::Output,
        }
    }
}

impl Rates {
    /// The cost of `usage`, rounded once, half up, to a nano-dollar. `None` if a used class has no
    /// rate.
    #[must_use]
    pub fn cost(&self, usage: &TokenUsage) -> Option<NanoUsd> {
        let mut millionths: i128 = 0;
        for class in TokenClass::ALL.iter().filter(|class| usage.get(**class) > 0) {
            let rate = self.get(RateKind::of(*class))?;
            millionths += i128::from(usage.get(*class)) * i128::from(rate.nanos());
        }
        let rounded = (millionths + 500_000).div_euclid(1_000_000);
        Some(NanoUsd::new(i64::try_from(rounded).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        input: Some(NanoUsd::new(20_000_000)),
        cache_read: Some(NanoUsd::new(37_500_000)),
        cache_write_5m: None,
        cache_write_1h: None,
        output: Some(NanoUsd::new(600_000_000)),
    };

    #[test]
    fn cost_is_exact_and_rounded_once() {
        let usage = TokenUsage { input_uncached: 10, output_visible: 7, ..TokenUsage::default() };
        // 10 × 20 + 7 × 600 nano-dollars.
        assert_eq!(RATES.cost(&usage), Some(NanoUsd::new(4_400)));
        let usage = TokenUsage {
            input_uncached: 1_000_000,
            cache_read: 2_000_000,
            output_visible: 1_000_000,
            reasoning: 500_000,
            ..TokenUsage::default()
        };
        assert_eq!(
            RATES.cost(&usage),
            Some(NanoUsd::new(20_000_000 + 75_000_000 + 600_000_000 + 300_000_000))
        );
    }

    #[test]
    fn a_class_without_a_rate_is_unpriced_not_free() {
        let usage = TokenUsage { cache_write_5m: 1, ..TokenUsage::default() };
        assert_eq!(RATES.cost(&usage), None);
        assert_eq!(RATES.cost(&TokenUsage::default()), Some(NanoUsd::ZERO));
    }
}
