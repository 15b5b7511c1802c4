//! Vectors of texts: cut into the batches that a backend takes, sent side by side, joined in order.
//!
//! One request is one row of the ledger, whatever the number of batches. If a batch fails the request
//! fails, with an error that names the inputs: a list with a hole in it would shift all vectors
//! behind it, and no client could tell.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{BoundSecret, ClientId, RequestId};
use futures_util::StreamExt;
use futures_util::stream;
use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use routing::{Decision, Needs};
use tokens::Tally;
use wire::{
    AnswerFacts, EmbeddingBatch, EmbeddingFailure, EmbeddingRequest, Outgoing, RequestError,
    Target, UpstreamClass, UpstreamError, UsageReading, UsageReport,
};

use crate::answer::{AnswerBody, CACHE, JSON};
use crate::asking::{Question, ReadLimits};
use crate::event::GatewayEvent;
use crate::failure::{Failure, bad_request};
use crate::gateway::Gateway;
use crate::limits::{ANSWER_BYTES_MAX, EMBEDDING_BATCHES_AT_ONCE_MAX};
use crate::live::Work;
use crate::pipeline::{Asked, Call, Trail, give_up, mark_dropped, priority, whole};
use crate::record::Record;
use crate::route::Embedded;
use crate::snapshot::{Backend, Snapshot};
use crate::trying::{Errand, Place, Tour};

/// The protocol, as the ledger spells it: the client's vendor and what was asked for.
const OPENAI_EMBEDDINGS: &str = "openai-embeddings";
const GEMINI_EMBEDDINGS: &str = "gemini-embeddings";

impl Gateway {
    pub(crate) async fn embed(&self, embedded: Embedded, call: Call<'_>) -> Response<AnswerBody> {
        let Call { arrival, client, snapshot, headers, body } = call;
        let dialect = arrival.dialect;
        let bytes_in = body.len();
        let protocol = match embedded {
            Embedded::OpenAi => OPENAI_EMBEDDINGS,
            Embedded::GeminiOne { .. } | Embedded::GeminiBatch { .. } => GEMINI_EMBEDDINGS,
        };
        let request = match EmbeddingRequest::parse(embedded.for_wire(), body) {
            Ok(request) => request,
            Err(error) => return bad_request(&error).answer(dialect),
        };
        let id = arrival.id;
        let needs = Needs { vectors: true, dialect: Some(dialect), ..Needs::default() };
        let priority = match priority(&headers, client) {
            Ok(priority) => priority,
            Err(refusal) => return refusal.answer(dialect),
        };
        let asked = Asked {
            model: request.model(),
            protocol,
            is_streamed: false,
            bytes_in,
            needs,
            conversation: None,
            prefix: None,
            priority,
        };
        let work = Work { request: id, tokens: asked.tokens() };
        let (mut record, mut decision) = match self.set_out(arrival, client, &snapshot, asked).await
        {
            Ok(begun) => begun,
            Err(answer) => return *answer,
        };
        stay_with_model(&mut decision);
        let client = client.id.clone();
        let errand = Embedding { id, client, request: &request, headers, snapshot: &snapshot };
        let tour = Tour { work, snapshot: &snapshot, decision: &decision };
        let outcome = self.tour(&errand, tour, &mut record).await;
        let trail = Trail::of(&record, &decision);
        let mut answer = match outcome {
            Ok(vectors) => deliver(vectors, record).await,
            Err(failure) => give_up(record, &failure, dialect).await,
        };
        trail.mark(&mut answer);
        answer
    }
}

/// Vectors of one model mean nothing beside those of another, and no client could tell: only the same
/// model at another backend may stand in.
fn stay_with_model(decision: &mut Decision) {
    let Some(model) = decision.candidates.first().map(|first| first.model.clone()) else { return };
    decision.candidates.retain(|candidate| candidate.model == model);
}

/// A request for vectors, with all that its batches share.
struct Embedding<'a> {
    id: RequestId,
    client: ClientId,
    request: &'a EmbeddingRequest,
    headers: HeaderMap,
    snapshot: &'a Snapshot,
}

/// One batch on its way.
struct Batch {
    inputs: Range<usize>,
    outgoing: Outgoing,
}

/// What the batches of one try share.
struct Asking<'a> {
    gateway: &'a Gateway,
    backend: &'a Backend,
    key: Option<Arc<BoundSecret>>,
    patience: Duration,
}

impl Errand for Embedding<'_> {
    type Answer = Vectors;

    async fn ask(
        &self,
        gateway: &Gateway,
        to: Place<'_>,
        record: &mut Record,
    ) -> Result<Vectors, Failure> {
        let Place { backend, candidate, share } = to;
        let target = backend.target(&candidate.model);
        let batches = self.batches(&target).map_err(|error| Failure::bad_request(&error))?;
        let dropped = batches.first().map(|batch| batch.outgoing.dropped.clone());
        let key = gateway.key(&candidate.access).await?;
        record.begin_try(candidate, backend, &self.snapshot.prices);
        gateway.books.events.emit(GatewayEvent::RequestStarted {
            id: self.id,
            client: self.client.clone(),
            backend: backend.id.clone(),
        });
        let left = self.snapshot.limits.total_timeout.saturating_sub(record.elapsed());
        let asking = Asking { gateway, backend, key, patience: share.of(left) };
        let sending = batches.into_iter().map(|batch| self.send(&asking, batch));
        // In order, so that their vectors join in the order of the inputs.
        let sent: Vec<_> =
            stream::iter(sending).buffered(EMBEDDING_BATCHES_AT_ONCE_MAX).collect().await;
        let body = joined(self.request, backend, sent, record, &target)?;
        Ok(Vectors { body, dropped: dropped.unwrap_or_default() })
    }
}

