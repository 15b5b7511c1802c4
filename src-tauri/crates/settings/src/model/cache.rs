//! Answers that were given before: how many are kept, where and for how long.

use std::ops::RangeInclusive;

use domain::CredentialId;
use url::Url;

/// What the cache may hold in memory, in bytes: 1 MiB to 1 GiB, a desktop's share at most.
pub const CACHE_MEMORY_BYTES_MAX_RANGE: RangeInclusive<u64> = 1_048_576..=1_073_741_824;
/// The largest answer that is kept, in bytes: 4 KiB to 16 MiB. One answer must not push out all.
pub const CACHE_ENTRY_BYTES_MAX_RANGE: RangeInclusive<u64> = 4_096..=16_777_216;
/// What the cache may hold on the disk, in bytes: 16 MiB to 64 GiB.
pub const CACHE_DISK_BYTES_MAX_RANGE: RangeInclusive<u64> = 16_777_216..=68_719_476_736;
/// How long an answer is served, in seconds: up to thirty days, since models change under their name.
pub const CACHE_TTL_SECS_RANGE: RangeInclusive<u32> = 1..=2_592_000;

/// The cache of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// Whether there is one at all.
    pub enabled: bool,
    /// Bytes in memory; within [`CACHE_MEMORY_BYTES_MAX_RANGE`].
    pub memory_bytes_max: u64,
    /// Bytes of one answer; within [`CACHE_ENTRY_BYTES_MAX_RANGE`].
    pub entry_bytes_max: u64,
    /// Whether answers are kept on the disk as well, past a restart.
    pub disk: bool,
    /// Bytes on the disk; within [`CACHE_DISK_BYTES_MAX_RANGE`].
    pub disk_bytes_max: u64,
    /// Seconds that an answer is served; within [`CACHE_TTL_SECS_RANGE`].
    pub ttl_secs: u32,
    /// A server that shares answers between machines, `redis`, `rediss`, `valkey` or `valkeys`;
    /// never with a password in it. `None` for no such server.
    pub redis_url: Option<Url>,
    /// The password of that server, in the vault.
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
