//! The gateway's own check: a real request over loopback that costs nothing and is in no total, at the
//! start and once an hour. That it listens does not say that it answers.

use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, WallTime};
use gateway::{LoopbackCall, LoopbackError, loopback_call};

use super::{GatewayServer, ListenerState};
use crate::events::EngineEvent;
use crate::process::tasks::Tasks;

/// Pause between two checks while it answers, in seconds.
const CHECK_SECS: u64 = 3_600;
/// The same while it does not.
const RECHECK_SECS: u64 = 30;
/// Pause before a failure is tried once more, in seconds: one alone may be chance.
const SECOND_TRY_SECS: u64 = 2;
/// Longest wait for an answer that takes well below a millisecond.
const ANSWER_MAX: Duration = Duration::from_secs(5);
const PATH: &str = "/health";

/// Why the gateway listens and does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySilence {
    pub since: WallTime,
    /// A sentence.
    pub reason: String,
}

impl GatewayServer {
    /// Why it does not answer, though it listens; `None` if it answered its last check, or was not
    /// checked on this port yet.
    #[must_use]
    pub fn silence(&self) -> Option<GatewaySilence> {
        match &*self.listening.lock() {
            ListenerState::Listening { silence, .. } => silence.clone(),
            _ => None,
        }
    }

    pub(crate) fn spawn_self_check(self: &Arc<Self>, clock: Arc<dyn Clock>, tasks: &Tasks) {
        let (server, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("gateway check", async move {
            loop {
                server.listen_again().await;
                server.check_itself(&*clock, ANSWER_MAX, &ticks).await;
                let pause = if server.fault().is_none() { CHECK_SECS } else { RECHECK_SECS };
                tokio::select! {
                    is_running = ticks.sleep(Duration::from_secs(pause)) => {
                        if !is_running {
                            return;
                        }
                    }
                    () = server.moved.notified() => {}
                }
            }
        });
    }

    /// True unless it was found not to answer, twice in a row.
    async fn check_itself(&self, clock: &dyn Clock, limit: Duration, tasks: &Tasks) -> bool {
        let ListenerState::Listening { port, .. } = *self.listening.lock() else { return true };
        let mut found = ask(port, limit).await;
        if found.is_err() && self.silence().is_none() {
            if !tasks.sleep(Duration::from_secs(SECOND_TRY_SECS)).await {
                return true;
            }
            found = ask(port, limit).await;
        }
        self.note_check(port, found.err(), clock.wall())
    }

    /// Takes in what a check of `port` found, unless it listens on another one meanwhile.
    fn note_check(&self, port: u16, failure: Option<String>, at: WallTime) -> bool {
        let is_changed = match &mut *self.listening.lock() {
            ListenerState::Listening { port: now, silence, .. } if *now == port => {
                let since = silence.as_ref().map_or(at, |known| known.since);
                let next = failure.map(|reason| GatewaySilence { since, reason });
                std::mem::replace(silence, next.clone()) != next
            }
            _ => false,
        };
        let silence = self.silence();
        if is_changed {
            match &silence {
                Some(silence) => {
                    tracing::error!(port, reason = silence.reason, "the gateway does not answer");
                }
                None => tracing::info!(port, "the gateway answers again"),
            }
            self.events.send(EngineEvent::Gateway);
        }
        silence.is_none()
    }
}

async fn ask(port: u16, limit: Duration) -> Result<(), String> {
    match loopback_call(LoopbackCall::to(port, PATH).within(limit)).await {
        Err(LoopbackError::Late(limit)) => {
            Err(format!("It took a request and did not answer within {limit:?}."))
        }
        Err(error) => Err(format!("A request to it failed: {error}.")),
        Ok(reply) if reply.status == 200 => Ok(()),
        Ok(reply) => Err(format!("It answered a request of its own with status {}.", reply.status)),
    }
}

#[cfg(test)]
mod tests;