impl Embedding<'_> {
    fn batches(&self, target: &Target) -> Result<Vec<Batch>, RequestError> {
        let ranges = self.request.batches(target)?;
        let one = |inputs: Range<usize>| {
            let outgoing = self.request.batch(inputs.clone(), target)?;
            Ok(Batch { inputs, outgoing })
        };
        ranges.into_iter().map(one).collect()
    }

    async fn send(
        &self,
        asking: &Asking<'_>,
        batch: Batch,
    ) -> Result<EmbeddingBatch, (Range<usize>, Failure)> {
        let asked = self.ask_for_vectors(asking, &batch).await;
        asked.map_err(|failure| (batch.inputs, failure))
    }

    async fn ask_for_vectors(
        &self,
        asking: &Asking<'_>,
        batch: &Batch,
    ) -> Result<EmbeddingBatch, Failure> {
        let Asking { gateway, backend, ref key, patience } = *asking;
        let limits = &self.snapshot.limits;
        let question = Question {
            backend,
            key: key.clone(),
            outgoing: &batch.outgoing,
            headers: &self.headers,
            client: self.request.dialect(),
            patience,
        };
        let read = ReadLimits { bytes_max: ANSWER_BYTES_MAX, stall: limits.stall_timeout };
        let reply = gateway.ask(question, read).await?;
        EmbeddingBatch::read(batch.outgoing.dialect, &reply.body, batch.inputs.len())
            .map_err(|bad| Failure::bad_answer(&backend.id, &bad, &reply.told(gateway)))
    }
}

/// The answer to a request, and what was left out of it.
struct Vectors {
    body: Bytes,
    dropped: Vec<String>,
}

fn joined(
    request: &EmbeddingRequest,
    backend: &Backend,
    sent: Vec<Result<EmbeddingBatch, (Range<usize>, Failure)>>,
    record: &mut Record,
    target: &Target,
) -> Result<Bytes, Failure> {
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
        let usage = Some(usage(&batches, request));
        let facts = AnswerFacts { usage: usage.clone(), model, ..AnswerFacts::default() };
        record.learn(&facts, &Bytes::new());
        tell_usage_once(&mut batches, usage);
    }
    match in_one(backend, request.len(), failures) {
        Some(failure) => Err(failure),
        None => Ok(request.write_answer(&batches)),
    }
}

/// Where one batch does not say what it used, the estimate is for all of them and stands in one.
fn tell_usage_once(batches: &mut [EmbeddingBatch], usage: Option<UsageReport>) {
    if batches.iter().all(|batch| batch.usage.is_some()) {
        return;
    }
    batches.iter_mut().for_each(|batch| batch.usage = None);
    if let Some(first) = batches.first_mut() {
        first.usage = usage;
    }
}

/// The failure of a request, some of whose batches failed. A request of one batch fails with the
/// backend's own words.
fn in_one(
    backend: &Backend,
    inputs: usize,
    mut failures: Vec<(Range<usize>, Failure)>,
) -> Option<Failure> {
    let is_all = failures.first().is_some_and(|(range, _)| range.len() == inputs);
    if is_all {
        return failures.pop().map(|(_, failure)| failure);
    }
    let named: Vec<EmbeddingFailure> = failures
        .iter()
        .map(|(items, failure)| EmbeddingFailure {
            items: items.clone(),
            error: UpstreamError {
                status: failure.refusal.status,
                class: UpstreamClass::Failed,
                message: failure.refusal.message.clone(),
                kind: None,
                code: None,
                param: None,
                retry_after: None,
            },
        })
        .collect();
    let (_, mut worst) = failures.into_iter().next()?;
    let message = EmbeddingFailure::summary(&named, inputs);
    worst.refusal.message = format!("The backend {}: {message}", backend.id);
    worst.refusal.param = Some("input".into());
    Some(worst)
}

/// Tokens of all batches, or an estimate where one does not say.
fn usage(batches: &[EmbeddingBatch], request: &EmbeddingRequest) -> UsageReport {
    let told: Option<Vec<_>> = batches.iter().map(|batch| batch.usage.clone()).collect();
    if let Some(reports) = told.filter(|reports| !reports.is_empty()) {
        let adjusted = reports.iter().any(|report| report.reading != UsageReading::AsReported);
        let reading = if adjusted { UsageReading::Adjusted } else { UsageReading::AsReported };
        let mut tokens = domain::TokenUsage::default();
        for report in &reports {
            tokens += report.tokens;
        }
        let raw = match reports.as_slice() {
            [only] => only.raw.clone(),
            _ => None,
        };
        return UsageReport { tokens, reading, raw };
    }
    let mut tally = Tally::new();
    request.texts().for_each(|text| tally.push(text));
    let tokens = domain::TokenUsage { input_uncached: tally.tokens().max(1), ..Default::default() };
    UsageReport { tokens, reading: UsageReading::Estimated, raw: None }
}

async fn deliver(vectors: Vectors, mut record: Record) -> Response<AnswerBody> {
    record.status(200);
    let mut answer = whole(vectors.body, record).await;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CACHE, HeaderValue::from_static("bypass"));
    mark_dropped(&mut answer, &vectors.dropped);
    answer
}
