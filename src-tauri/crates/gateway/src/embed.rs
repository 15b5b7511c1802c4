//! Vectors of texts: cut into the batches that a backend takes, sent side by side, joined in order.
//!
//! One request is one row of the ledger, whatever the number of batches. If a batch fails the request
//! fails, with an error that names the inputs: a list with a hole in it would shift all vectors
//! behind it, and no client could tell.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use domain::BoundSecret;
use futures_util::StreamExt;
use futures_util::stream;
use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use routing::Candidate;
use tokens::Tally;
use wire::{
    AnswerFacts, EmbeddingBatch, EmbeddingFailure, EmbeddingRequest, Outgoing, Target,
    UpstreamClass, UpstreamError, UsageReading, UsageReport,
};

use crate::answer::{ATTEMPTS, AnswerBody, BACKEND, CACHE, JSON, ROUTE};
use crate::asking::{Question, ReadLimits};
use crate::event::GatewayEvent;
use crate::failure::{Failure, bad_request};
use crate::gateway::Gateway;
use crate::limits::{ANSWER_BYTES_MAX, EMBEDDING_BATCHES_AT_ONCE_MAX};
use crate::pipeline::{Asked, Call, give_up, mark, mark_dropped, whole};
use crate::record::Record;
use crate::route::Embedded;
use crate::snapshot::Backend;

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
        let asked = Asked { model: request.model(), protocol, is_streamed: false, bytes_in };
        let (mut record, decision) = match self.set_out(arrival, client, &snapshot, asked).await {
            Ok(begun) => begun,
            Err(answer) => return *answer,
        };
        let started = |backend: &Backend| GatewayEvent::RequestStarted {
            id,
            client: client.id.clone(),
            backend: backend.id.clone(),
        };
        let ask = Ask { request: &request, headers: &headers, limits: &snapshot.limits };
        let first = decision.candidates.first();
        let reached = match first {
            Some(first) => self.reachable(&snapshot, first).map(|backend| (first, backend)),
            None => Err(Failure::untried(&decision.route)),
        };
        let outcome = match reached {
            Ok((first, backend)) => {
                record.begin_try(first, backend, &snapshot.prices);
                self.books.events.emit(started(backend));
                self.vectors(&ask, backend, first, &mut record).await
            }
            Err(failure) => Err(failure),
        };
        let mut answer = match outcome {
            Ok(vectors) => deliver(vectors, record).await,
            Err(failure) => {
                record.failed_try(&failure);
                give_up(record, &failure, dialect).await
            }
        };
        mark(&mut answer, ROUTE, &decision.route);
        if let Some(first) = first {
            mark(&mut answer, BACKEND, first.access.backend.as_str());
        }
        answer
    }

    async fn vectors(
        &self,
        ask: &Ask<'_>,
        backend: &Backend,
        candidate: &Candidate,
        record: &mut Record,
    ) -> Result<Vectors, Failure> {
        let target = backend.target(&candidate.model);
        let refused = |error| Failure::bad_request(&error);
        let ranges = ask.request.batches(&target).map_err(refused)?;
        let outgoing: Result<Vec<_>, _> = ranges
            .into_iter()
            .map(|range| Ok((range.clone(), ask.request.batch(range, &target)?)))
            .collect();
        let outgoing = outgoing.map_err(refused)?;
        let dropped = outgoing.first().map(|(_, first)| first.dropped.clone()).unwrap_or_default();
        let key = self.key(backend).await?;
        let sending = outgoing
            .into_iter()
            .map(|(range, batch)| self.send_batch(ask, backend, key.clone(), range, batch));
        // In order, so that their vectors join in the order of the inputs.
        let sent: Vec<_> =
            stream::iter(sending).buffered(EMBEDDING_BATCHES_AT_ONCE_MAX).collect().await;
        record.first_byte(200);
        joined(ask, backend, sent, record, &target, dropped)
    }

    async fn send_batch(
        &self,
        ask: &Ask<'_>,
        backend: &Backend,
        key: Option<Arc<BoundSecret>>,
        range: Range<usize>,
        batch: Outgoing,
    ) -> Result<EmbeddingBatch, (Range<usize>, Failure)> {
        let inputs = range.len();
        let sent = self.ask_for_vectors(ask, backend, key, batch, inputs).await;
        sent.map_err(|failure| (range, failure))
    }

    async fn ask_for_vectors(
        &self,
        ask: &Ask<'_>,
        backend: &Backend,
        key: Option<Arc<BoundSecret>>,
        batch: Outgoing,
        inputs: usize,
    ) -> Result<EmbeddingBatch, Failure> {
        let question = Question {
            backend,
            key,
            outgoing: &batch,
            headers: ask.headers,
            client: ask.request.dialect(),
            patience: ask.limits.total_timeout,
        };
        let limits = ReadLimits { bytes_max: ANSWER_BYTES_MAX, stall: ask.limits.stall_timeout };
        let reply = self.ask(question, limits).await?;
        EmbeddingBatch::read(batch.dialect, &reply.body, inputs)
            .map_err(|bad| Failure::bad_answer(&backend.id, &bad, &reply.told(self)))
    }
}

/// What all batches of one request share.
struct Ask<'a> {
    request: &'a EmbeddingRequest,
    headers: &'a HeaderMap,
    limits: &'a crate::limits::RequestLimits,
}

/// The answer to a request, and what was left out of it.
struct Vectors {
    body: Bytes,
    dropped: Vec<String>,
}

fn joined(
    ask: &Ask<'_>,
    backend: &Backend,
    sent: Vec<Result<EmbeddingBatch, (Range<usize>, Failure)>>,
    record: &mut Record,
    target: &Target,
    dropped: Vec<String>,
) -> Result<Vectors, Failure> {
    let (mut batches, mut failures) = (Vec::new(), Vec::new());
    for outcome in sent {
        match outcome {
            Ok(batch) => batches.push(batch),
            Err(failed) => failures.push(failed),
        }
    }
    let usage = usage(&batches, ask.request);
    let model = batches.iter().find_map(|batch| batch.model.clone());
    let model = model.or_else(|| Some(target.model.clone()));
    let facts = AnswerFacts { usage: Some(usage.clone()), model, ..AnswerFacts::default() };
    if !batches.is_empty() {
        record.learn(&facts, &Bytes::new());
    }
    if let Some(failure) = in_one(backend, ask.request.len(), failures) {
        return Err(failure);
    }
    if let Some(first) = batches.iter_mut().find(|batch| batch.usage.is_none()) {
        first.usage = Some(usage);
    }
    Ok(Vectors { body: ask.request.write_answer(&batches), dropped })
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
    let tries = record.tries();
    let mut answer = whole(vectors.body, record).await;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CACHE, HeaderValue::from_static("bypass"));
    headers.insert(ATTEMPTS, HeaderValue::from(tries));
    mark_dropped(&mut answer, &vectors.dropped);
    answer
}
