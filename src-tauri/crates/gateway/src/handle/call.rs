//! A call to a model as the steps of [`crate::handle`] see it: what generation and embeddings requests
//! share, and a trait for what differs.

use std::future::Future;
use std::time::Duration;

use cache::{BypassReason, Cache, CacheKey, EntryAddress};
use domain::{CacheMode, NanoUsd};
use endpoints::RequestLoad;
use hyper::Response;
use hyper::header::HeaderMap;
use ledger::NewRequest;
use resilience::Priority;
use routing::{Candidate, Decision, Needs, RoutingRequest};
use wire::ErrorKind;

use crate::handle::accounting::{RequestRecord, estimate};
use crate::handle::admission::AdmissionRequest;
use crate::handle::budget_guard::CallSize;
use crate::handle::cache_mode::CacheModes;
use crate::handle::cache_step::recorder::AnswerRecorder;
use crate::handle::context::RequestContext;
use crate::handle::failure::Failure;
use crate::handle::response::{Refusal, ResponseBody, RetryAdvice};
use crate::headers::PRIORITY;
use crate::outbound::Outbound;
use crate::snapshot::{Backend, GatewayClient};

/// A parsed call: [`crate::handle::generation::Generation`] or [`crate::handle::embeddings::Embeddings`].
pub(crate) trait Call: Sized + Send + Sync + 'static {
    type Slot: CacheSlot;

    /// The beginning of a backend's answer, read far enough to know that it may be delivered.
    type Opened: Send;

    fn facts(&self) -> CallFacts<'_>;

    /// For what it may cost. Reads the whole body if it has images.
    fn size(&self) -> CallSize;

    /// Removes candidates that cannot replace the first one.
    fn restrict(&self, decision: &mut Decision);

    /// The slot of the answer in the cache, or the reason why the cache is bypassed.
    fn cache_slot(
        &self,
        context: &RequestContext,
        decision: &Decision,
    ) -> Result<Self::Slot, BypassReason>;

    /// Asks one candidate once. The attempt starts with [`RequestRecord::begin_attempt`]; a failure before
    /// it is not the backend's and does not count as an attempt.
    fn attempt(
        routed: &RoutedCall<Self>,
        outbound: &Outbound,
        target: AttemptTarget<'_>,
        record: &mut RequestRecord,
    ) -> impl Future<Output = Result<Self::Opened, Failure>> + Send;

    /// Makes the response from a backend's answer.
    fn deliver(
        routed: RoutedCall<Self>,
        outbound: &Outbound,
        opened: Self::Opened,
        record: RequestRecord,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;

    /// Makes the response from the cache.
    fn replay(
        pending: PendingRequest<Self>,
        hit: <Self::Slot as CacheSlot>::Hit,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;
}

/// Looks up the answer to one call in the cache, and stores it.
pub(crate) trait CacheSlot: Send + Sync {
    /// The complete cached answer.
    type Hit: Send;

    fn cache(&self) -> &Cache;

    /// Requests with the same key share one answer while it is in flight.
    fn flight_key(&self) -> CacheKey;

    fn mode(&self) -> CacheMode;

    /// The name of the cached answer for `x-gatehouse-cache-key`, if it is a single one.
    fn address(&self) -> Option<EntryAddress>;

    /// Looks in all tiers, or in none with [`CacheMode::Refresh`].
    fn look_up(&mut self) -> impl Future<Output = Option<Self::Hit>> + Send;

    /// Looks again for missing parts, in memory only.
    fn look_up_in_memory(&mut self) -> Option<Self::Hit>;

    /// The cost saved by the parts that were found, if others are missing.
    fn saved(&self) -> Option<NanoUsd>;

    /// Records the response while it is relayed; `None` if [`Call::deliver`] caches its parts.
    fn recorder(&self) -> Option<AnswerRecorder>;
}

pub(crate) struct RoutedCall<C: Call> {
    pub(crate) context: RequestContext,
    pub(crate) call: C,
    pub(crate) decision: Decision,
    /// `None` if the cache is bypassed.
    pub(crate) slot: Option<C::Slot>,
}

/// A routed call that is reserved in the ledger and not yet answered.
pub(crate) struct PendingRequest<C: Call> {
    pub(crate) routed: RoutedCall<C>,
    pub(crate) record: RequestRecord,
}

#[derive(Clone, Copy)]
pub(crate) struct AttemptTarget<'a> {
    pub(crate) backend: &'a Backend,
    pub(crate) candidate: &'a Candidate,
    pub(crate) share: TimeoutShare,
}

