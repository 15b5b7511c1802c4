//! Money in whole nano-dollars: eight tokens of an embedding cost 160. Without floats, the sum of the rows equals their total.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use rust_decimal::prelude::ToPrimitive as _;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

const NANOS_PER_DOLLAR: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no amount in dollars; write a decimal number such as 2.5")]
pub struct DollarError;

/// An amount in billionths of a US dollar. Saturates at the ends of `i64` (9.2 billion dollars).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct NanoUsd(i64);

impl NanoUsd {
    pub const ZERO: Self = Self(0);

    /// Takes billionths of a dollar.
    #[must_use]
    pub const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The amount in billionths of a dollar.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Reads decimal dollars from their digits: `0.000142`, `1.4e-5`. Rounds half up to a nano-dollar.
    ///
    /// # Errors
    /// If the text is no decimal number, or is beyond nine billion dollars.
    pub fn from_dollars(text: &str) -> Result<Self, DollarError> {
        let dollars = match text.contains(['e', 'E']) {
            true => Decimal::from_scientific(text),
            false => text.parse(),
        };
        let nanos = dollars.ok().and_then(|dollars| dollars.checked_mul(NANOS_PER_DOLLAR));
        let rounded = nanos
            .map(|nanos| nanos.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero));
        rounded.and_then(|nanos| nanos.to_i64()).map(Self).ok_or(DollarError)
    }

    #[must_use]
    pub const fn scaled(self, factor: i64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Add for NanoUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for NanoUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for NanoUsd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// Dollars, exact, with six decimals or, where needed, nine: `0.001234`, `0.000000160`.
impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let (dollars, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        match rest % 1_000 {
            0 => write!(f, "{sign}{dollars}.{:06}", rest / 1_000),
            _ => write!(f, "{sign}{dollars}.{rest:09}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_from_their_digits() {
        let nanos = |text: &str| NanoUsd::from_dollars(text).map(NanoUsd::nanos).ok();
        assert_eq!(nanos("0.000142"), Some(142_000));
        assert_eq!(nanos("1.4e-5"), Some(14_000));
        assert_eq!(nanos("3.75E-8"), Some(38));
        assert_eq!(nanos("-2"), Some(-2_000_000_000));
        assert_eq!(nanos("0"), Some(0));
        for wrong in ["", "x", "1,5", "1e300", "1e20", "NaN", "\"1\"", "99999999999"] {
            assert_eq!(nanos(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn amounts_print_exactly() {
        assert_eq!(NanoUsd::new(1_234).to_string(), "0.000001234");
        assert_eq!(NanoUsd::new(1_234_000).to_string(), "0.001234");
        assert_eq!(NanoUsd::new(-12_000_000_001).to_string(), "-12.000000001");
        assert_eq!([NanoUsd::new(1), NanoUsd::new(2)].into_iter().sum::<NanoUsd>().nanos(), 3);
    }
}
