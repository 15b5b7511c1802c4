//! The response cache: memory, disk and shared tiers, and single-flight.
//!
//! Exact matches only: questions are the same if everything that can change the answer is the same
//! ([`CacheKeyInputs`]). The caller decides which requests are looked up and which answers are stored;
//! this crate stores them and ensures that nothing purged is read again. A cache never fails a
//! request: damaged, slow or unreachable storage is a miss.
//!
//! Invariant: this crate spawns no task, reads only the injected clock, and writes no question
//! anywhere.

mod address;
mod cache;
mod config;
mod disk;
mod entry;
mod key_inputs;
mod mark_time;
mod memory;
mod purge;
mod reasons;
mod reuse_distance;
mod shared;
mod single_flight;
mod stats;
mod stored_entry;

pub use address::{CacheKey, EntryAddress};
pub use cache::{Cache, Lookup, PurgeIncomplete};
pub use config::{CacheConfig, CacheTier, DiskConfig, SharedConfig};
pub use entry::{BodyRecorder, CacheEntry, CachedBody, EntryTags};
pub use key_inputs::{AnswerForm, CacheKeyInputs, CacheNamespace};
pub use purge::{InsertTicket, PURGE_RULES_MAX, Purge};
pub use reasons::{BypassReason, NotStoredReason};
pub use reuse_distance::{SizeAdvice, SizeEstimate};
pub use single_flight::{FlightStream, Joined, Lagged, SingleFlight};
pub use stats::{CacheStats, TierStats};