/// The share of the remaining time for which an attempt may be silent. A response that is not streamed
/// sends nothing until it is ready, and one that never comes must leave time for another backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeoutShare {
    /// Another backend can still be asked.
    Half,
    All,
}

impl TimeoutShare {
    pub(crate) fn of(self, left: Duration) -> Duration {
        match self {
            Self::Half => left / 2,
            Self::All => left,
        }
    }
}

/// The properties of a call that admission, routing and the ledger use.
#[derive(Clone, Copy)]
pub(crate) struct CallFacts<'a> {
    pub(crate) model: &'a str,
    /// The ledger's name of the protocol.
    pub(crate) protocol: &'static str,
    pub(crate) is_streamed: bool,
    pub(crate) bytes_in: usize,
    pub(crate) needs: Needs,
    /// Identifies the conversation, if routes keep conversations on one backend.
    pub(crate) conversation: Option<u64>,
    /// Fingerprint of the conversation's beginning, for the runaway guard.
    pub(crate) prefix: Option<u64>,
    pub(crate) priority: Priority,
}

impl CallFacts<'_> {
    pub(crate) fn load(&self, context: &RequestContext) -> RequestLoad {
        RequestLoad { request: context.arrival.id, tokens: self.tokens() }
    }

    pub(crate) fn admission<'c>(&self, client: &'c GatewayClient) -> AdmissionRequest<'c> {
        AdmissionRequest {
            client: &client.id,
            priority: self.priority,
            rules: client.rules,
            tokens: self.tokens_max(),
            conversation: self.prefix,
        }
    }

    pub(crate) fn asking<'a>(&'a self, context: &'a RequestContext) -> RoutingRequest<'a> {
        RoutingRequest {
            model: self.model,
            client: &context.client.id,
            switched_to: context.client.switched_to.as_ref(),
            project: context.arrival.project.as_deref(),
            needs: self.needs,
            conversation: self.conversation,
        }
    }

    pub(crate) fn new_request(&self, context: &RequestContext, route: &str) -> NewRequest {
        NewRequest {
            id: context.arrival.id,
            started: context.arrival.started,
            client: context.client.id.clone(),
            project: context.arrival.project.clone(),
            route: route.to_owned(),
            model_asked: self.model.to_owned(),
            dialect: self.protocol.to_owned(),
            streamed: self.is_streamed,
            purpose: context.client.purpose,
        }
    }

    /// Estimated tokens of the body, for the backends' limits; corrected when the request is settled.
    fn tokens(&self) -> u32 {
        u32::try_from(estimate::tokens_of_bytes(self.bytes_in)).unwrap_or(u32::MAX)
    }

    /// [`Self::tokens`] plus the stated maximum of the answer, for the client's limit, which concurrent
    /// requests must not exceed together. Without a stated maximum the answer counts at settlement.
    fn tokens_max(&self) -> u32 {
        let output = u32::try_from(self.needs.output_tokens).unwrap_or(u32::MAX);
        self.tokens().saturating_add(output)
    }
}

/// Options from the request's headers, else from the client's settings.
pub(crate) struct CallOptions {
    pub(crate) priority: Priority,
    pub(crate) cache: CacheModes,
}

impl CallOptions {
    /// Reads the headers `x-gatehouse-priority` and `x-gatehouse-cache`. Fails on an unknown value.
    pub(crate) fn read(context: &RequestContext) -> Result<Self, Refusal> {
        let RequestContext { headers, client, .. } = context;
        Ok(Self { priority: priority(headers, client)?, cache: CacheModes::read(headers, client)? })
    }
}

fn priority(headers: &HeaderMap, client: &GatewayClient) -> Result<Priority, Refusal> {
    let Some(value) = headers.get(PRIORITY) else { return Ok(client.priority) };
    let word = value.to_str().unwrap_or_default().trim();
    [Priority::Interactive, Priority::Background]
        .into_iter()
        .find(|priority| priority.word() == word)
        .ok_or_else(|| {
            let message = "The header x-gatehouse-priority must be 'interactive' or 'background'.";
            Refusal::new(400, ErrorKind::InvalidRequest, "invalid_value", message)
                .param(Some(PRIORITY.as_str().to_owned()))
                .retry(RetryAdvice::Never)
        })
}
