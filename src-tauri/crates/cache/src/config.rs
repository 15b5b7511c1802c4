//! What a cache is opened with, and its tiers.

use std::path::PathBuf;

use domain::{Secret, words};

words! {
    /// Storage tier of an entry.
    CacheTier {
        /// This process.
        Memory = "memory",
        /// A file beside the ledger.
        Disk = "disk",
        /// A server used by several machines.
        Shared = "shared",
    }
}

/// Limits and tiers of a cache.
#[derive(Debug, Clone)]
pub struct CacheConfig {
    /// Size of the memory tier.
    pub memory_bytes_max: u64,
    /// Largest body of an answer. Larger ones are not stored.
    pub entry_bytes_max: usize,
    /// `None` disables the disk tier.
    pub disk: Option<DiskConfig>,
    /// `None` disables the shared tier.
    pub shared: Option<SharedConfig>,
}

#[derive(Debug, Clone)]
pub struct DiskConfig {
    /// `cache.sqlite` in the data folder.
    pub path: PathBuf,
    /// Total size of the compressed and encrypted entries.
    pub bytes_max: u64,
}

#[derive(Debug, Clone)]
pub struct SharedConfig {
    /// `redis`, `rediss` (TLS), `valkey` or `valkeys://host:port/number`, or `unix:///path`,
    /// without a password. Clients of the same name on several machines share their entries.
    pub url: String,
    pub password: Option<Secret>,
}
