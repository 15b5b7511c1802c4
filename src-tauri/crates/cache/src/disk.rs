//! The disk tier: an SQLite file beside the ledger, with a size limit and LRU eviction.
//!
//! One thread writes; only a purge or a flush waits for it. Reads use tokio's blocking threads, and
//! only for addresses known to be in the file. File errors never reach a caller: an unreadable row
//! is removed, a damaged file is moved aside and replaced, and an unusable file is retried every
//! [`RETRY`].

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::Clock;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::{Semaphore, oneshot};

use crate::purge::PurgeRules;
use crate::stored_entry::StoredEntry;
use crate::{CacheKey, DiskConfig, EntryAddress, Purge};

mod file;

mod writer;

/// Most queued writes. Further ones are dropped.
const QUEUE_JOBS_MAX: usize = 256;

/// Most bytes of queued answers.
const QUEUE_BYTES_MAX: usize = 32 * 1_024 * 1_024;

const USES_MAX: usize = 4_096;

const READERS_MAX: usize = 4;

/// Interval of retries for an unusable file.
pub(crate) const RETRY: Duration = Duration::from_secs(5);

enum DiskJob {
    Put(Box<QueuedEntry>),
    Remove(EntryAddress),
    /// Sends true if the purge was done.
    Purge(Purge, oneshot::Sender<bool>),
    /// Sends when all earlier jobs are done.
    Flush(oneshot::Sender<()>),
    /// A reader has found the file damaged.
    Damaged,
}

struct QueuedEntry {
    key: CacheKey,
    kept: StoredEntry,
}

/// State shared by the writer and the readers.
struct DiskState {
    path: PathBuf,
    bytes_max: u64,
    rules: Arc<PurgeRules>,
    clock: Arc<dyn Clock>,
    is_open: AtomicBool,
    /// The first eight bytes of every stored address.
    known: Mutex<HashSet<u64>>,
    /// Entries used since the last write.
    used: Mutex<HashSet<EntryAddress>>,
    /// Rows up to this number were written by an earlier process.
    boundary: AtomicI64,
    bytes: AtomicU64,
    queued_bytes: AtomicUsize,
    readers: Mutex<Vec<Connection>>,
    /// Increases when the file is replaced, so that readers of the old one are not reused.
    file_number: AtomicU64,
}

pub(crate) struct DiskTier {
    state: Arc<DiskState>,
    /// `None` once closed.
    jobs: Mutex<Option<SyncSender<DiskJob>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    permits: Semaphore,
}

pub(crate) enum DiskLookup {
    Hit(StoredEntry),
    Miss,
    /// An unreadable row, which is removed.
    Damaged,
}

impl DiskTier {
    /// Opens the file in the writer's thread, so that a start never waits for it.
    pub(crate) fn open(config: &DiskConfig, rules: Arc<PurgeRules>, clock: Arc<dyn Clock>) -> Self {
        let state = Arc::new(DiskState {
            path: config.path.clone(),
            bytes_max: config.bytes_max,
            rules,
            clock,
            is_open: AtomicBool::new(false),
            known: Mutex::default(),
            used: Mutex::default(),
            boundary: AtomicI64::new(i64::MAX),
            bytes: AtomicU64::new(0),
            queued_bytes: AtomicUsize::new(0),
            readers: Mutex::default(),
            file_number: AtomicU64::new(0),
        });
        let (jobs, queue) = sync_channel(QUEUE_JOBS_MAX);
        let writing = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("cache-disk".to_owned());
        let writer = thread.spawn(move || writer::run(&writing, &queue));
        if let Err(error) = &writer {
            tracing::error!(%error, "the cache's writer thread could not be started");
        }
        let (jobs, writer) = (Mutex::new(Some(jobs)), Mutex::new(writer.ok()));
        Self { state, jobs, writer, permits: Semaphore::new(READERS_MAX) }
    }

