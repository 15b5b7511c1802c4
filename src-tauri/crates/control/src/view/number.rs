//! 64-bit numbers that TypeScript can hold: each stays far below 2^53.

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

/// Formats dollars like the panel: `$4.10`, with four decimals below a cent (`$0.0042`), and
/// `<$0.0001` below that, so that a cost never shows as zero.
impl std::fmt::Display for MicroDollars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        match micros {
            1..100 => write!(f, "{sign}<$0.0001"),
            100..10_000 => write!(f, "{sign}$0.{:04}", (micros + 50) / 100),
            _ => {
                let cents = (micros + 5_000) / 10_000;
                write!(f, "{sign}${}.{:02}", cents / 100, cents % 100)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_short_for_people() {
        let check = |micros: i64, text: &str| assert_eq!(MicroDollars(micros).to_string(), text);
        check(0, "$0.00");
        check(99, "<$0.0001");
        check(100, "$0.0001");
        check(123, "$0.0001");
        check(9_949, "$0.0099");
        check(9_999, "$0.0100");
        check(10_000, "$0.01");
        check(4_104_999, "$4.10");
        check(-2_500_000, "-$2.50");
    }
}
