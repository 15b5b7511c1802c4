//! An embeddings call: split into batches that the backend accepts, sent concurrently, joined in order.
//!
//! One request is one row of the ledger, whatever the number of batches. If a batch fails the request
//! fails, with an error that names the inputs: a gap in the list would shift all later vectors, and the
//! client could not tell.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::BypassReason;
use domain::BoundSecret;
use futures_util::{StreamExt, stream};
use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use routing::{Decision, Needs};
use wire::{
    AnswerFacts, BackendRequest, BillingTerms, EmbeddingBatch, EmbeddingRequest, EmbeddingVector,
    RequestError, Target,
};

use self::batches::{counted, failure_of, share_usage, usage};
use crate::handle::accounting::{RequestRecord, estimate};
use crate::handle::attempts;
use crate::handle::attempts::read::ReadLimits;
use crate::handle::attempts::send::{BackendCall, fetch};
use crate::handle::budget_guard::{CallSize, OutputLimit};
use crate::handle::cache_step::vector_slot::{CachedVectors, VectorSlot};
use crate::handle::call::{
    AttemptTarget, Call, CallFacts, CallOptions, PendingRequest, RoutedCall,
};
use crate::handle::context::RequestContext;
use crate::handle::failure::{Failure, bad_request};
use crate::handle::relay;
use crate::handle::response::{self, CACHE, JSON, Refusal, ResponseBody};
use crate::handle::surface::EmbeddingsSurface;
use crate::limits::{ANSWER_BYTES_MAX, EMBEDDING_BATCHES_AT_ONCE_MAX};
use crate::outbound::Outbound;
use crate::snapshot::Backend;

mod batches;

/// The ledger's name of the protocol: the client's vendor and the kind of call.
const OPENAI_EMBEDDINGS: &str = "openai-embeddings";
const GEMINI_EMBEDDINGS: &str = "gemini-embeddings";

/// A parsed request for embeddings.
pub(crate) struct Embeddings {
    request: EmbeddingRequest,
    options: CallOptions,
    protocol: &'static str,
    bytes_in: usize,
}

/// The vectors from the backend, and the request's fields that were dropped.
pub(crate) struct FetchedVectors {
    batches: Vec<EmbeddingBatch>,
    dropped: Vec<String>,
}

impl Embeddings {
    pub(crate) fn parse(
        surface: &EmbeddingsSurface,
        context: &RequestContext,
        body: Bytes,
    ) -> Result<Self, Refusal> {
        let options = CallOptions::read(context)?;
        let bytes_in = body.len();
        let protocol = match surface {
            EmbeddingsSurface::OpenAi => OPENAI_EMBEDDINGS,
            EmbeddingsSurface::GeminiOne { .. } | EmbeddingsSurface::GeminiBatch { .. } => {
                GEMINI_EMBEDDINGS
            }
        };
        let request = EmbeddingRequest::parse(surface.for_wire(), body)
            .map_err(|error| bad_request(&error))?;
        Ok(Self { request, options, protocol, bytes_in })
    }

    /// The indexes of the inputs to request from a backend.
    fn missing(&self, slot: Option<&VectorSlot>) -> Vec<usize> {
        slot.map_or_else(|| (0..self.request.len()).collect(), VectorSlot::missing)
    }
}

impl Call for Embeddings {
    type Slot = VectorSlot;
    type Opened = FetchedVectors;

    fn size(&self) -> CallSize {
        let input_tokens = estimate::tokens_of_bytes(self.bytes_in);
        let terms = BillingTerms::default();
        CallSize { input_tokens, output: OutputLimit::None, answers: 1, terms }
    }

