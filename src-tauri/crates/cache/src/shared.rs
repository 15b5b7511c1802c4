//! The shared tier: a Redis or Valkey server for several machines. Disabled unless configured.
//!
//! It never fails a request: every call has [`TIMEOUT`], and a lost or slow server is skipped and
//! retried with an increasing delay ([`Line`]). [`SharedTier::run_background`] writes answers in the background.
//! Values are sealed, so the server's other users can read only the answers to questions that they
//! know word for word.
//!
//! Purges are marks on the server ([`PurgeMarks`]), not deletions: all machines see them at once, and
//! answers in flight are covered too. While this process has a purge that the server has not
//! accepted yet, it reads nothing there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::{Clock, WallTime};
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use crate::mark_time::MarkTime;
use crate::stored_entry::{StoredEntry, seal, unseal};
use crate::{CacheKey, EntryAddress, Purge, SharedConfig};

use self::connection::SharedConnection;
use self::purge_marks::PurgeMarks;

mod connection;
mod purge_marks;

/// Longest wait of a request for the server.
const TIMEOUT: Duration = Duration::from_millis(50);

/// Most queued answers. Further ones are dropped.
const QUEUE_JOBS_MAX: usize = 256;

/// Most bytes of queued answers.
const QUEUE_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// Most answers per pipeline.
const BATCH_MAX: usize = 16;

/// Most pending purges. More become one purge of everything.
const PURGES_WAITING_MAX: usize = 64;

/// Prefix of every name on the server. Its number is the format of the values.
const PREFIX: &str = "gatehouse:cache:1";

pub(crate) struct SharedTier {
    connection: SharedConnection,
    clock: Arc<dyn Clock>,
    queue: mpsc::Sender<(CacheKey, StoredEntry)>,
    /// Taken by the running [`SharedTier::run_background`].
    waiting: Mutex<Option<mpsc::Receiver<(CacheKey, StoredEntry)>>>,
    queued_bytes: AtomicUsize,
    /// Purges that the server has not accepted yet.
    purges: Mutex<Vec<Purge>>,
    /// Notified when the server did not accept a purge.
    purge_unsent: Notify,
    /// True if the server has an epoch.
    has_epoch: AtomicBool,
}

/// The sealed value at an address, and the marks.
type MarkedValue = (Option<Vec<u8>>, Vec<(String, String)>);

pub(crate) struct SharedLookup {
    /// An answer that no mark covers.
    pub(crate) kept: Option<StoredEntry>,
    /// Time of the lookup by the server's marks; `None` if they could not be read.
    pub(crate) time: Option<MarkTime>,
    pub(crate) is_damaged: bool,
}

