//! The client's side of one call of a tool: whether it wants to be told of progress, and its cancellation.

use std::sync::Arc;
use std::time::Duration;

use domain::ClientId;
use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio::time::{Interval, interval};
use tokio_util::sync::CancellationToken;

/// Time between two reports of a call that goes on, in seconds. Clients give up on calls that are silent.
const PROGRESS_SECS: u64 = 4;

/// The reports of a call that goes on, each [`PROGRESS_SECS`] after the one before.
pub(crate) struct WaitReports {
    ticks: Interval,
    waited: Duration,
    limit: Duration,
}

impl WaitReports {
    /// Begins a wait of `limit` at most.
    pub(crate) fn new(limit: Duration) -> Self {
        let mut ticks = interval(Duration::from_secs(PROGRESS_SECS));
        ticks.reset();
        Self { ticks, waited: Duration::ZERO, limit }
    }

    /// Waits until the next report is due. Loses nothing if it is dropped before.
    pub(crate) async fn next(&mut self, done: usize, total: usize) -> CallProgress {
        self.ticks.tick().await;
        self.waited += self.ticks.period();
        CallProgress::waiting(done, total, self.waited, self.limit)
    }
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallProgress {
    /// Steps that are done, and the part of the time of the next one that has passed.
    pub(crate) done: f64,
    pub(crate) total: usize,
    pub(crate) message: String,
}

impl CallProgress {
    /// After the end of a step.
    pub(crate) fn step(done: usize, total: usize, message: &str) -> Self {
        Self { done: count(done), total, message: message.to_owned() }
    }

    /// Between two steps, so that the client sees that the call goes on. `elapsed` of the time until
    /// `limit` has passed.
    fn waiting(done: usize, total: usize, elapsed: Duration, limit: Duration) -> Self {
        let part = elapsed.as_secs_f64() / limit.as_secs_f64().max(f64::MIN_POSITIVE);
        let message = format!("waiting for {} s", elapsed.as_secs());
        // Less than the next step.
        Self { done: count(done) + part.min(1.0) * 0.99, total, message }
    }
}

/// Tells a client how far a call is.
pub(crate) trait ProgressReporter {
    /// Tells it, unless that or more was told before: the protocol asks for numbers that grow. A client that
    /// has gone is no error of the call.
    fn report_progress(&mut self, progress: CallProgress) -> impl Future<Output = ()> + Send;
}

fn count(steps: usize) -> f64 {
    f64::from(u32::try_from(steps).unwrap_or(u32::MAX))
}

pub(crate) struct AgentCall {
    context: RequestContext<RoleServer>,
    /// As in [`crate::server::Server`].
    client: Option<Arc<ClientId>>,
    /// The highest number of steps that was told.
    reported: f64,
}

impl AgentCall {
    pub(crate) const fn new(
        context: RequestContext<RoleServer>,
        client: Option<Arc<ClientId>>,
    ) -> Self {
        Self { context, client, reported: 0.0 }
    }

    /// The client whose limits hold for what the call sends.
    pub(crate) fn client(&self) -> Option<&ClientId> {
        self.client.as_deref()
    }

    /// Waits until the client cancels the call.
    pub(crate) async fn cancelled(&self) {
        self.context.ct.cancelled().await;
    }

    /// Tells the parts of the call that the client has cancelled it.
    pub(crate) fn stop_signal(&self) -> CancellationToken {
        self.context.ct.clone()
    }
}

impl ProgressReporter for AgentCall {
    async fn report_progress(&mut self, progress: CallProgress) {
        let Some(token) = self.context.meta.get_progress_token() else { return };
        let CallProgress { done, total, message } = progress;
        if done <= self.reported {
            return;
        }
        self.reported = done;
        let progress = ProgressNotificationParam::new(token, done)
            .with_total(count(total))
            .with_message(message);
        if let Err(error) = self.context.peer.notify_progress(progress).await {
            tracing::debug!(%error, "progress was not told");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_counts_as_more_than_the_last_step_and_less_than_the_next() {
        let limit = Duration::from_secs(120);
        let waiting = |secs| CallProgress::waiting(1, 3, Duration::from_secs(secs), limit).done;
        let told = [waiting(4), waiting(8), waiting(120), waiting(121)];
        assert!(
            told.is_sorted() && told[0] > 1.0 && told[1] > told[0] && told[3] < 2.0,
            "{told:?}"
        );
        let none = CallProgress::waiting(0, 1, Duration::ZERO, Duration::ZERO).done;
        assert!(none.abs() < f64::EPSILON, "{none}");
    }
}
