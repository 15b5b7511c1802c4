//! Vectors of texts: cut into the batches that a backend takes, sent side by side, joined in order.
//!
//! One request is one row of the ledger, whatever the number of batches. If a batch fails the request
//! fails, with an error that names the inputs: a list with a hole in it would shift all vectors
//! behind it, and no client could tell. Whoever asks the same at the same time shares one answer, as
//! [`flight`] has it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::{Boarded, Bypass};
use domain::{BoundSecret, ClientId, RequestId};
use futures_util::{FutureExt, StreamExt, stream};
use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use routing::{Decision, Needs};
use tokio_util::sync::CancellationToken;
use wire::{
    AnswerFacts, EmbeddingBatch, EmbeddingRequest, EmbeddingVector, Outgoing, RequestError, Target,
};

use crate::answer::{self, ATTEMPTS, AnswerBody, BACKEND, CACHE, JSON, ROUTE};
use crate::asked::Asked;
use crate::asking::{Question, ReadLimits};
use crate::caching::flight::{self, Rider};
use crate::caching::vectors::{Looked, VectorShelf};
use crate::event::GatewayEvent;
use crate::failure::{Failure, bad_request};
use crate::gateway::Gateway;
use crate::limits::{ANSWER_BYTES_MAX, EMBEDDING_BATCHES_AT_ONCE_MAX};
use crate::live::Work;
use crate::pipeline::{Call, Trail, give_up, mark, mark_dropped, whole};
use crate::record::{Record, Told};
use crate::route::Embedded;
use crate::snapshot::{Backend, Snapshot};
use crate::trying::{Errand, Place, Tour};

use self::batches::{counted, in_one, tell_usage_once, usage};

mod batches;

/// The protocol, as the ledger spells it: the client's vendor and what was asked for.
const OPENAI_EMBEDDINGS: &str = "openai-embeddings";
const GEMINI_EMBEDDINGS: &str = "gemini-embeddings";

/// A request for vectors on its way, with what of them is there.
struct Wanted {
    id: RequestId,
    client: ClientId,
    request: EmbeddingRequest,
    headers: HeaderMap,
    snapshot: Arc<Snapshot>,
    decision: Decision,
    work: Work,
    stopped: CancellationToken,
    /// Where vectors are kept, or why they are not.
    shelf: Result<VectorShelf, Bypass>,
    looked: Looked,
    record: Record,
}

impl Gateway {
    pub(crate) async fn embed(
        self: &Arc<Self>,
        embedded: Embedded,
        call: Call<'_>,
    ) -> Response<AnswerBody> {
        let (id, dialect) = (call.arrival.id, call.arrival.dialect);
        let (priority, wishes) = match call.wishes() {
            Ok(wishes) => wishes,
            Err(refusal) => return refusal.answer(dialect),
        };
        let Call { arrival, client, snapshot, headers, body } = call;
        let bytes_in = body.len();
        let protocol = match embedded {
            Embedded::OpenAi => OPENAI_EMBEDDINGS,
            Embedded::GeminiOne { .. } | Embedded::GeminiBatch { .. } => GEMINI_EMBEDDINGS,
        };
        let request = match EmbeddingRequest::parse(embedded.for_wire(), body) {
            Ok(request) => request,
            Err(error) => return bad_request(&error).answer(dialect),
        };
        let asked = Asked {
            model: request.model(),
            protocol,
            is_streamed: false,
            bytes_in,
            needs: Needs { vectors: true, dialect: Some(dialect), ..Needs::default() },
            conversation: None,
            prefix: None,
            priority,
        };
        let (work, stopped) = (asked.work(id), arrival.stopped.clone());
        let (record, mut decision) = match self.set_out(arrival, client, &snapshot, asked).await {
            Ok(begun) => begun,
            Err(answer) => return *answer,
        };
        stay_with_model(&mut decision);
        let client = client.id.clone();
        let used = snapshot.cache.as_ref();
        let shelf = VectorShelf::of(used, &wishes, &request, &decision, &headers, &client);
        let looked = Looked::nothing(request.len());
        self.answer_vectors(Box::new(Wanted {
            id,
            client,
            request,
            headers,
            snapshot,
            decision,
            work,
            stopped,
            shelf,
            looked,
            record,
        }))
        .await
    }

    /// Answers from the cache, with another's answer under way, or from a backend.
    async fn answer_vectors(self: &Arc<Self>, mut wanted: Box<Wanted>) -> Response<AnswerBody> {
        let Ok(shelf) = &wanted.shelf else { return self.embed_missing(wanted).await };
        // Before the look-up: whoever comes after a purge shares nothing that was asked for before.
        let generation = shelf.cache().generation();
        wanted.looked = shelf.look().await;
        if wanted.looked.has_all() {
            return replay(wanted).await;
        }
        if !shelf.shares() {
            return self.embed_missing(wanted).await;
        }
        let (whole, cache) = (shelf.whole, shelf.cache().clone());
        let dialect = wanted.request.dialect();
        let mut waiting = Some(wanted);
        let boarded = self.flights.board(whole, generation, || {
            let mut wanted = waiting.take().ok_or(())?;
            // Another's vectors may have been kept since the look-up, and its flight be over.
            if wanted.has_all_by_now() {
                waiting = Some(wanted);
                return Err(());
            }
            let told = Told::default();
            wanted.record.heard_by(Arc::clone(&told));
            let gateway = Arc::clone(self);
            let starting = async move { gateway.embed_missing(wanted).await }.boxed();
            Ok(flight::work(starting, told))
        });
        let items = match (boarded, waiting) {
            (Boarded::Leads(passenger), _) => {
                return self.ride(passenger.boxed(), Rider::Leads).await;
            }
            (Boarded::Joins(passenger), Some(wanted)) => (passenger.boxed(), wanted.record),
            (Boarded::Declined(()), Some(wanted)) => return replay(wanted).await,
            // Only who brings the work has nothing left.
            (_, None) => return flight::lost().answer(dialect),
        };
        let (items, record) = items;
        self.ride(items, Rider::Joins { record: Box::new(record), dialect, cache }).await
    }

