//! A bounded priority queue for concurrency slots, as a pure ticket machine.
//!
//! It neither waits nor wakes anyone: it returns the tickets that are next, and its owner notifies
//! the waiters. Each ticket is called at most once and ends with one [`AdmissionQueue::release`], whether
//! it was served, gave up while waiting, or gave up at the moment it was called. A second `leave`
//! does nothing. So no slot is lost or given out twice.
//!
//! Interactive requests go first, then background work, then probes; within a class first come,
//! first served. A waiting class is skipped at most [`SKIPS_MAX`] times in a row, so the head of a
//! lower class is served within [`SKIPS_MAX`] + 2 turns: one for itself and one for the other
//! lower class, if both become due together.
//!
//! Lower classes reach their queue limit earlier ([`PriorityArgument::queue_percent`]), so that background
//! work cannot fill the queue before a person's request arrives. A waiting request is never
//! evicted.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use domain::{Moment, words};

/// How often in a row a waiting class may be skipped. 8: under a steady stream of interactive
/// requests, background work still gets a ninth of the slots.
pub(crate) const SKIPS_MAX: u32 = 8;

/// Lower bound for the `retry_after` of a rejected request.
pub(crate) const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);

/// Upper bound for the `retry_after` of a rejected request: some SDKs sleep for as long as they are
/// told.
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

words! {
    /// Queue priority of a request.
    #[derive(Default)]
    Priority {
        /// A person waits for the answer.
        #[default]
        Interactive = "interactive",
        /// Nobody is waiting for the answer.
        Background = "background",
        /// The gateway's own requests.
        Probe = "probe",
    }
}

impl Priority {
    /// Share of the queue that may be filled before this class is rejected, in percent.
    #[must_use]
    pub(crate) const fn queue_percent(self) -> usize {
        match self {
            Self::Interactive => 100,
            Self::Background => 75,
            Self::Probe => 50,
        }
    }
}

/// A request's claim to a slot, from [`AdmissionQueue::request_slot`] to [`AdmissionQueue::release`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    number: u64,
    priority: Priority,
}

/// The result of asking for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdmissionOutcome {
    /// A slot, immediately.
    Slot(Ticket),
    /// Queued: a later call to [`AdmissionQueue::release`] or [`AdmissionQueue::resize`] returns this ticket.
    Queued(Ticket),
    Full {
        /// Estimated time until there is room in the queue, from the pace of recent requests.
        retry_after: Duration,
    },
}

/// Concurrency slots and their queue.
#[derive(Debug, Clone)]
pub struct AdmissionQueue {
    slots: usize,
    queue_max: usize,
    holders: BTreeSet<Ticket>,
    /// One for each class, in the order of [`PriorityArgument::ALL`].
    classes: [ClassQueue; 3],
    issued: u64,
    pace: SlotPace,
}

/// The waiting tickets of one class.
#[derive(Debug, Clone, Default)]
struct ClassQueue {
    waiting: VecDeque<Ticket>,
    /// Consecutive turns given to other classes while this one was waiting.
    skipped: u32,
}

impl AdmissionQueue {
    /// Creates an empty queue. `places` is the maximum number of concurrent requests, at least one;
    /// `queue_max` the maximum number of waiting ones.
    #[must_use]
    pub fn new(places: usize, queue_max: usize) -> Self {
        Self {
            slots: places.max(1),
            queue_max,
            holders: BTreeSet::new(),
            classes: Default::default(),
            issued: 0,
            pace: SlotPace::default(),
        }
    }

    pub fn request_slot(&mut self, priority: Priority, now: Moment) -> AdmissionOutcome {
        let ticket = Ticket { number: self.issued, priority };
        let queued = self.queued();
        // Queued requests go first, even at the moment a slot is free.
        if self.holders.len() < self.slots && queued == 0 {
            self.issued += 1;
            self.pace.slot_taken(now);
            self.holders.insert(ticket);
            return AdmissionOutcome::Slot(ticket);
        }
        if queued >= (self.queue_max * priority.queue_percent()).div_ceil(100) {
            return AdmissionOutcome::Full { retry_after: self.retry_after(queued) };
        }
        self.issued += 1;
        if let Some(line) = self.class_queue(priority) {
            line.waiting.push_back(ticket);
        }
        AdmissionOutcome::Queued(ticket)
    }

