//! Request records, costs and endpoint state in one SQLite file.
//!
//! A request calls [`Ledger::reserve`] before the backend is called and [`Ledger::settle`] before
//! the client receives the last byte. Both only queue a record in memory; one thread commits queued
//! records as a group. A settlement waits for its commit, so a killed process loses no finished
//! request. The wait is bounded: after it the answer is delivered and [`LedgerState`] reports that
//! the file is behind. A request that was running at a kill becomes [`RequestState::Unknown`] at
//! the next start if its reservation was committed. A read waits for the records queued before it.
//!
//! Invariants: SQL never leaves this crate, and external text never enters a statement; no prompt,
//! answer or key is stored; a request is counted once or not at all, in its row and in the roll-ups
//! alike; an unknown cost is unknown, never zero.

mod alerts;
mod audit;
mod columns;
mod costs;
mod error;
mod file;
mod health;
mod ledger;
mod limits;
mod merge;
mod readiness_runs;
mod requests;
mod rollup;
mod sessions;
mod write;

pub use alerts::{ALERT_NOTES_MAX, ALERTS_KEPT_MAX, AlertChange, AlertNote, AlertQuery, AlertRow};
pub use audit::{AuditQuery, AuditRecord, AuditRow};
pub use columns::text_columns::{NAME_CHARS_MAX, SENTENCE_CHARS_MAX, USAGE_RAW_BYTES_MAX};
pub use costs::billed::BilledDay;
pub use costs::budget_history::BUDGET_CROSSINGS_KEPT_MAX;
pub use costs::budget_reservations::{InterruptedReservations, ReservedAmount};
pub use costs::dismissed_anomalies::ANOMALY_ID_BYTES_MAX;
pub use costs::price_changes::{PriceChange, RepricedAttempt, UnpricedAttempt};
pub use costs::stated_costs::StatedCosts;
pub use costs::statement_rows::StatementRow;
pub use error::LedgerError;
pub use file::backup::LedgerBackup;
pub use file::database::schema_version;
pub use file::note::{IncidentCause, LedgerIncident};
pub use file::recovery::{
    LedgerCopy, LedgerDevice, MergePlan, MergeReport, Recovery, RestoreReport, SkippedBackup,
    examine_copy,
};
pub use file::salvage::SalvageReport;
pub use file::slow_statements::{ReaderWaits, SLOW_STATEMENT, SlowStatement};
pub use health::degraded_spans::DegradedSpan;
pub use health::endpoint_states::StoredEndpointState;
pub use health::key_verdicts::{
    KEY_VERDICTS_KEPT_MAX, KeyVerdict, KeyVerdictRecord, KeyVerdictSource,
};
pub use health::observed_time::{OBSERVED_ROWS_MAX, ObservedSubject, ObservedTimeRow};
pub use health::service_health::{SERVICE_HEALTH_LOG_ENTRIES_MAX, ServiceHealthRow};
pub use health::transitions::{
    TRANSITIONS_KEPT_MAX, TRANSITIONS_PAGE_ROWS_MAX, TransitionQuery, TransitionRecord,
};
pub use health::watch_spans::{WATCH_SPANS_KEPT_MAX, WatchSpan, WatchStart};
pub use health::{HEALTH_LOG_ENTRIES_MAX, HealthChange, HealthRow};
pub use ledger::{IntegrityReport, Ledger};
pub use limits::{LedgerLimits, QUEUE_BYTES_MAX};
pub use readiness_runs::{RUNS_KEPT_MAX, ReadinessRunRecord, ReadinessRunSummary};
pub use requests::attempt_costs::BilledName;
pub use requests::attempt_outcomes::{AttemptEnd, AttemptOutcome, ModelLatency, RecentFirstToken};
pub use requests::attempts::ATTEMPTS_MAX;
pub use requests::cache_bypasses::BypassCount;
pub use requests::failed_attempts::FailedAttempts;
pub use requests::failed_requests::{FailedCosts, RetriedRequests};
pub use requests::loops::{STOPPED_LOOPS_MAX, StoppedLoop};
pub use requests::outcome_counts::{
    OutcomeCount, OutcomeDimension, OutcomeMinutes, OutcomePrecision,
};
pub use requests::past_calls::{PAST_CALLS_MAX, PastCallRow};
pub use requests::recent_minutes::RecentMinute;
pub use requests::record::{
    AttemptRecord, CacheOutcome, NewRequest, Purpose, RequestOutcome, RequestRow, RequestState,
    Settlement, Timings, UsageBasis, WasteKind,
};
pub use requests::request_costs::{CostStep, RequestCosts};
pub use requests::request_query::{REQUESTS_PAGE_ROWS_MAX, RequestPage, RequestQuery};
pub use requests::route_counts::RouteCount;
pub use requests::unpriced_models::UnpricedModel;
pub use rollup::latency_histogram::LatencyHistogram;
pub use rollup::latency_rollup::{LatencyGroupBy, LatencyPart, LatencyParts, LatencySummary};
pub use rollup::meter_rollup::MeterTotals;
pub use rollup::usage::{
    BucketWidth, CacheTotals, CrossQuery, CrossSummary, DimensionFilter, GroupBy, Spend,
    USAGE_SERIES_MAX, UsageBucket, UsageKey, UsageQuery, UsageRangeError, UsageSummary,
    UsageTotals,
};
pub use sessions::session_imports::{SESSION_ROWS_MAX, SessionPart, SessionProblem};
pub use sessions::session_usage::{SessionGroupBy, SessionQuery, SessionSummary, SessionTotals};
pub use sessions::session_values::{AnswerValue, UnpricedAnswer};
pub use write::queue::CommitStatus;
pub use write::state::{Backlog, BacklogReason, LedgerState};

#[cfg(test)]
mod tests;
