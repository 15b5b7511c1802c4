//! The one thread that writes: takes whatever is queued, commits once, answers all.
//!
//! What happens to requests is in the journal before it is queued, so nobody waits for its commit and
//! it is held for a moment: many then share a commit, and one that ends within it is written once
//! instead of twice. No timer delays anyone: a write or a read that somebody waits for wakes the
//! thread at once. A write that the disk refuses is kept in memory and tried again, because its
//! request has happened whether the disk likes it or not; from then on settlements wait for their
//! commit, so that whoever settles learns of it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::RequestId;
use parking_lot::{Condvar, Mutex, MutexGuard};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::checkpoint::Checkpoints;
use crate::job::{BATCH_JOBS_MAX, Job, commit};
use crate::journal::Journal;
use crate::{LedgerError, NewRequest, Settlement};

/// Most writes waiting at once. Past it, [`LedgerError::Busy`].
pub const QUEUE_JOBS_MAX: usize = 8_192;

/// Most reservations waiting at once. Half the queue, so that what has begun can always be settled.
pub const QUEUE_RESERVATIONS_MAX: usize = QUEUE_JOBS_MAX / 2;

/// Past so many waiting writes a settlement waits for its commit: who is too fast is slowed down
/// before anyone is refused.
pub const QUEUE_UNHURRIED_JOBS_MAX: usize = 2 * BATCH_JOBS_MAX;

/// Most writes kept in memory while the disk refuses them. Past it the oldest is lost, and the log
/// says so.
pub const BACKLOG_JOBS_MAX: usize = 4_096;

/// How long writes that nobody waits for may be held, to be committed with those that follow.
const HELD_MAX: Duration = Duration::from_millis(10);

/// How long after a refusal the disk is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// So many writes that come in while others are committed press the writer to go on.
const PRESSING_JOBS: usize = BATCH_JOBS_MAX / 2;

/// Steps of SQLite's machine after which the writer lets others have its processor: a few hundredths of
/// a millisecond.
const STEPS_PER_TURN: i32 = 200;

type Answer = Result<usize, LedgerError>;

/// The way to the writer thread.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    /// What stands in the backlog; read without a lock on the way of every request.
    backlog: AtomicUsize,
    /// Whether the last commit failed.
    is_refused: AtomicBool,
    /// Why the disk refused last; meaningful while there is a backlog.
    refusal: Mutex<Option<LedgerError>>,
    /// Whether many writes came in while the last ones were committed.
    is_pressed: AtomicBool,
}

#[derive(Debug)]
struct Waiting {
    jobs: VecDeque<Queued>,
    /// How many of the jobs somebody waits for.
    awaited: usize,
    /// Jobs ever queued, and how many of those are committed or refused.
    pushed: u64,
    done: u64,
    /// Reads that wait until so many jobs are done.
    reads: Vec<(u64, oneshot::Sender<()>)>,
    /// Under the same lock as the queue: what is in neither the journal nor the ledger is in no job.
    journal: Journal,
    is_closed: bool,
}

type Queued = (Job, Option<oneshot::Sender<Answer>>);

impl Waiting {
    /// Whether there is nothing to hurry for.
    fn can_be_held(&self) -> bool {
        self.awaited == 0
            && self.reads.is_empty()
            && !self.is_closed
            && self.jobs.len() < BATCH_JOBS_MAX
    }

    fn has_room(&self, jobs_max: usize) -> Result<(), LedgerError> {
        match self.jobs.len() {
            _ if self.is_closed => Err(LedgerError::Closed),
            jobs if jobs >= jobs_max => Err(LedgerError::Busy),
            _ => Ok(()),
        }
    }

    /// The next jobs that go into one transaction. A purge goes alone: what it deletes was committed
    /// before it and stands in no journal.
    fn next_batch(&mut self) -> Vec<Queued> {
        let is_purge = |(job, _): &Queued| matches!(job, Job::Purge { .. });
        let most = self.jobs.len().min(BATCH_JOBS_MAX);
        let size = self.jobs.iter().take(most).position(is_purge).unwrap_or(most);
        let batch: Vec<Queued> = self.jobs.drain(..size.max(1).min(most)).collect();
        self.awaited -= batch.iter().filter(|(_, sender)| sender.is_some()).count();
        batch
    }

