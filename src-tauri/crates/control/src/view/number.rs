//! 64-bit numbers that TypeScript can hold: each stays far below 2^53 in this product.

use domain::{MicroUsd, WallTime};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(transparent)]
#[specta(transparent)]
pub struct UnixMs(#[specta(type = specta_typescript::Number)] pub i64);

impl From<WallTime> for UnixMs {
    fn from(time: WallTime) -> Self {
        Self(time.unix_ms())
    }
}

/// An amount in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
#[specta(transparent)]
pub struct MicroDollars(#[specta(type = specta_typescript::Number)] pub i64);

impl From<MicroUsd> for MicroDollars {
    fn from(amount: MicroUsd) -> Self {
        Self(amount.micros())
    }
}

/// A number of things.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, Type,
)]
#[serde(transparent)]
#[specta(transparent)]
pub struct Count(#[specta(type = specta_typescript::Number)] pub u64);

impl From<u64> for Count {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// Dollars for people: `$4.10`, and for parts of a cent two significant digits, `$0.00012`.
impl std::fmt::Display for MicroDollars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        if micros == 0 || micros >= 10_000 {
            let cents = (micros + 5_000) / 10_000;
            return write!(f, "{sign}${}.{:02}", cents / 100, cents % 100);
        }
        let text = format!("{micros:06}");
        let kept = text.trim_start_matches('0').len().saturating_sub(2);
        let shown = text.get(..text.len() - kept).unwrap_or(&text);
        write!(f, "{sign}$0.{shown}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_short_for_people() {
        let check = |micros: i64, text: &str| assert_eq!(MicroDollars(micros).to_string(), text);
        check(0, "$0.00");
        check(1, "$0.000001");
        check(123, "$0.00012");
        check(9_999, "$0.0099");
        check(10_000, "$0.01");
        check(4_104_999, "$4.10");
        check(-2_500_000, "-$2.50");
    }
}
