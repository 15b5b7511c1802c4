//! The queue between request threads, which push, and the writer thread, which takes.
//!
//! Invariant: this module touches no file, and the writer holds none of its locks while it does. A
//! push waits only for other pushes, for nanoseconds.
//!
//! A record stays in the queue until it is committed, so a refused commit loses nothing. The end of
//! an answer waits for the commit of its record for a bounded time; then the answer is delivered,
//! the record stays, and the state is [`LedgerState::Behind`] until it is committed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::{oneshot, watch};

use crate::write::writes::{BATCH_RECORDS_MAX, LedgerWrite};
use crate::{
    Backlog, BacklogReason, LedgerError, LedgerState, NewRequest, ReservedAmount, Settlement,
};

/// Most queued writes other than records (runs, health, prices, purges).
pub(crate) const QUEUE_TASKS_MAX: usize = 256;

/// Default wait of the end of an answer for its commit.
pub(crate) const COMMIT_WAIT_DEFAULT: Duration = Duration::from_millis(250);

/// Divisor of the wait while the ledger is behind: long enough to notice that the disk has
/// recovered, too short to slow every answer down.
const BEHIND_WAIT_DIVISOR: u32 = 10;

/// Delay of records without a waiter, so that they are committed with later ones: a reservation and
/// its settlement then write one row once.
const BATCH_DELAY_MAX: Duration = Duration::from_millis(10);

/// Wait of a read for records queued before it. On a slower disk the read returns older data.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

/// Durability of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitStatus {
    /// In the file: a killed process cannot lose it.
    Committed,
    /// Still in memory; the ledger's state says why.
    Queued,
}

pub(crate) type RecordResult = Result<CommitStatus, LedgerError>;
pub(crate) type TaskResult = Result<usize, LedgerError>;

/// Records and tasks for the writer thread.
#[derive(Debug)]
pub(crate) struct WriteQueue {
    waiting: Mutex<QueueState>,
    /// Wakes the writer.
    wake: Condvar,
    /// Wakes reads.
    caught_up: Condvar,
    state: watch::Sender<LedgerState>,
    commit_wait_ms: AtomicU64,
}

#[derive(Debug)]
struct QueueState {
    records: VecDeque<QueuedRecord>,
    tasks: VecDeque<QueuedTask>,
    /// Bytes of `records`.
    bytes: usize,
    bytes_max: usize,
    /// Number of records ever pushed, and of those that have left the queue. The number of a record
    /// is the value of `pushed` after its push.
    pushed: u64,
    done: u64,
    /// Number of the last record with a waiter.
    awaited: u64,
    /// Number of the last record whose answer was delivered before its commit.
    delivered: u64,
    /// Error of the last refused commit.
    fault: Option<CommitFault>,
    /// Kept from when the ledger falls behind until it is current again.
    reason: BacklogReason,
    /// True while the writer waits and has nothing else to do.
    is_writer_idle: bool,
    is_closed: bool,
}

#[derive(Debug)]
struct QueuedRecord {
    job: Arc<LedgerWrite>,
    bytes: usize,
    answer: Option<oneshot::Sender<RecordResult>>,
}

/// A record and the wait for its commit.
struct PendingCommit {
    number: u64,
    wait: Duration,
    committed: oneshot::Receiver<RecordResult>,
}

/// A write that its caller waits for. It fails with an error if the disk refuses it.
#[derive(Debug)]
pub(crate) struct QueuedTask {
    pub(crate) job: LedgerWrite,
    /// Attempts that failed because of another program's lock.
    pub(crate) locked: u32,
    pub(crate) answer: oneshot::Sender<TaskResult>,
}

#[derive(Debug, Clone)]
struct CommitFault {
    error: LedgerError,
    refuses_requests: bool,
}

/// Next batch of the writer; empty if nothing is queued.
#[derive(Debug)]
pub(crate) struct WriteBatch {
    /// The oldest records, in order. They stay in the queue until [`WriteQueue::finish`].
    pub(crate) records: Vec<Arc<LedgerWrite>>,
    pub(crate) task: Option<QueuedTask>,
}

impl QueueState {
    /// The reason to refuse a new request.
    fn refusal_error(&self) -> Option<LedgerError> {
        match &self.fault {
            _ if self.is_closed => Some(LedgerError::Closed),
            Some(fault) if fault.refuses_requests => Some(fault.error.clone()),
            _ => (self.bytes >= self.bytes_max).then_some(LedgerError::Busy),
        }
    }

