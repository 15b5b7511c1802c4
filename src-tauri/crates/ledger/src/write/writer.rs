//! The writer thread: takes queued records, commits them as a group, answers all waiters.
//!
//! It commits at once when somebody waits, together with whatever else is queued. Refused records
//! stay in the queue and are retried as long as the program runs, because their requests have
//! happened. Only a record that is itself invalid leaves the queue uncommitted, alone, and goes to
//! a file beside the ledger ([`crate::file::spill`]). While nothing is queued, it folds past hours
//! one by one, each in a transaction of a few milliseconds, so that a record never waits for more.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::file::checkpoint::{self, Checkpointer};
use crate::file::database;
use crate::file::slow_statements::SlowStatements;
use crate::file::spill::{self, SpillFile};
use crate::write::queue::{CommitStatus, QueuedTask, RecordResult, WriteQueue};
use crate::write::writes::{LedgerWrite, commit, fold_next};
use crate::{LedgerError, LedgerLimits};

/// Attempts of [`LOCK_WAIT`] against a lock after which new requests are refused: a minute. A lock
/// ends with the program that holds it, usually within seconds.
const LOCKED_TRIES_MAX: u32 = 240;

/// Attempts against a lock after which a task fails: five seconds.
const TASK_LOCKED_TRIES_MAX: u32 = 20;

/// Pause before a retry after a refusal other than a lock.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// Consecutive refusals after which a closing ledger gives up: some three seconds.
const CLOSING_TRIES_MAX: u32 = 12;

/// Records after which an hour is folded although more are queued. A busy day has some thousand
/// requests, so folding keeps up.
const RECORDS_PER_FOLDED_HOUR: usize = 500;

/// Records that take about as much of the write-ahead log as the sums of an hour.
const FOLDED_HOUR_RECORDS: usize = 20;

/// Starts the thread that owns `connection` until `queue` is closed.
pub(crate) fn start(
    connection: Connection,
    queue: &Arc<WriteQueue>,
    ledger: &Path,
    lock_wait: Duration,
    slow: Arc<SlowStatements>,
) -> Result<JoinHandle<()>, LedgerError> {
    start_with(connection, queue, ledger, lock_wait, (slow, commit))
}

/// [`start`] with another commit function, for tests of refusing and hanging disks.
pub(crate) fn start_with<C: CommitFn>(
    connection: Connection,
    queue: &Arc<WriteQueue>,
    ledger: &Path,
    lock_wait: Duration,
    (slow, commit): (Arc<SlowStatements>, C),
) -> Result<JoinHandle<()>, LedgerError> {
    let failed = |error| crate::error::file_error(ledger, error);
    let mut writer = LedgerWriter {
        connection: None,
        queue: Arc::clone(queue),
        ledger: ledger.to_owned(),
        lock_wait,
        checkpoints: None,
        commit,
        refusals: 0,
        is_locked: false,
        may_fold: true,
        since_folded: 0,
    };
    writer.use_connection(connection)?;
    let builder = std::thread::Builder::new().name("ledger-writer".to_owned());
    builder
        .spawn(move || {
            slow.watch_thread();
            writer.run();
        })
        .map_err(failed)
}

/// Commits records as one transaction.
pub(crate) trait CommitFn:
    FnMut(&Connection, &[Arc<LedgerWrite>]) -> Result<(), LedgerError> + Send + 'static
{
}

impl<C: FnMut(&Connection, &[Arc<LedgerWrite>]) -> Result<(), LedgerError> + Send + 'static>
    CommitFn for C
{
}

struct LedgerWriter<C> {
    /// `None` only after a failed exchange: each write then tries to open the file again.
    connection: Option<Connection>,
    queue: Arc<WriteQueue>,
    ledger: PathBuf,
    lock_wait: Duration,
    checkpoints: Option<Checkpointer>,
    commit: C,
    /// Consecutive refused commits of records.
    refusals: u32,
    /// True if the last refusal was a lock, for which SQLite has already waited.
    is_locked: bool,
    /// True until there is no past hour to fold.
    may_fold: bool,
    /// Records written since an hour was folded.
    since_folded: usize,
}

