//! Who is served next when there are more requests than places: a queue with an end, as a pure
//! ticket machine.
//!
//! It waits for nothing and wakes nobody: it says whose turn it is, and its owner tells them. Every
//! ticket is called at most once and ends with one [`Admission::leave`], whether it was served, gave
//! up while waiting, or gave up in the moment it was called; a second one does nothing. So a place
//! can be neither lost nor given twice.
//!
//! Interactive requests go first, then background work, then probes; within a class the first come
//! is the first served. A class that waits is passed over at most [`PASSES_MAX`] times in a row before
//! it is due, so the head of a lower class is served within [`PASSES_MAX`] + 2 turns: the two are
//! itself and the other lower class, if both are due at once.
//!
//! Lower classes find the queue full earlier ([`Priority::queue_percent`]), so that background work
//! cannot fill it up before a person's request comes. Nobody who waits is sent away for another.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use domain::{Moment, words};

/// How often in a row a waiting class is passed over. 8: with a person's requests in a steady stream,
/// background work still gets a ninth of the places.
pub const PASSES_MAX: u32 = 8;

/// Least time that a refused request is told to stay away.
pub const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);

/// Most time that a refused request is told to stay away: some SDKs sleep as long as they are told.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

words! {
    /// Who goes first.
    #[derive(Default)]
    Priority {
        /// A person waits for it.
        #[default]
        Interactive = "interactive",
        /// Nobody waits for it now.
        Background = "background",
        /// The gateway's own questions.
        Probe = "probe",
    }
}

impl Priority {
    /// The part of the queue, in percent, up to which this class may join it.
    #[must_use]
    pub const fn queue_percent(self) -> usize {
        match self {
            Self::Interactive => 100,
            Self::Background => 75,
            Self::Probe => 50,
        }
    }
}

/// One request's claim to a place, from [`Admission::enter`] to [`Admission::leave`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    number: u64,
    priority: Priority,
}

/// What a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// A place, now.
    Place(Ticket),
    /// A turn later: when a call to [`Admission::leave`] or [`Admission::resize`] gives this ticket.
    Queued(Ticket),
    /// Neither.
    Full {
        /// After which time a place in the queue may be free, from the pace of the last requests.
        retry_after: Duration,
    },
}

/// Places, and the queue for them.
#[derive(Debug, Clone)]
pub struct Admission {
    places: usize,
    queue_max: usize,
    holders: BTreeSet<Ticket>,
    /// One for each class, in the order of [`Priority::ALL`].
    lines: [Line; 3],
    issued: u64,
    pace: Pace,
}

/// Those who wait in one class.
#[derive(Debug, Clone, Default)]
struct Line {
    waiting: VecDeque<Ticket>,
    /// Turns that others got in a row while somebody waited here.
    passed: u32,
}

impl Admission {
    /// Nobody inside. `places`: most requests at once, at least one. `queue_max`: most that wait.
    #[must_use]
    pub fn new(places: usize, queue_max: usize) -> Self {
        Self {
            places: places.max(1),
            queue_max,
            holders: BTreeSet::new(),
            lines: Default::default(),
            issued: 0,
            pace: Pace::default(),
        }
    }

    /// Asks for a place.
    pub fn enter(&mut self, priority: Priority, now: Moment) -> Entered {
        let ticket = Ticket { number: self.issued, priority };
        let queued = self.queued();
        // Who is queued goes first, even in the moment a place is free.
        if self.holders.len() < self.places && queued == 0 {
            self.issued += 1;
            self.pace.entered(now);
            self.holders.insert(ticket);
            return Entered::Place(ticket);
        }
        if queued >= (self.queue_max * priority.queue_percent()).div_ceil(100) {
            return Entered::Full { retry_after: self.retry_after(queued) };
        }
        self.issued += 1;
        if let Some(line) = self.line(priority) {
            line.waiting.push_back(ticket);
        }
        Entered::Queued(ticket)
    }

    /// Ends a claim: served, or given up, whether still waiting or already called. Says whose turn it
    /// is now. A ticket that is no longer known does nothing.
    #[must_use = "whoever is called holds a place and must be told"]
    pub fn leave(&mut self, ticket: Ticket, now: Moment) -> Option<Ticket> {
        if self.holders.remove(&ticket) {
            self.pace.left(now, !self.lines.iter().all(|line| line.waiting.is_empty()));
        } else if let Some(line) = self.line(ticket.priority) {
            line.waiting.retain(|waiting| *waiting != ticket);
            if line.waiting.is_empty() {
                line.passed = 0;
            }
        }
        self.call()
    }

    /// Changes the number of places, at least one. With fewer, those inside finish and nobody is
    /// called until the number fits. Says whose turn it is now.
    #[must_use = "whoever is called holds a place and must be told"]
    pub fn resize(&mut self, places: usize) -> Vec<Ticket> {
        self.places = places.max(1);
        std::iter::from_fn(|| self.call()).collect()
    }

    /// Changes how many may wait. Who waits already goes on waiting.
    pub const fn set_queue_max(&mut self, queue_max: usize) {
        self.queue_max = queue_max;
    }

    /// How many have a place.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.holders.len()
    }

    /// How many wait.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.lines.iter().map(|line| line.waiting.len()).sum()
    }

    fn line(&mut self, priority: Priority) -> Option<&mut Line> {
        self.lines.get_mut(priority as usize)
    }

    /// Gives a free place to whoever is next.
    fn call(&mut self) -> Option<Ticket> {
        if self.holders.len() >= self.places {
            return None;
        }
        let waits = |line: &&Line| !line.waiting.is_empty();
        let due = self.lines.iter().filter(waits).any(|line| line.passed >= PASSES_MAX);
        let next = self.lines.iter().enumerate().filter(|(_, line)| waits(line));
        let (next, _) = next
            // The highest class that is due, or the highest that waits.
            .filter(|(_, line)| !due || line.passed >= PASSES_MAX)
            .min_by_key(|(class, _)| *class)?;
        let mut called = None;
        for (class, line) in self.lines.iter_mut().enumerate() {
            if class == next {
                called = line.waiting.pop_front();
                line.passed = 0;
            } else if !line.waiting.is_empty() {
                line.passed += 1;
            }
        }
        self.holders.extend(called);
        called
    }

    fn retry_after(&self, queued: usize) -> Duration {
        let ahead = u32::try_from(queued + 1).unwrap_or(u32::MAX);
        let estimate = self.pace.per_place().saturating_mul(ahead);
        estimate.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX)
    }
}

/// How fast places become free while somebody waits for them.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    last: Moment,
    /// Average time between two places that became free, in microseconds.
    between: Option<u64>,
}

impl Pace {
    /// An eighth of the newest, as in TCP's smoothed round trip time (RFC 6298).
    const WEIGHT: u64 = 8;

    /// A place was free: the time without a queue says nothing about the pace.
    const fn entered(&mut self, now: Moment) {
        self.last = now;
    }

    fn left(&mut self, now: Moment, awaited: bool) {
        let gap = u64::try_from(now.since(self.last).as_micros()).unwrap_or(u64::MAX);
        self.last = now;
        if awaited {
            let before = self.between.unwrap_or(gap);
            self.between = Some(before - before / Self::WEIGHT + gap / Self::WEIGHT);
        }
    }

    fn per_place(&self) -> Duration {
        Duration::from_micros(self.between.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests;
