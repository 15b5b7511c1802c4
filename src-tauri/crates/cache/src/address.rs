//! The key of an answer, and the address under which it lies.
//!
//! What lies on a disk or a server names its entries by address, from which nobody gets back to the
//! key; and it is sealed with another secret of the key. So a file that falls into strange hands shows
//! an answer to those only who know the whole question.

use std::fmt;
use std::str::FromStr;

/// The form of keys and entries. Raised when either changes its meaning: older ones are then not found.
pub(crate) const FORMAT: u32 = 1;

/// All that makes two questions the same one. Known only while a question is at hand.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    pub(crate) const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Where its answer lies, in every tier.
    #[must_use]
    pub fn address(&self) -> Address {
        Address(blake3::derive_key("gatehouse 2026-11 cache address", &self.0))
    }

    /// What its answer is sealed with outside this process's memory.
    pub(crate) fn seal(&self) -> [u8; 32] {
        blake3::derive_key("gatehouse 2026-11 cache seal", &self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(of {})", self.address())
    }
}

/// The name of an entry, written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address([u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a cache key has 64 hexadecimal digits; copy all of it from the header \
     x-gatehouse-cache-key"
)]
pub struct NoAddress;

impl Address {
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| NoAddress)?;
        Ok(Self(*hash.as_bytes()))
    }
}
