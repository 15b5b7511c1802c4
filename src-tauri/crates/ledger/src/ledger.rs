//! The handle through which everyone writes and reads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use domain::{BackendId, RequestId, RunId, WallTime};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::job::{Exchange, Job};
use crate::queue::{Queue, Settled};
use crate::readers::Readers;
use crate::{
    AccessState, Attempt, AttemptOutcome, Bypasses, FailedAttempts, HealthChange, HealthRow,
    LedgerError, LedgerLimits, LedgerState, NewRequest, Pace, Price, PriceBook, Purpose,
    RequestQuery, RequestRow, Routed, Run, RunSummary, Settlement, Spend, Transition,
    TransitionQuery, UsageQuery, UsageSummary, access_states, attempts, backup, bypasses, database,
    failures, health, journal, leftover, outcomes, prices, requests, rollup, routed, runs,
    transitions, writer,
};

/// Requests deleted in one transaction by [`Ledger::purge_before`].
const PURGE_ROWS: usize = 500;

/// Most problems that [`Ledger::check_integrity`] lists.
pub const INTEGRITY_PROBLEMS_MAX: usize = 100;

/// The record of requests, costs, runs and health in one SQLite file.
///
/// A clone is cheap and means the same file. Dropping the last clone writes what is queued, then
/// closes the file; that blocks for as long as the disk takes. Reading needs a tokio runtime.
#[derive(Debug, Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Inner {
    /// Writes what is queued and ends the writer. Blocks.
    fn close(&self) {
        // The writer must be the last to close the file: then SQLite moves its log into it.
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

/// What a check of the file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrityReport {
    /// One sentence of SQLite each, at most [`INTEGRITY_PROBLEMS_MAX`]; empty for a sound file.
    pub problems: Vec<String>,
}

