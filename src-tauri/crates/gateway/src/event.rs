//! What the gateway tells the rest of the program about requests. No secret, prompt or answer.

use std::time::Duration;

use domain::{BackendId, ClientId, CredentialId, RequestId, TokenUsage};
use ledger::{Cost, Purpose, RequestOutcome, Timings};
use resilience::{EndpointTransition, FailureClass};

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
    /// Accesses changed their state.
    AccessesChanged(Vec<EndpointTransition>),
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

/// What one request says about the health of its backend and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It answered well.
    Success,
    /// It failed.
    BackendFailure(FailureReason),
    /// It does not accept the key.
    KeyRejected,
    /// The key's account has no money left.
    KeyUnpaid,
    /// It is fine and wants fewer requests.
    RateLimited,
    /// The request was at fault; it says nothing about the backend.
    ClientFault,
    /// The client went away; it says nothing about the backend.
    Cancelled,
    /// The fault lies on this machine: nothing was sent (a locked vault, no network, no file descriptors
    /// left), or nobody was there to read (it slept).
    NotSent,
}

/// How a backend failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// Its name cannot be resolved.
    Dns,
    /// No connection: refused, unreachable or not in time.
    Connect,
    /// No encrypted connection.
    Tls,
    /// It answered too late or went silent.
    Timeout,
    /// The connection broke, or the answer ended before its end.
    Broken,
    /// It sent something that is no answer.
    Unreadable,
    /// It said so itself (5xx).
    Status,
    /// It has no capacity (503, 529).
    Overloaded,
    /// It sent us to another address, where no key may go.
    Redirected,
}

impl FailureReason {
    /// The stable word for it, also the error class in the ledger.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Unreadable => "unreadable",
            Self::Status => "backend_error",
            Self::Overloaded => "overloaded",
            Self::Redirected => "redirected",
        }
    }

    /// Whose failure it is, before any content came.
    pub(crate) const fn class(self) -> FailureClass {
        match self {
            Self::Dns => FailureClass::Dns,
            Self::Connect | Self::Broken => FailureClass::Connect,
            Self::Tls => FailureClass::Tls,
            Self::Timeout => FailureClass::FirstTokenTimeout,
            Self::Unreadable | Self::Redirected => FailureClass::NonConforming,
            Self::Status => FailureClass::Server,
            Self::Overloaded => FailureClass::Overloaded,
        }
    }
}

/// Whether a request is in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recorded {
    /// It is.
    Yes,
    /// The ledger refused it for now; it keeps it in memory and tries again, or it is lost.
    NotYet,
}
