//! Busy polling: after sending, a task polls for the reply for a short time before it sleeps.
//!
//! Waking a sleeping processor takes some 40 µs on a virtual machine, longer than a worker needs to
//! forward a request, and each request would wait for it twice. Linux does the same for network cards
//! (`net.core.busy_poll`, for which <https://docs.kernel.org/admin-guide/sysctl/net.html> recommends
//! 50 µs). Only a task that is alone polls: if others are active the processor is awake anyway.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Polls before sleeping, each a microsecond or less.
pub(crate) const LOOKS_MAX: usize = 128;

/// Counts active tasks. A task polls only while it is the only one.
#[derive(Debug, Default)]
pub(crate) struct PollingCount(AtomicUsize);

/// One active task; leaves the count when dropped.
pub(crate) struct PollingGuard<'a>(&'a PollingCount);

impl PollingCount {
    pub(crate) fn enter(&self) -> PollingGuard<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        PollingGuard(self)
    }

    /// Polls each time `sent` is notified.
    pub(crate) async fn look_after_each(&self, sent: &Notify) -> Infallible {
        loop {
            sent.notified().await;
            self.enter().look().await;
        }
    }
}

impl PollingGuard<'_> {
    /// Yields to the runtime, which runs ready tasks and checks the sockets, up to [`LOOKS_MAX`] times and
    /// only while alone. In a `select!`, poll it after the awaited future.
    pub(crate) async fn look(&self) {
        for _ in 0..LOOKS_MAX {
            if self.0.0.load(Ordering::Relaxed) > 1 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Polls, then stays pending forever.
    pub(crate) async fn look_then_sleep(&self) -> Infallible {
        self.look().await;
        std::future::pending().await
    }
}

impl Drop for PollingGuard<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};

    use super::*;

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts how often a task is polled again before it sleeps, outside of any runtime.
    fn looks(mut between: impl FnMut(usize), count: &PollingCount) -> usize {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let guard = count.enter();
        let mut looking = pin!(guard.look_then_sleep());
        for polls in 1.. {
            between(polls);
            assert!(matches!(looking.as_mut().poll(&mut cx), Poll::Pending));
            if woken.0.load(Ordering::Relaxed) < polls {
                return polls - 1;
            }
        }
        unreachable!("it never slept")
    }

    #[test]
    fn whoever_is_alone_looks_up_to_the_limit_and_then_sleeps() {
        assert_eq!(looks(|_| {}, &PollingCount::default()), LOOKS_MAX);
    }

    #[test]
    fn nobody_looks_in_a_crowd() {
        let count = PollingCount::default();
        let other = count.enter();
        assert_eq!(looks(|_| {}, &count), 0);
        drop(other);
        assert_eq!(looks(|_| {}, &count), LOOKS_MAX);
        let mut newcomer = None;
        let joins = |polls| {
            if polls == 10 {
                newcomer = Some(count.enter());
            }
        };
        assert_eq!(looks(joins, &count), 9);
    }
}
