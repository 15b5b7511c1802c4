//! How many requests are on their way, and the limit on it. No queue: a client that waits in line
//! holds memory and gives up at its own time-out; one that is told at once retries by its own rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts requests on their way.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight(Arc<AtomicUsize>);

/// One request's place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl InFlight {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// A place, unless `places_max` are taken.
    pub(crate) fn enter(&self, places_max: usize) -> Option<Place> {
        let grown = |count: usize| (count < places_max).then_some(count + 1);
        let entered = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown);
        entered.is_ok().then(|| Place(Arc::clone(&self.0)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_and_places_come_free() {
        let in_flight = InFlight::default();
        let places = [in_flight.enter(2), in_flight.enter(2)];
        assert!(places.iter().all(Option::is_some));
        assert!(in_flight.enter(2).is_none());
        drop(places);
        assert_eq!(in_flight.count(), 0);
        assert!(in_flight.enter(1).is_some());
    }
}
