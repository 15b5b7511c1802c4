//! The way of a request for an answer: parse, place, route, try, deliver.
//!
//! Nothing reaches the client before the backend's first content, so until then any failure is an
//! honest status and may be answered by another candidate.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{Access, BackendId, BoundSecret, Crossing, Dialect, Moment, RequestId, WallTime};
use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use ledger::{BacklogReason, LedgerError, Outcome};
use routing::{Asking, Candidate, Decision, NoRoute};
use tokio_util::sync::CancellationToken;
use wire::{ClientRequest, Delivery, ErrorKind, Exchange, RequestError};

use crate::answer::{
    self, ATTEMPTS, AnswerBody, BACKEND, CACHE, COST_USD, DROPPED, JSON, ROUTE, Refusal,
    RetryAdvice,
};
use crate::asked::{Asked, needs};
use crate::asking::Question;
use crate::caching::{self, Traveller};
use crate::event::GatewayEvent;
use crate::failure::{Failure, bad_request};
use crate::gateway::Gateway;
use crate::headers::{Media, media, to_client};
use crate::items::{ItemKeeper, KeptItems};
use crate::limits::{DROPPED_HEADER_BYTES_MAX, RUNAWAY_BODY_BYTES_MIN};
use crate::live::Work;
use crate::opening::{Begun, Content, Tried};
use crate::record::Record;
use crate::relay::{Passage, Relay};
use crate::route::Surface;
use crate::snapshot::{Backend, Client, Snapshot};
use crate::trying::{Errand, Place, Tour};

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// When a client that was refused for the ledger may come back: the disk is tried again within a second.
const LEDGER_RETRY_AFTER: Duration = Duration::from_secs(5);

/// A request's identity and arrival.
pub(crate) struct Arrival {
    pub(crate) id: RequestId,
    pub(crate) begun: Moment,
    pub(crate) started: WallTime,
    /// The client's tag for its own bookkeeping.
    pub(crate) project: Option<String>,
    /// The dialect in which it is spoken to.
    pub(crate) dialect: Dialect,
    /// Answers that are not whole by then end with an error.
    pub(crate) stopped: CancellationToken,
}

/// A request that passed the door, with its body.
pub(crate) struct Call<'a> {
    pub(crate) arrival: Arrival,
    pub(crate) client: &'a Client,
    pub(crate) snapshot: Arc<Snapshot>,
    /// As the client sent them; only listed ones go on.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A request with all that its tries share.
pub(crate) struct Journey {
    id: RequestId,
    started: WallTime,
    pub(crate) client: domain::ClientId,
    pub(crate) request: ClientRequest,
    pub(crate) headers: HeaderMap,
    /// The route's word on fields that cannot cross, if it has one.
    crossing: Option<Crossing>,
    conversation: Option<u64>,
    work: Work,
    pub(crate) snapshot: Arc<Snapshot>,
    stopped: CancellationToken,
}

impl Gateway {
    pub(crate) async fn generate(
        self: &Arc<Self>,
        surface: Surface,
        call: Call<'_>,
    ) -> Response<AnswerBody> {
        let (dialect, bytes_in) = (call.arrival.dialect, call.body.len());
        let (priority, wishes) = match call.wishes() {
            Ok(wishes) => wishes,
            Err(refusal) => return refusal.answer(dialect),
        };
        let Call { arrival, client, snapshot, headers, body } = call;
        let body = match dialect {
            Dialect::OpenAiResponses => self.items.resolve(&client.id, body),
            _ => body,
        };
        let request = match ClientRequest::parse(surface.for_wire(), body) {
            Ok(request) => request,
            Err(error) => return bad_request(&error).answer(dialect),
        };
        let (id, started, stopped) = (arrival.id, arrival.started, arrival.stopped.clone());
        let follows = snapshot.routes.follows_conversations();
        let is_watched = bytes_in >= RUNAWAY_BODY_BYTES_MIN;
        let thread = (follows || is_watched).then(|| request.thread());
        let conversation = thread.filter(|_| follows).map(|thread| thread.conversation);
        let asked = Asked {
            model: request.model(),
            protocol: dialect.word(),
            is_streamed: request.delivery().is_streamed(),
            bytes_in,
            needs: needs(&request),
            conversation,
            prefix: thread.filter(|_| is_watched).map(|thread| thread.prefix),
            priority,
        };
        let work = asked.work(id);
        let (record, decision) = match self.set_out(arrival, client, &snapshot, asked).await {
            Ok(begun) => begun,
            Err(answer) => return *answer,
        };
        let (client, crossing) = (client.id.clone(), decision.crossing);
        let journey = Journey {
            id,
            started,
            client,
            request,
            headers,
            crossing,
            conversation,
            work,
            snapshot,
            stopped,
        };
        let part = caching::part(&journey, &wishes, &decision);
        self.answer(part, Box::new(Traveller { journey, decision, record })).await
    }

