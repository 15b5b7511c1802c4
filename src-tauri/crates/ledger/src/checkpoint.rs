//! Moving committed pages from the log of changes into the main file, beside the writer.
//!
//! A checkpoint flushes the disk, which takes milliseconds and on a busy disk far more. On the
//! writer's thread every request that ends in that time would wait for it. On its own connection it
//! holds up nobody; only when writing never pauses does the writer do one itself, since the log
//! starts anew only after a checkpoint with no commit behind it. One at a time: SQLite lets a second
//! one return at once with nothing done.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

/// After so many writes a checkpoint is asked for: some ten megabytes of log.
const JOBS_PER_CHECKPOINT: usize = 500;

/// After so many writes without one of its own the writer makes one: some hundred megabytes.
const JOBS_PER_PAUSE: usize = 10 * JOBS_PER_CHECKPOINT;

/// The thread that makes checkpoints, and when to ask it.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    asking: Option<(SyncSender<()>, JoinHandle<()>)>,
    one_at_a_time: Arc<Mutex<()>>,
    since_asked: usize,
    since_pause: usize,
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
                checkpoint(&connection, "PASSIVE");
            }),
            Err(error) => tracing::warn!(%error, "checkpoints are left to the ledger's writer"),
        })?;
        let asking = Some((sender, thread));
        Ok(Self { asking, one_at_a_time, since_asked: 0, since_pause: 0 })
    }

    /// To be called after `jobs` were committed and answered.
    pub(crate) fn committed(&mut self, writer: &Connection, jobs: usize) {
        self.since_asked += jobs;
        self.since_pause += jobs;
        if self.since_pause >= JOBS_PER_PAUSE {
            (self.since_asked, self.since_pause) = (0, 0);
            let _turn = self.one_at_a_time.lock();
            // Waits for readers, of which each holds the log for milliseconds.
            checkpoint(writer, "RESTART");
        } else if self.since_asked >= JOBS_PER_CHECKPOINT {
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

fn checkpoint(connection: &Connection, mode: &'static str) {
    let outcome = connection.pragma(None, "wal_checkpoint", mode, |_| Ok(()));
    if let Err(error) = outcome {
        tracing::warn!(%error, "the ledger's log of changes could not be moved into its file");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_of_changes_starts_anew_though_writing_never_pauses() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.sqlite");
        let writer = Connection::open(&path).expect("a file");
        writer
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x)",
            )
            .expect("a table");
        let mut checkpoints = Checkpoints::start(&writer).expect("a thread");
        let log = folder.path().join("a.sqlite-wal");
        let mut write = |times: usize| {
            for _ in 0..times {
                writer.execute("INSERT INTO t VALUES (1)", []).expect("written");
                checkpoints.committed(&writer, 1);
            }
            std::fs::metadata(&log).expect("a log").len()
        };
        // A write of one page is a page and its header of 24 bytes; now and then a second page.
        let one_pause = u64::try_from(JOBS_PER_PAUSE).expect("a number") * (4_096 + 24) * 11 / 10;
        for _ in 0..4 {
            let bytes = write(JOBS_PER_PAUSE);
            assert!(bytes <= one_pause, "{bytes} bytes, more than the {one_pause} of one pause");
        }
    }
}
