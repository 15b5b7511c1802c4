//! Writes, and how several of them become one transaction.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use domain::{BudgetAllowance, BudgetCrossing, BudgetId, RequestId, WallTime};
use parking_lot::Mutex;
use pricing::Price;
use rusqlite::{CachedStatement, Connection};

use crate::alerts::{self, AlertChange};
use crate::audit::{self, AuditRecord};
use crate::costs::stated_costs::STATED;
use crate::costs::{
    billed, budget_history, budget_reservations, dismissed_anomalies, price_changes, price_table,
};
use crate::file::spill::{self, SpillFile, SpilledRecord};
use crate::health::key_verdicts::{self, KeyVerdictRecord};
use crate::health::observed_time::{self, ObservedTimeRow};
use crate::health::service_health::{self, ServiceHealthRow};
use crate::health::{degraded_spans, endpoint_states, transitions, watch_spans};
use crate::requests::failed_attempts::FAILURES;
use crate::requests::{attempts, cache_bypasses, explanations, loops};
use crate::rollup::hourly_rollup;
use crate::rollup::meter_rollup::METERS;
use crate::sessions::session_matches::{self, SessionMatch};
use crate::sessions::{session_imports, session_values};
use crate::{
    AnswerValue, BilledDay, DegradedSpan, HealthChange, LedgerError, NewRequest,
    ReadinessRunRecord, RepricedAttempt, ReservedAmount, SessionPart, Settlement, StoppedLoop,
    StoredEndpointState, TransitionRecord, WatchSpan, health, readiness_runs, requests, rollup,
};

/// Most records per transaction, so that the first does not wait long for the last.
pub(crate) const BATCH_RECORDS_MAX: usize = 128;

/// Replaces the file: takes the writer's connection and leaves one to the new file. It cannot be
/// rolled back, so it runs outside transactions.
pub(crate) struct FileSwap(Mutex<FileSwapFn>);

type FileSwapFn = Box<dyn FnOnce(&mut Option<Connection>) + Send>;

impl FileSwap {
    pub(crate) fn new(work: impl FnOnce(&mut Option<Connection>) + Send + 'static) -> Self {
        // The mutex only makes it `Sync`, as the records beside it in the queue have to be.
        Self(Mutex::new(Box::new(work)))
    }

    pub(crate) fn run(self, connection: &mut Option<Connection>) {
        self.0.into_inner()(connection);
    }
}

impl std::fmt::Debug for FileSwap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exchange")
    }
}

/// The first three are records: facts that stay in the queue until they are committed.
#[derive(Debug)]
pub(crate) enum LedgerWrite {
    Reserve { request: NewRequest, amounts: Vec<ReservedAmount> },
    Settle(Box<Settlement>),
    EndpointChanges { transitions: Vec<TransitionRecord>, states: Vec<StoredEndpointState> },
    EndpointStates(Vec<StoredEndpointState>),
    Run(ReadinessRunRecord),
    Health(HealthChange),
    ServiceHealth(ServiceHealthRow),
    DegradedSpans(Vec<DegradedSpan>),
    KeyVerdict(KeyVerdictRecord),
    ObservedTime { rows: Vec<ObservedTimeRow>, spans: Vec<WatchSpan> },
    AddPrices { at: WallTime, what: String, prices: Vec<Price> },
    Reprice { change: i64, attempts: Vec<RepricedAttempt> },
    Loop(StoppedLoop),
    DismissAnomaly { id: String, at: WallTime },
    RestoreAnomaly(String),
    BundledPrices(String),
    UndoPriceChange { change: i64, at: WallTime },
    ReplaceBilled(Vec<BilledDay>),
    SessionParts(Vec<SessionPart>),
    SessionMatches(Vec<SessionMatch>),
    SessionsMatched(WallTime),
    AllSessionMatches(Vec<SessionMatch>),
    SessionValues { values: Vec<AnswerValue>, at: WallTime },
    Alerts(Vec<AlertChange>),
    Audit(AuditRecord),
    BudgetCrossings(Vec<BudgetCrossing>),
    BudgetCrossingsTold(BudgetId),
    BudgetAllowance { budget: BudgetId, allowance: BudgetAllowance },
    EndBudgetAllowances { budget: BudgetId, at: WallTime },
    Purge { before: WallTime, rows_max: usize },
    SwapFile(FileSwap),
}

/// Prepared statements of settlements, looked up once per commit because their texts are long.
struct SettlementStatements<'a> {
    request: CachedStatement<'a>,
    attempt: CachedStatement<'a>,
    explanation: CachedStatement<'a>,
}

