//! Money in whole micro-dollars. Without floats, the sum of the rows equals their total.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

use crate::TokenUsage;

/// An amount in millionths of a US dollar. Saturates at the ends of `i64` (9.2 trillion dollars).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MicroUsd(i64);

impl MicroUsd {
    pub const ZERO: Self = Self(0);

    /// Takes millionths of a dollar.
    #[must_use]
    pub const fn new(micros: i64) -> Self {
        Self(micros)
    }

    /// The amount in millionths of a dollar.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl Add for MicroUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MicroUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for MicroUsd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for MicroUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// Dollars with six decimals, exact: `0.001234`.
impl fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

/// The price of a model per million tokens of each class.
///
/// Usage in a class without a rate (`None`) has no price: unknown is never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Input that was not read from a prompt cache.
    pub input: Option<MicroUsd>,
    /// Input read from the provider's prompt cache.
    pub cache_read: Option<MicroUsd>,
    /// Input written to a cache that lives five minutes (Anthropic's default).
    pub cache_write_5m: Option<MicroUsd>,
    /// Input written to a cache that lives one hour.
    pub cache_write_1h: Option<MicroUsd>,
    /// Output, both visible and reasoning.
    pub output: Option<MicroUsd>,
}

impl Rates {
    /// The cost of `usage`, rounded once, half up, to a micro-dollar. `None` if a used class has no
    /// rate.
    #[must_use]
    pub fn cost(&self, usage: &TokenUsage) -> Option<MicroUsd> {
        let classes = [
            (usage.input_uncached, self.input),
            (usage.cache_read, self.cache_read),
            (usage.cache_write_5m, self.cache_write_5m),
            (usage.cache_write_1h, self.cache_write_1h),
            (usage.output_visible, self.output),
            (usage.reasoning, self.output),
        ];
        let mut millionths: i128 = 0;
        for (tokens, rate) in classes.into_iter().filter(|(tokens, _)| *tokens > 0) {
            millionths += i128::from(tokens) * i128::from(rate?.micros());
        }
        let rounded = (millionths + 500_000).div_euclid(1_000_000);
        Some(MicroUsd(i64::try_from(rounded).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        input: Some(MicroUsd::new(150_000)),
        cache_read: Some(MicroUsd::new(75_000)),
        cache_write_5m: None,
        cache_write_1h: None,
        output: Some(MicroUsd::new(600_000)),
    };

    #[test]
    fn cost_is_exact_and_rounded_once() {
        let usage = TokenUsage { input_uncached: 10, output_visible: 7, ..TokenUsage::default() };
        // 10 × 0.15 + 7 × 0.60 = 5.7 micro-dollars.
        assert_eq!(RATES.cost(&usage), Some(MicroUsd::new(6)));
        let usage = TokenUsage {
            input_uncached: 1_000_000,
            cache_read: 2_000_000,
            output_visible: 1_000_000,
            reasoning: 500_000,
            ..TokenUsage::default()
        };
        assert_eq!(RATES.cost(&usage), Some(MicroUsd::new(150_000 + 150_000 + 600_000 + 300_000)));
    }

    #[test]
    fn a_class_without_a_rate_is_unpriced_not_free() {
        let usage = TokenUsage { cache_write_5m: 1, ..TokenUsage::default() };
        assert_eq!(RATES.cost(&usage), None);
        assert_eq!(RATES.cost(&TokenUsage::default()), Some(MicroUsd::ZERO));
    }

    #[test]
    fn amounts_print_exactly() {
        assert_eq!(MicroUsd::new(1_234).to_string(), "0.001234");
        assert_eq!(MicroUsd::new(-12_000_001).to_string(), "-12.000001");
        assert_eq!([MicroUsd::new(1), MicroUsd::new(2)].into_iter().sum::<MicroUsd>().micros(), 3);
    }
}
