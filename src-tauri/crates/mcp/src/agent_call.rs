//! The client's side of one call of a tool: whether it wants to be told of progress, and its cancellation.

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio_util::sync::CancellationToken;

pub(crate) struct AgentCall {
    context: RequestContext<RoleServer>,
    steps_reported: usize,
}

impl AgentCall {
    pub(crate) const fn new(context: RequestContext<RoleServer>) -> Self {
        Self { context, steps_reported: 0 }
    }

    /// Waits until the client cancels the call.
    pub(crate) async fn cancelled(&self) {
        self.context.ct.cancelled().await;
    }

    /// Tells the parts of the call that the client has cancelled it.
    pub(crate) fn stop_signal(&self) -> CancellationToken {
        self.context.ct.clone()
    }

    /// Tells how many of `total` steps are done, unless that was told before. A client that has gone
    /// is no error of the call.
    pub(crate) async fn report_progress(&mut self, done: usize, total: usize, message: &str) {
        let Some(token) = self.context.meta.get_progress_token() else { return };
        if done <= self.steps_reported {
            return;
        }
        self.steps_reported = done;
        let steps = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let progress = ProgressNotificationParam::new(token, steps(done))
            .with_total(steps(total))
            .with_message(message);
        if let Err(error) = self.context.peer.notify_progress(progress).await {
            tracing::debug!(%error, "progress was not told");
        }
    }
}
