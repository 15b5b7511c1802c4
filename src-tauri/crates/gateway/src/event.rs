//! The events that the gateway emits about requests. They contain no secret, prompt or answer.

use std::time::Duration;

use domain::{BackendId, ClientId, ClientProgram, CredentialId, RequestId, TokenUsage, WallTime};
use endpoints::{KeyGeneration, Verdict};
use ledger::{AttemptRecord, CacheOutcome, Purpose, RequestOutcome, Settlement, Timings};
use pricing::Cost;

/// Receives events. Called while a request is handled, so it must not block: queue the event and return.
pub trait EventSink: Send + Sync {
    fn emit(&self, event: GatewayEvent);
}

#[derive(Debug, Clone, PartialEq)]
pub enum GatewayEvent {
    /// A request is about to be sent to a backend.
    RequestStarted { id: RequestId, client: ClientId, backend: BackendId },
    /// A client called and says which program it is.
    ClientSeen { client: ClientId, program: ClientProgram },
    /// A client that the user blocked has sent a request. Such requests are not in the ledger: their
    /// bodies are not read.
    ClientRefused { client: ClientId },
    /// An attempt failed and another one starts. The last attempt of a request is reported by
    /// [`GatewayEvent::RequestSettled`].
    FailedOver {
        backend: BackendId,
        credential: Option<CredentialId>,
        key_generation: KeyGeneration,
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
    /// Time of arrival.
    pub started: WallTime,
    pub client: ClientId,
    pub purpose: Purpose,
    /// The model that the client named.
    pub model_asked: String,
    /// The model that the backend named in its answer.
    pub model_answered: Option<String>,
    /// The matched route; empty without one.
    pub route: String,
    /// The client's protocol.
    pub dialect: String,
    pub cache: CacheOutcome,
    /// The backend that answered or failed last; `None` if none was asked.
    pub backend: Option<BackendId>,
    pub credential: Option<CredentialId>,
    /// Of the secret that the last attempt was sent with.
    pub key_generation: KeyGeneration,
    pub outcome: RequestOutcome,
    /// The gateway's word for the failure that the client got.
    pub error_class: Option<String>,
    /// The verdict of the last attempt about the backend and its key; `None` without an attempt.
    pub verdict: Option<Verdict>,
    /// The status sent to the client; `None` if it disconnected before.
    pub http_status: Option<u16>,
    pub cost: Cost,
    pub usage: Option<TokenUsage>,
    pub timings: Timings,
    /// In their order.
    pub attempts: Vec<AttemptSummary>,
    pub recorded: Recorded,
}

impl RequestSummary {
    /// Of a settlement that is not in the ledger yet.
    pub(crate) fn new(
        settlement: &Settlement,
        verdict: Option<Verdict>,
        key_generation: KeyGeneration,
    ) -> Self {
        Self {
            id: settlement.request.id,
            started: settlement.request.started,
            client: settlement.request.client.clone(),
            purpose: settlement.request.purpose,
            model_asked: settlement.request.model_asked.clone(),
            model_answered: settlement.model_billed.clone(),
            route: settlement.request.route.clone(),
            dialect: settlement.request.dialect.clone(),
            cache: settlement.cache,
            backend: settlement.backend.clone(),
            credential: settlement.credential.clone(),
            key_generation,
            outcome: settlement.outcome,
            error_class: settlement.error_class.clone(),
            verdict,
            http_status: settlement.http_status,
            cost: settlement.cost.clone(),
            usage: settlement.usage,
            timings: settlement.timings,
            attempts: settlement.attempts.iter().map(AttemptSummary::from).collect(),
            recorded: Recorded::NotYet,
        }
    }

    /// True if a backend answered, and not the cache.
    #[must_use]
    pub fn is_answered_by_backend(&self) -> bool {
        matches!(self.outcome, RequestOutcome::Complete | RequestOutcome::Partial)
            && self.cache != CacheOutcome::Hit
    }
}

/// A call of one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptSummary {
    pub backend: BackendId,
    /// The model name sent to the backend.
    pub model: String,
    pub started: WallTime,
    pub duration: Duration,
    /// The gateway's word for the failure; `None` for a success.
    pub error_class: Option<String>,
    pub http_status: Option<u16>,
}

impl From<&AttemptRecord> for AttemptSummary {
    fn from(attempt: &AttemptRecord) -> Self {
        Self {
            backend: attempt.backend.clone(),
            model: attempt.model.clone(),
            started: attempt.started,
            duration: attempt.duration,
            error_class: attempt.error_class.clone(),
            http_status: attempt.http_status,
        }
    }
}

/// The state of a request in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recorded {
    Yes,
    /// The write failed for now: the ledger keeps the settlement in memory and retries, or it is lost.
    NotYet,
}