/// Closes the queue when the thread ends, even by a panic, so that nobody waits for ever.
struct QueueAbandonGuard(Arc<WriteQueue>);

impl Drop for QueueAbandonGuard {
    fn drop(&mut self) {
        let lost = self.0.abandon();
        if !lost.is_empty() {
            tracing::error!(
                records = lost.len(),
                "records were lost because the ledger's writer thread stopped"
            );
        }
    }
}

impl<C: CommitFn> LedgerWriter<C> {
    fn run(mut self) {
        let _farewell = QueueAbandonGuard(Arc::clone(&self.queue));
        while let Some(work) = self.queue.next_batch(self.may_fold) {
            let is_idle = work.records.is_empty() && work.task.is_none();
            let mut written = self.write(&work.records);
            let has_done_task = work.task.is_some_and(|task| self.run_task(task));
            self.since_folded += written;
            self.may_fold |= written > 0 || has_done_task;
            if is_idle || self.since_folded >= RECORDS_PER_FOLDED_HOUR {
                self.fold_hour();
                written += FOLDED_HOUR_RECORDS;
            }
            if let (Some(checkpoints), Some(connection)) = (&mut self.checkpoints, &self.connection)
            {
                checkpoints.after_commit(connection, written);
            }
            if self.refusals == 0 || has_done_task {
                continue;
            }
            if self.queue.is_closed() && self.refusals >= CLOSING_TRIES_MAX {
                break;
            }
            if !self.is_locked {
                self.queue.pause(RETRY_AFTER);
            }
        }
        self.spill_uncommitted();
        // Their connection first: the writer's must close last.
        self.checkpoints = None;
        if let Some(connection) = self.connection.take() {
            checkpoint::checkpoint_before_close(&connection, checkpoint::CLOSING_CHECKPOINT_MAX);
        }
    }

    /// Folds the next past hour. After an error the next write tries again.
    fn fold_hour(&mut self) {
        self.since_folded = 0;
        let folded = self.connection.as_ref().map_or(Ok(false), fold_next);
        self.may_fold = folded.unwrap_or_else(|error| {
            tracing::warn!(%error, "an hour could not be summed up; long ranges take longer");
            false
        });
    }

    /// Uses `connection` from now on.
    fn use_connection(&mut self, connection: Connection) -> Result<(), LedgerError> {
        connection.busy_timeout(self.lock_wait)?;
        let checkpoints = Checkpointer::start(&connection);
        let failed = |error| crate::error::file_error(&self.ledger, error);
        self.checkpoints = Some(checkpoints.map_err(failed)?);
        self.connection = Some(connection);
        Ok(())
    }

    fn run_file_swap(&mut self, task: QueuedTask) -> bool {
        let LedgerWrite::SwapFile(exchange) = task.job else { return false };
        // They have their own connection to the file.
        self.checkpoints = None;
        let mut connection = self.connection.take();
        exchange.run(&mut connection);
        if let Some(connection) = connection
            && let Err(error) = self.use_connection(connection)
        {
            tracing::error!(%error, "the replaced ledger file will be opened by the next write");
        }
        // The exchange takes effect even if the caller is gone.
        let _gone = task.answer.send(Ok(0));
        true
    }

    /// Opens the file again if an exchange left no connection.
    fn reconnect(&mut self) -> Result<(), LedgerError> {
        if self.connection.is_some() {
            return Ok(());
        }
        // Opening would create a new file and silently drop the earlier records.
        if crate::file::set_aside::file_bytes(&self.ledger) == 0 {
            let missing = std::io::ErrorKind::NotFound.into();
            return Err(crate::error::file_error(&self.ledger, missing));
        }
        let limits = LedgerLimits { lock_wait: self.lock_wait, ..LedgerLimits::default() };
        let connection = database::open(&self.ledger, limits, database::MIGRATIONS)?;
        self.use_connection(connection)
    }

