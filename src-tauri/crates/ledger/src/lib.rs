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
mod attempt_costs;
mod attempt_outcomes;
mod attempt_rollup;
mod attempts;
mod audit;
mod backup;
mod billed;
mod bucket_sums;
mod budget_history;
mod budget_reservations;
mod cache_bypasses;
mod checkpoint;
mod cost_bases;
mod cross_rollup;
mod daily_rollup;
mod database;
mod day_share;
mod degraded_spans;
mod dismissed_anomalies;
mod endpoint_states;
mod error;
mod explanations;
mod failed_attempts;
mod failed_requests;
mod first_uses;
mod health;
mod hourly_rollup;
mod integer_columns;
mod journal;
mod key_verdicts;
mod latency_histogram;
mod latency_rollup;
mod ledger;
mod limits;
mod loops;
mod merge;
mod meter_rollup;
mod note;
mod observed_time;
mod outcome_counts;
mod packed_text;
mod past_calls;
mod price_changes;
mod price_table;
mod project_meters;
mod queue;
mod readers;
mod readiness_runs;
mod recent_minutes;
mod record;
mod recovery;
mod request_costs;
mod request_query;
mod request_versions;
mod requests;
mod rollup;
mod rollup_range;
mod rollup_sums;
mod route_counts;
mod salvage;
mod service_health;
mod session_imports;
mod session_matches;
mod session_merge;
mod session_usage;
mod session_values;
mod set_aside;
mod slow_statements;
mod spill;
mod state;
mod stated_costs;
mod statement_rows;
mod statements;
mod text_columns;
mod token_columns;
mod transitions;
mod unpriced_models;
mod usage;
mod watch_spans;
mod writer;
mod writes;

pub use alerts::{ALERT_NOTES_MAX, ALERTS_KEPT_MAX, AlertChange, AlertNote, AlertQuery, AlertRow};
pub use attempt_costs::BilledName;
pub use attempt_outcomes::{AttemptEnd, AttemptOutcome, ModelLatency, RecentFirstToken};
pub use attempts::ATTEMPTS_MAX;
pub use audit::{AuditQuery, AuditRecord, AuditRow};
pub use backup::LedgerBackup;
pub use billed::BilledDay;
pub use budget_history::BUDGET_CROSSINGS_KEPT_MAX;
pub use budget_reservations::{InterruptedReservations, ReservedAmount};
pub use cache_bypasses::BypassCount;
pub use database::schema_version;
pub use degraded_spans::DegradedSpan;
pub use dismissed_anomalies::ANOMALY_ID_BYTES_MAX;
pub use endpoint_states::StoredEndpointState;
pub use error::LedgerError;
pub use failed_attempts::FailedAttempts;
pub use failed_requests::{FailedCosts, RetriedRequests};
pub use health::{HEALTH_LOG_ENTRIES_MAX, HealthChange, HealthRow};
pub use key_verdicts::{KEY_VERDICTS_KEPT_MAX, KeyVerdict, KeyVerdictRecord, KeyVerdictSource};
pub use latency_histogram::LatencyHistogram;
pub use latency_rollup::{LatencyGroupBy, LatencyPart, LatencyParts, LatencySummary};
pub use ledger::{IntegrityReport, Ledger};
pub use limits::{LedgerLimits, QUEUE_BYTES_MAX};
pub use loops::StoppedLoop;
pub use meter_rollup::MeterTotals;
pub use note::{IncidentCause, LedgerIncident};
pub use observed_time::{OBSERVED_ROWS_MAX, ObservedSubject, ObservedTimeRow};
pub use outcome_counts::{OutcomeCount, OutcomeDimension, OutcomeMinutes, OutcomePrecision};
pub use past_calls::{PAST_CALLS_MAX, PastCallRow};
pub use price_changes::{PriceChange, RepricedAttempt, UnpricedAttempt};
pub use queue::CommitStatus;
pub use readiness_runs::{RUNS_KEPT_MAX, ReadinessRunRecord, ReadinessRunSummary};
pub use recent_minutes::RecentMinute;
pub use record::{
    AttemptRecord, CacheOutcome, NewRequest, Purpose, RequestOutcome, RequestRow, RequestState,
    Settlement, Timings, UsageBasis, WasteKind,
};
pub use recovery::{
    LedgerCopy, LedgerDevice, MergePlan, MergeReport, Recovery, RestoreReport, SkippedBackup,
    examine_copy,
};
pub use request_costs::{CostStep, RequestCosts};
pub use request_query::{REQUESTS_PAGE_ROWS_MAX, RequestPage, RequestQuery};
pub use route_counts::RouteCount;
pub use salvage::SalvageReport;
pub use service_health::{SERVICE_HEALTH_LOG_ENTRIES_MAX, ServiceHealthRow};
pub use session_imports::{SESSION_ROWS_MAX, SessionPart, SessionProblem};
pub use session_usage::{SessionGroupBy, SessionQuery, SessionSummary, SessionTotals};
pub use session_values::{AnswerValue, UnpricedAnswer};
pub use slow_statements::{ReaderWaits, SLOW_STATEMENT, SlowStatement};
pub use state::{Backlog, BacklogReason, LedgerState};
pub use stated_costs::StatedCosts;
pub use statement_rows::StatementRow;
pub use text_columns::{NAME_CHARS_MAX, SENTENCE_CHARS_MAX, USAGE_RAW_BYTES_MAX};
pub use transitions::{
    TRANSITIONS_KEPT_MAX, TRANSITIONS_PAGE_ROWS_MAX, TransitionQuery, TransitionRecord,
};
pub use unpriced_models::UnpricedModel;
pub use usage::{
    BucketWidth, CacheTotals, CrossQuery, CrossSummary, DimensionFilter, GroupBy, Spend,
    USAGE_SERIES_MAX, UsageBucket, UsageKey, UsageQuery, UsageRangeError, UsageSummary,
    UsageTotals,
};
pub use watch_spans::{WATCH_SPANS_KEPT_MAX, WatchSpan, WatchStart};

#[cfg(test)]
mod tests;
