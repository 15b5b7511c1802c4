//! The response cache: memory, disk and shared tiers, and single-flight.
//!
//! Exact matches only: questions are the same if everything that can change the answer is the same
//! ([`Question`]). The caller decides which requests are looked up and which answers are stored;
//! this crate stores them and ensures that nothing purged is read again. A cache never fails a
//! request: damaged, slow or unreachable storage is a miss.
//!
//! Invariant: this crate spawns no task, reads only the injected clock, and writes no question
//! anywhere.

mod address;
mod advice;
mod bypass;
mod cache;
mod disk;
mod entry;
mod flights;
mod kept;
mod memory;
mod purge;
mod question;
mod shared;
mod stats;

pub use address::{Address, Key};
pub use advice::{Advice, AdviceWord};
pub use bypass::{Bypass, NotKept};
pub use cache::{Cache, CacheConfig, DiskConfig, Lookup, SharedConfig, Tier, Unreached};
pub use entry::{Answer, CHUNKS_MAX, Entry, Recording, Tags};
pub use flights::{Boarded, Flights, LeftBehind, Passenger};
pub use purge::{PURGE_RULES_MAX, Purge, Ticket};
pub use question::{Delivered, Namespace, Question};
pub use stats::{Stats, TierStats};