    /// Ends a claim in any state: served, waiting or just called. Returns the ticket that gets the
    /// slot, if any. Does nothing for an unknown ticket.
    #[must_use = "whoever is called holds a place and must be told"]
    pub fn release(&mut self, ticket: Ticket, now: Moment) -> Option<Ticket> {
        if self.holders.remove(&ticket) {
            self.pace.slot_released(now, !self.classes.iter().all(|line| line.waiting.is_empty()));
        } else if let Some(line) = self.class_queue(ticket.priority) {
            line.waiting.retain(|waiting| *waiting != ticket);
            if line.waiting.is_empty() {
                line.skipped = 0;
            }
        }
        self.call_next()
    }

    /// Changes the number of slots, at least one. With fewer slots, running requests finish and
    /// nobody is called until the number fits. Returns the tickets that now get a slot.
    #[must_use = "whoever is called holds a place and must be told"]
    pub fn resize(&mut self, places: usize) -> Vec<Ticket> {
        self.slots = places.max(1);
        std::iter::from_fn(|| self.call_next()).collect()
    }

    /// Changes the queue's limit. Requests that are already queued stay.
    pub const fn set_queue_max(&mut self, queue_max: usize) {
        self.queue_max = queue_max;
    }

    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.holders.len()
    }

    #[must_use]
    pub fn queued(&self) -> usize {
        self.classes.iter().map(|line| line.waiting.len()).sum()
    }

    fn class_queue(&mut self, priority: Priority) -> Option<&mut ClassQueue> {
        self.classes.get_mut(priority as usize)
    }

    /// Gives a free slot to the next ticket.
    fn call_next(&mut self) -> Option<Ticket> {
        if self.holders.len() >= self.slots {
            return None;
        }
        let waits = |line: &&ClassQueue| !line.waiting.is_empty();
        let due = self.classes.iter().filter(waits).any(|line| line.skipped >= SKIPS_MAX);
        let next = self.classes.iter().enumerate().filter(|(_, line)| waits(line));
        let (next, _) = next
            // The highest class that is due; if none is due, the highest that waits.
            .filter(|(_, line)| !due || line.skipped >= SKIPS_MAX)
            .min_by_key(|(class, _)| *class)?;
        let mut called = None;
        for (class, line) in self.classes.iter_mut().enumerate() {
            if class == next {
                called = line.waiting.pop_front();
                line.skipped = 0;
            } else if !line.waiting.is_empty() {
                line.skipped += 1;
            }
        }
        self.holders.extend(called);
        called
    }

    fn retry_after(&self, queued: usize) -> Duration {
        let ahead = u32::try_from(queued + 1).unwrap_or(u32::MAX);
        let estimate = self.pace.time_per_slot().saturating_mul(ahead);
        estimate.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX)
    }
}

/// How fast slots become free while somebody waits for one.
#[derive(Debug, Clone, Copy, Default)]
struct SlotPace {
    last: Moment,
    /// Average time between two freed slots, in microseconds.
    between: Option<u64>,
}

impl SlotPace {
    /// Weight of a new value: an eighth, as in TCP's smoothed round trip time (RFC 6298).
    const WEIGHT: u64 = 8;

    /// A slot was free. The time without a queue says nothing about the pace.
    const fn slot_taken(&mut self, now: Moment) {
        self.last = now;
    }

    fn slot_released(&mut self, now: Moment, awaited: bool) {
        let gap = u64::try_from(now.since(self.last).as_micros()).unwrap_or(u64::MAX);
        self.last = now;
        if awaited {
            let before = self.between.unwrap_or(gap);
            self.between = Some(before - before / Self::WEIGHT + gap / Self::WEIGHT);
        }
    }

    fn time_per_slot(&self) -> Duration {
        Duration::from_micros(self.between.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests;