impl<'a> SettlementStatements<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            request: connection.prepare_cached(&requests::SETTLE)?,
            attempt: connection.prepare_cached(&attempts::INSERT)?,
            explanation: connection.prepare_cached(explanations::INSERT)?,
        })
    }

    fn settle(&mut self, ended: &Settlement) -> rusqlite::Result<usize> {
        let explanation_id = explanations::insert(&mut self.explanation, ended)?;
        let fresh = requests::settle(&mut self.request, ended, explanation_id)?;
        if fresh > 0 {
            attempts::insert(&mut self.attempt, ended.request.id, &ended.attempts)?;
        }
        Ok(fresh)
    }
}

impl LedgerWrite {
    /// Writes inside the open transaction; returns the number of affected rows.
    fn apply<'a>(
        &self,
        connection: &'a Connection,
        settling: &mut Option<SettlementStatements<'a>>,
    ) -> rusqlite::Result<usize> {
        match self {
            Self::Reserve { request, amounts } => {
                let fresh = requests::reserve(connection, request)?;
                budget_reservations::insert(connection, request, amounts)?;
                Ok(fresh)
            }
            Self::Settle(ended) => match settling {
                Some(settling) => settling.settle(ended),
                None => settling.insert(SettlementStatements::prepare(connection)?).settle(ended),
            },
            Self::EndpointChanges { transitions, states } => {
                transitions::insert(connection, transitions)?;
                endpoint_states::update(connection, states)
            }
            Self::EndpointStates(states) => endpoint_states::replace(connection, states),
            Self::Run(run) => readiness_runs::insert(connection, run),
            Self::Health(change) => health::insert(connection, change),
            Self::ServiceHealth(row) => service_health::put(connection, row),
            Self::DegradedSpans(spans) => degraded_spans::put(connection, spans),
            Self::KeyVerdict(record) => key_verdicts::insert(connection, record),
            Self::ObservedTime { rows, spans } => {
                watch_spans::put(connection, spans)?;
                observed_time::add(connection, rows)
            }
            Self::AddPrices { at, what, prices } => {
                price_changes::add(connection, *at, what, prices)
            }
            Self::Reprice { change, attempts } => {
                price_changes::reprice(connection, *change, attempts)
            }
            Self::Loop(stopped) => loops::insert(connection, stopped),
            Self::DismissAnomaly { id, at } => dismissed_anomalies::dismiss(connection, id, *at),
            Self::RestoreAnomaly(id) => dismissed_anomalies::restore(connection, id),
            Self::BundledPrices(prices) => price_changes::save_bundled(connection, prices),
            Self::UndoPriceChange { change, at } => price_changes::undo(connection, *change, *at),
            Self::ReplaceBilled(days) => billed::replace(connection, days),
            Self::SessionParts(parts) => session_imports::store(connection, parts),
            Self::SessionValues { values, at } => session_values::set(connection, values, *at),
            Self::SessionMatches(matches) => session_matches::mark(connection, matches),
            Self::SessionsMatched(since) => session_matches::end_unmatched(connection, *since),
            Self::AllSessionMatches(matches) => session_matches::replace(connection, matches),
            Self::Alerts(changes) => alerts::apply(connection, changes),
            Self::Audit(record) => audit::insert(connection, record),
            Self::BudgetCrossings(crossings) => {
                budget_history::add_crossings(connection, crossings)
            }
            Self::BudgetCrossingsTold(budget) => budget_history::mark_told(connection, budget),
            Self::BudgetAllowance { budget, allowance } => {
                budget_history::add_allowance(connection, budget, allowance)
            }
            Self::EndBudgetAllowances { budget, at } => {
                budget_history::end_allowances(connection, budget, *at)
            }
            Self::Purge { before, rows_max } => {
                transitions::purge(connection, *before)?;
                budget_reservations::purge(connection, *before)?;
                key_verdicts::purge(connection, *before)?;
                loops::purge(connection, *before)?;
                requests::purge(connection, *before, *rows_max)
            }
            // The writer runs it alone.
            Self::SwapFile(_) => Ok(0),
        }
    }

    /// Time of the record; `None` if this is not a record of a request.
    pub(crate) const fn record_time(&self) -> Option<WallTime> {
        match self {
            Self::Reserve { request, .. } => Some(request.started),
            Self::Settle(ended) => Some(ended.ended),
            _ => None,
        }
    }

    pub(crate) const fn request_id(&self) -> Option<RequestId> {
        match self {
            Self::Reserve { request, .. } => Some(request.id),
            Self::Settle(ended) => Some(ended.request.id),
            _ => None,
        }
    }

    /// Bytes in memory, without allocator overhead.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Reserve { request, amounts } => {
                    request.text_bytes() + size_of_val(amounts.as_slice())
                }
                Self::Settle(ended) => ended.bytes(),
                Self::EndpointChanges { transitions, states } => {
                    size_of_val(transitions.as_slice())
                        + states.iter().map(|state| state.json.len()).sum::<usize>()
                }
                _ => 0,
            }
    }
}

