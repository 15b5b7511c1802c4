//! The record of what passed through, what it cost and how things stood: one SQLite file.
//!
//! The price book and the vocabulary of a record live here too, so that a cost is computed by the
//! same rows that later explain it.
//!
//! The handle, being written (`Clone`, all methods take `&self`):
//!
//! ```text
//! Ledger::open(path: &Path) -> Result<Ledger, LedgerError>     blocking; starts the writer thread; dropping the last clone flushes and joins
//! Ledger::open_with(path, LedgerLimits { bytes_max: Option<u64> }) -> Result<Ledger, LedgerError>
//! reserve(NewRequest) -> Result<(), LedgerError>               queued, not awaited; Err when the queue is full or writing fails now (refuse with 503)
//! async settle(Settlement) -> Result<(), LedgerError>          resolves after COMMIT; Err(Full | Locked): kept in memory and retried
//! backlog() -> usize                                           writes kept in memory because the disk refuses them: show a banner when > 0
//! async usage(UsageQuery) -> Result<UsageSummary, LedgerError>
//! async spend(from: WallTime, to: WallTime) -> Result<Spend, LedgerError>     whole quarter hours
//! async requests(RequestQuery) -> Result<Vec<RequestRow>, LedgerError>        newest first
//! async request(RequestId) -> Result<Option<(RequestRow, Vec<Attempt>)>, LedgerError>
//! async record_run(Run), runs(limit) -> Vec<RunSummary>, run(RunId) -> Option<Run>
//! async record_health(HealthTransition), health() -> Vec<HealthRow>, health_log(backend, limit)
//! async declare_price(Price), price(id) -> Option<Price>, price_book() -> PriceBook
//! async purge_before(WallTime) -> Result<u64, LedgerError>
//! async check_integrity() -> IntegrityReport, backup(path), size_bytes()
//! ```

mod bundled_prices;
mod error;
mod price;
mod record;
mod text;
mod usage;

pub use error::LedgerError;
pub use price::{Confidence, LongContext, Price, PriceBook, PricePlace, Provider};
pub use record::{
    Attempt, CacheOutcome, Cost, NewRequest, Outcome, Purpose, RequestRow, RequestState,
    Settlement, Timings,
};
pub use text::{NAME_CHARS_MAX, SENTENCE_CHARS_MAX};
pub use usage::{
    Bucket, GroupBy, Spend, USAGE_BUCKETS_MAX, USAGE_GROUPS_MAX, USAGE_SERIES_MAX, UsageBucket,
    UsageKey, UsageQuery, UsageRangeError, UsageSummary, UsageTotals,
};

/// Most writes waiting at once.
pub const QUEUE_JOBS_MAX: usize = 8_192;

/// Most tries of one request kept.
pub const ATTEMPTS_MAX: usize = 32;
