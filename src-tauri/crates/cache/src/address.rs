//! The key of an answer and the address that it is stored under.
//!
//! Disk and server tiers store entries by address, which does not reveal the key, and encrypt them
//! with another secret derived from the key. A stolen file shows an answer only to those who know
//! the whole question.

use std::fmt;
use std::str::FromStr;

/// Version of keys and entries. Raised when either changes its meaning: older entries are not found
/// then.
pub(crate) const FORMAT: u32 = 2;

/// Identity of a question. Known only while the question is at hand.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    pub(crate) const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The address of its answer in every tier.
    #[must_use]
    pub fn address(&self) -> EntryAddress {
        EntryAddress(blake3::derive_key("gatehouse 2026-11 cache address", &self.0))
    }

    /// The secret that encrypts its answer outside this process's memory.
    pub(crate) fn sealing_secret(&self) -> [u8; 32] {
        blake3::derive_key("gatehouse 2026-11 cache seal", &self.0)
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(of {})", self.address())
    }
}

/// The storage name of an entry, displayed as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryAddress([u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a cache key has 64 hexadecimal digits; copy all of it from the header \
     x-gatehouse-cache-key"
)]
pub struct AddressParseError;

impl EntryAddress {
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for EntryAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl FromStr for EntryAddress {
    type Err = AddressParseError;

    fn from_str(text: &str) -> Result<Self, AddressParseError> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| AddressParseError)?;
        Ok(Self(*hash.as_bytes()))
    }
}