    /// Gives a request its place, its route and its row in the ledger; else the answer that says why
    /// not.
    pub(crate) async fn set_out(
        &self,
        arrival: Arrival,
        client: &Client,
        snapshot: &Snapshot,
        asked: Asked<'_>,
    ) -> Result<(Record, Decision), Box<Response<AnswerBody>>> {
        let (begun, dialect) = (arrival.begun, arrival.dialect);
        let visitor = asked.visitor(client);
        let entered = self.entrance.enter(visitor, &snapshot.limits).await;
        let place = entered.map_err(|refusal| Box::new(refusal.answer(dialect)))?;
        let asking = Asking {
            model: asked.model,
            client: &client.id,
            project: arrival.project.as_deref(),
            needs: asked.needs,
            conversation: asked.conversation,
        };
        let decision = self.choose_for(client, &asking, snapshot);
        let route = decision.as_ref().map_or("", |decision| decision.route.as_str());
        let new = asked.written(arrival, client, route);
        let mut record = Record::new(&self.books, new, begun, asked.bytes_in, place);
        let decision = match decision {
            Ok(decision) => decision,
            Err(failure) => {
                return Err(Box::new(give_up(record, &failure, dialect).await));
            }
        };
        self.live.budget().request(self.clock().now());
        if let Err(error) = record.reserve(&decision) {
            tracing::warn!(%error, "a request was refused because it could not be recorded");
            return Err(Box::new(ledger_unavailable(&error).answer(dialect)));
        }
        Ok((record, decision))
    }

    /// Who may answer, best first, by the conditions of this moment.
    pub(crate) fn choose(
        &self,
        asking: &Asking<'_>,
        snapshot: &Snapshot,
    ) -> Result<Decision, NoRoute> {
        let conditions = self.live.now(snapshot);
        snapshot.routes.choose(asking, &conditions, &mut || self.live.chance())
    }

    /// Asks backends until one answers, and gives its answer.
    pub(crate) async fn travel(
        self: &Arc<Self>,
        traveller: Box<Traveller>,
    ) -> Response<AnswerBody> {
        let Traveller { journey, decision, mut record } = *traveller;
        let decision = &decision;
        let Journey { work, snapshot, stopped, .. } = &journey;
        let tour = Tour { work: *work, snapshot, decision, stopped };
        let outcome = self.tour(&journey, tour, &mut record).await;
        if let (Ok(_), Some(conversation), Some(stay)) =
            (&outcome, journey.conversation, decision.sticky)
        {
            record.stay(conversation, stay);
        }
        let trail = Trail::of(&record, decision);
        let mut answer = match outcome {
            Ok(begun) => self.deliver(&journey, begun, record).await,
            Err(failure) => give_up(record, &failure, journey.request.dialect()).await,
        };
        trail.mark(&mut answer);
        answer
    }

    /// The backend of a candidate, if a request may go there at all.
    pub(crate) fn reachable<'a>(
        &self,
        snapshot: &'a Snapshot,
        candidate: &Candidate,
    ) -> Result<&'a Backend, Failure> {
        let id = &candidate.access.backend;
        let Some(backend) = snapshot.backends.get(id) else {
            return Err(Failure::misconfigured(id, "no longer exists."));
        };
        if backend.is_own_door(self.port()) {
            let what = "has this gateway's own address as its base URL. Correct it.";
            return Err(Failure::misconfigured(&backend.id, what));
        }
        Ok(backend)
    }

    /// The key of `access`.
    pub(crate) async fn key(&self, access: &Access) -> Result<Option<Arc<BoundSecret>>, Failure> {
        let Some(id) = &access.credential else { return Ok(None) };
        let read = self.vault.get(id).await;
        read.map(Some).map_err(|error| Failure::vault(&access.backend, &error))
    }

    async fn deliver(
        self: &Arc<Self>,
        journey: &Journey,
        begun: Begun,
        mut record: Record,
    ) -> Response<AnswerBody> {
        record.status(200);
        let Begun { backend, headers: said, content, exchange } = begun;
        // What passes through is kept by its provider.
        let keeper = Some(journey).filter(|_| !exchange.passes_through());
        let keeper = keeper.and_then(|journey| journey.keeper(&self.items));
        let mut answer = match content {
            Content::Whole(body) | Content::Replayed(body) => {
                if let Some(keeper) = keeper {
                    keeper.keep(&body);
                }
                whole(body, record).await
            }
            Content::Stream(streaming) => {
                let passage = Passage {
                    backend,
                    limits: journey.snapshot.limits,
                    client: exchange.client(),
                    asked: journey.request.body().clone(),
                    keeper,
                    stopped: journey.stopped.clone(),
                };
                let relay = Relay::new(*streaming, record, passage, Arc::clone(&self.live));
                answer::streamed(relay.into_stream())
            }
        };
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, content_type(&exchange, &said));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CACHE, HeaderValue::from_static("bypass"));
        to_client(&said, exchange.client(), exchange.outgoing().dialect, headers);
        mark_dropped(&mut answer, &exchange.outgoing().dropped);
        answer
    }
}

