//! Answers that were given before: kept in memory, then on the disk, and shared while they are in flight.
//!
//! Exact only: a question is the same if all that can change its answer is the same ([`Question`]).
//! Whoever asks decides what may be looked up and what is worth keeping; this crate keeps it, and
//! sees to it that nothing purged is ever read again. A cache never fails a request: what is damaged,
//! slow or out of reach is a miss.
//!
//! Invariant: nothing here spawns a task, reads the clock by itself, or writes a question anywhere.

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