impl From<SpilledRecord> for LedgerWrite {
    fn from(entry: SpilledRecord) -> Self {
        match entry {
            SpilledRecord::Reserve(request) => Self::Reserve { request, amounts: Vec::new() },
            SpilledRecord::ReserveAmounts { request, amounts } => {
                Self::Reserve { request, amounts }
            }
            SpilledRecord::SettleNano(ended) => Self::Settle(ended),
            SpilledRecord::Settle(mut ended) => {
                ended.scale_money(1_000);
                Self::Settle(ended)
            }
        }
    }
}

/// Commits records left by an earlier process. Invalid ones go to the file of rejected records.
pub(crate) fn replay(
    connection: &Connection,
    ledger: &Path,
    left: Vec<SpilledRecord>,
) -> Result<(), LedgerError> {
    let records: Vec<Arc<LedgerWrite>> =
        left.into_iter().map(|entry| Arc::new(entry.into())).collect();
    for batch in records.chunks(BATCH_RECORDS_MAX) {
        match commit(connection, batch) {
            Ok(()) => continue,
            Err(error) if !error.is_invalid_record() => return Err(error),
            Err(_) => {}
        }
        for record in batch {
            match commit(connection, std::slice::from_ref(record)) {
                Ok(()) => {}
                Err(error) if !error.is_invalid_record() => return Err(error),
                Err(error) => {
                    tracing::error!(%error, cause = ?error, ?record, "a record is impossible");
                    spill::append(ledger, SpillFile::Rejected, &[record])?;
                }
            }
        }
    }
    Ok(())
}

/// Commits all of `records` in one transaction, or none.
pub(crate) fn commit(
    connection: &Connection,
    records: &[Arc<LedgerWrite>],
) -> Result<(), LedgerError> {
    let settled_here: HashSet<RequestId> = records
        .iter()
        .filter(|record| matches!(***record, LedgerWrite::Settle(_)))
        .filter_map(|record| record.request_id())
        .collect();
    run_transaction(connection, || {
        let (mut settling, mut settled) = (None, Vec::new());
        for record in records {
            match &**record {
                // A settlement writes the whole row, so its reservation has nothing to add.
                LedgerWrite::Reserve { request, .. } if settled_here.contains(&request.id) => {}
                LedgerWrite::Settle(ended) => {
                    if record.apply(connection, &mut settling)? > 0 {
                        settled.push(&**ended);
                    }
                }
                _ => drop(record.apply(connection, &mut settling)?),
            }
        }
        let ids: Vec<_> = settled.iter().map(|ended| ended.request.id).collect();
        budget_reservations::remove(connection, &ids)?;
        rollup::count_settled(connection, &settled)?;
        hourly_rollup::unfold_settled(connection, &settled)?;
        FAILURES.count_settled(connection, &settled)?;
        METERS.count_settled(connection, &settled)?;
        STATED.count_settled(connection, &settled)?;
        cache_bypasses::count_settled(connection, &settled)?;
        price_table::keep_used(connection, &settled)
    })
}

/// Commits one write that is not a record; returns the number of affected rows.
pub(crate) fn commit_task(
    connection: &Connection,
    task: &LedgerWrite,
) -> Result<usize, LedgerError> {
    run_transaction(connection, || task.apply(connection, &mut None))
}

/// Folds the next past hour, if there is one. True if there are more.
pub(crate) fn fold_next(connection: &Connection) -> Result<bool, LedgerError> {
    let Some(step) = hourly_rollup::next_step(connection)? else { return Ok(false) };
    run_transaction(connection, || hourly_rollup::fold(connection, step))?;
    Ok(!step.is_last)
}

fn run_transaction<T>(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<T>,
) -> Result<T, LedgerError> {
    let step = |sql| connection.prepare_cached(sql)?.execute([]).map(drop);
    let attempt = || {
        if !connection.is_autocommit() {
            // The transaction before failed, and so did its rollback.
            step("ROLLBACK")?;
        }
        step("BEGIN IMMEDIATE")?;
        let done = work()?;
        step("COMMIT")?;
        Ok(done)
    };
    attempt().map_err(|error: rusqlite::Error| {
        // SQLite rolls back by itself after some errors and not after others.
        if !connection.is_autocommit()
            && let Err(rollback) = step("ROLLBACK")
        {
            tracing::error!(%rollback, "a failed transaction could not be rolled back");
        }
        LedgerError::from(error)
    })
}