    /// Takes what is committed out of the journal; `backlog` is not, nor is what is queued.
    fn shorten_journal(&mut self, backlog: &VecDeque<Job>) {
        let uncommitted = backlog.iter().chain(self.jobs.iter().map(|(job, _)| job));
        let records: Vec<u8> = uncommitted.filter_map(Job::record).flatten().collect();
        if let Err(error) = self.journal.keep_only(&records) {
            tracing::warn!(%error, "the ledger's journal could not be shortened");
        }
    }
}

impl Queue {
    /// Starts the thread that owns `connection` until the queue is closed. Everything in `journal`
    /// is committed.
    pub(crate) fn start(
        connection: Connection,
        journal: Journal,
    ) -> std::io::Result<(Arc<Self>, std::thread::JoinHandle<()>)> {
        let waiting = Waiting {
            jobs: VecDeque::new(),
            awaited: 0,
            pushed: 0,
            done: 0,
            reads: Vec::new(),
            journal,
            is_closed: false,
        };
        let queue = Arc::new(Self {
            waiting: Mutex::new(waiting),
            wake: Condvar::new(),
            backlog: AtomicUsize::new(0),
            is_refused: AtomicBool::new(false),
            refusal: Mutex::default(),
            is_pressed: AtomicBool::new(false),
        });
        queue.give_way(&connection)?;
        let checkpoints = Checkpoints::start(&connection)?;
        let writer =
            Writer { connection, queue: Arc::clone(&queue), backlog: VecDeque::new(), checkpoints };
        let builder = std::thread::Builder::new().name("ledger-writer".to_owned());
        let thread = builder.spawn(move || writer.run())?;
        Ok((queue, thread))
    }

    /// Makes the writer let requests go first. A commit of many is milliseconds of work in one piece,
    /// for which a system with few processors lets a request that wakes up meanwhile wait. Under
    /// pressure the writer goes on, since nothing is won by falling behind.
    fn give_way(self: &Arc<Self>, connection: &Connection) -> std::io::Result<()> {
        let queue = Arc::clone(self);
        let turn = move || {
            if !queue.is_pressed.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            false
        };
        connection.progress_handler(STEPS_PER_TURN, Some(turn)).map_err(std::io::Error::other)
    }

    /// Puts a reservation into the journal and queues it. Refused at once while the disk refuses
    /// writes.
    pub(crate) fn reserve(&self, request: NewRequest) -> Result<(), LedgerError> {
        if self.backlog() > 0 {
            return Err(self.refusal.lock().clone().unwrap_or(LedgerError::Full));
        }
        let job = Job::Reserve(request);
        let record = job.record();
        let mut waiting = self.waiting.lock();
        waiting.has_room(QUEUE_RESERVATIONS_MAX)?;
        if let Some(record) = record {
            waiting.journal.append(&record)?;
        }
        self.push(waiting, job, None);
        Ok(())
    }

    /// Puts a settlement into the journal and queues it. Waits for the commit only if the journal
    /// would not take it, the last commit failed or too many writes wait.
    pub(crate) async fn settle(&self, ended: Box<Settlement>) -> Answer {
        let Some(committed) = self.begin_settling(ended)? else { return Ok(1) };
        committed.await.unwrap_or(Err(LedgerError::Closed))
    }