impl SharedTier {
    /// Does not connect yet.
    pub(crate) fn new(config: &SharedConfig, clock: Arc<dyn Clock>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_JOBS_MAX);
        Self {
            connection: SharedConnection::new(config, Arc::clone(&clock)),
            clock,
            queue,
            waiting: Mutex::new(Some(waiting)),
            queued_bytes: AtomicUsize::new(0),
            purges: Mutex::default(),
            purge_unsent: Notify::new(),
            has_epoch: AtomicBool::new(false),
        }
    }

    /// Reads an answer with a body of at most `bytes_max` bytes.
    pub(crate) async fn get(&self, key: &CacheKey, bytes_max: usize) -> SharedLookup {
        let nothing = SharedLookup { kept: None, time: None, is_damaged: false };
        if !self.purges.lock().is_empty() {
            return nothing;
        }
        let address = key.address();
        let Some((sealed, marks)) = self.read(address).await else { return nothing };
        let Some(marks) = PurgeMarks::read(&marks) else { return nothing };
        let time = Some(marks.time());
        let Some(sealed) = sealed else { return SharedLookup { time, ..nothing } };
        let Some(kept) = unseal(key, &sealed, bytes_max) else {
            self.remove(address).await;
            return SharedLookup { time, is_damaged: true, ..nothing };
        };
        let kept = Some(kept).filter(|kept| !marks.covers(address, kept));
        SharedLookup { kept, time, is_damaged: false }
    }

    /// Queues an answer for [`Self::run_background`]; drops it if the queue is full.
    pub(crate) fn put(&self, key: CacheKey, kept: StoredEntry) {
        // Without marks at the time of its request the answer might be stale already.
        if kept.shared.is_none() {
            return;
        }
        let weight = kept.entry.weight();
        let queued = self.queued_bytes.fetch_add(weight, Ordering::Relaxed);
        if queued.saturating_add(weight) > QUEUE_BYTES_MAX
            || self.queue.try_send((key, kept)).is_err()
        {
            self.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
        }
    }

    /// Stops reads until the server has the purge. Call it before the local purge.
    pub(crate) fn add_pending_purge(&self, purge: Purge) {
        let mut purges = self.purges.lock();
        purges.push(purge);
        if purges.len() > PURGES_WAITING_MAX {
            *purges = vec![Purge::All];
        }
    }

    /// Sends all pending purges to the server; false if one could not be sent.
    pub(crate) async fn send_purges(&self) -> bool {
        loop {
            let Some(purge) = self.purges.lock().first().cloned() else { return true };
            if !self.write_mark(&purge).await {
                self.purge_unsent.notify_one();
                return false;
            }
            // Another caller may have sent it too; a repeated mark is harmless.
            let mut purges = self.purges.lock();
            if let Some(place) = purges.iter().position(|known| *known == purge) {
                purges.remove(place);
            }
        }
    }

    /// Writes queued answers and retries pending purges, for ever.
    pub(crate) async fn run_background(&self) {
        let Some(mut waiting) = self.waiting.lock().take() else { return };
        loop {
            while !self.send_purges().await {
                tokio::time::sleep(self.connection.retry_in().max(TIMEOUT)).await;
            }
            let first = tokio::select! {
                first = waiting.recv() => first,
                () = self.purge_unsent.notified() => continue,
            };
            let Some(first) = first else { return };
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && let Ok(next) = waiting.try_recv()
            {
                batch.push(next);
            }
            self.store(batch).await;
        }
    }

    /// True if the server answered last time and has all purges.
    pub(crate) fn is_open(&self) -> bool {
        self.connection.is_open() && self.purges.lock().is_empty()
    }

    async fn read(&self, address: EntryAddress) -> Option<MarkedValue> {
        let mut ask = redis::pipe();
        if !self.has_epoch.load(Ordering::Relaxed) {
            // The first reader, also after the server has lost its marks, starts a new epoch.
            let epoch = purge_marks::new_epoch(self.clock.wall(), address);
            ask.cmd("HSETNX").arg(marks_name()).arg(purge_marks::EPOCH).arg(epoch).ignore();
        }
        ask.cmd("GET").arg(value_name(address));
        ask.cmd("HGETALL").arg(marks_name());
        let answer: Option<MarkedValue> = self.connection.send_pipeline(&ask).await;
        let has_marks = answer.as_ref().is_some_and(|(_, marks)| !marks.is_empty());
        self.has_epoch.store(has_marks, Ordering::Relaxed);
        answer
    }

    async fn remove(&self, address: EntryAddress) {
        let mut ask = redis::pipe();
        ask.cmd("DEL").arg(value_name(address)).ignore();
        // If it stays, it is found damaged again.
        let _removed: Option<()> = self.connection.send_pipeline(&ask).await;
    }

    /// Increases the purge count, then stores it in the mark of the purged subject. A request
    /// between the two started after the purge and is correctly not covered.
    async fn write_mark(&self, purge: &Purge) -> bool {
        let mut count = redis::pipe();
        count.cmd("HINCRBY").arg(marks_name()).arg(purge_marks::COUNT).arg(1);
        let Some((number,)) = self.connection.send_pipeline::<(u64,)>(&count).await else {
            return false;
        };
        let mut note = redis::pipe();
        note.cmd("HSET").arg(marks_name()).arg(purge_marks::mark_field(purge)).arg(number).ignore();
        note.cmd("HLEN").arg(marks_name());
        let Some((marks,)) = self.connection.send_pipeline::<(usize,)>(&note).await else {
            return false;
        };
        marks <= crate::PURGE_RULES_MAX || self.merge_marks(number).await
    }

    /// Merges too many marks into one that covers everything.
    async fn merge_marks(&self, number: u64) -> bool {
        let mut read = redis::pipe();
        read.cmd("HKEYS").arg(marks_name());
        let Some((fields,)) = self.connection.send_pipeline::<(Vec<String>,)>(&read).await else {
            return false;
        };
        let mut merge = redis::pipe();
        let all = purge_marks::mark_field(&Purge::All);
        merge.atomic().cmd("HSET").arg(marks_name()).arg(all).arg(number).ignore();
        for field in fields.iter().filter(|field| purge_marks::is_single_subject(field)) {
            merge.cmd("HDEL").arg(marks_name()).arg(field).ignore();
        }
        self.connection.send_pipeline::<()>(&merge).await.is_some()
    }

    async fn store(&self, batch: Vec<(CacheKey, StoredEntry)>) {
        let weight: usize = batch.iter().map(|(_, kept)| kept.entry.weight()).sum();
        self.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
        let now = self.clock.wall();
        let sealed = tokio::task::spawn_blocking(move || seal_batch(&batch, now)).await;
        let mut ask = redis::pipe();
        for (address, left_ms, sealed) in sealed.unwrap_or_default() {
            ask.cmd("SET").arg(value_name(address)).arg(sealed).arg("PX").arg(left_ms).ignore();
        }
        if !ask.is_empty() {
            // Refused answers are dropped: the other tiers have them.
            let _stored: Option<()> = self.connection.send_pipeline(&ask).await;
        }
    }
}

fn seal_batch(
    batch: &[(CacheKey, StoredEntry)],
    now: WallTime,
) -> Vec<(EntryAddress, u64, Vec<u8>)> {
    let seal_one = |(key, kept): &(CacheKey, StoredEntry)| {
        let left_ms = u64::try_from(kept.remaining_ttl(now)?.as_millis()).ok()?;
        Some((key.address(), left_ms, seal(key, kept)?))
    };
    batch.iter().filter_map(seal_one).collect()
}

fn value_name(address: EntryAddress) -> String {
    format!("{PREFIX}:answer:{address}")
}

fn marks_name() -> String {
    format!("{PREFIX}:purges")
}
