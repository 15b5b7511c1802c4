//! Busy polling: looking for what is expected at once, instead of sleeping until it wakes us.
//!
//! A processor that has gone to sleep takes longer to wake than a lane takes to pass a request on: some
//! 40 µs on a virtual machine, and a request sleeps twice. So whoever has just sent something looks
//! for the reply a few times before it sleeps, as Linux does for network cards (`net.core.busy_poll`,
//! for which <https://docs.kernel.org/admin-guide/sysctl/net.html> recommends 50 µs). Only one who is
//! alone: where others are at work the processor is awake, and has better things to do.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Looks before sleeping, each a microsecond or less.
pub(crate) const LOOKS_MAX: usize = 128;

/// How many are at work in one place.
#[derive(Debug, Default)]
pub(crate) struct PollingCount(AtomicUsize);

/// One of a crowd.
pub(crate) struct PollingGuard<'a>(&'a PollingCount);

impl PollingCount {
    pub(crate) fn enter(&self) -> PollingGuard<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        PollingGuard(self)
    }

    /// Looks anew each time something was sent.
    pub(crate) async fn look_after_each(&self, sent: &Notify) -> Infallible {
        loop {
            sent.notified().await;
            self.enter().look().await;
        }
    }
}

impl PollingGuard<'_> {
    /// Lets everything go on that is ready and looks at the sockets, up to [`LOOKS_MAX`] times and
    /// only while alone. To be polled after what is waited for.
    pub(crate) async fn look(&self) {
        for _ in 0..LOOKS_MAX {
            if self.0.0.load(Ordering::Relaxed) > 1 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Looks, and then waits for ever.
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

    /// How often a task would be polled again before it sleeps, outside of any runtime.
    fn looks(mut between: impl FnMut(usize), crowd: &PollingCount) -> usize {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let inside = crowd.enter();
        let mut looking = pin!(inside.look_then_sleep());
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
        let crowd = PollingCount::default();
        let other = crowd.enter();
        assert_eq!(looks(|_| {}, &crowd), 0);
        drop(other);
        assert_eq!(looks(|_| {}, &crowd), LOOKS_MAX);
        let mut came = None;
        let comes = |polls| {
            if polls == 10 {
                came = Some(crowd.enter());
            }
        };
        assert_eq!(looks(comes, &crowd), 9);
    }
}