    fn state(&self) -> LedgerState {
        let is_full = self.bytes >= self.bytes_max;
        if self.fault.is_none() && !is_full && self.delivered <= self.done {
            return LedgerState::Current;
        }
        let is_only_full = is_full && self.fault.is_none() && self.reason == BacklogReason::Slow;
        let backlog = Backlog {
            reason: if is_only_full { BacklogReason::QueueFull } else { self.reason },
            records: self.records.len(),
            oldest: self.records.iter().find_map(|record| record.job.record_time()),
        };
        match &self.fault {
            Some(fault) if fault.refuses_requests => LedgerState::Refusing(backlog),
            _ if is_full => LedgerState::Refusing(backlog),
            _ => LedgerState::Behind(backlog),
        }
    }

    fn push(&mut self, job: LedgerWrite, answer: Option<oneshot::Sender<RecordResult>>) -> u64 {
        let bytes = job.bytes();
        self.bytes = self.bytes.saturating_add(bytes);
        self.pushed += 1;
        self.records.push_back(QueuedRecord { job: Arc::new(job), bytes, answer });
        self.pushed
    }

    /// True while nobody waits and the queue is short enough to batch.
    fn can_be_delayed(&self) -> bool {
        self.tasks.is_empty()
            && self.awaited <= self.done
            && !self.is_closed
            && self.records.len() < BATCH_RECORDS_MAX
    }

    fn take_batch(&mut self) -> WriteBatch {
        let records = self.records.iter().take(BATCH_RECORDS_MAX);
        let records = records.map(|record| Arc::clone(&record.job)).collect();
        WriteBatch { records, task: self.tasks.pop_front() }
    }
}

