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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, Type)]
#[serde(transparent)]
#[specta(transparent)]
pub struct Count(#[specta(type = specta_typescript::Number)] pub u64);

impl From<u64> for Count {
    fn from(number: u64) -> Self {
        Self(number)
    }
}
