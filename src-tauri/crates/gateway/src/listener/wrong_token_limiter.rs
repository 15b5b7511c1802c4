//! Slows down token guessing: after a few wrong tokens, each further answer to one is delayed.
//! Right tokens never wait, and nothing is stored about callers, since all of them are on this
//! machine.

use std::time::Duration;

use domain::Moment;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// Wrong tokens answered at once in each [`WINDOW`]: a tool with a wrong token tries a few times.
const WRONG_AT_ONCE_MAX: u32 = 20;

/// Time over which wrong tokens are counted.
const WINDOW: Duration = Duration::from_secs(10);

/// Delay of the answer to each further wrong token.
const WAIT: Duration = Duration::from_millis(250);

/// Answers delayed at one time; more are sent at once, so that waiting costs no memory.
const WAITING_MAX: usize = 64;

/// Counts wrong tokens and delays their answers.
#[derive(Debug)]
pub(crate) struct WrongTokenLimiter {
    counted: Mutex<WrongTokenCount>,
    waiting: Semaphore,
}

#[derive(Debug, Default)]
struct WrongTokenCount {
    since: Option<Moment>,
    wrong: u32,
}

impl Default for WrongTokenLimiter {
    fn default() -> Self {
        Self { counted: Mutex::default(), waiting: Semaphore::new(WAITING_MAX) }
    }
}

impl WrongTokenLimiter {
    /// Records a wrong token, and waits if there were many.
    pub(crate) async fn record(&self, now: Moment) {
        let wait = self.wait(now);
        if wait > Duration::ZERO
            && let Ok(_permit) = self.waiting.try_acquire()
        {
            tokio::time::sleep(wait).await;
        }
    }

    fn wait(&self, now: Moment) -> Duration {
        let mut counted = self.counted.lock();
        let is_over = counted.since.is_none_or(|since| now.since(since) >= WINDOW);
        if is_over {
            *counted = WrongTokenCount { since: Some(now), wrong: 0 };
        }
        counted.wrong = counted.wrong.saturating_add(1);
        if counted.wrong > WRONG_AT_ONCE_MAX { WAIT } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn the_first_are_answered_at_once_the_others_wait_and_a_new_window_begins_anew() {
        let tokens = WrongTokenLimiter::default();
        let at = Moment::from_secs;
        for _ in 0..WRONG_AT_ONCE_MAX {
            assert_eq!(tokens.wait(at(1)), Duration::ZERO);
        }
        for second in [1, 5, 10] {
            assert_eq!(tokens.wait(at(second)), WAIT);
        }
        assert_eq!(tokens.wait(at(11)), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_limit_wait_at_one_time() {
        let tokens = WrongTokenLimiter::default();
        let now = Moment::from_secs(1);
        for _ in 0..WRONG_AT_ONCE_MAX {
            tokens.record(now).now_or_never().expect("at once");
        }
        let mut waiting: Vec<_> = (0..WAITING_MAX).map(|_| Box::pin(tokens.record(now))).collect();
        for wait in &mut waiting {
            assert!(wait.as_mut().now_or_never().is_none());
        }
        tokens.record(now).now_or_never().expect("one too many is answered at once");
        futures_util::future::join_all(waiting).await;
        assert!(tokens.record(now).now_or_never().is_none(), "their places are free again");
    }
}