impl WriteQueue {
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        let waiting = QueueState {
            records: VecDeque::new(),
            tasks: VecDeque::new(),
            bytes: 0,
            bytes_max,
            pushed: 0,
            done: 0,
            awaited: 0,
            delivered: 0,
            fault: None,
            reason: BacklogReason::Slow,
            is_writer_idle: false,
            is_closed: false,
        };
        let queue = Self {
            waiting: Mutex::new(waiting),
            wake: Condvar::new(),
            caught_up: Condvar::new(),
            state: watch::Sender::new(LedgerState::Current),
            commit_wait_ms: AtomicU64::new(0),
        };
        queue.set_commit_wait(COMMIT_WAIT_DEFAULT);
        Arc::new(queue)
    }

    pub(crate) fn set_commit_wait(&self, wait: Duration) {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.commit_wait_ms.store(wait_ms, Ordering::Relaxed);
    }

    pub(crate) fn state(&self) -> LedgerState {
        self.waiting.lock().state()
    }

    pub(crate) fn watch_state(&self) -> watch::Receiver<LedgerState> {
        self.state.subscribe()
    }

    /// Queues a reservation.
    ///
    /// # Errors
    /// No request may start now.
    pub(crate) fn reserve(&self, request: NewRequest) -> Result<(), LedgerError> {
        let mut waiting = self.waiting.lock();
        if let Some(refusal) = waiting.refusal_error() {
            return Err(refusal);
        }
        waiting.push(LedgerWrite::Reserve { request, amounts: Vec::new() }, None);
        self.notify_after_push(waiting);
        Ok(())
    }

    /// Queues a reservation with what budgets reserved for it; the future waits for its commit for
    /// the bounded time.
    ///
    /// # Errors
    /// No request may start now.
    pub(crate) fn reserve_amounts(
        self: &Arc<Self>,
        request: NewRequest,
        amounts: Vec<ReservedAmount>,
    ) -> Result<impl Future<Output = RecordResult> + Send + use<>, LedgerError> {
        if let Some(refusal) = self.waiting.lock().refusal_error() {
            return Err(refusal);
        }
        let pending = self.push_awaited(LedgerWrite::Reserve { request, amounts })?;
        Ok(self.wait_for(pending))
    }

    /// Queues a record without a waiter, to be committed at once.
    pub(crate) fn push(&self, job: LedgerWrite) -> Result<(), LedgerError> {
        let mut waiting = self.waiting.lock();
        if waiting.is_closed {
            return Err(LedgerError::Closed);
        }
        waiting.awaited = waiting.push(job, None);
        self.notify_after_push(waiting);
        Ok(())
    }

    /// Queues a settlement at once; the future waits for its commit for the bounded time.
    pub(crate) fn settle(
        self: &Arc<Self>,
        ended: Box<Settlement>,
    ) -> impl Future<Output = RecordResult> + Send + use<> {
        let pending = self.push_awaited(LedgerWrite::Settle(ended));
        let waiting = pending.map(|pending| self.wait_for(pending));
        async move { waiting?.await }
    }

    fn wait_for(
        self: &Arc<Self>,
        pending: Option<PendingCommit>,
    ) -> impl Future<Output = RecordResult> + Send + use<> {
        let queue = Arc::clone(self);
        async move {
            match pending {
                Some(pending) => queue.wait_for_commit(pending).await,
                None => Ok(CommitStatus::Queued),
            }
        }
    }

    async fn wait_for_commit(&self, pending: PendingCommit) -> RecordResult {
        let PendingCommit { number, wait, mut committed } = pending;
        let answer = match tokio::time::timeout(wait, &mut committed).await {
            Ok(answer) => answer,
            Err(_elapsed) if self.mark_delivered(number) => return Ok(CommitStatus::Queued),
            Err(_elapsed) => committed.await,
        };
        answer.unwrap_or(Err(LedgerError::Closed))
    }

    /// Queues a record. `None` if the disk refuses writes, so that waiting is useless.
    fn push_awaited(&self, job: LedgerWrite) -> Result<Option<PendingCommit>, LedgerError> {
        let (sender, committed) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        if waiting.is_closed {
            return Err(LedgerError::Closed);
        }
        if waiting.fault.is_some() {
            waiting.delivered = waiting.push(job, None);
            self.notify_after_push(waiting);
            return Ok(None);
        }
        let whole = Duration::from_millis(self.commit_wait_ms.load(Ordering::Relaxed));
        let is_behind = waiting.delivered > waiting.done;
        let wait = if is_behind { whole / BEHIND_WAIT_DIVISOR } else { whole };
        let number = waiting.push(job, Some(sender));
        waiting.awaited = number;
        self.notify_after_push(waiting);
        Ok(Some(PendingCommit { number, wait, committed }))
    }

    /// Marks the answer of record `number` as delivered before its commit; false if it is
    /// committed.
    fn mark_delivered(&self, number: u64) -> bool {
        let mut waiting = self.waiting.lock();
        let still_waits = waiting.done < number;
        if still_waits {
            waiting.delivered = waiting.delivered.max(number);
            self.publish(&waiting);
        }
        still_waits
    }

    /// Queues a write at once. The returned future waits until it is committed; it need not be awaited.
    pub(crate) fn write(&self, job: LedgerWrite) -> impl Future<Output = TaskResult> + use<> {
        let queued = self.push_task(job);
        async { queued?.await.unwrap_or(Err(LedgerError::Closed)) }
    }

    /// The receiver is told when the write is committed.
    fn push_task(&self, job: LedgerWrite) -> Result<oneshot::Receiver<TaskResult>, LedgerError> {
        let (answer, committed) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock();
            match waiting.tasks.len() {
                _ if waiting.is_closed => return Err(LedgerError::Closed),
                QUEUE_TASKS_MAX.. => return Err(LedgerError::Busy),
                _ => waiting.tasks.push_back(QueuedTask { job, locked: 0, answer }),
            }
        }
        self.wake.notify_one();
        Ok(committed)
    }

    /// Waits until the records queued before are committed, the disk refuses, or [`CATCH_UP_MAX`]
    /// has passed. Reads then return what there is. Blocks.
    pub(crate) fn wait_until_current(&self) {
        let mut waiting = self.waiting.lock();
        let last = waiting.pushed;
        if waiting.done >= last {
            return;
        }
        waiting.awaited = waiting.awaited.max(last);
        self.wake.notify_one();
        let is_behind =
            |now: &mut QueueState| now.done < last && now.fault.is_none() && !now.is_closed;
        let _timed_out = self.caught_up.wait_while_for(&mut waiting, is_behind, CATCH_UP_MAX);
    }

    /// Waits until nothing is queued and the writer has nothing else to do. Blocks.
    pub(crate) fn wait_until_idle(&self) {
        let is_busy = |now: &mut QueueState| {
            let is_empty = now.records.is_empty() && now.tasks.is_empty();
            !(now.is_writer_idle && is_empty || now.is_closed)
        };
        self.caught_up.wait_while(&mut self.waiting.lock(), is_busy);
    }

    /// Refuses new writes; the writer finishes the queue and stops.
    pub(crate) fn close(&self) {
        self.waiting.lock().is_closed = true;
        self.wake.notify_one();
    }

    /// Publishes the state after a push and wakes the writer if needed.
    fn notify_after_push(&self, waiting: MutexGuard<'_, QueueState>) {
        // The first record starts the delay; the next ones need not wake the writer.
        let wakes = waiting.records.len() == 1 || !waiting.can_be_delayed();
        self.publish(&waiting);
        drop(waiting);
        if wakes {
            self.wake.notify_one();
        }
    }

    /// Sends the state to watchers if the state or its reason has changed.
    fn publish(&self, waiting: &QueueState) {
        let state = waiting.state();
        self.state.send_if_modified(|told| {
            let is_other = std::mem::discriminant(told) != std::mem::discriminant(&state)
                || told.backlog().map(|it| it.reason) != state.backlog().map(|it| it.reason);
            if is_other {
                *told = state;
            }
            is_other
        });
    }
}

