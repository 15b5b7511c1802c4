//! The one thread that writes: takes whatever is queued, commits once, answers all.
//!
//! Under load the batches grow by themselves, so the cost of a commit is shared; when idle a request
//! is written at once. No timer delays anyone: only reservations, for which nobody waits, are held
//! for a moment, since most requests end within it and then need one commit instead of two. A write that the disk refuses is kept in memory and
//! tried again, because its request has happened whether the disk likes it or not.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::{RequestId, WallTime};
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::checkpoint::Checkpoints;
use crate::{
    HealthChange, LedgerError, NewRequest, Price, Run, Settlement, attempts, health, prices,
    requests, rollup, runs,
};

/// Most writes waiting at once. Past it, [`LedgerError::Busy`].
pub const QUEUE_JOBS_MAX: usize = 8_192;

/// Most reservations waiting at once. Half the queue, so that what has begun can always be settled.
pub const QUEUE_RESERVATIONS_MAX: usize = QUEUE_JOBS_MAX / 2;

/// Most writes kept in memory while the disk refuses them. Past it the oldest is lost, and the log
/// says so.
pub const BACKLOG_JOBS_MAX: usize = 4_096;

/// Most writes in one transaction, so that the first does not wait long for the last.
const BATCH_JOBS_MAX: usize = 256;

/// How long a reservation may wait for a write that somebody waits for. What a killed process can
/// forget of requests that nobody has an answer to.
const RESERVATION_HELD_MAX: Duration = Duration::from_millis(5);

/// How long after a refusal the disk is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// One write.
#[derive(Debug)]
pub(crate) enum Job {
    Reserve(NewRequest),
    Settle(Box<Settlement>),
    Run(Run),
    Health(HealthChange),
    Price(Box<Price>),
    Purge { before: WallTime, rows_max: usize },
}

impl Job {
    /// Does the write inside the running transaction; the number of rows it concerned.
    fn apply(&self, connection: &Connection) -> rusqlite::Result<usize> {
        match self {
            Self::Reserve(request) => requests::reserve(connection, request),
            Self::Settle(ended) => {
                let fresh = requests::settle(connection, ended)?;
                if fresh > 0 {
                    attempts::insert(connection, ended.request.id, &ended.attempts)?;
                    rollup::add(connection, ended.request.id)?;
                }
                Ok(fresh)
            }
            Self::Run(run) => runs::insert(connection, run),
            Self::Health(change) => health::insert(connection, change),
            Self::Price(price) => prices::insert(connection, price),
            Self::Purge { before, rows_max } => requests::purge(connection, *before, *rows_max),
        }
    }

    /// Whether it must not be lost when the disk refuses it.
    const fn is_kept(&self) -> bool {
        matches!(self, Self::Reserve(_) | Self::Settle(_))
    }
}

type Answer = Result<usize, LedgerError>;

/// The way to the writer thread.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    /// What stands in the backlog; read without a lock on the way of every request.
    backlog: AtomicUsize,
    /// Why the disk refused last; meaningful while there is a backlog.
    refusal: Mutex<Option<LedgerError>>,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Queued>,
    /// How many of the jobs somebody waits for.
    awaited: usize,
    is_closed: bool,
}

type Queued = (Job, Option<oneshot::Sender<Answer>>);

impl Waiting {
    /// Whether there is nothing to hurry for.
    fn can_be_held(&self) -> bool {
        self.awaited == 0 && !self.is_closed && self.jobs.len() < BATCH_JOBS_MAX
    }
}

impl Queue {
    /// Starts the thread that owns `connection` until the queue is closed.
    pub(crate) fn start(
        connection: Connection,
    ) -> std::io::Result<(Arc<Self>, std::thread::JoinHandle<()>)> {
        let queue = Arc::new(Self {
            waiting: Mutex::default(),
            wake: Condvar::new(),
            backlog: AtomicUsize::new(0),
            refusal: Mutex::default(),
        });
        let checkpoints = Checkpoints::start(&connection)?;
        let writer =
            Writer { connection, queue: Arc::clone(&queue), backlog: VecDeque::new(), checkpoints };
        let builder = std::thread::Builder::new().name("ledger-writer".to_owned());
        let thread = builder.spawn(move || writer.run())?;
        Ok((queue, thread))
    }

