//! The third tier: a Redis or Valkey server that several machines use. Off unless one is configured.
//!
//! It never costs anybody an answer: every exchange has [`TIMEOUT`], a server that is lost or slow is
//! passed by and tried again later, longer each time ([`Line`]). Answers are put there by
//! [`Shared::tend`], beside the requests. What lies there is sealed, so the server's other users see
//! answers to those questions only that they know word for word.
//!
//! Purges are marks on the server ([`Marks`]), not deletions: all machines see them at once, and an
//! answer that was under way is covered too. While this process has a purge to report that the server
//! has not taken yet, it reads nothing there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::{Clock, WallTime};
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use crate::kept::{Kept, seal, unseal};
use crate::{Address, Key, Purge, SharedConfig};

use self::line::Line;
use self::marks::Marks;
pub(crate) use self::marks::SharedTime;

mod line;
mod marks;

/// Longest exchange with the server that a request waits for.
const TIMEOUT: Duration = Duration::from_millis(50);

/// Most answers that wait to be put there. More are forgotten: a cache may.
const QUEUE_JOBS_MAX: usize = 256;

/// Most bytes of answers that wait to be put there.
const QUEUE_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// Most answers in one exchange.
const BATCH_MAX: usize = 16;

/// Most purges that wait for the server. More become one of everything.
const PURGES_WAITING_MAX: usize = 64;

/// What every name there begins with; it ends with the format of what lies there.
const PREFIX: &str = "gatehouse:cache:1";

pub(crate) struct Shared {
    line: Line,
    clock: Arc<dyn Clock>,
    queue: mpsc::Sender<(Key, Kept)>,
    /// Taken by whoever tends.
    waiting: Mutex<Option<mpsc::Receiver<(Key, Kept)>>>,
    queued_bytes: AtomicUsize,
    /// Purges that the server has not taken yet.
    purges: Mutex<Vec<Purge>>,
    /// Rings when the server did not take one.
    untold: Notify,
    /// Whether the server has an epoch.
    has_epoch: AtomicBool,
}

/// What lies at an address, and the marks.
type Read = (Option<Vec<u8>>, Vec<(String, String)>);

/// What a look there gave.
pub(crate) struct Looked {
    /// An answer that no mark covers.
    pub(crate) kept: Option<Kept>,
    /// When that was, by the server's marks; `None` if it could not be read.
    pub(crate) time: Option<SharedTime>,
    pub(crate) is_damaged: bool,
}

