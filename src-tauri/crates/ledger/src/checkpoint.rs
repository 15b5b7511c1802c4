//! Moving committed pages from the log of changes into the main file, beside the writer.
//!
//! A checkpoint flushes the disk, which takes milliseconds and on a busy disk far more. On the
//! writer's thread every request that ends in that time would wait for it. On its own connection it
//! holds up nobody; only when writing never pauses does the writer do one itself, since the log
//! starts anew only after a checkpoint with no commit behind it.
//!
//! All of them are PASSIVE: none waits for a reader. A reader that keeps its
//! transaction open (a database browser, a backup) keeps the log from starting anew, and nothing but
//! its end can change that: until then the log grows by some 30 KB a request, which the log file and
//! [`crate::Ledger::size_bytes`] show. Once it has gone, the next checkpoint but one lets the log start
//! anew, and `journal_size_limit` gives back what it had grown to.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

/// After so many records a checkpoint is asked for: some ten megabytes of log.
const RECORDS_PER_CHECKPOINT: usize = 500;

/// After so many records without one of its own the writer makes one: some hundred megabytes.
const RECORDS_PER_OWN_CHECKPOINT: usize = 10 * RECORDS_PER_CHECKPOINT;

/// Size of the log in pages from which a reader that keeps it from starting anew is named in the log:
/// a quarter of a gigabyte.
const WAL_PAGES_LONG: i64 = 65_536;

/// The thread that makes checkpoints, and when to ask it.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    asking: Option<(SyncSender<()>, JoinHandle<()>)>,
    one_at_a_time: Arc<Mutex<()>>,
    since_asked: usize,
    since_own: usize,
}

impl Checkpoints {
    /// For the file of `writer`.
    pub(crate) fn start(writer: &Connection) -> std::io::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let path = writer.path().unwrap_or_default().to_owned();
        let (sender, asked) = sync_channel::<()>(1);
        let builder = std::thread::Builder::new().name("ledger-checkpoint".to_owned());
        let one_at_a_time = Arc::new(Mutex::new(()));
        let turn = Arc::clone(&one_at_a_time);
        let thread = builder.spawn(move || match Connection::open_with_flags(path, flags) {
            Ok(connection) => asked.iter().for_each(|()| {
                let _turn = turn.lock();
                checkpoint(&connection);
            }),
            Err(error) => tracing::warn!(%error, "checkpoints are left to the ledger's writer"),
        })?;
        let asking = Some((sender, thread));
        Ok(Self { asking, one_at_a_time, since_asked: 0, since_own: 0 })
    }

    /// To be called after `records` were committed and answered.
    pub(crate) fn committed(&mut self, writer: &Connection, records: usize) {
        self.since_asked += records;
        self.since_own += records;
        if self.since_own >= RECORDS_PER_OWN_CHECKPOINT {
            (self.since_asked, self.since_own) = (0, 0);
            // SQLite lets a second one return at once with nothing done.
            let _turn = self.one_at_a_time.lock();
            checkpoint(writer);
        } else if self.since_asked >= RECORDS_PER_CHECKPOINT {
            self.since_asked = 0;
            if let Some((sender, _)) = &self.asking {
                // Full means that one is asked for already.
                let _asked_before = sender.try_send(());
            }
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.asking.take() {
            drop(sender);
            let _ended = thread.join();
        }
    }
}

fn checkpoint(connection: &Connection) {
    let mut pages = (0, 0);
    let outcome = connection.pragma(None, "wal_checkpoint", "PASSIVE", |row| {
        pages = (row.get(1)?, row.get(2)?);
        Ok(())
    });
    let (logged, moved): (i64, i64) = pages;
    if let Err(error) = outcome {
        tracing::warn!(%error, "the ledger's log of changes could not be moved into its file");
    } else if logged >= WAL_PAGES_LONG && moved < logged {
        tracing::warn!(
            pages = logged,
            "another program has been reading the ledger for long, so its log of changes grows; close it"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static WAITS: AtomicUsize = AtomicUsize::new(0);

    /// R2: a checkpoint that waits for readers costs 85 % of the throughput while one is open.
    #[test]
    fn a_long_reader_holds_up_no_commit_and_no_checkpoint() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.sqlite");
        let writer = database(&path);
        let reader = Connection::open(&path).expect("a connection");
        reader.execute_batch("BEGIN; SELECT count(*) FROM t").expect("a reader that stays");
        let waits = |_| {
            WAITS.fetch_add(1, Ordering::Relaxed);
            false
        };
        writer.busy_handler(Some(waits)).expect("set");
        let mut checkpoints = Checkpoints::start(&writer).expect("a thread");
        let rows = 3 * RECORDS_PER_OWN_CHECKPOINT;
        for _ in 0..rows {
            writer.execute("INSERT INTO t VALUES (1)", []).expect("written");
            checkpoints.committed(&writer, 1);
        }
        assert_eq!(WAITS.load(Ordering::Relaxed), 0, "nothing waited for the reader");
        let grown = size(&path);
        reader.execute_batch("COMMIT").expect("the reader goes");
        for _ in 0..2 * RECORDS_PER_OWN_CHECKPOINT {
            writer.execute("INSERT INTO t VALUES (1)", []).expect("written");
            checkpoints.committed(&writer, 1);
        }
        assert!(size(&path) < grown / 2, "the log shrinks once the reader is gone");
    }

    fn size(path: &std::path::Path) -> u64 {
        std::fs::metadata(crate::database::wal_path(path)).expect("a log").len()
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
        let mut checkpoints = Checkpoints::start(&writer).expect("a thread");
        let mut write = |times: usize| {
            for _ in 0..times {
                writer.execute("INSERT INTO t VALUES (1)", []).expect("written");
                checkpoints.committed(&writer, 1);
            }
            size(&path)
        };
        // A write of one page is a page and its header of 24 bytes; now and then a second page.
        let one_pause =
            u64::try_from(RECORDS_PER_OWN_CHECKPOINT).expect("a number") * (4_096 + 24) * 11 / 10;
        for _ in 0..4 {
            let bytes = write(RECORDS_PER_OWN_CHECKPOINT);
            assert!(bytes <= one_pause, "{bytes} bytes, more than the {one_pause} of one pause");
        }
    }
}
