//! The writer thread: takes queued jobs, commits them together, answers the waiters.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use domain::{Moment, WallTime};
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::file::CacheFileError;
use super::{DiskJob, DiskState, QueuedEntry, RETRY, address_prefix, file};
use crate::stored_entry::seal;
use crate::{EntryAddress, Purge};

/// Most jobs per transaction.
const BATCH_JOBS_MAX: usize = 64;

/// Rows evicted per step.
const EVICTED_AT_ONCE: i64 = 64;

/// Runs until the queue is closed.
pub(super) fn run(state: &Arc<DiskState>, queue: &Receiver<DiskJob>) {
    let mut writer = DiskWriter { state, connection: None, tried: state.clock.now() };
    writer.open();
    loop {
        let first = match queue.recv_timeout(RETRY) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                writer.retry_open();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let mut batch = vec![first];
        batch.extend(queue.try_iter().take(BATCH_JOBS_MAX - 1));
        writer.retry_open();
        writer.run_batch(batch);
    }
    // The last uses decide the eviction order after a restart.
    writer.run_batch(Vec::new());
    writer.close();
}

struct DiskWriter<'c> {
    state: &'c DiskState,
    connection: Option<Connection>,
    /// Time of the last attempt to open the file.
    tried: Moment,
}

/// A waiter to notify after the transaction.
enum DiskWaiter {
    Purged(Purge, oneshot::Sender<bool>),
    Flushed(oneshot::Sender<()>),
}

