//! What the gateway tells the rest of the program about requests. No secret, prompt or answer.

use std::time::Duration;

use domain::{BackendId, ClientId, CredentialId, RequestId, TokenUsage};
use endpoints::Verdict;
use ledger::{Cost, Purpose, RequestOutcome, Timings};

/// Takes events. Called on the way of a request, so it must not block: queue and return.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: GatewayEvent);
}

/// Something happened to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum GatewayEvent {
    /// A request is about to be sent to a backend.
    RequestStarted {
        /// Which request.
        id: RequestId,
        /// Who called.
        client: ClientId,
        /// Where it goes.
        backend: BackendId,
    },
    /// A try failed and another one begins. The last try of a request is told of by
    /// [`GatewayEvent::RequestSettled`].
    FailedOver {
        /// Which backend failed.
        backend: BackendId,
        /// The credential used there.
        credential: Option<CredentialId>,
        /// What that says about the two.
        verdict: Verdict,
        /// How long it took to fail.
        duration: Duration,
    },
    /// A request is over and, as far as the ledger could, written down.
    RequestSettled(Box<RequestSummary>),
}

/// A request that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSummary {
    /// Which request.
    pub id: RequestId,
    /// Who called.
    pub client: ClientId,
    /// Whose traffic it was.
    pub purpose: Purpose,
    /// The model the client named.
    pub model_asked: String,
    /// The backend that answered or failed last; `None` if none was asked.
    pub backend: Option<BackendId>,
    /// The credential used there.
    pub credential: Option<CredentialId>,
    /// How it ended for the client.
    pub outcome: RequestOutcome,
    /// What the last try says about the backend and its key; `None` if none was asked.
    pub verdict: Option<Verdict>,
    /// The status the client got; `None` if it went away before.
    pub http_status: Option<u16>,
    /// What it cost.
    pub cost: Cost,
    /// Tokens, if they are known.
    pub usage: Option<TokenUsage>,
    /// Where the time went.
    pub timings: Timings,
    /// Whether the ledger has it.
    pub recorded: Recorded,
}

/// Whether a request is in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recorded {
    /// It is.
    Yes,
    /// The ledger refused it for now; it keeps it in memory and tries again, or it is lost.
    NotYet,
}