    fn facts(&self) -> CallFacts<'_> {
        let dialect = Some(self.request.dialect());
        CallFacts {
            model: self.request.model(),
            protocol: self.protocol,
            is_streamed: false,
            bytes_in: self.bytes_in,
            needs: Needs { embeddings: true, dialect, ..Needs::default() },
            conversation: None,
            prefix: None,
            priority: self.options.priority,
        }
    }

    /// Keeps only candidates with the first one's model. Vectors of different models cannot be compared, and
    /// the client could not tell that the model changed.
    fn restrict(&self, decision: &mut Decision) {
        let first = decision.candidates.first().map(|first| first.model.clone());
        decision.candidates.retain(|candidate| Some(&candidate.model) == first.as_ref());
    }

    fn cache_slot(
        &self,
        context: &RequestContext,
        decision: &Decision,
    ) -> Result<VectorSlot, BypassReason> {
        VectorSlot::of(context, &self.request, self.options.cache, decision)
    }

    async fn attempt(
        routed: &RoutedCall<Self>,
        outbound: &Outbound,
        target: AttemptTarget<'_>,
        record: &mut RequestRecord,
    ) -> Result<FetchedVectors, Failure> {
        let AttemptTarget { backend, candidate, share } = target;
        let RoutedCall { context, call, slot, .. } = routed;
        let indexes = call.missing(slot.as_ref());
        let selected =
            (indexes.len() < call.request.len()).then(|| call.request.select_inputs(&indexes));
        let request = selected.as_ref().unwrap_or(&call.request);
        let wire_target = backend.target(&candidate.model);
        let batches = cut(request, &wire_target).map_err(|error| Failure::bad_request(&error))?;
        let dropped = batches.first().map(|batch| batch.outgoing.dropped.clone());
        let key = attempts::begin(outbound, context, target, record).await?;
        let left = context.snapshot.limits.total_timeout.saturating_sub(record.elapsed());
        let attempt =
            EmbeddingAttempt { outbound, context, backend, request, key, timeout: share.of(left) };
        let sending = batches.into_iter().map(|batch| attempt.send(batch));
        // `buffered` keeps the order of the inputs.
        let sent: Vec<_> =
            stream::iter(sending).buffered(EMBEDDING_BATCHES_AT_ONCE_MAX).collect().await;
        let batches = attempt.judge(sent, &indexes, &wire_target, record)?;
        Ok(FetchedVectors { batches, dropped: dropped.unwrap_or_default() })
    }

    async fn deliver(
        routed: RoutedCall<Self>,
        _outbound: &Outbound,
        fetched: FetchedVectors,
        mut record: RequestRecord,
    ) -> Response<ResponseBody> {
        let RoutedCall { call, slot, .. } = routed;
        let request = &call.request;
        record.set_status(200);
        if let (Some(slot), Some(answer)) = (&slot, record.answer_record()) {
            slot.keep(fetched.vectors(), &answer);
        }
        let body = match slot.filter(|slot| slot.missing().len() < request.len()) {
            None => request.write_answer(&fetched.batches),
            Some(slot) => {
                let model = fetched.batches.iter().find_map(|batch| batch.model.clone());
                let usages = fetched.batches.iter().filter_map(|batch| batch.usage.as_ref());
                let tokens = usages.fold(slot.tokens(), |sum, usage| sum + usage.tokens().input());
                let joined = slot.join(fetched.vectors()).unwrap_or_default();
                request.write_vectors(joined, counted(tokens), model)
            }
        };
        let mut response = relay::whole(body, record).await;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CACHE, HeaderValue::from_static("bypass"));
        response::mark_dropped(&mut response, &fetched.dropped);
        response
    }

    async fn replay(
        pending: PendingRequest<Self>,
        cached: CachedVectors,
    ) -> Response<ResponseBody> {
        let PendingRequest { routed, mut record } = pending;
        let first = cached.first();
        let model = first.and_then(|entry| entry.model_billed.clone());
        let vectors = cached.vectors().unwrap_or_default();
        let body = routed.call.request.write_vectors(vectors, counted(cached.tokens()), model);
        record.complete_vectors_from_cache(first, cached.saved(), body.len()).await;
        let mut response = response::json(200, body);
        let backend = first.map(|entry| &entry.backend);
        response::mark_replayed(&mut response, &routed.decision.route, backend);
        response
    }
}

impl FetchedVectors {
    fn vectors(&self) -> impl Iterator<Item = &EmbeddingVector> {
        self.batches.iter().flat_map(|batch| &batch.vectors)
    }
}

struct Batch {
    inputs: Range<usize>,
    outgoing: BackendRequest,
}

/// Splits the request into batches that the target accepts.
fn cut(request: &EmbeddingRequest, target: &Target) -> Result<Vec<Batch>, RequestError> {
    let one = |inputs: Range<usize>| {
        let outgoing = request.batch(inputs.clone(), target)?;
        Ok(Batch { inputs, outgoing })
    };
    request.batches(target)?.into_iter().map(one).collect()
}

/// What the batches of one attempt share.
struct EmbeddingAttempt<'a> {
    outbound: &'a Outbound,
    context: &'a RequestContext,
    backend: &'a Backend,
    /// Reduced to the missing inputs.
    request: &'a EmbeddingRequest,
    key: Option<Arc<BoundSecret>>,
    timeout: Duration,
}

impl EmbeddingAttempt<'_> {
    async fn send(&self, batch: Batch) -> Result<EmbeddingBatch, (Range<usize>, Failure)> {
        let fetched = self.fetch(&batch).await;
        fetched.map_err(|failure| (batch.inputs, failure))
    }

    async fn fetch(&self, batch: &Batch) -> Result<EmbeddingBatch, Failure> {
        let Self { outbound, context, backend, request, key, timeout } = self;
        let sent = BackendCall {
            backend,
            key: key.clone(),
            outgoing: &batch.outgoing,
            headers: &context.headers,
            client: request.dialect(),
            timeout: *timeout,
        };
        let stall = context.snapshot.limits.stall_timeout;
        let reply =
            fetch(outbound, sent, ReadLimits { bytes_max: ANSWER_BYTES_MAX, stall }).await?;
        EmbeddingBatch::read(batch.outgoing.dialect, &reply.body, batch.inputs.len()).map_err(
            |bad| {
                let error_context = reply.error_context(outbound.clock.wall());
                Failure::bad_answer(&backend.id, &bad, &error_context)
            },
        )
    }

    /// Returns all batches and records their usage; fails if one failed. `indexes` are the positions of the
    /// inputs in the client's request.
    fn judge(
        &self,
        sent: Vec<Result<EmbeddingBatch, (Range<usize>, Failure)>>,
        indexes: &[usize],
        target: &Target,
        record: &mut RequestRecord,
    ) -> Result<Vec<EmbeddingBatch>, Failure> {
        let (mut batches, mut failures) = (Vec::new(), Vec::new());
        for outcome in sent {
            match outcome {
                Ok(batch) => batches.push(batch),
                Err(failed) => failures.push(failed),
            }
        }
        if !batches.is_empty() {
            record.first_byte(200);
            let model = batches.iter().find_map(|batch| batch.model.clone());
            let model = model.or_else(|| Some(target.model.clone()));
            let usage = Some(usage(&batches, self.request));
            let facts = AnswerFacts { usage: usage.clone(), model, ..AnswerFacts::default() };
            record.record_facts(&facts, &Bytes::new());
            share_usage(&mut batches, usage);
        }
        match failure_of(self.backend, indexes, failures) {
            Some(failure) => Err(failure),
            None => Ok(batches),
        }
    }
}