    /// Leaves a reservation without waiting for it. Refused at once while the disk refuses writes.
    pub(crate) fn reserve(&self, request: NewRequest) -> Result<(), LedgerError> {
        if self.backlog() > 0 {
            return Err(self.refusal.lock().clone().unwrap_or(LedgerError::Full));
        }
        self.push(Job::Reserve(request), None, QUEUE_RESERVATIONS_MAX)
    }

    /// Does a write and waits until it is committed.
    pub(crate) async fn write(&self, job: Job) -> Answer {
        let (sender, answer) = oneshot::channel();
        self.push(job, Some(sender), QUEUE_JOBS_MAX)?;
        answer.await.unwrap_or(Err(LedgerError::Closed))
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
        job: Job,
        sender: Option<oneshot::Sender<Answer>>,
        jobs_max: usize,
    ) -> Result<(), LedgerError> {
        let mut waiting = self.waiting.lock();
        if waiting.is_closed {
            return Err(LedgerError::Closed);
        }
        if waiting.jobs.len() >= jobs_max {
            return Err(LedgerError::Busy);
        }
        let hurries = sender.is_some();
        waiting.awaited += usize::from(hurries);
        waiting.jobs.push_back((job, sender));
        // The first reservation starts the clock of those that follow; they need not wake anyone.
        let wakes = hurries || waiting.jobs.len() == 1 || waiting.jobs.len() >= BATCH_JOBS_MAX;
        drop(waiting);
        if wakes {
            self.wake.notify_one();
        }
        Ok(())
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
        if waiting.can_be_held() {
            // After a time-out they are simply written.
            let held = |now: &mut Waiting| now.can_be_held();
            let _timed_out = self.wake.wait_while_for(&mut waiting, held, RESERVATION_HELD_MAX);
        }
        let size = waiting.jobs.len().min(BATCH_JOBS_MAX);
        let batch: Vec<Queued> = waiting.jobs.drain(..size).collect();
        waiting.awaited -= batch.iter().filter(|(_, sender)| sender.is_some()).count();
        Some(batch)
    }
}

/// Refuses everything once the thread is gone, even if it panicked: nobody waits for ever.
struct Farewell(Arc<Queue>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        waiting.is_closed = true;
        waiting.jobs.clear();
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
            self.write(batch);
            self.retry();
            self.checkpoints.committed(&self.connection, jobs);
        }
        self.retry();
        if !self.backlog.is_empty() {
            tracing::error!(writes = self.backlog.len(), "the disk refused the last writes");
        }
    }

    fn write(&mut self, mut batch: Vec<Queued>) {
        drop_settled_reservations(&mut batch);
        let together = commit(&self.connection, batch.iter().map(|(job, _)| job));
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
                    match commit(&self.connection, std::iter::once(&job)) {
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
        }
        reply(sender, Err(error));
    }

    /// Tries the backlog in its order until the disk refuses again.
    fn retry(&mut self) {
        while let Some(job) = self.backlog.front() {
            match commit(&self.connection, std::iter::once(job)) {
                Err(error) if error.is_passing() => break,
                Err(error) => tracing::error!(%error, ?job, "a kept write is impossible"),
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

/// All of `jobs` in one transaction, or none.
fn commit<'a>(
    connection: &Connection,
    jobs: impl Iterator<Item = &'a Job>,
) -> Result<Vec<usize>, LedgerError> {
    let step = |sql| connection.prepare_cached(sql)?.execute([]).map(drop);
    let attempt = || {
        step("BEGIN IMMEDIATE")?;
        let answers = jobs.map(|job| job.apply(connection)).collect::<Result<_, _>>()?;
        step("COMMIT")?;
        Ok(answers)
    };
    attempt().map_err(|error: rusqlite::Error| {
        // SQLite has rolled back by itself after some errors and not after others.
        if !connection.is_autocommit()
            && let Err(rollback) = step("ROLLBACK")
        {
            tracing::error!(%rollback, "a failed transaction could not be undone");
        }
        LedgerError::from(error)
    })
}
