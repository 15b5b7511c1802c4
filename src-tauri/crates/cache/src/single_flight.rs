//! Single-flight: identical concurrent requests share one answer.
//!
//! The first request of a key provides the work, a stream; later ones join it and get every item
//! from the first on. No task is spawned: whichever follower is polled drives the stream for all,
//! so it continues when the leader leaves. It is dropped, and with it the call to the backend, when
//! the last follower leaves.
//!
//! Memory is bounded: items are kept for late joiners up to [`SingleFlight::new`]'s `kept_bytes_max`.
//! Past it, items that everybody has read are dropped and nobody can join any more. A follower that
//! is further behind gets [`Lagged`], since neither waiting for a slow client nor buffering
//! everything for it would be fair to the others. A single follower is never left behind: the
//! stream then waits for its only reader.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::Stream;
use futures_util::stream::BoxStream;
use parking_lot::Mutex;

use crate::CacheKey;

#[cfg(test)]
mod tests;

/// The calls in flight.
pub struct SingleFlight<T> {
    flights: Arc<FlightMap<T>>,
    kept_bytes_max: usize,
    weigh: fn(&T) -> usize,
}

/// Keyed by generation too, so that a request after a purge starts a new call.
type FlightMap<T> = Mutex<HashMap<FlightKey, Weak<Flight<T>>>>;
type FlightKey = (CacheKey, u64);

/// How a request takes part in a flight.
pub enum Joined<T, S, D> {
    /// It provided the stream.
    Leader(FlightStream<T>),
    /// It joined a running flight. Returns the unused seed.
    Follower(FlightStream<T>, S),
    /// There was no flight to join, and `work` returned something other than a stream.
    Declined(D),
}

/// The reader was too slow for the flight's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this client read a shared response too slowly; send the request again")]
pub struct Lagged;

impl<T: Clone + Send + 'static> SingleFlight<T> {
    /// `weigh` returns the size of an item in bytes.
    #[must_use]
    pub fn new(kept_bytes_max: usize, weigh: fn(&T) -> usize) -> Self {
        Self { flights: Arc::default(), kept_bytes_max, weigh }
    }

    /// Joins the flight for `key`, or starts one with `work(seed)`. `work` is called under a lock and
    /// must not block; it may decline, for instance because the answer has been stored meanwhile. A
    /// follower that is not polled does not drive the stream; the others do.
    pub fn join<S, D>(
        &self,
        key: CacheKey,
        generation: u64,
        seed: S,
        work: impl FnOnce(S) -> Result<BoxStream<'static, T>, D>,
    ) -> Joined<T, S, D> {
        let name = (key, generation);
        let mut under_way = self.flights.lock();
        let found = under_way.get(&name).and_then(Weak::upgrade);
        if let Some(flight) = found {
            // This may drop the last reference to the flight, which takes the lock.
            drop(under_way);
            return match FlightStream::follow(&flight) {
                Some(stream) => Joined::Follower(stream, seed),
                None => self.start_unlisted(seed, work),
            };
        }
        let stream = match work(seed) {
            Ok(stream) => stream,
            Err(declined) => return Joined::Declined(declined),
        };
        let home = Some((name, Arc::downgrade(&self.flights)));
        let flight = Arc::new(self.new_flight(home, stream));
        under_way.insert(name, Arc::downgrade(&flight));
        drop(under_way);
        Joined::Leader(FlightStream::leader(flight))
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.flights.lock().len()
    }

    /// Starts an unlisted flight, because the listed one has dropped its first items.
    fn start_unlisted<S, D>(
        &self,
        seed: S,
        work: impl FnOnce(S) -> Result<BoxStream<'static, T>, D>,
    ) -> Joined<T, S, D> {
        match work(seed) {
            Ok(stream) => {
                Joined::Leader(FlightStream::leader(Arc::new(self.new_flight(None, stream))))
            }
            Err(declined) => Joined::Declined(declined),
        }
    }

    fn new_flight(
        &self,
        home: Option<FlightListing<T>>,
        stream: BoxStream<'static, T>,
    ) -> Flight<T> {
        Flight {
            listing: home,
            kept_bytes_max: self.kept_bytes_max,
            weigh: self.weigh,
            work: Mutex::new(Some(stream)),
            buffer: Mutex::new(FlightBuffer::new()),
            wakers: Arc::default(),
        }
    }
}

/// The list that a flight is removed from at its end.
type FlightListing<T> = (FlightKey, Weak<FlightMap<T>>);

/// One stream and all its followers.
struct Flight<T> {
    listing: Option<FlightListing<T>>,
    kept_bytes_max: usize,
    weigh: fn(&T) -> usize,
    /// Locked by the follower that drives; `None` at the end.
    work: Mutex<Option<BoxStream<'static, T>>>,
    buffer: Mutex<FlightBuffer<T>>,
    wakers: Arc<WakerSet>,
}

impl<T> Flight<T> {
    /// Removes the flight from the list: later requests find the stored answer or start anew.
    fn unlist(&self) {
        let Some((name, under_way)) = &self.listing else { return };
        let Some(under_way) = under_way.upgrade() else { return };
        let mut under_way = under_way.lock();
        let is_this = under_way.get(name).is_some_and(|listed| std::ptr::eq(listed.as_ptr(), self));
        if is_this {
            under_way.remove(name);
        }
    }
}

impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        self.unlist();
    }
}

