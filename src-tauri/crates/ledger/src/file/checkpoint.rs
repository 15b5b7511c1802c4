//! Checkpoints of the write-ahead log on a connection of their own.
//!
//! A checkpoint flushes the disk, which takes milliseconds and on a busy disk far more. On the
//! writer's thread every request that ends meanwhile would wait for it; on its own connection it
//! blocks nobody. Only when writes never pause does the writer run one itself, since the log
//! restarts only after a checkpoint with no later commit.
//!
//! All checkpoints are PASSIVE: none waits for a reader. A reader that keeps its transaction open
//! (a database browser, a backup) prevents the log from restarting until it ends: the log grows by
//! some 30 KB a request, which the log file and [`crate::Ledger::size_bytes`] show. The second
//! checkpoint after that lets the log restart, and `journal_size_limit` truncates it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};

/// Records between two requested checkpoints: some ten megabytes of log.
const RECORDS_PER_CHECKPOINT: usize = 500;

/// Records without a checkpoint of its own after which the writer runs one: some hundred megabytes.
const RECORDS_PER_OWN_CHECKPOINT: usize = 10 * RECORDS_PER_CHECKPOINT;

/// Log size in pages from which a blocking reader is reported in the program's log: 256 MiB.
const WAL_PAGES_LONG: i64 = 65_536;

/// Time limit of the last checkpoint at close. It usually takes milliseconds; a disk that needs 200
/// ms per write would keep the program from ending for more than a minute.
pub(crate) const CLOSING_CHECKPOINT_MAX: Duration = Duration::from_secs(2);

/// Time between two interrupts of a checkpoint: SQLite forgets one that comes before its statement.
const INTERRUPT_EVERY: Duration = Duration::from_millis(10);

/// The checkpoint thread and the counters that decide when to use it.
pub(crate) struct Checkpointer {
    worker: Option<CheckpointThread>,
    one_at_a_time: Arc<Mutex<()>>,
    since_asked: usize,
    since_own: usize,
}

impl Checkpointer {
    /// Starts the thread for the file of `writer`.
    pub(crate) fn start(writer: &Connection) -> std::io::Result<Self> {
        let path = writer.path().unwrap_or_default();
        let one_at_a_time = Arc::new(Mutex::new(()));
        let worker = match CheckpointThread::open(path) {
            Ok(connection) => Some(CheckpointThread::start(connection, &one_at_a_time)?),
            Err(error) => {
                tracing::warn!(%error, "the checkpoint connection failed; the writer makes checkpoints");
                None
            }
        };
        Ok(Self { worker, one_at_a_time, since_asked: 0, since_own: 0 })
    }

    /// Call after `records` were committed and answered.
    pub(crate) fn after_commit(&mut self, writer: &Connection, records: usize) {
        self.since_asked += records;
        self.since_own += records;
        if self.since_own >= RECORDS_PER_OWN_CHECKPOINT {
            (self.since_asked, self.since_own) = (0, 0);
            // SQLite returns at once, with nothing done, from a second concurrent one.
            let _turn = self.one_at_a_time.lock();
            run_checkpoint(writer);
        } else if self.since_asked >= RECORDS_PER_CHECKPOINT {
            self.since_asked = 0;
            if let Some(worker) = &self.worker {
                // A full channel means that one is pending already.
                let _asked_before = worker.sender.try_send(());
            }
        }
    }
}

struct CheckpointThread {
    sender: SyncSender<()>,
    thread: JoinHandle<()>,
    interrupt: InterruptHandle,
    is_ending: Arc<AtomicBool>,
}

impl CheckpointThread {
    fn open(path: &str) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        // The writer's connection runs the last one, with a time limit.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(connection)
    }

    fn start(connection: Connection, one_at_a_time: &Arc<Mutex<()>>) -> std::io::Result<Self> {
        let (sender, asked) = sync_channel::<()>(1);
        let (turn, is_ending) = (Arc::clone(one_at_a_time), Arc::new(AtomicBool::new(false)));
        let (interrupt, ending) = (connection.get_interrupt_handle(), Arc::clone(&is_ending));
        let builder = std::thread::Builder::new().name("ledger-checkpoint".to_owned());
        let thread = builder.spawn(move || {
            for () in asked {
                let _turn = turn.lock();
                if !ending.load(Ordering::Acquire) {
                    run_checkpoint(&connection);
                }
            }
        })?;
        Ok(Self { sender, thread, interrupt, is_ending })
    }

    /// Stops the thread without waiting for more than the page being written.
    fn stop(self) {
        let Self { sender, thread, interrupt, is_ending } = self;
        is_ending.store(true, Ordering::Release);
        drop(sender);
        while !thread.is_finished() {
            interrupt.interrupt();
            std::thread::park_timeout(INTERRUPT_EVERY);
        }
        if thread.join().is_err() {
            tracing::error!("the thread for checkpoints had stopped before its time");
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.stop();
        }
    }
}

/// Moves the write-ahead log into the file within `limit`. Call before the writer's connection, the
/// last one, is closed. The rest stays in the log for the next start.
pub(crate) fn checkpoint_before_close(connection: &Connection, limit: Duration) {
    let (done, ending) = sync_channel::<()>(1);
    let interrupt = connection.get_interrupt_handle();
    let timer = std::thread::Builder::new().name("ledger-close".to_owned()).spawn(move || {
        let mut wait = limit;
        while ending.recv_timeout(wait).is_err_and(|error| error == RecvTimeoutError::Timeout) {
            interrupt.interrupt();
            wait = INTERRUPT_EVERY;
        }
    });
    let is_moved = timer.is_ok() && run_checkpoint(connection);
    drop(done);
    if let Ok(timer) = timer
        && timer.join().is_err()
    {
        tracing::error!("the time limit of the last checkpoint was lost");
    }
    let leave = || connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    if !is_moved && let Err(error) = leave() {
        tracing::warn!(%error, "closing the ledger may take long");
    }
}

