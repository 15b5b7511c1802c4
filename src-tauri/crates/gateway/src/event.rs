//! The events that the gateway emits about requests. They contain no secret, prompt or answer.

use std::time::Duration;

use domain::{BackendId, ClientId, CredentialId, RequestId, TokenUsage};
use endpoints::Verdict;
use ledger::{CacheOutcome, Purpose, RequestOutcome, Timings};
use pricing::Cost;

/// Receives events. Called while a request is handled, so it must not block: queue the event and return.
pub trait EventSink: Send + Sync {
    fn emit(&self, event: GatewayEvent);
}

#[derive(Debug, Clone, PartialEq)]
pub enum GatewayEvent {
    /// A request is about to be sent to a backend.
    RequestStarted { id: RequestId, client: ClientId, backend: BackendId },
    /// An attempt failed and another one starts. The last attempt of a request is reported by
    /// [`GatewayEvent::RequestSettled`].
    FailedOver {
        backend: BackendId,
        credential: Option<CredentialId>,
        /// The verdict about the backend and its credential.
        verdict: Verdict,
        /// Time from the start of the attempt to its failure.
        duration: Duration,
    },
    /// A request has ended; [`RequestSummary::recorded`] says if the ledger has it.
    RequestSettled(Box<RequestSummary>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct RequestSummary {
    pub id: RequestId,
    pub client: ClientId,
    pub purpose: Purpose,
    /// The model that the client named.
    pub model_asked: String,
    /// The matched route; empty without one.
    pub route: String,
    /// The client's protocol.
    pub dialect: String,
    pub cache: CacheOutcome,
    /// The backend that answered or failed last; `None` if none was asked.
    pub backend: Option<BackendId>,
    pub credential: Option<CredentialId>,
    pub outcome: RequestOutcome,
    /// The verdict of the last attempt about the backend and its key; `None` without an attempt.
    pub verdict: Option<Verdict>,
    /// The status sent to the client; `None` if it disconnected before.
    pub http_status: Option<u16>,
    pub cost: Cost,
    pub usage: Option<TokenUsage>,
    pub timings: Timings,
    pub recorded: Recorded,
}

/// The state of a request in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recorded {
    Yes,
    /// The write failed for now: the ledger keeps the settlement in memory and retries, or it is lost.
    NotYet,
}
