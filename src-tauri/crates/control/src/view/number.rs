//! 64-bit numbers that TypeScript can hold: each stays below 2^53, which is nine
//! million dollars in nano-dollars.

use domain::{NanoUsd, ShownCurrency, WallTime};
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

/// An amount in billionths of a US dollar.
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

impl NanoDollars {
    /// Formats the amount in the currency that amounts are shown in.
    #[must_use]
    pub fn shown_in(self, currency: ShownCurrency) -> String {
        currency.format(NanoUsd::new(self.0))
    }
}