/// Runs one checkpoint; true if the log is empty then.
fn run_checkpoint(connection: &Connection) -> bool {
    let mut pages = (0, 0);
    let outcome = connection.pragma(None, "wal_checkpoint", "PASSIVE", |row| {
        pages = (row.get(1)?, row.get(2)?);
        Ok(())
    });
    let (logged, moved): (i64, i64) = pages;
    if outcome.as_ref().is_err_and(is_interrupted) {
        return false;
    }
    if let Err(error) = &outcome {
        tracing::warn!(%error, "the ledger's write-ahead log could not be checkpointed");
    } else if logged >= WAL_PAGES_LONG && moved < logged {
        tracing::warn!(
            pages = logged,
            "another program has been reading the ledger for a long time, so its write-ahead log keeps \
             growing; close that program"
        );
    }
    outcome.is_ok() && moved == logged
}

fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Waits that were given up: a reader that stays makes each one last for good.
    static WAITS_GIVEN_UP: AtomicUsize = AtomicUsize::new(0);

    /// Milliseconds. A checkpoint that reads the log's header while it changes holds the lock of
    /// writers for a moment, which is no wait for a reader.
    const WAIT_MAX: i32 = 5_000;

    /// R2: a checkpoint that waits for readers costs 85 % of the throughput while one is open.
    #[test]
    fn a_long_reader_holds_up_no_commit_and_no_checkpoint() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.sqlite");
        let writer = database(&path);
        let reader = Connection::open(&path).expect("a connection");
        reader.execute_batch("BEGIN; SELECT count(*) FROM t").expect("a reader that stays");
        let wait = |waited: i32| {
            std::thread::park_timeout(Duration::from_millis(1));
            let goes_on = waited < WAIT_MAX;
            WAITS_GIVEN_UP.fetch_add(usize::from(!goes_on), Ordering::Relaxed);
            goes_on
        };
        writer.busy_handler(Some(wait)).expect("set");
        let mut checkpoints = Checkpointer::start(&writer).expect("a thread");
        let rows = 3 * RECORDS_PER_OWN_CHECKPOINT;
        for _ in 0..rows {
            writer.execute("INSERT INTO t VALUES (1)", []).expect("written");
            checkpoints.after_commit(&writer, 1);
        }
        assert_eq!(WAITS_GIVEN_UP.load(Ordering::Relaxed), 0, "nothing waited for the reader");
        let grown = size(&path);
        reader.execute_batch("COMMIT").expect("the reader goes");
        for _ in 0..2 * RECORDS_PER_OWN_CHECKPOINT {
            writer.execute("INSERT INTO t VALUES (1)", []).expect("written");
            checkpoints.after_commit(&writer, 1);
        }
        assert!(size(&path) < grown / 2, "the log shrinks once the reader is gone");
    }

    #[test]
    fn a_ledger_that_closes_in_time_leaves_no_log_and_a_slow_one_leaves_what_it_did_not_move() {
        let folder = tempfile::tempdir().expect("a folder");
        for limit in [Duration::from_secs(60), Duration::ZERO] {
            let path = folder.path().join(format!("{}.sqlite", limit.as_secs()));
            let writer = database(&path);
            for number in 0..20_000 {
                writer.execute("INSERT INTO t VALUES (?1)", [number]).expect("written");
            }
            checkpoint_before_close(&writer, limit);
            drop(writer);
            // SQLite removes the log unless the limit is reached.
            assert!(limit.is_zero() || !sqlite_file::wal_path(&path).exists());
            let again = Connection::open(&path).expect("opened");
            let count: i64 =
                again.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("a count");
            assert_eq!(count, 20_000, "limit {limit:?}");
        }
    }

    fn size(path: &std::path::Path) -> u64 {
        std::fs::metadata(sqlite_file::wal_path(path)).expect("a log").len()
    }

    fn database(path: &std::path::Path) -> Connection {
        let writer = Connection::open(path).expect("a file");
        writer
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0;
                 PRAGMA journal_size_limit = 1000000; CREATE TABLE t (x)",
            )
            .expect("a table");
        writer
    }

    #[test]
    fn the_log_of_changes_starts_anew_though_writing_never_pauses() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.sqlite");
        let writer = database(&path);
        let mut checkpoints = Checkpointer::start(&writer).expect("a thread");
        let mut write = |times: usize| {
            for _ in 0..times {
                writer.execute("INSERT INTO t VALUES (1)", []).expect("written");
                checkpoints.after_commit(&writer, 1);
            }
            size(&path)
        };
        // One write adds a page with a 24-byte header, sometimes a second page.
        let one_pause =
            u64::try_from(RECORDS_PER_OWN_CHECKPOINT).expect("a number") * (4_096 + 24) * 11 / 10;
        for _ in 0..4 {
            let bytes = write(RECORDS_PER_OWN_CHECKPOINT);
            assert!(bytes <= one_pause, "{bytes} bytes, more than the {one_pause} of one pause");
        }
    }
}