/// Used by the writer's thread.
impl WriteQueue {
    /// Waits for work; not if the writer has something else to do while nothing is queued. `None`
    /// if closed and empty.
    pub(crate) fn next_batch(&self, has_other_work: bool) -> Option<WriteBatch> {
        let mut waiting = self.waiting.lock();
        while waiting.records.is_empty() && waiting.tasks.is_empty() {
            if waiting.is_closed {
                return None;
            }
            if has_other_work {
                return Some(waiting.take_batch());
            }
            waiting.is_writer_idle = true;
            self.caught_up.notify_all();
            self.wake.wait(&mut waiting);
            waiting.is_writer_idle = false;
        }
        // Held records are written after the time-out.
        let held = |now: &mut QueueState| now.can_be_delayed();
        let _timed_out = self.wake.wait_while_for(&mut waiting, held, BATCH_DELAY_MAX);
        Some(waiting.take_batch())
    }

    /// Waits before a retry; ends early for a task or a close.
    pub(crate) fn pause(&self, pause: Duration) {
        let mut waiting = self.waiting.lock();
        let was_closed = waiting.is_closed;
        let idle = |now: &mut QueueState| now.tasks.is_empty() && now.is_closed == was_closed;
        let _timed_out = self.wake.wait_while_for(&mut waiting, idle, pause);
    }

    /// Removes the oldest `count` records, which are committed or invalid, and sends `answer` to
    /// their waiters.
    pub(crate) fn finish(&self, count: usize, answer: &RecordResult) {
        let left: Vec<QueuedRecord> = {
            let mut waiting = self.waiting.lock();
            let count = count.min(waiting.records.len());
            let left: Vec<QueuedRecord> = waiting.records.drain(..count).collect();
            let bytes: usize = left.iter().map(|record| record.bytes).sum();
            waiting.bytes = waiting.bytes.saturating_sub(bytes);
            waiting.done += u64::try_from(count).unwrap_or(u64::MAX);
            waiting.fault = None;
            if waiting.state() == LedgerState::Current {
                waiting.reason = BacklogReason::Slow;
            }
            self.publish(&waiting);
            left
        };
        self.caught_up.notify_all();
        for sender in left.into_iter().filter_map(|record| record.answer) {
            // The write takes effect even if the caller is gone.
            let _gone = sender.send(answer.clone());
        }
    }

    /// Handles a transient refusal: the records stay, and their waiters stop waiting.
    pub(crate) fn mark_refused(&self, error: &LedgerError, refuses_requests: bool) {
        let answers: Vec<_> = {
            let mut waiting = self.waiting.lock();
            waiting.reason = error.into();
            waiting.fault = Some(CommitFault { error: error.clone(), refuses_requests });
            let answers = waiting.records.iter_mut().filter_map(|record| record.answer.take());
            let answers: Vec<_> = answers.collect();
            if !answers.is_empty() {
                waiting.delivered = waiting.pushed;
            }
            self.publish(&waiting);
            answers
        };
        self.caught_up.notify_all();
        for answer in answers {
            let _gone = answer.send(Ok(CommitStatus::Queued));
        }
    }

    /// Requeues `task` after another program's lock prevented it.
    pub(crate) fn requeue(&self, task: QueuedTask) {
        self.waiting.lock().tasks.push_front(task);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.waiting.lock().is_closed
    }

    /// Closes the queue when the writer stops: fails all waiters, refuses new writes, and returns
    /// the uncommitted records.
    pub(crate) fn abandon(&self) -> Vec<Arc<LedgerWrite>> {
        let (records, tasks) = {
            let mut waiting = self.waiting.lock();
            waiting.is_closed = true;
            waiting.bytes = 0;
            (std::mem::take(&mut waiting.records), std::mem::take(&mut waiting.tasks))
        };
        self.caught_up.notify_all();
        // Dropping the senders notifies the callers.
        drop(tasks);
        records.into_iter().map(|record| record.job).collect()
    }
}
