//! Supervises background tasks: the stop waits for all of them, and panics are logged.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Maximum time tasks have to end when the engine stops.
pub(crate) const STOP_SECS_MAX: u64 = 10;

/// Spawns and stops tasks. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Returns a token that is cancelled when the engine stops.
    #[must_use]
    pub(crate) fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Spawns `task`. A panic in it is logged with the task's name.
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let running = tokio::spawn(self.tracker.track_future(task));
        tokio::spawn(self.tracker.track_future(async move {
            if let Err(error) = running.await
                && error.is_panic()
            {
                tracing::error!(task = name, "a background task panicked");
            }
        }));
    }

    /// Sleeps for `period`; returns `false` as soon as the engine stops.
    pub(crate) async fn sleep(&self, period: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(period) => true,
        }
    }

    /// Cancels all tasks and waits for them, at most [`STOP_SECS_MAX`].
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        let limit = Duration::from_secs(STOP_SECS_MAX);
        if tokio::time::timeout(limit, self.tracker.wait()).await.is_err() {
            tracing::warn!("some background tasks did not stop within {STOP_SECS_MAX} s");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_tasks_and_gives_up_on_the_deaf() {
        let tasks = Tasks::default();
        let stop = tasks.stop_token();
        tasks.spawn("listening", async move { stop.cancelled().await });
        tasks.spawn("panicking", async { panic!("on purpose") });
        tasks.stop().await;

        let tasks = Tasks::default();
        tasks.spawn("deaf", std::future::pending());
        tasks.stop().await;
    }
}
