//! The public handle for all writes and reads.

mod alerts;
mod audit;
mod budgets;
mod health;
mod prices;
mod sessions;
mod sums;
mod unusual;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use domain::{CheckSet, Clock, RequestId, RunId, WallTime};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::file::readers::ReaderPool;
use crate::file::slow_statements::SlowStatements;
use crate::file::{backup, database, journal, spill};
use crate::health::{endpoint_states, transitions};
use crate::requests::{attempts, explanations, request_query};
use crate::write::queue::{CommitStatus, RecordResult, WriteQueue};
use crate::write::writer;
use crate::write::writes::{FileSwap, LedgerWrite};
use crate::{
    AttemptRecord, LedgerError, LedgerLimits, LedgerState, NewRequest, ReaderWaits,
    ReadinessRunRecord, ReadinessRunSummary, RequestPage, RequestQuery, RequestRow, ReservedAmount,
    Settlement, SlowStatement, StoredEndpointState, TransitionQuery, TransitionRecord,
    readiness_runs, requests,
};

/// Requests deleted in one transaction by [`Ledger::purge_before`].
const PURGE_ROWS: usize = 500;

/// Most problems that [`Ledger::check_integrity`] lists.
pub(crate) const INTEGRITY_PROBLEMS_MAX: usize = 100;