impl IntegrityReport {
    /// Whether nothing was found.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Ledger {
    /// Opens the ledger at `path` and makes it if it is missing, folder (0700) and file (0600). An
    /// older file is checked, copied to `<path>.bak-v<version>` and upgraded. What the last process
    /// could not commit (`<path>.uncommitted.jsonl`) and what an older version left in its journal
    /// (`<path>.journal-a`, `-b`) is committed and those files are removed; one with a damaged part is
    /// renamed to `….damaged`. Requests that were running when it died become
    /// [`crate::RequestState::Unknown`]. Blocks; not for a network share, nor for a file that another
    /// `Ledger` has open.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] and [`LedgerError::NewerSchema`] leave the file as it is.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::open_with(path, LedgerLimits::default())
    }

    /// [`Ledger::open`] with limits.
    ///
    /// # Errors
    /// As for [`Ledger::open`].
    pub fn open_with(path: &Path, limits: LedgerLimits) -> Result<Self, LedgerError> {
        let mut connection = database::open(path, limits, database::STEPS)?;
        journal::replay(&connection, path)?;
        leftover::replay(&connection, path)?;
        database::recover(&mut connection)?;
        let queue = Queue::new(limits.queue_bytes_max);
        let thread = writer::start(connection, &queue, path, limits.lock_wait)?;
        let readers = Readers::new(path.to_owned());
        let thread = Mutex::new(Some(thread));
        Ok(Self { inner: Arc::new(Inner { path: path.to_owned(), queue, readers, thread }) })
    }

    /// Leaves word that a request begins, without waiting for anything. Call it before the backend is
    /// called. A process that is killed before the commit, within [`Ledger::settle`]'s wait or as long
    /// as the ledger is behind, leaves no trace of the request; no client has seen an answer to it.
    ///
    /// # Errors
    /// Why no request may begin now: [`LedgerError::Busy`] when [`LedgerLimits::queue_bytes_max`]
    /// wait, else the disk's refusal ([`LedgerError::Full`] and the like). Nothing was left then.
    pub fn reserve(&self, request: NewRequest) -> Result<(), LedgerError> {
        self.inner.queue.reserve(request)
    }

    /// Writes down how a request ended, and waits for the commit: at most for
    /// [`Ledger::set_commit_wait`], a tenth of it while the ledger is behind, and not at all while the
    /// disk refuses. The answer is the client's in either case. Once queued it is never dropped: what
    /// the disk refuses is tried again, at the next start as well. Makes the row if the reservation was
    /// lost. A second settlement of the same request is accepted and changes nothing. A power cut may
    /// take the last moments.
    ///
    /// # Errors
    /// When the record itself is impossible, and after the ledger was closed. Do not call again.
    pub async fn settle(&self, ended: impl Into<Box<Settlement>>) -> Result<Settled, LedgerError> {
        self.inner.queue.settle(ended.into()).await
    }

    /// [`Ledger::settle`] for a request whose client has gone: waits for nothing.
    ///
    /// # Errors
    /// After the ledger was closed.
    pub fn settle_unawaited(&self, ended: impl Into<Box<Settlement>>) -> Result<(), LedgerError> {
        self.inner.queue.push(Job::Settle(ended.into()))
    }

    /// How long a settlement waits for its commit; [`crate::COMMIT_WAIT_DEFAULT`] until then.
    pub fn set_commit_wait(&self, wait: Duration) {
        self.inner.queue.set_commit_wait(wait);
    }

    /// Writes what is queued, for all clones; what comes later is refused. What the disk refuses for some
    /// three seconds is left to the next start. Reading goes on.
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        // The only failure is that the runtime ends, and then the last handle closes.
        let _closed = tokio::task::spawn_blocking(move || inner.close()).await;
    }

    /// Whether requests are written down as they happen, with what waits at this moment.
    #[must_use]
    pub fn state(&self) -> LedgerState {
        self.inner.queue.state()
    }

    /// Tells of each change between states and reasons, beginning with the state of now. The counts in
    /// it are those of the change; [`Ledger::state`] has those of the moment.
    #[must_use]
    pub fn watch_state(&self) -> watch::Receiver<LedgerState> {
        self.inner.queue.watch_state()
    }

    /// Sums over time, from roll-ups.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn usage(&self, query: UsageQuery) -> Result<UsageSummary, LedgerError> {
        self.ask_current(move |connection| rollup::usage(connection, &query)).await
    }

    /// What the user's own traffic cost from `from` (rounded down to a quarter hour) until before
    /// `to` (rounded up).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn spend(&self, from: WallTime, to: WallTime) -> Result<Spend, LedgerError> {
        self.ask_current(move |connection| rollup::spend(connection, from, to)).await
    }

    /// A page of requests, newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn requests(&self, query: RequestQuery) -> Result<Vec<RequestRow>, LedgerError> {
        self.ask_current(move |connection| requests::page(connection, &query)).await
    }

    /// One request with its tries; `None` if it is not (or no longer) known.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn request(
        &self,
        id: RequestId,
    ) -> Result<Option<(RequestRow, Vec<Attempt>)>, LedgerError> {
        self.ask_current(move |connection| {
            let Some(row) = requests::one(connection, id)? else { return Ok(None) };
            Ok::<_, rusqlite::Error>(Some((row, attempts::of(connection, id)?)))
        })
        .await
    }

    /// The routing decision of one request as JSON text; `None` if there was none or it was too long.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn decision(&self, id: RequestId) -> Result<Option<String>, LedgerError> {
        self.ask_current(move |connection| requests::decision(connection, id)).await
    }

    /// The tries of the user's own traffic that failed from `from` (rounded down to a quarter hour)
    /// until before `to` (rounded up), by where and how they failed; at most
    /// [`crate::FAILURE_GROUPS_MAX`] kinds, the costliest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn failed_attempts(
        &self,
        from: WallTime,
        to: WallTime,
    ) -> Result<Vec<FailedAttempts>, LedgerError> {
        self.ask_current(move |connection| failures::between(connection, from, to, Purpose::User))
            .await
    }

    /// Why requests of the user's own traffic went past the cache, from `from` (rounded down to a
    /// quarter hour) until before `to` (rounded up); the most frequent reason first, at most
    /// [`crate::BYPASS_REASONS_MAX`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn cache_bypasses(
        &self,
        from: WallTime,
        to: WallTime,
    ) -> Result<Vec<Bypasses>, LedgerError> {
        self.ask_current(move |connection| bypasses::between(connection, from, to, Purpose::User))
            .await
    }

    /// The attempts of requests since `from`, in the order in which they ended; of one backend or of
    /// all, the newest [`crate::OUTCOMES_MAX`]. Reads the requests themselves: not for every screen.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn outcomes(
        &self,
        from: WallTime,
        backend: Option<BackendId>,
    ) -> Result<Vec<AttemptOutcome>, LedgerError> {
        self.ask_current(move |connection| outcomes::since(connection, from, backend.as_ref()))
            .await
    }

    /// Where the user's own requests since `from` went, by route, backend and model; of the newest
    /// [`crate::ROUTED_REQUESTS_MAX`], the largest groups first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn routed(&self, from: WallTime) -> Result<Vec<Routed>, LedgerError> {
        self.ask_current(move |connection| routed::since(connection, from)).await
    }

    /// How fast backends have been, by the newest [`crate::RECENT_REQUESTS_MAX`] requests since `from`.
    /// Some milliseconds of reading, and it does not wait for writes: not for each request.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn paces(&self, from: WallTime) -> Result<Vec<Pace>, LedgerError> {
        self.read(move |connection| outcomes::paces(connection, from)).await
    }

    /// Changes of breakers, cooldowns and blocks, newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn transitions(
        &self,
        query: TransitionQuery,
    ) -> Result<Vec<Transition>, LedgerError> {
        self.ask_current(move |connection| transitions::list(connection, &query)).await
    }

    /// Keeps changes of breakers, cooldowns and blocks with the states they led to, without waiting.
    /// They are committed at once, at the latest with the settlement that is queued next; while the
    /// ledger is behind they wait as settlements do.
    ///
    /// # Errors
    /// After the ledger was closed.
    pub fn note_access_changes(
        &self,
        transitions: Vec<Transition>,
        states: Vec<AccessState>,
    ) -> Result<(), LedgerError> {
        self.inner.queue.push(Job::AccessChanges { transitions, states })
    }

    /// Keeps the states of all accesses in the place of those kept before.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn save_access_states(&self, states: Vec<AccessState>) -> Result<(), LedgerError> {
        self.inner.queue.write(Job::AccessStates(states)).await.map(drop)
    }

    /// The states of accesses that were kept last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn access_states(&self) -> Result<Vec<AccessState>, LedgerError> {
        self.ask_current(access_states::all).await
    }

    /// Deletes requests that began before `before`, in small steps that let other writes pass, and
    /// with them the log of transitions of that time. The sums over time stay. Returns how many went.
    ///
    /// # Errors
    /// When the file cannot be written; what went before that stays deleted.
    pub async fn purge_before(&self, before: WallTime) -> Result<u64, LedgerError> {
        let mut deleted = 0_u64;
        loop {
            let job = Job::Purge { before, rows_max: PURGE_ROWS };
            let slice = self.inner.queue.write(job).await?;
            deleted = deleted.saturating_add(u64::try_from(slice).unwrap_or(u64::MAX));
            if slice < PURGE_ROWS {
                return Ok(deleted);
            }
        }
    }

    /// Keeps a finished run; past [`crate::RUNS_KEPT_MAX`] the oldest goes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn record_run(&self, run: Run) -> Result<(), LedgerError> {
        self.inner.queue.write(Job::Run(run)).await.map(drop)
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, LedgerError> {
        self.read(move |connection| runs::newest(connection, limit)).await
    }

    /// One run with its report.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, LedgerError> {
        self.read(move |connection| runs::one(connection, id)).await
    }

    /// Keeps a change of a backend's health and the state it leads to.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn record_health(&self, change: HealthChange) -> Result<(), LedgerError> {
        self.inner.queue.write(Job::Health(change)).await.map(drop)
    }

    /// The latest health of every backend ever seen, by name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn health(&self) -> Result<Vec<HealthRow>, LedgerError> {
        self.read(health::latest).await
    }

    /// The newest changes of one backend's health, newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn health_log(
        &self,
        backend: BackendId,
        limit: usize,
    ) -> Result<Vec<HealthChange>, LedgerError> {
        self.read(move |connection| health::log(connection, &backend, limit)).await
    }

    /// Keeps a price ([`Price::declared`]). Prices are never edited: one with a known id changes
    /// nothing, a new amount needs a new date.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn declare_price(&self, price: Price) -> Result<(), LedgerError> {
        self.inner.queue.write(Job::Price(Box::new(price))).await.map(drop)
    }

    /// The row by which a cost was computed ([`crate::Cost::Computed`]).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn price(&self, id: String) -> Result<Option<Price>, LedgerError> {
        self.read(move |connection| prices::one(connection, &id)).await
    }

    /// The bundled prices and every price that was declared.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn price_book(&self) -> Result<PriceBook, LedgerError> {
        self.read(prices::book).await
    }

    /// Reads the whole file and checks it. Takes seconds for a large one.
    ///
    /// # Errors
    /// When the file cannot be read at all; damage is in the report.
    pub async fn check_integrity(&self) -> Result<IntegrityReport, LedgerError> {
        let problems = match self.read(integrity_problems).await {
            Err(LedgerError::Corrupt { detail }) => vec![detail],
            checked => checked?,
        };
        Ok(IntegrityReport { problems })
    }

    /// Copies the ledger as it is at one moment to `target` (0600), while others go on writing.
    ///
    /// # Errors
    /// [`LedgerError::File`] when `target` exists or cannot be made.
    pub async fn backup(&self, target: PathBuf) -> Result<(), LedgerError> {
        if target.exists() {
            let error = std::io::ErrorKind::AlreadyExists.into();
            return Err(database::file_error(&target, error));
        }
        let copied =
            move |connection: &Connection| backup::copy(connection, &target, backup::Pace::Full);
        self.ask_current(copied).await
    }

    /// Bytes on disk, with the commits not yet moved into the main file.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        size(&self.inner.path) + size(&database::wal_path(&self.inner.path))
    }

    /// Asks the file something, without waiting for what is queued.
    pub(crate) async fn read<T, E>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        E: Into<LedgerError>,
    {
        self.inner.readers.ask(question).await
    }

    /// Lets `exchange` put another file, and a connection to it, in the place of the ledger's. Nobody
    /// reads or writes meanwhile; what is queued is written to the file that is there afterwards.
    pub(crate) async fn exchange<T: Send + 'static>(
        &self,
        exchange: impl FnOnce(&mut Option<Connection>) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let _no_reads = self.inner.readers.pause().await?;
        let (sender, outcome) = tokio::sync::oneshot::channel();
        let job = Job::Exchange(Exchange::new(move |slot| {
            // Whoever asked may have gone away; the exchange stands all the same.
            let _gone = sender.send(exchange(slot));
        }));
        self.inner.queue.write(job).await?;
        outcome.await.unwrap_or(Err(LedgerError::Closed))
    }

    /// [`Self::read`], after what was queued before.
    pub(crate) async fn ask_current<T, E>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        E: Into<LedgerError>,
    {
        let queue = Arc::clone(&self.inner.queue);
        let after = move |connection: &Connection| {
            queue.catch_up();
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