impl DiskWriter<'_> {
    /// Retries to open an unusable file every [`RETRY`].
    fn retry_open(&mut self) {
        let since = self.state.clock.now().since(self.tried);
        if self.connection.is_none() && since >= RETRY {
            self.open();
        }
    }

    fn open(&mut self) {
        self.tried = self.state.clock.now();
        let opened = match self.open_existing() {
            Err(error) if error.is_damage() => {
                tracing::warn!(%error, "the cache file is damaged; starting a new one");
                let moved = file::move_aside(self.state.path()).map_err(CacheFileError::from);
                moved.and_then(|()| self.open_existing())
            }
            other => other,
        };
        match opened {
            Ok(connection) => {
                self.connection = Some(connection);
                self.state.is_open.store(true, Ordering::Relaxed);
            }
            Err(error) => {
                let reason: &dyn std::error::Error = &error;
                let cause = reason.source().map(ToString::to_string);
                tracing::warn!(%error, cause, "the cache continues in memory only");
                self.close();
            }
        }
    }

    fn open_existing(&self) -> Result<Connection, CacheFileError> {
        let connection = file::open(self.state.path())?;
        self.load_index(&connection)?;
        Ok(connection)
    }

    /// Loads addresses and size of the file's entries, and deletes expired ones.
    fn load_index(&self, connection: &Connection) -> rusqlite::Result<()> {
        let state = self.state;
        let now = state.clock.wall().unix_ms();
        connection.execute("DELETE FROM entries WHERE expires <= ?1", [now])?;
        let mut known = std::collections::HashSet::new();
        let mut statement = connection.prepare("SELECT address FROM entries")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(0)?.as_blob().unwrap_or_default().first_chunk::<8>();
            known.extend(bytes.map(|bytes| u64::from_le_bytes(*bytes)));
        }
        let bytes = "SELECT coalesce(sum(bytes), 0) FROM entries";
        let bytes: i64 = connection.query_row(bytes, [], |row| row.get(0))?;
        let last = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence";
        let last: i64 = connection.query_row(last, [], |row| row.get(0))?;
        state.bytes.store(bytes.unsigned_abs(), Ordering::Relaxed);
        // Only for the first open in this process, or a new file: rows written by this process stay
        // its own when it opens the same file again.
        if last == 0 || state.boundary.load(Ordering::Acquire) == i64::MAX {
            state.boundary.store(last, Ordering::Release);
        }
        *state.known.lock() = known;
        Ok(())
    }

    fn close(&mut self) {
        self.connection = None;
        let state = self.state;
        state.is_open.store(false, Ordering::Relaxed);
        state.known.lock().clear();
        state.bytes.store(0, Ordering::Relaxed);
        state.file_number.fetch_add(1, Ordering::AcqRel);
        state.readers.lock().clear();
    }

    fn run_batch(&mut self, batch: Vec<DiskJob>) {
        let mut waiting = Vec::new();
        let mut changes = Vec::new();
        let mut is_damaged = false;
        for job in batch {
            match job {
                DiskJob::Put(put) => {
                    let weight = put.kept.entry.weight();
                    self.state.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
                    changes.push(FileChange::Put(put));
                }
                DiskJob::Remove(address) => changes.push(FileChange::Remove(address)),
                DiskJob::Purge(purge, done) => {
                    changes.push(FileChange::Purge(purge.clone()));
                    waiting.push(DiskWaiter::Purged(purge, done));
                }
                DiskJob::Flush(done) => waiting.push(DiskWaiter::Flushed(done)),
                DiskJob::Damaged => is_damaged = true,
            }
        }
        if is_damaged {
            self.start_new_file();
        }
        let is_done = self.commit(&changes);
        for waiting in waiting {
            match waiting {
                DiskWaiter::Purged(purge, done) => {
                    // The caller may be gone.
                    let _heard = done.send(is_done || self.purge_without_file(&purge));
                }
                DiskWaiter::Flushed(done) => {
                    let _heard = done.send(());
                }
            }
        }
    }

    /// Replaces a damaged file with a new one.
    fn start_new_file(&mut self) {
        self.close();
        if let Err(error) = file::move_aside(self.state.path()) {
            tracing::warn!(%error, "the damaged cache file could not be moved aside");
        }
        self.open();
    }

    /// Makes all changes in one transaction; false on failure.
    fn commit(&mut self, changes: &[FileChange]) -> bool {
        let Some(connection) = &self.connection else { return false };
        match self.apply_changes(connection, changes) {
            Ok(()) => true,
            Err(error) if file::is_damage(&error) => {
                tracing::warn!(%error, "the cache file is damaged; starting a new one");
                self.start_new_file();
                // The new file has nothing to purge.
                self.connection.is_some()
            }
            Err(error) => {
                tracing::warn!(%error, "the cache file could not be written");
                self.close();
                false
            }
        }
    }

    fn apply_changes(
        &self,
        connection: &Connection,
        changes: &[FileChange],
    ) -> rusqlite::Result<()> {
        let state = self.state;
        let now = state.clock.wall();
        let transaction = connection.unchecked_transaction()?;
        let used = std::mem::take(&mut *state.used.lock());
        let mut note = connection
            .prepare_cached("UPDATE entries SET used = ?2 WHERE address = ?1 AND used < ?2")?;
        for address in used {
            note.execute(params![address.bytes().as_slice(), now.unix_ms()])?;
        }
        for change in changes {
            match change {
                FileChange::Put(put) => self.put(connection, put, now)?,
                FileChange::Remove(address) => self.remove(connection, *address)?,
                FileChange::Purge(purge) => self.purge(connection, purge)?,
            }
        }
        transaction.commit()?;
        let is_purged = changes.iter().any(|change| matches!(change, FileChange::Purge(_)));
        if is_purged {
            // Purged data must leave the disk, not only the tables.
            connection.execute_batch("PRAGMA incremental_vacuum")?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    fn put(
        &self,
        connection: &Connection,
        put: &QueuedEntry,
        now: WallTime,
    ) -> rusqlite::Result<()> {
        let state = self.state;
        let QueuedEntry { key, kept } = put;
        let address = key.address();
        if kept.is_stale(address, &state.rules) || kept.remaining_ttl(now).is_none() {
            return Ok(());
        }
        let Some(sealed) = seal(key, kept) else { return Ok(()) };
        let bytes = u64::try_from(sealed.len()).unwrap_or(u64::MAX);
        if bytes > state.bytes_max {
            return Ok(());
        }
        self.remove(connection, address)?;
        self.make_room(connection, bytes, now)?;
        let tags = &kept.tags;
        connection
            .prepare_cached(
                "INSERT INTO entries (address, asked, expires, used, bytes, backend, model_asked, \
                 model, client, route, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                address.bytes().as_slice(),
                kept.requested_at.unix_ms(),
                kept.expires.unix_ms(),
                now.unix_ms(),
                i64::try_from(bytes).unwrap_or(i64::MAX),
                tags.backend.as_str(),
                tags.model_asked,
                tags.model,
                tags.client.as_str(),
                tags.route,
                sealed,
            ])?;
        state.bytes.fetch_add(bytes, Ordering::Relaxed);
        state.known.lock().insert(address_prefix(address));
        Ok(())
    }

    fn remove(&self, connection: &Connection, address: EntryAddress) -> rusqlite::Result<()> {
        self.delete(connection, "address = ?1", &[&address.bytes().as_slice()])
    }

    fn purge(&self, connection: &Connection, purge: &Purge) -> rusqlite::Result<()> {
        match purge {
            Purge::All => self.delete(connection, "true", &[]),
            Purge::Entry(address) => self.remove(connection, *address),
            Purge::Backend(backend) => {
                self.delete(connection, "backend = ?1", &[&backend.as_str()])
            }
            Purge::Model(model) => {
                self.delete(connection, "model = ?1 OR model_asked = ?1", &[model])
            }
            Purge::Client(client) => self.delete(connection, "client = ?1", &[&client.as_str()]),
            Purge::Route(route) => self.delete(connection, "route = ?1", &[route]),
            Purge::OlderThan(time) => self.delete(connection, "asked < ?1", &[&time.unix_ms()]),
        }
    }

    /// Deletes the rows that match `condition`, which must be a literal.
    fn delete(
        &self,
        connection: &Connection,
        condition: &'static str,
        values: &[&dyn rusqlite::ToSql],
    ) -> rusqlite::Result<()> {
        let sql = format!("DELETE FROM entries WHERE {condition} RETURNING address, bytes");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(values)?;
        let (mut bytes, mut gone) = (0_u64, Vec::new());
        while let Some(row) = rows.next()? {
            gone.extend(row.get_ref(0)?.as_blob().unwrap_or_default().first_chunk::<8>().copied());
            bytes = bytes.saturating_add(row.get::<_, i64>(1)?.unsigned_abs());
        }
        let mut known = self.state.known.lock();
        for address in gone {
            known.remove(&u64::from_le_bytes(address));
        }
        let before = self.state.bytes.load(Ordering::Relaxed);
        self.state.bytes.store(before.saturating_sub(bytes), Ordering::Relaxed);
        Ok(())
    }

    /// Deletes expired entries, then the least recently used ones, until `bytes` more fit.
    fn make_room(
        &self,
        connection: &Connection,
        bytes: u64,
        now: WallTime,
    ) -> rusqlite::Result<()> {
        let most = self.state.bytes_max.saturating_sub(bytes);
        let is_over = || self.state.bytes.load(Ordering::Relaxed) > most;
        if !is_over() {
            return Ok(());
        }
        self.delete(connection, "expires <= ?1", &[&now.unix_ms()])?;
        while is_over() {
            let before = self.state.bytes.load(Ordering::Relaxed);
            let oldest = "number IN (SELECT number FROM entries ORDER BY used, number LIMIT ?1)";
            self.delete(connection, oldest, &[&EVICTED_AT_ONCE.min(self.eviction_batch_max())])?;
            if self.state.bytes.load(Ordering::Relaxed) == before {
                break;
            }
        }
        Ok(())
    }

    /// One percent of the rows, so that a full cache of few large answers does not lose many at
    /// once.
    fn eviction_batch_max(&self) -> i64 {
        let rows = self.state.known.lock().len() / 100;
        i64::try_from(rows).unwrap_or(i64::MAX).max(1)
    }

    /// Deletes an unusable file, so that no later process reads purged answers from it.
    fn purge_without_file(&mut self, purge: &Purge) -> bool {
        self.close();
        let removed = file::remove(self.state.path());
        if let Err(error) = &removed {
            tracing::error!(%error, ?purge, "the cache file could not be purged or removed");
        }
        self.open();
        removed.is_ok()
    }
}

enum FileChange {
    Put(Box<QueuedEntry>),
    Remove(EntryAddress),
    Purge(Purge),
}