/// Requests, costs, runs and health in one SQLite file.
///
/// A clone is cheap and refers to the same file. Dropping the last clone writes the queue and
/// closes the file, which blocks for as long as the disk takes. Reads need a tokio runtime.
#[derive(Debug, Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    queue: Arc<WriteQueue>,
    readers: Arc<ReaderPool>,
    slow: Arc<SlowStatements>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Inner {
    /// Writes the queue and stops the writer. Blocks.
    fn close(&self) {
        // The writer must close the file last: SQLite then moves the write-ahead log into it.
        self.readers.close_idle();
        self.queue.close();
        let thread = self.thread.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the ledger's writer thread had stopped unexpectedly");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrityReport {
    /// SQLite's messages, at most `INTEGRITY_PROBLEMS_MAX`; empty for a sound file.
    pub problems: Vec<String>,
}

impl IntegrityReport {
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Ledger {
    /// Opens the ledger at `path`. Creates it if it is missing: folder with mode 0700, file with
    /// 0600. An older file is checked, copied to `<path>.bak-v<version>` and upgraded. Records that
    /// the last process could not commit (`<path>.uncommitted.jsonl`) and journals of older
    /// versions (`<path>.journal-a`, `-b`) are committed and their files removed; a partly damaged
    /// file is renamed to `….damaged`. Requests that were running when the last process died become
    /// [`crate::RequestState::Unknown`]. Blocks. Does not support network shares or a file that
    /// another `Ledger` has open.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] and [`LedgerError::NewerSchema`] leave the file unchanged.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::open_with(path, LedgerLimits::default())
    }

    /// [`Ledger::open`] with explicit limits.
    ///
    /// # Errors
    /// As for [`Ledger::open`].
    pub fn open_with(path: &Path, limits: LedgerLimits) -> Result<Self, LedgerError> {
        let mut connection = database::open(path, limits, database::MIGRATIONS)?;
        journal::replay(&connection, path)?;
        spill::replay(&connection, path)?;
        database::recover(&mut connection)?;
        let queue = WriteQueue::new(limits.queue_bytes_max);
        let slow = Arc::<SlowStatements>::default();
        let thread = writer::start(connection, &queue, path, limits.lock_wait, Arc::clone(&slow))?;
        let readers = ReaderPool::new(path.to_owned(), Arc::clone(&slow));
        let thread = Mutex::new(Some(thread));
        Ok(Self { inner: Arc::new(Inner { path: path.to_owned(), queue, readers, slow, thread }) })
    }

    /// Queues the start of a request without waiting. Call it before the backend is called. If the
    /// process is killed before the commit, the request leaves no trace; no client has received an
    /// answer to it by then. The commit takes at most [`Ledger::settle`]'s wait, longer while the
    /// ledger is behind.
    ///
    /// # Errors
    /// A new request must not start: [`LedgerError::Busy`] when [`LedgerLimits::queue_bytes_max`]
    /// bytes wait, else the disk's error ([`LedgerError::Full`] and the like). Nothing is queued
    /// then.
    pub fn reserve(&self, request: NewRequest) -> Result<(), LedgerError> {
        self.inner.queue.reserve(request)
    }

    /// [`Ledger::reserve`] with what budgets reserved for the request. The returned future waits for
    /// the commit as that of [`Ledger::settle`] does, so that what is spent after it survives a kill.
    ///
    /// # Errors
    /// As [`Ledger::reserve`].
    pub fn reserve_amounts(
        &self,
        request: NewRequest,
        amounts: Vec<ReservedAmount>,
    ) -> Result<impl Future<Output = RecordResult> + Send + use<>, LedgerError> {
        self.inner.queue.reserve_amounts(request, amounts)
    }

    /// Queues the end of a request at once. The returned future waits for the commit, at most for
    /// [`Ledger::set_commit_wait`]: a tenth of it while the ledger is behind, not at all while the
    /// disk refuses writes. The client gets its answer in either case. A queued settlement is never
    /// dropped; refused writes are retried, also at the next start. Creates the row if the
    /// reservation was lost. A second settlement of the same request is accepted and has no effect.
    /// A power cut may lose the last moments.
    ///
    /// # Errors
    /// The record is invalid, or the ledger was closed. Do not retry.
    pub fn settle(
        &self,
        ended: impl Into<Box<Settlement>>,
    ) -> impl Future<Output = Result<CommitStatus, LedgerError>> + Send {
        self.inner.queue.settle(ended.into())
    }

    /// [`Ledger::settle`] without the wait, for a request whose client has disconnected.
    ///
    /// # Errors
    /// The ledger was closed.
    pub fn settle_unawaited(&self, ended: impl Into<Box<Settlement>>) -> Result<(), LedgerError> {
        self.inner.queue.push(LedgerWrite::Settle(ended.into()))
    }

    /// Sets how long a settlement waits for its commit. Default: `COMMIT_WAIT_DEFAULT`.
    pub fn set_commit_wait(&self, wait: Duration) {
        self.inner.queue.set_commit_wait(wait);
    }

    /// Closes the ledger for all clones: writes the queue and refuses later writes. Records that
    /// the disk refuses for about three seconds are left to the next start. Reads still work.
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        // It fails only when the runtime ends; the last handle closes then.
        let _closed = tokio::task::spawn_blocking(move || inner.close()).await;
    }

    /// Waits until nothing is queued and all past hours are folded for fast queries.
    pub async fn wait_until_folded(&self) {
        let queue = Arc::clone(&self.inner.queue);
        let _ended = tokio::task::spawn_blocking(move || queue.wait_until_idle()).await;
    }

    /// The current state, with the current backlog.
    #[must_use]
    pub fn state(&self) -> LedgerState {
        self.inner.queue.state()
    }

    /// Sends each change of state or reason, starting with the current state. The counts in it are
    /// those at the change; [`Ledger::state`] has current ones.
    #[must_use]
    pub fn watch_state(&self) -> watch::Receiver<LedgerState> {
        self.inner.queue.watch_state()
    }

    /// A page of requests, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn request_page(&self, query: RequestQuery) -> Result<RequestPage, LedgerError> {
        self.read_current(move |connection| request_query::list_page(connection, &query)).await
    }

    /// The rows of [`Self::request_page`].
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn requests(&self, query: RequestQuery) -> Result<Vec<RequestRow>, LedgerError> {
        Ok(self.request_page(query).await?.rows)
    }

    /// A request with its attempts; `None` if it is unknown or purged.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn request(
        &self,
        id: RequestId,
    ) -> Result<Option<(RequestRow, Vec<AttemptRecord>)>, LedgerError> {
        self.read_current(move |connection| {
            let Some(row) = requests::find(connection, id)? else { return Ok(None) };
            Ok::<_, rusqlite::Error>(Some((row, attempts::list(connection, id)?)))
        })
        .await
    }

    /// The routing decision of a request as JSON; `None` if there was none or it was too long.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn routing_decision(&self, id: RequestId) -> Result<Option<String>, LedgerError> {
        self.read_current(move |connection| explanations::find_decision(connection, id)).await
    }

    /// State changes of breakers, cooldowns and blocks, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn transitions(
        &self,
        query: TransitionQuery,
    ) -> Result<Vec<TransitionRecord>, LedgerError> {
        self.read_current(move |connection| transitions::list(connection, &query)).await
    }

    /// Queues state changes of breakers, cooldowns and blocks and the resulting states, without
    /// waiting. They are committed at once, at the latest with the next queued settlement; while
    /// the ledger is behind they wait as settlements do.
    ///
    /// # Errors
    /// The ledger was closed.
    pub fn record_endpoint_changes(
        &self,
        transitions: Vec<TransitionRecord>,
        states: Vec<StoredEndpointState>,
    ) -> Result<(), LedgerError> {
        self.inner.queue.push(LedgerWrite::EndpointChanges { transitions, states })
    }

    /// Replaces the saved states of all endpoints.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn save_endpoint_states(
        &self,
        states: Vec<StoredEndpointState>,
    ) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::EndpointStates(states)).await.map(drop)
    }

    /// The saved states of all endpoints.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn endpoint_states(&self) -> Result<Vec<StoredEndpointState>, LedgerError> {
        self.read_current(endpoint_states::list).await
    }

    /// Deletes requests that began before `before`, and transitions of that time, in small steps
    /// that let other writes pass. Roll-ups stay. Returns the number of deleted requests.
    ///
    /// # Errors
    /// The file cannot be written; steps before the error stay deleted.
    pub async fn purge_before(&self, before: WallTime) -> Result<u64, LedgerError> {
        let mut deleted = 0_u64;
        loop {
            let job = LedgerWrite::Purge { before, rows_max: PURGE_ROWS };
            let slice = self.inner.queue.write(job).await?;
            deleted = deleted.saturating_add(u64::try_from(slice).unwrap_or(u64::MAX));
            if slice < PURGE_ROWS {
                return Ok(deleted);
            }
        }
    }

    /// Saves a finished run. Past [`crate::RUNS_KEPT_MAX`] the oldest is deleted, but never the last
    /// one of a set.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn record_run(&self, run: ReadinessRunRecord) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::Run(run)).await.map(drop)
    }

    /// The newest `limit` runs, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn runs(&self, limit: usize) -> Result<Vec<ReadinessRunSummary>, LedgerError> {
        self.read(move |connection| readiness_runs::list_newest(connection, limit)).await
    }

    /// The newest run of a set, however many of others came after it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn last_run(
        &self,
        set: CheckSet,
    ) -> Result<Option<ReadinessRunSummary>, LedgerError> {
        self.read(move |connection| readiness_runs::find_newest(connection, set)).await
    }

    /// A run with its report.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn run(&self, id: RunId) -> Result<Option<ReadinessRunRecord>, LedgerError> {
        self.read(move |connection| readiness_runs::find(connection, id)).await
    }

    /// Reads and checks the whole file. Takes seconds for a large one.
    ///
    /// # Errors
    /// The file cannot be read at all. Damage is reported, not an error.
    pub async fn check_integrity(&self) -> Result<IntegrityReport, LedgerError> {
        let problems = match self.read(integrity_problems).await {
            Err(LedgerError::Corrupt { detail }) => vec![detail],
            checked => checked?,
        };
        Ok(IntegrityReport { problems })
    }

    /// Copies a consistent snapshot of the ledger to `target` (mode 0600) without blocking writers.
    ///
    /// # Errors
    /// [`LedgerError::File`] when `target` exists or cannot be created.
    pub async fn backup(&self, target: PathBuf) -> Result<(), LedgerError> {
        if target.exists() {
            let error = std::io::ErrorKind::AlreadyExists.into();
            return Err(crate::error::file_error(&target, error));
        }
        let copied = move |connection: &Connection| {
            backup::copy(connection, &target, backup::CopySpeed::Full)
        };
        self.read_current(copied).await
    }

    /// Size on disk in bytes, including the write-ahead log.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        std::fs::metadata(&self.inner.path).map_or(0, |file| file.len()) + self.log_bytes()
    }

    /// Size of the write-ahead log in bytes.
    #[must_use]
    pub fn log_bytes(&self) -> u64 {
        std::fs::metadata(sqlite_file::wal_path(&self.inner.path)).map_or(0, |file| file.len())
    }

    /// How often a statement took [`crate::SLOW_STATEMENT`] or more since the start.
    #[must_use]
    pub fn slow_statement_count(&self) -> u64 {
        self.inner.slow.count()
    }

    /// Statements that were slow since the start, the slowest first; at most
    /// `SLOW_STATEMENTS_KEPT_MAX`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn slow_statements(&self) -> Result<Vec<SlowStatement>, LedgerError> {
        let slow = Arc::clone(&self.inner.slow);
        self.read(move |connection| Ok::<_, LedgerError>(slow.list(connection))).await
    }

    /// How long reads waited for a connection since the start.
    #[must_use]
    pub fn reader_waits(&self) -> ReaderWaits {
        self.inner.readers.waits()
    }

    /// Times the waits of reads by `clock`.
    pub(crate) fn time_reader_waits(&self, clock: Arc<dyn Clock>) {
        self.inner.readers.time_waits(clock);
    }

    /// Runs `question` on a read connection without waiting for queued writes.
    pub(crate) async fn read<T, E>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        E: Into<LedgerError>,
    {
        self.inner.readers.run(question).await
    }

    /// Lets `exchange` replace the ledger's file and connection. Reads and writes stop meanwhile;
    /// queued records are written to the new file.
    pub(crate) async fn swap_file<T: Send + 'static>(
        &self,
        exchange: impl FnOnce(&mut Option<Connection>) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let _no_reads = self.inner.readers.pause().await?;
        let (sender, outcome) = tokio::sync::oneshot::channel();
        let job = LedgerWrite::SwapFile(FileSwap::new(move |slot| {
            // The exchange takes effect even if the caller is gone.
            let _gone = sender.send(exchange(slot));
        }));
        self.inner.queue.write(job).await?;
        outcome.await.unwrap_or(Err(LedgerError::Closed))
    }

    /// [`Self::read`] after the writes that are queued now.
    pub(crate) async fn read_current<T, E>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        E: Into<LedgerError>,
    {
        let queue = Arc::clone(&self.inner.queue);
        let after = move |connection: &Connection| {
            queue.wait_until_current();
            question(connection)
        };
        self.read(after).await
    }
}

fn integrity_problems(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare("PRAGMA integrity_check")?;
    let lines = check.query_map([], |row| row.get::<_, String>(0))?;
    let mut problems = lines.collect::<Result<Vec<_>, _>>()?;
    problems.retain(|line| line != "ok");
    let mut check = connection.prepare("PRAGMA foreign_key_check")?;
    for table in check.query_map([], |row| row.get::<_, String>(0))? {
        problems.push(format!("a row of {} refers to a row that is missing", table?));
    }
    problems.truncate(INTEGRITY_PROBLEMS_MAX);
    Ok(problems)
}