impl Shared {
    /// Connects to nobody yet.
    pub(crate) fn new(config: &SharedConfig, clock: Arc<dyn Clock>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_JOBS_MAX);
        Self {
            line: Line::new(config, Arc::clone(&clock)),
            clock,
            queue,
            waiting: Mutex::new(Some(waiting)),
            queued_bytes: AtomicUsize::new(0),
            purges: Mutex::default(),
            untold: Notify::new(),
            has_epoch: AtomicBool::new(false),
        }
    }

    /// Reads an answer. `bytes_max` limits its body.
    pub(crate) async fn get(&self, key: &Key, bytes_max: usize) -> Looked {
        let nothing = Looked { kept: None, time: None, is_damaged: false };
        if !self.purges.lock().is_empty() {
            return nothing;
        }
        let address = key.address();
        let Some((sealed, marks)) = self.read(address).await else { return nothing };
        let Some(marks) = Marks::read(&marks) else { return nothing };
        let time = Some(marks.time());
        let Some(sealed) = sealed else { return Looked { time, ..nothing } };
        let Some(kept) = unseal(key, &sealed, bytes_max) else {
            self.remove(address).await;
            return Looked { time, is_damaged: true, ..nothing };
        };
        let kept = Some(kept).filter(|kept| !marks.cover(address, kept));
        Looked { kept, time, is_damaged: false }
    }

    /// Keeps an answer, once [`Self::tend`] gets to it, unless too much is waiting.
    pub(crate) fn put(&self, key: Key, kept: Kept) {
        // One whose question was asked while the marks could not be read might be stale already.
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

    /// Before a purge: from here on nothing is read until the server knows of it.
    pub(crate) fn announce(&self, purge: Purge) {
        let mut purges = self.purges.lock();
        purges.push(purge);
        if purges.len() > PURGES_WAITING_MAX {
            *purges = vec![Purge::All];
        }
    }

    /// Tells the server of all purges it does not know; false if it still does not.
    pub(crate) async fn tell(&self) -> bool {
        loop {
            let Some(purge) = self.purges.lock().first().cloned() else { return true };
            if !self.mark(&purge).await {
                self.untold.notify_one();
                return false;
            }
            // Another one may have told it too; a mark twice is no harm.
            let mut purges = self.purges.lock();
            if let Some(place) = purges.iter().position(|told| *told == purge) {
                purges.remove(place);
            }
        }
    }

    /// Puts there what waits, and tells purges again that the server did not take, for ever.
    pub(crate) async fn tend(&self) {
        let Some(mut waiting) = self.waiting.lock().take() else { return };
        loop {
            while !self.tell().await {
                tokio::time::sleep(self.line.retry_in().max(TIMEOUT)).await;
            }
            let first = tokio::select! {
                first = waiting.recv() => first,
                () = self.untold.notified() => continue,
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

    /// Whether the server answers, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        self.line.is_open() && self.purges.lock().is_empty()
    }

    async fn read(&self, address: Address) -> Option<Read> {
        let mut ask = redis::pipe();
        if !self.has_epoch.load(Ordering::Relaxed) {
            // Who comes first, or after the server has lost its marks, begins a new epoch.
            let epoch = marks::epoch(self.clock.wall(), address);
            ask.cmd("HSETNX").arg(marks_name()).arg(marks::EPOCH).arg(epoch).ignore();
        }
        ask.cmd("GET").arg(name(address));
        ask.cmd("HGETALL").arg(marks_name());
        let answer: Option<Read> = self.line.ask(&ask).await;
        let has_marks = answer.as_ref().is_some_and(|(_, marks)| !marks.is_empty());
        self.has_epoch.store(has_marks, Ordering::Relaxed);
        answer
    }

    async fn remove(&self, address: Address) {
        let mut ask = redis::pipe();
        ask.cmd("DEL").arg(name(address)).ignore();
        // If it stays, it is found damaged again.
        let _removed: Option<()> = self.line.ask(&ask).await;
    }

    /// Raises the count of purges, then notes it beside what is purged. Who asks between the two asked
    /// after the purge began, and is right not to be covered.
    async fn mark(&self, purge: &Purge) -> bool {
        let mut count = redis::pipe();
        count.cmd("HINCRBY").arg(marks_name()).arg(marks::COUNT).arg(1);
        let Some((number,)) = self.line.ask::<(u64,)>(&count).await else { return false };
        let mut note = redis::pipe();
        note.cmd("HSET").arg(marks_name()).arg(marks::field(purge)).arg(number).ignore();
        note.cmd("HLEN").arg(marks_name());
        let Some((marks,)) = self.line.ask::<(usize,)>(&note).await else { return false };
        marks <= crate::PURGE_RULES_MAX || self.merge_marks(number).await
    }

    /// Too many marks become one that covers everything.
    async fn merge_marks(&self, number: u64) -> bool {
        let mut read = redis::pipe();
        read.cmd("HKEYS").arg(marks_name());
        let Some((fields,)) = self.line.ask::<(Vec<String>,)>(&read).await else { return false };
        let mut merge = redis::pipe();
        let all = marks::field(&Purge::All);
        merge.atomic().cmd("HSET").arg(marks_name()).arg(all).arg(number).ignore();
        for field in fields.iter().filter(|field| marks::is_of_one_thing(field)) {
            merge.cmd("HDEL").arg(marks_name()).arg(field).ignore();
        }
        self.line.ask::<()>(&merge).await.is_some()
    }

    async fn store(&self, batch: Vec<(Key, Kept)>) {
        let weight: usize = batch.iter().map(|(_, kept)| kept.entry.weight()).sum();
        self.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
        let now = self.clock.wall();
        let sealed = tokio::task::spawn_blocking(move || sealed(&batch, now)).await;
        let mut ask = redis::pipe();
        for (address, left_ms, sealed) in sealed.unwrap_or_default() {
            ask.cmd("SET").arg(name(address)).arg(sealed).arg("PX").arg(left_ms).ignore();
        }
        if !ask.is_empty() {
            // What is not taken is forgotten: it lies in the other tiers.
            let _stored: Option<()> = self.line.ask(&ask).await;
        }
    }
}

fn sealed(batch: &[(Key, Kept)], now: WallTime) -> Vec<(Address, u64, Vec<u8>)> {
    let seal_one = |(key, kept): &(Key, Kept)| {
        let left_ms = u64::try_from(kept.left(now)?.as_millis()).ok()?;
        Some((key.address(), left_ms, seal(key, kept)?))
    };
    batch.iter().filter_map(seal_one).collect()
}

fn name(address: Address) -> String {
    format!("{PREFIX}:answer:{address}")
}

fn marks_name() -> String {
    format!("{PREFIX}:purges")
}