/// What the body is: in the backend's own words if its bytes passed through and it said what it is.
fn content_type(exchange: &Exchange, said: &HeaderMap) -> HeaderValue {
    let (ours, expected) = match exchange.delivery() {
        Delivery::Stream(_) => (EVENT_STREAM, Media::EventStream),
        Delivery::Whole | Delivery::StreamArray => (JSON, Media::Json),
    };
    let own = said.get(CONTENT_TYPE).filter(|_| media(said) == expected);
    own.filter(|_| exchange.passes_through()).cloned().unwrap_or(ours)
}

impl Errand for Journey {
    type Answer = Begun;

    async fn ask(
        &self,
        gateway: &Gateway,
        to: Place<'_>,
        record: &mut Record,
    ) -> Result<Begun, Failure> {
        let Place { backend, candidate, share } = to;
        let exchange =
            self.exchange(backend, &candidate.model).map_err(|e| Failure::bad_request(&e))?;
        let key = gateway.key(&candidate.access).await?;
        record.begin_try(candidate, backend, &self.snapshot.prices);
        gateway.books.events.emit(GatewayEvent::RequestStarted {
            id: self.id,
            client: self.client.clone(),
            backend: backend.id.clone(),
        });
        let question = Question {
            backend,
            key,
            outgoing: exchange.outgoing(),
            headers: &self.headers,
            client: exchange.client(),
            patience: gateway.patience(self, record, share),
        };
        let response = gateway.send(question).await?;
        record.first_byte(response.status.as_u16());
        gateway.open(self, Tried { backend, exchange, share }, response, record).await
    }
}

/// What the headers of an answer tell of its way.
pub(crate) struct Trail {
    route: String,
    backend: Option<BackendId>,
    tries: usize,
}

impl Trail {
    pub(crate) fn of(record: &Record, decision: &Decision) -> Self {
        let first = decision.candidates.first().map(|candidate| &candidate.access.backend);
        let backend = record.backend().or(first).cloned();
        Self { route: decision.route.clone(), backend, tries: record.tries() }
    }

    pub(crate) fn mark(&self, answer: &mut Response<AnswerBody>) {
        mark(answer, ROUTE, &self.route);
        if let Some(backend) = &self.backend {
            mark(answer, BACKEND, backend.as_str());
        }
        answer.headers_mut().insert(ATTEMPTS, HeaderValue::from(self.tries));
    }
}

impl Journey {
    /// Where the items of the answer are kept, if the client may refer to them.
    pub(crate) fn keeper(&self, items: &Arc<KeptItems>) -> Option<ItemKeeper> {
        self.request.is_stored().then(|| items.keeper(&self.client))
    }

    fn exchange(&self, backend: &Backend, model: &str) -> Result<Exchange, RequestError> {
        let mut id = self.id.to_string();
        id.retain(|c| c.is_ascii_alphanumeric());
        let created_unix_s = self.started.unix_ms() / 1_000;
        let mut target = backend.target(model);
        target.crossing = self.crossing.unwrap_or(target.crossing);
        Exchange::new(&self.request, &target, &id, created_unix_s)
    }
}

/// Names the fields that were left out, as far as a header can carry them.
pub(crate) fn mark_dropped(answer: &mut Response<AnswerBody>, dropped: &[String]) {
    let mut text = dropped.join(", ");
    text.retain(|c| c.is_ascii_graphic() || c == ' ');
    text.truncate(DROPPED_HEADER_BYTES_MAX);
    if !text.is_empty() {
        mark(answer, DROPPED, &text);
    }
}

/// A whole answer, handed over once it is written down.
pub(crate) async fn whole(body: Bytes, mut record: Record) -> Response<AnswerBody> {
    record.sent(body.len());
    let cost = record.cost();
    record.complete().await;
    let mut answer = answer::whole(body);
    if let Some(cost) = cost {
        mark(&mut answer, COST_USD, &cost.to_string());
    }
    answer
}

pub(crate) async fn give_up(
    mut record: Record,
    failure: &Failure,
    dialect: Dialect,
) -> Response<AnswerBody> {
    let mut answer = failure.refusal.answer(dialect);
    record.status(answer.status().as_u16());
    record.fail(Outcome::Failed, failure).await;
    answer.headers_mut().insert(CACHE, HeaderValue::from_static("bypass"));
    answer
}

pub(crate) fn mark(answer: &mut Response<AnswerBody>, name: hyper::header::HeaderName, text: &str) {
    // A route is a model's name as the client wrote it; what no header can carry is left out.
    if let Ok(value) = HeaderValue::try_from(text) {
        answer.headers_mut().insert(name, value);
    }
}

fn ledger_unavailable(error: &LedgerError) -> Refusal {
    let reason = match error {
        LedgerError::Closed => "Gatehouse is stopping.",
        refusal => BacklogReason::from(refusal).sentence(),
    };
    let message =
        format!("Gatehouse cannot write its ledger, so the request was not sent. {reason}");
    Refusal::new(503, ErrorKind::Api, "ledger_unavailable", message)
        .retry(RetryAdvice::After(LEDGER_RETRY_AFTER))
}
