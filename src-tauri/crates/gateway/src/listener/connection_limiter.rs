//! Limits the connections of one listener, and decides which one is closed to make room.
//!
//! Anyone on this machine can open connections, with or without a token. A connection counts as a
//! stranger's until a request on it has carried a valid token. Strangers may hold only a part of all
//! connections, and the oldest is closed for a new one, so holding connections open shuts nobody out.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// One in this many connections is reserved for authenticated callers.
pub(crate) const RESERVED_ONE_IN: usize = 4;

#[derive(Debug)]
pub(crate) struct ConnectionLimiter {
    max: usize,
    held: Mutex<OpenConnections>,
}

#[derive(Debug, Default)]
struct OpenConnections {
    opened: u64,
    /// Cancelled to close a connection.
    open: HashMap<u64, CancellationToken>,
    /// Connections that are not authenticated, oldest first.
    strangers: BTreeSet<u64>,
}

/// One open connection; freed when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    number: u64,
    is_authenticated: AtomicBool,
    closing: CancellationToken,
    connections: Arc<ConnectionLimiter>,
}

impl ConnectionLimiter {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, held: Mutex::default() })
    }

    /// Takes a slot for a new connection. If all are in use the oldest stranger is closed; `None` if there
    /// is none.
    pub(crate) fn open(self: &Arc<Self>) -> Option<Arc<ConnectionSlot>> {
        let mut held = self.held.lock();
        let strangers_max = (self.max - self.max / RESERVED_ONE_IN).max(1);
        let is_full = held.open.len() >= self.max || held.strangers.len() >= strangers_max;
        if is_full && !held.close_oldest() {
            return None;
        }
        held.opened += 1;
        let (number, closing) = (held.opened, CancellationToken::new());
        held.open.insert(number, closing.clone());
        held.strangers.insert(number);
        let (is_authenticated, connections) = (AtomicBool::new(false), Arc::clone(self));
        Some(Arc::new(ConnectionSlot { number, is_authenticated, closing, connections }))
    }

    /// Closes the oldest stranger, if there is one.
    pub(crate) fn close_oldest(&self) {
        self.held.lock().close_oldest();
    }

    pub(crate) const fn max(&self) -> usize {
        self.max
    }
}

impl OpenConnections {
    fn close_oldest(&mut self) -> bool {
        let Some(oldest) = self.strangers.pop_first() else { return false };
        if let Some(closing) = self.open.remove(&oldest) {
            closing.cancel();
        }
        true
    }
}

impl ConnectionSlot {
    /// Completes when the connection must close.
    pub(crate) async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// Marks the connection as authenticated: a request on it carried a valid token.
    pub(crate) fn authenticated(&self) {
        if !self.is_authenticated.swap(true, Ordering::Relaxed) {
            self.connections.held.lock().strangers.remove(&self.number);
        }
    }

    /// Marks the connection as a stranger's: a request on it carried no token, or one that is not valid.
    pub(crate) fn not_authenticated(&self) {
        if self.is_authenticated.swap(false, Ordering::Relaxed) {
            let mut held = self.connections.held.lock();
            if held.open.contains_key(&self.number) {
                held.strangers.insert(self.number);
            }
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut held = self.connections.held.lock();
        held.open.remove(&self.number);
        held.strangers.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(connection: &ConnectionSlot) -> bool {
        !connection.closing.is_cancelled()
    }

    #[test]
    fn the_oldest_stranger_makes_room_and_authenticated_ones_stay() {
        let connections = ConnectionLimiter::new(4);
        let known = connections.open().expect("a place");
        known.authenticated();
        let strangers: Vec<_> = (0..5).map(|_| connections.open().expect("room is made")).collect();
        let open: Vec<_> = strangers.iter().map(|stranger| is_open(stranger)).collect();
        assert_eq!(
            open,
            [false, false, true, true, true],
            "three of four places are for strangers"
        );
        assert!(is_open(&known));
        // A closed connection that authenticates late gets no slot back.
        strangers[0].authenticated();
        drop(strangers);
        let all: Vec<_> = (0..3).map(|_| connections.open().expect("a place")).collect();
        all.iter().for_each(|connection| connection.authenticated());
        assert!(connections.open().is_none(), "nobody is left to go");
        all[1].not_authenticated();
        assert!(connections.open().is_some());
        assert_eq!(all.iter().filter(|one| is_open(one)).count(), 2);
    }

    #[test]
    fn a_listener_with_a_single_place_serves_one_after_the_other() {
        let connections = ConnectionLimiter::new(1);
        let first = connections.open().expect("a place");
        let second = connections.open().expect("room is made");
        assert!(!is_open(&first) && is_open(&second));
    }
}
