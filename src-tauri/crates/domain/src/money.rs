//! Money in whole nano-dollars: eight tokens of an embedding cost 160. Without floats, the sum of the rows equals their total.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

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
    fn amounts_print_exactly() {
        assert_eq!(NanoUsd::new(1_234).to_string(), "0.000001234");
        assert_eq!(NanoUsd::new(1_234_000).to_string(), "0.001234");
        assert_eq!(NanoUsd::new(-12_000_000_001).to_string(), "-12.000000001");
        assert_eq!([NanoUsd::new(1), NanoUsd::new(2)].into_iter().sum::<NanoUsd>().nanos(), 3);
    }
}