    fn begin_settling(
        &self,
        ended: Box<Settlement>,
    ) -> Result<Option<oneshot::Receiver<Answer>>, LedgerError> {
        let job = Job::Settle(ended);
        let record = job.record();
        let mut waiting = self.waiting.lock();
        waiting.has_room(QUEUE_JOBS_MAX)?;
        let is_promised = record.is_some_and(|record| match waiting.journal.append(&record) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "a settlement could not be put into the journal");
                false
            }
        });
        let is_unhurried = waiting.jobs.len() < QUEUE_UNHURRIED_JOBS_MAX;
        if is_promised && is_unhurried && !self.is_refused.load(Ordering::Relaxed) {
            self.push(waiting, job, None);
            return Ok(None);
        }
        let (sender, committed) = oneshot::channel();
        self.push(waiting, job, Some(sender));
        Ok(Some(committed))
    }

    /// Does a write and waits until it is committed.
    pub(crate) async fn write(&self, job: Job) -> Answer {
        let (sender, answer) = oneshot::channel();
        {
            let waiting = self.waiting.lock();
            waiting.has_room(QUEUE_JOBS_MAX)?;
            self.push(waiting, job, Some(sender));
        }
        answer.await.unwrap_or(Err(LedgerError::Closed))
    }

    /// Waits until everything queued before is committed, or until a commit is refused: what can be
    /// read then is what there is.
    pub(crate) async fn catch_up(&self) {
        let (sender, caught_up) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock();
            let is_refused = self.is_refused.load(Ordering::Relaxed);
            if waiting.done >= waiting.pushed || waiting.is_closed || is_refused {
                return;
            }
            let pushed = waiting.pushed;
            waiting.reads.push((pushed, sender));
        }
        self.wake.notify_one();
        // The sender is only ever dropped.
        let _caught_up = caught_up.await;
    }

    /// How many writes the disk has refused and that are tried again.
    pub(crate) fn backlog(&self) -> usize {
        self.backlog.load(Ordering::Relaxed)
    }

    /// Lets the thread finish what is queued and end.
    pub(crate) fn close(&self) {
        self.waiting.lock().is_closed = true;
        self.wake.notify_one();
    }

    fn push(
        &self,
        mut waiting: MutexGuard<'_, Waiting>,
        job: Job,
        sender: Option<oneshot::Sender<Answer>>,
    ) {
        let hurries = sender.is_some();
        waiting.awaited += usize::from(hurries);
        waiting.pushed += 1;
        waiting.jobs.push_back((job, sender));
        // The first job starts the clock of those that follow; they need not wake anyone.
        let wakes = hurries || waiting.jobs.len() == 1 || waiting.jobs.len() >= BATCH_JOBS_MAX;
        drop(waiting);
        if wakes {
            self.wake.notify_one();
        }
    }

    /// Waits for work, but not past [`RETRY_AFTER`] with a backlog. `None` when closed and empty.
    fn take(&self) -> Option<Vec<Queued>> {
        let mut waiting = self.waiting.lock();
        while waiting.jobs.is_empty() {
            if waiting.is_closed {
                return None;
            }
            if self.backlog() == 0 {
                self.wake.wait(&mut waiting);
            } else if self.wake.wait_for(&mut waiting, RETRY_AFTER).timed_out() {
                break;
            }
        }
        self.is_pressed.store(waiting.jobs.len() >= PRESSING_JOBS, Ordering::Relaxed);
        if waiting.can_be_held() {
            // After a time-out they are simply written.
            let held = |now: &mut Waiting| now.can_be_held();
            let _timed_out = self.wake.wait_while_for(&mut waiting, held, HELD_MAX);
        }
        Some(waiting.next_batch())
    }

    /// `jobs` are committed or refused: lets reads go on, and the journal forget.
    fn finish(&self, jobs: usize, backlog: &VecDeque<Job>) {
        let mut waiting = self.waiting.lock();
        waiting.done += u64::try_from(jobs).unwrap_or(u64::MAX);
        let done = waiting.done;
        let is_refused = self.is_refused.load(Ordering::Relaxed);
        waiting.reads.retain(|(awaited, _)| *awaited > done && !is_refused);
        if waiting.journal.is_long() && backlog.is_empty() {
            waiting.shorten_journal(backlog);
        }
    }
}

/// Refuses everything once the thread is gone, even if it panicked: nobody waits for ever.
struct Farewell(Arc<Queue>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        waiting.is_closed = true;
        waiting.jobs.clear();
        waiting.reads.clear();
        waiting.awaited = 0;
    }
}

struct Writer {
    connection: Connection,
    queue: Arc<Queue>,
    backlog: VecDeque<Job>,
    checkpoints: Checkpoints,
}