    /// Reads an answer with a body of at most `bytes_max` bytes.
    pub(crate) async fn get(&self, key: CacheKey, bytes_max: usize) -> DiskLookup {
        let address = key.address();
        if !self.state.known.lock().contains(&address_prefix(address)) {
            return DiskLookup::Miss;
        }
        let Ok(_permit) = self.permits.acquire().await else { return DiskLookup::Miss };
        let state = Arc::clone(&self.state);
        let read = tokio::task::spawn_blocking(move || state.read(&key, bytes_max));
        let found = match read.await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                if file::is_damage(&error) {
                    self.try_offer(DiskJob::Damaged);
                }
                tracing::warn!(%error, "the cache file could not be read");
                DiskLookup::Miss
            }
            Err(_) => DiskLookup::Miss,
        };
        match &found {
            DiskLookup::Hit(_) => self.record_use(address),
            DiskLookup::Damaged => self.try_offer(DiskJob::Remove(address)),
            DiskLookup::Miss => {}
        }
        found
    }

    /// Records a use of an answer, from any tier.
    pub(crate) fn record_use(&self, address: EntryAddress) {
        let mut used = self.state.used.lock();
        if used.len() < USES_MAX {
            used.insert(address);
        }
    }

    /// Queues an answer for writing; drops it if the queue is full.
    pub(crate) fn put(&self, key: CacheKey, kept: StoredEntry) {
        let weight = kept.entry.weight();
        let queued = self.state.queued_bytes.fetch_add(weight, Ordering::Relaxed);
        if queued.saturating_add(weight) > QUEUE_BYTES_MAX
            || !self.try_send(DiskJob::Put(Box::new(QueuedEntry { key, kept })))
        {
            self.state.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
        }
    }

    /// Removes purged answers; false on failure.
    pub(crate) async fn purge(&self, purge: Purge) -> bool {
        let (done, answer) = oneshot::channel();
        self.send(DiskJob::Purge(purge, done)).await;
        answer.await.unwrap_or(false)
    }

    /// Every model in the file, each once.
    pub(crate) async fn models(&self) -> Vec<String> {
        self.flush().await;
        let state = Arc::clone(&self.state);
        let read = tokio::task::spawn_blocking(move || -> rusqlite::Result<Vec<String>> {
            let connection = file::open_reader(&state.path)?;
            let sql = "SELECT model FROM entries UNION SELECT model_asked FROM entries";
            connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
        });
        match read.await {
            Ok(Ok(models)) => models,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the models in the cache file could not be read");
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    /// Waits until all queued jobs are done.
    pub(crate) async fn flush(&self) {
        let (done, answer) = oneshot::channel();
        self.send(DiskJob::Flush(done)).await;
        // A stopped writer has nothing to write.
        let _gone = answer.await;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state.is_open.load(Ordering::Relaxed)
    }

    /// Number of entries, their bytes, and the size limit.
    pub(crate) fn size(&self) -> (u64, u64, u64) {
        let entries = u64::try_from(self.state.known.lock().len()).unwrap_or(u64::MAX);
        (entries, self.state.bytes.load(Ordering::Relaxed), self.state.bytes_max)
    }

    /// Writes the queue, then stops. The file is free for another cache afterwards.
    pub(crate) fn close(&self) {
        // The writer finishes the queue and then ends.
        drop(self.jobs.lock().take());
        let writer = self.writer.lock().take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the cache's writer thread panicked; please report this");
        }
    }

    fn try_offer(&self, job: DiskJob) {
        self.try_send(job);
    }

    fn try_send(&self, job: DiskJob) -> bool {
        self.jobs.lock().as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok())
    }

    /// Waits for space in the queue.
    async fn send(&self, job: DiskJob) {
        let Some(jobs) = self.jobs.lock().clone() else { return };
        // If the writer has stopped, the job's sender is dropped, which ends the caller's wait.
        let _sent = tokio::task::spawn_blocking(move || jobs.send(job).is_ok()).await;
    }
}

impl Drop for DiskTier {
    fn drop(&mut self) {
        self.close();
    }
}

impl DiskState {
    fn read(&self, key: &CacheKey, bytes_max: usize) -> rusqlite::Result<DiskLookup> {
        let address = key.address();
        let file_number = self.file_number.load(Ordering::Acquire);
        let idle = self.readers.lock().pop();
        let connection = idle.map_or_else(|| file::open_reader(&self.path), Ok)?;
        let row = connection
            .prepare_cached("SELECT number, sealed FROM entries WHERE address = ?1")?
            .query_row([address.bytes().as_slice()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .optional()?;
        if self.file_number.load(Ordering::Acquire) == file_number {
            self.readers.lock().push(connection);
        }
        let Some((number, sealed)) = row else { return Ok(DiskLookup::Miss) };
        let Some(mut kept) = crate::stored_entry::unseal(key, &sealed, bytes_max) else {
            return Ok(DiskLookup::Damaged);
        };
        if number <= self.boundary.load(Ordering::Acquire) {
            kept.generation = 0;
        }
        Ok(DiskLookup::Hit(kept))
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// The first bytes of an address, which serve as a hash of it.
fn address_prefix(address: EntryAddress) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *address.bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