/// Buffered items and the position of each follower.
struct FlightBuffer<T> {
    items: VecDeque<(T, usize)>,
    /// Number of the first buffered item.
    first: u64,
    bytes: usize,
    is_over: bool,
    /// Next item number of each follower.
    positions: HashMap<u64, u64>,
    next_follower: u64,
}

impl<T: Clone> FlightBuffer<T> {
    fn new() -> Self {
        Self {
            items: VecDeque::new(),
            first: 0,
            bytes: 0,
            is_over: false,
            positions: HashMap::new(),
            next_follower: 0,
        }
    }

    /// Adds a follower at the first item, if that is still buffered.
    fn add_follower(&mut self) -> Option<u64> {
        if self.first > 0 {
            return None;
        }
        let seat = self.next_follower;
        self.next_follower += 1;
        self.positions.insert(seat, 0);
        Some(seat)
    }

    /// The next item of a follower: `Ready(None)` at the end, `Pending` if it has not arrived yet.
    fn next_item(&mut self, seat: u64) -> Poll<Option<Result<T, Lagged>>> {
        let Some(at) = self.positions.get_mut(&seat) else { return Poll::Ready(None) };
        let Some(place) = at.checked_sub(self.first) else {
            self.positions.remove(&seat);
            return Poll::Ready(Some(Err(Lagged)));
        };
        match usize::try_from(place).ok().and_then(|place| self.items.get(place)) {
            Some((item, _)) => {
                *at += 1;
                Poll::Ready(Some(Ok(item.clone())))
            }
            None if self.is_over => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn push(&mut self, item: T, weight: usize) {
        self.bytes = self.bytes.saturating_add(weight);
        self.items.push_back((item, weight));
    }

    /// Drops the oldest items while the buffer is too large, even unread ones. The newest item
    /// stays.
    fn trim(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max && self.items.len() > 1 {
            let Some((_, weight)) = self.items.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(weight);
            self.first += 1;
        }
        // A single large item is dropped once everybody has read it.
        let seen_by_all = self.positions.values().all(|at| *at > self.first);
        if self.bytes > bytes_max && seen_by_all && self.items.pop_front().is_some() {
            self.bytes = 0;
            self.first += 1;
        }
    }
}

/// Wakes all waiting followers.
#[derive(Default)]
struct WakerSet {
    waiting: Mutex<HashMap<u64, Waker>>,
}

impl WakerSet {
    fn wake_all(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        waiting.into_values().for_each(Waker::wake);
    }
}

impl Wake for WakerSet {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}

/// A participant in a flight: a stream of its items from the first on.
pub struct FlightStream<T> {
    flight: Arc<Flight<T>>,
    id: u64,
}

impl<T: Clone + Send + 'static> FlightStream<T> {
    fn leader(flight: Arc<Flight<T>>) -> Self {
        let seat = flight.buffer.lock().add_follower().unwrap_or_default();
        Self { flight, id: seat }
    }

    fn follow(flight: &Arc<Flight<T>>) -> Option<Self> {
        let seat = flight.buffer.lock().add_follower()?;
        Some(Self { flight: Arc::clone(flight), id: seat })
    }

    /// Polls the stream for one item. `Pending` if there is none or another follower is polling.
    fn drive(&self) -> Poll<()> {
        let flight = &*self.flight;
        let Some(mut work) = flight.work.try_lock() else { return Poll::Pending };
        // Another follower may have progressed since the log was read. Followers that found the
        // lock taken must be woken, since this one may never be polled again.
        let Some(stream) = work.as_mut().filter(|_| !flight.buffer.lock().has_more(self.id)) else {
            drop(work);
            flight.wakers.wake_all();
            return Poll::Ready(());
        };
        let waker = Waker::from(Arc::clone(&flight.wakers));
        match stream.as_mut().poll_next(&mut Context::from_waker(&waker)) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(item)) => {
                let weight = (flight.weigh)(&item);
                let mut log = flight.buffer.lock();
                log.push(item, weight);
            }
            Poll::Ready(None) => {
                let over = work.take();
                flight.buffer.lock().is_over = true;
                flight.unlist();
                drop(over);
            }
        }
        drop(work);
        flight.wakers.wake_all();
        Poll::Ready(())
    }
}

impl<T: Clone> FlightBuffer<T> {
    fn has_more(&self, seat: u64) -> bool {
        let next = self.first.saturating_add(u64::try_from(self.items.len()).unwrap_or(u64::MAX));
        self.is_over || self.positions.get(&seat).is_none_or(|at| *at < next)
    }
}

impl<T: Clone + Send + 'static> Stream for FlightStream<T> {
    type Item = Result<T, Lagged>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let flight = &*self.flight;
        loop {
            {
                let mut log = flight.buffer.lock();
                let taken = log.next_item(self.id);
                if taken.is_ready() {
                    log.trim(flight.kept_bytes_max);
                    return taken;
                }
                // Under the log's lock: whoever adds an item wakes afterwards.
                flight.wakers.waiting.lock().insert(self.id, context.waker().clone());
            }
            if self.drive().is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl<T> Drop for FlightStream<T> {
    fn drop(&mut self) {
        self.flight.buffer.lock().positions.remove(&self.id);
        self.flight.wakers.waiting.lock().remove(&self.id);
        // If this follower was to drive, another one takes over.
        self.flight.wakers.wake_all();
    }
}