impl Writer {
    fn run(mut self) {
        let _farewell = Farewell(Arc::clone(&self.queue));
        while let Some(batch) = self.queue.take() {
            let jobs = batch.len();
            if batch.iter().any(|(job, _)| matches!(job, Job::Purge { .. })) {
                // A killed process must not bring back at its next start what is deleted now.
                self.queue.waiting.lock().shorten_journal(&self.backlog);
            }
            self.write(batch);
            self.retry();
            self.queue.finish(jobs, &self.backlog);
            self.checkpoints.committed(&self.connection, jobs);
        }
        self.retry();
        if self.backlog.is_empty() {
            self.queue.waiting.lock().journal.remove();
        } else {
            tracing::error!(
                writes = self.backlog.len(),
                "the disk refused the last writes; the next start tries again"
            );
        }
    }

    fn write(&mut self, mut batch: Vec<Queued>) {
        drop_settled_reservations(&mut batch);
        if batch.is_empty() {
            return;
        }
        let together = self.commit(batch.iter().map(|(job, _)| job));
        match together {
            Ok(answers) => {
                for ((_, sender), answer) in batch.into_iter().zip(answers) {
                    reply(sender, Ok(answer));
                }
            }
            Err(error) if batch.len() == 1 || matches!(error, LedgerError::Locked) => {
                for (job, sender) in batch {
                    self.refuse(job, sender, error.clone());
                }
            }
            // One bad write must not take the others with it: each on its own.
            Err(_) => {
                for (job, sender) in batch {
                    match self.commit(std::iter::once(&job)) {
                        Ok(answers) => reply(sender, Ok(answers.into_iter().sum())),
                        Err(error) => self.refuse(job, sender, error),
                    }
                }
            }
        }
    }

    fn refuse(&mut self, job: Job, sender: Option<oneshot::Sender<Answer>>, error: LedgerError) {
        tracing::error!(%error, "the ledger could not write");
        if job.is_kept() && error.is_passing() {
            if self.backlog.len() >= BACKLOG_JOBS_MAX {
                let lost = self.backlog.pop_front();
                tracing::error!(?lost, "the backlog is full; its oldest write is lost");
            }
            self.backlog.push_back(job);
            *self.queue.refusal.lock() = Some(error.clone());
            self.publish_backlog();
        } else {
            self.put_aside(&job);
        }
        reply(sender, Err(error));
    }

    /// Keeps the journal in which a settlement stands that can never be committed.
    fn put_aside(&self, impossible: &Job) {
        if let Job::Settle(ended) = impossible {
            tracing::error!(id = %ended.request.id, "a settlement can never be committed");
            self.queue.waiting.lock().journal.put_aside();
        }
    }

    /// Remembers whether it went well.
    fn commit<'a>(&self, jobs: impl Iterator<Item = &'a Job>) -> Result<Vec<usize>, LedgerError> {
        let committed = commit(&self.connection, jobs);
        self.queue.is_refused.store(committed.is_err(), Ordering::Relaxed);
        committed
    }

    /// Tries the backlog in its order until the disk refuses again.
    fn retry(&mut self) {
        while let Some(job) = self.backlog.front() {
            match self.commit(std::iter::once(job)) {
                Err(error) if error.is_passing() => break,
                Err(error) => {
                    tracing::error!(%error, ?job, "a kept write is impossible");
                    self.put_aside(job);
                }
                Ok(_) => {}
            }
            self.backlog.pop_front();
            self.publish_backlog();
        }
    }

    fn publish_backlog(&self) {
        self.queue.backlog.store(self.backlog.len(), Ordering::Relaxed);
    }
}

/// A settlement writes the whole row, so a reservation that stands beside its own has nothing to add.
fn drop_settled_reservations(batch: &mut Vec<Queued>) {
    let settled: HashSet<RequestId> = batch
        .iter()
        .filter_map(|(job, _)| match job {
            Job::Settle(ended) => Some(ended.request.id),
            _ => None,
        })
        .collect();
    batch.retain(|(job, _)| !matches!(job, Job::Reserve(new) if settled.contains(&new.id)));
}

fn reply(sender: Option<oneshot::Sender<Answer>>, answer: Answer) {
    // Whoever asked may have gone away; the write stands all the same.
    if let Some(sender) = sender {
        let _gone = sender.send(answer);
    }
}
