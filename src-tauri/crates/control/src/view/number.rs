//! 64-bit numbers that TypeScript can hold: each stays below 2^53, which is nine
//! million dollars in nano-dollars.

use domain::{NanoUsd, WallTime};
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
pub struct NanoDollars(#[specta(type = specta_typescript::Number)] pub i64);

impl From<NanoUsd> for NanoDollars {
    fn from(amount: NanoUsd) -> Self {
        Self(amount.nanos())
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
impl std::fmt::Display for NanoDollars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        match nanos {
            1..100_000 => write!(f, "{sign}<$0.0001"),
            100_000..10_000_000 => write!(f, "{sign}$0.{:04}", (nanos + 50_000) / 100_000),
            _ => {
                let cents = (nanos + 5_000_000) / 10_000_000;
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
        let check = |nanos: i64, text: &str| assert_eq!(NanoDollars(nanos).to_string(), text);
        check(0, "$0.00");
        check(1, "<$0.0001");
        check(99_999, "<$0.0001");
        check(100_000, "$0.0001");
        check(123_000, "$0.0001");
        check(9_949_000, "$0.0099");
        check(9_999_999, "$0.0100");
        check(10_000_000, "$0.01");
        check(4_104_999_999, "$4.10");
        check(-2_500_000_000, "-$2.50");
    }
}