    fn commit_records(&mut self, records: &[Arc<LedgerWrite>]) -> Result<(), LedgerError> {
        self.reconnect()?;
        let connection = self.connection.as_ref().ok_or(LedgerError::Closed)?;
        (self.commit)(connection, records)
    }

    fn commit_task(&mut self, task: &LedgerWrite) -> Result<usize, LedgerError> {
        self.reconnect()?;
        let connection = self.connection.as_ref().ok_or(LedgerError::Closed)?;
        crate::write::writes::commit_task(connection, task)
    }

    /// Commits the oldest records; returns how many left the queue.
    fn write(&mut self, records: &[Arc<LedgerWrite>]) -> usize {
        if records.is_empty() {
            return 0;
        }
        match self.commit_records(records) {
            Ok(()) => {
                self.finish_records(records.len(), &Ok(CommitStatus::Committed));
                records.len()
            }
            Err(error) if !error.is_invalid_record() => {
                self.handle_refusal(&error);
                0
            }
            Err(error) if records.len() == 1 => {
                records.iter().for_each(|record| self.reject(record, &error));
                self.finish_records(1, &Err(error));
                1
            }
            // One invalid record must not block the others: commit each alone.
            Err(_) => {
                let alone = records.chunks(1);
                alone.map(|record| self.write(record)).take_while(|written| *written > 0).sum()
            }
        }
    }

    fn finish_records(&mut self, count: usize, answer: &RecordResult) {
        if self.refusals > 0 {
            tracing::info!("the ledger can be written again");
            self.refusals = 0;
        }
        self.queue.finish(count, answer);
    }

    fn handle_refusal(&mut self, error: &LedgerError) {
        self.refusals = self.refusals.saturating_add(1);
        self.is_locked = matches!(error, LedgerError::Locked);
        if self.refusals == 1 || self.refusals == LOCKED_TRIES_MAX {
            tracing::error!(%error, cause = ?error,
                "the ledger could not be written; records are waiting in memory");
        }
        self.queue.mark_refused(error, !self.is_locked || self.refusals >= LOCKED_TRIES_MAX);
    }

    fn reject(&self, record: &LedgerWrite, error: &LedgerError) {
        let id = record.request_id();
        tracing::error!(?id, %error, cause = ?error, "an invalid record was set aside");
        if let Err(error) = spill::append(&self.ledger, SpillFile::Rejected, &[record]) {
            tracing::error!(?id, %error, ?record, "an invalid record was dropped");
        }
    }

    /// Runs a task; false if it failed or was requeued.
    fn run_task(&mut self, mut task: QueuedTask) -> bool {
        if matches!(task.job, LedgerWrite::SwapFile(_)) {
            return self.run_file_swap(task);
        }
        let done = self.commit_task(&task.job);
        if matches!(done, Err(LedgerError::Locked)) && task.locked < TASK_LOCKED_TRIES_MAX {
            task.locked += 1;
            self.queue.requeue(task);
            return false;
        }
        let is_done = done.is_ok();
        if let Err(error) = &done {
            tracing::error!(%error, cause = ?error, "the ledger could not be written");
        }
        // The write takes effect even if the caller is gone.
        let _gone = task.answer.send(done);
        is_done
    }

    /// Saves records refused until the end to a file for the next start, if the disk allows it.
    fn spill_uncommitted(&self) {
        let left = self.queue.abandon();
        if left.is_empty() {
            return;
        }
        let records: Vec<&LedgerWrite> = left.iter().map(AsRef::as_ref).collect();
        match spill::append(&self.ledger, SpillFile::Uncommitted, &records) {
            Ok(()) => tracing::warn!(
                records = records.len(),
                "the ledger could not be written; the remaining records are written at the next \
                 start"
            ),
            Err(error) => tracing::error!(
                records = records.len(),
                %error,
                "the ledger could not be written and its last records were lost"
            ),
        }
    }
}
