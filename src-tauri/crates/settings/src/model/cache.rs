//! Settings of the response cache: sizes, tiers, lifetime.

use std::ops::RangeInclusive;

use domain::CredentialId;
use url::Url;

/// Size of the memory tier, in bytes: 1 MiB to 1 GiB, which is at most a desktop's share.
pub const CACHE_MEMORY_BYTES_MAX_RANGE: RangeInclusive<u64> = 1_048_576..=1_073_741_824;
/// Largest cached answer, in bytes: 4 KiB to 16 MiB. One answer must not evict all others.
pub const CACHE_ENTRY_BYTES_MAX_RANGE: RangeInclusive<u64> = 4_096..=16_777_216;
/// Size of the disk tier, in bytes: 16 MiB to 64 GiB.
pub const CACHE_DISK_BYTES_MAX_RANGE: RangeInclusive<u64> = 16_777_216..=68_719_476_736;
/// Lifetime of an answer, in seconds: up to thirty days, since models change under their name.
pub const CACHE_TTL_SECS_RANGE: RangeInclusive<u32> = 1..=2_592_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    pub enabled: bool,
    /// Within [`CACHE_MEMORY_BYTES_MAX_RANGE`].
    pub memory_bytes_max: u64,
    /// Within [`CACHE_ENTRY_BYTES_MAX_RANGE`].
    pub entry_bytes_max: u64,
    /// Enables the disk tier, which survives a restart.
    pub disk: bool,
    /// Within [`CACHE_DISK_BYTES_MAX_RANGE`].
    pub disk_bytes_max: u64,
    /// Within [`CACHE_TTL_SECS_RANGE`].
    pub ttl_secs: u32,
    /// Server of the shared tier: `redis`, `rediss`, `valkey` or `valkeys`, never with a password.
    /// `None` disables that tier.
    pub redis_url: Option<Url>,
    /// The server's password, in the vault.
    pub redis_credential: Option<CredentialId>,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            memory_bytes_max: 67_108_864,
            entry_bytes_max: 2_097_152,
            disk: true,
            disk_bytes_max: 536_870_912,
            ttl_secs: 600,
            redis_url: None,
            redis_credential: None,
        }
    }
}