    /// Asks for the inputs that no shelf has, and answers with all.
    async fn embed_missing(&self, wanted: Box<Wanted>) -> Response<AnswerBody> {
        let Wanted {
            id,
            client,
            request,
            headers,
            snapshot,
            decision,
            work,
            stopped,
            shelf,
            looked,
            mut record,
        } = *wanted;
        match &shelf {
            Ok(shelf) => record.missed_vectors(shelf.reason(), looked.saved()),
            Err(why) => record.bypassed(*why),
        }
        let places = looked.missing();
        let part = (!looked.has_none()).then(|| request.only(&places));
        let errand = Embedding {
            id,
            client,
            request: part.as_ref().unwrap_or(&request),
            places: &places,
            headers,
            snapshot: &snapshot,
        };
        let (snapshot, decision) = (&snapshot, &decision);
        let tour = Tour { work, snapshot, decision, stopped: &stopped };
        let outcome = self.tour(&errand, tour, &mut record).await;
        let trail = Trail::of(&record, decision);
        let mut answer = match outcome {
            Ok(vectors) => {
                if let (Ok(shelf), Some(worth)) = (&shelf, record.worth()) {
                    shelf.keep(&looked, vectors.each(), &worth);
                }
                deliver(&request, &looked, vectors, record).await
            }
            Err(failure) => give_up(record, &failure, request.dialect()).await,
        };
        if shelf.is_ok() {
            answer.headers_mut().insert(CACHE, HeaderValue::from_static("miss"));
        }
        trail.mark(&mut answer);
        answer
    }
}

impl Wanted {
    /// Whether every vector is there now.
    fn has_all_by_now(&mut self) -> bool {
        if let Ok(shelf) = &self.shelf {
            shelf.look_again(&mut self.looked);
        }
        self.looked.has_all()
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
    /// For the inputs that have to be asked for.
    request: &'a EmbeddingRequest,
    /// Where those stand in the client's request.
    places: &'a [usize],
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
        let batches = self.judged(backend, sent, record, &target)?;
        Ok(Vectors { batches, dropped: dropped.unwrap_or_default() })
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

    /// All batches, with what they used in the record; a failure if one failed.
    fn judged(
        &self,
        backend: &Backend,
        sent: Vec<Result<EmbeddingBatch, (Range<usize>, Failure)>>,
        record: &mut Record,
        target: &Target,
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
            record.learn(&facts, &Bytes::new());
            tell_usage_once(&mut batches, usage);
        }
        match in_one(backend, self.places, failures) {
            Some(failure) => Err(failure),
            None => Ok(batches),
        }
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

/// The vectors that were asked for, and what was left out of the request.
struct Vectors {
    batches: Vec<EmbeddingBatch>,
    dropped: Vec<String>,
}

impl Vectors {
    fn each(&self) -> impl Iterator<Item = &EmbeddingVector> {
        self.batches.iter().flat_map(|batch| &batch.vectors)
    }
}

async fn deliver(
    request: &EmbeddingRequest,
    looked: &Looked,
    vectors: Vectors,
    mut record: Record,
) -> Response<AnswerBody> {
    record.status(200);
    let body = if looked.has_none() {
        request.write_answer(&vectors.batches)
    } else {
        let model = vectors.batches.iter().find_map(|batch| batch.model.clone());
        let asked = vectors.batches.iter().filter_map(|batch| batch.usage.as_ref());
        let tokens = asked.fold(looked.tokens(), |sum, usage| sum + usage.tokens.input());
        let joined = looked.joined(vectors.each()).unwrap_or_default();
        request.write_vectors(joined, counted(tokens), model)
    };
    let mut answer = whole(body, record).await;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CACHE, HeaderValue::from_static("bypass"));
    mark_dropped(&mut answer, &vectors.dropped);
    answer
}

/// All vectors were there: writes that down, then gives them.
async fn replay(wanted: Box<Wanted>) -> Response<AnswerBody> {
    let Wanted { request, looked, decision, mut record, .. } = *wanted;
    let first = looked.first();
    let model = first.and_then(|entry| entry.model_billed.clone());
    let vectors = looked.joined(std::iter::empty()).unwrap_or_default();
    let body = request.write_vectors(vectors, counted(looked.tokens()), model);
    let entry = first.map(AsRef::as_ref);
    record.replayed_vectors(entry, looked.saved(), body.len()).await;
    let mut answer = answer::whole(body);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CACHE, HeaderValue::from_static("hit"));
    headers.insert(ATTEMPTS, HeaderValue::from(0));
    mark(&mut answer, ROUTE, &decision.route);
    if let Some(entry) = entry {
        mark(&mut answer, BACKEND, entry.backend.as_str());
    }
    answer
}
