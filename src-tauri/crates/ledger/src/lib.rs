//! Request records, costs and endpoint state in one SQLite file.
//!
//! A request calls [`Ledger::reserve`] before the backend is called and [`Ledger::settle`] before
//! the client receives the last byte. Both only queue a record in memory; one thread commits queued
//! records as a group. A settlement waits for its commit, so a killed process loses no finished
//! request. The wait is bounded: after it the answer is delivered and [`LedgerState`] reports that
//! the file is behind. A request that was running at a kill becomes [`RequestState::Unknown`] at
//! the next start if its reservation was committed. A read waits for the records queued before it.
//! The [`PriceBook`] is part of this crate so that the rows that compute a cost can also explain it
//! later.
//!
//! Invariants: SQL never leaves this crate, and external text never enters a statement; no prompt,
//! answer or key is stored; a request is counted once or not at all, in its row and in the roll-ups
//! alike; an unknown cost is unknown, never zero.

mod access_states;
mod attempts;
mod backup;
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
mod leftover;
mod merge;
mod note;
mod number;
mod outcomes;
mod price;
mod prices;
mod queue;
mod readers;
mod record;
mod recovery;
mod requests;
mod rollup;
mod routed;
mod runs;
mod salvage;
mod set_aside;
mod state;
mod text;
mod transitions;
mod usage;
mod writer;

pub use access_states::{ACCESS_STATE_BYTES_MAX, ACCESS_STATES_MAX, AccessState};
pub use attempts::ATTEMPTS_MAX;
pub use backup::{BACKUP_AGE_DAYS_MAX, BACKUPS_KEPT_MAX, LedgerBackup};
pub use bypasses::{BYPASS_REASONS_MAX, Bypasses};
pub use database::{LedgerLimits, schema_version};
pub use error::LedgerError;
pub use failures::{FAILURE_GROUPS_MAX, FailedAttempts};
pub use health::{HEALTH_LOG_ENTRIES_MAX, HealthChange, HealthRow};
pub use ledger::{INTEGRITY_PROBLEMS_MAX, IntegrityReport, Ledger};
pub use leftover::REJECTED_BYTES_MAX;
pub use note::{IncidentCause, LedgerIncident};
pub use number::{COST_MAX, COUNT_MAX};
pub use outcomes::{AttemptEnd, AttemptOutcome, OUTCOMES_MAX, Pace, RECENT_REQUESTS_MAX};
pub use price::{Confidence, LongContext, Price, PriceBook, PricePlace, Provider};
pub use queue::{COMMIT_WAIT_DEFAULT, QUEUE_BYTES_MAX, QUEUE_TASKS_MAX, Settled};
pub use record::{
    Attempt, CacheOutcome, Cost, NewRequest, Outcome, Purpose, RequestRow, RequestState,
    Settlement, Timings, UsageBasis,
};
pub use recovery::{Recovery, RestoreReport, SkippedBackup};
pub use requests::{REQUESTS_PAGE_ROWS_MAX, RequestQuery};
pub use routed::{ROUTED_GROUPS_MAX, ROUTED_REQUESTS_MAX, Routed};
pub use runs::{RUNS_KEPT_MAX, Run, RunSummary};
pub use salvage::SalvageReport;
pub use set_aside::SET_ASIDE_FILES_MAX;
pub use state::{Backlog, BacklogReason, LedgerState};
pub use text::{DECISION_BYTES_MAX, NAME_CHARS_MAX, SENTENCE_CHARS_MAX, USAGE_RAW_BYTES_MAX};
pub use transitions::{
    EVIDENCE_KEPT_MAX, TRANSITIONS_KEPT_MAX, TRANSITIONS_PAGE_ROWS_MAX, Transition, TransitionQuery,
};
pub use usage::{
    Bucket, CacheTotals, GroupBy, Spend, USAGE_BUCKETS_MAX, USAGE_GROUPS_MAX, USAGE_SERIES_MAX,
    UsageBucket, UsageKey, UsageQuery, UsageRangeError, UsageSummary, UsageTotals,
};

#[cfg(test)]
mod tests;
