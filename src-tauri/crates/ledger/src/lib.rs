//! The record of what passed through, what it cost and how things stood: one SQLite file.
//!
//! The way of a request: [`Ledger::reserve`] before the backend is called, [`Ledger::settle`] before
//! the client sees the last byte. Each is one write to a journal, microseconds long, and is committed
//! a few milliseconds later together with whatever else has come. A killed process therefore loses no
//! finished request, and one that was running is found at the next start as
//! [`RequestState::Unknown`]. Reading waits for what was promised before it. The [`PriceBook`] lives here too, so that a cost
//! is computed by the same rows that later explain it.
//!
//! Invariants: SQL never leaves this crate and no text from outside ever enters a statement; no
//! prompt, answer or key is stored; a request is counted once or not at all, in its row and in the
//! sums alike; an unknown cost is unknown, never zero.

mod access_states;
mod attempts;
mod bundled_prices;
mod bypasses;
mod checkpoint;
mod database;
mod error;
mod failures;
mod health;
mod hours;
mod job;
mod journal;
mod ledger;
mod number;
mod outcomes;
mod price;
mod prices;
mod readers;
mod record;
mod requests;
mod rollup;
mod routed;
mod runs;
mod text;
mod transitions;
mod usage;
mod writer;

pub use access_states::{ACCESS_STATE_BYTES_MAX, ACCESS_STATES_MAX, AccessState, AccessStates};
pub use attempts::ATTEMPTS_MAX;
pub use bypasses::{BYPASS_REASONS_MAX, Bypasses};
pub use database::{LedgerLimits, schema_version};
pub use error::LedgerError;
pub use failures::{FAILURE_GROUPS_MAX, FailedAttempts};
pub use health::{HEALTH_LOG_ENTRIES_MAX, HealthChange, HealthRow};
pub use journal::{JOURNAL_BYTES_MAX, JOURNAL_RECORD_BYTES_MAX, JOURNAL_UNCOMMITTED_BYTES_MAX};
pub use ledger::{INTEGRITY_PROBLEMS_MAX, IntegrityReport, Ledger};
pub use number::{COST_MAX, COUNT_MAX};
pub use outcomes::{AttemptEnd, AttemptOutcome, OUTCOMES_MAX, Pace, RECENT_REQUESTS_MAX};
pub use price::{Confidence, LongContext, Price, PriceBook, PricePlace, Provider};
pub use record::{
    Attempt, CacheOutcome, Cost, NewRequest, Outcome, Purpose, RequestRow, RequestState,
    Settlement, Timings, UsageBasis,
};
pub use requests::{REQUESTS_PAGE_ROWS_MAX, RequestQuery};
pub use routed::{ROUTED_GROUPS_MAX, ROUTED_REQUESTS_MAX, Routed};
pub use runs::{RUNS_KEPT_MAX, Run, RunSummary};
pub use text::{DECISION_BYTES_MAX, NAME_CHARS_MAX, SENTENCE_CHARS_MAX, USAGE_RAW_BYTES_MAX};
pub use transitions::{
    EVIDENCE_KEPT_MAX, TRANSITIONS_KEPT_MAX, TRANSITIONS_PAGE_ROWS_MAX, Transition, TransitionQuery,
};
pub use usage::{
    Bucket, CacheTotals, GroupBy, Spend, USAGE_BUCKETS_MAX, USAGE_GROUPS_MAX, USAGE_SERIES_MAX,
    UsageBucket, UsageKey, UsageQuery, UsageRangeError, UsageSummary, UsageTotals,
};
pub use writer::{
    BACKLOG_JOBS_MAX, QUEUE_JOBS_MAX, QUEUE_RESERVATIONS_MAX, QUEUE_UNHURRIED_JOBS_MAX,
};

#[cfg(test)]
mod tests;
