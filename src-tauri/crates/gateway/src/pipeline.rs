//! The way of a request for an answer: parse, place, route, try, deliver.
//!
//! Nothing reaches the client before the backend's first content, so until then any failure is an
//! honest status and may be answered by another candidate; [`may_try_next`] alone decides that.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{BoundSecret, Dialect, Moment, RequestId, WallTime};
use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use ledger::{NewRequest, Outcome};
use routing::{Asking, Calm, Candidate, Decision, Needs};
use wire::{ClientRequest, Delivery, ErrorKind, Exchange, RequestError};

use crate::answer::{
    self, ATTEMPTS, AnswerBody, BACKEND, CACHE, COST_USD, DROPPED, JSON, ROUTE, Refusal,
    RetryAdvice,
};
use crate::asking::Question;
use crate::event::{GatewayEvent, Verdict};
use crate::failure::{Failure, bad_request};
use crate::gateway::Gateway;
use crate::headers::{Media, media, to_client};
use crate::limits::{ATTEMPTS_PER_REQUEST_MAX, DROPPED_HEADER_BYTES_MAX};
use crate::opening::{Begun, Content, Tried, patience};
use crate::record::Record;
use crate::relay::{Passage, Relay};
use crate::route::Surface;
use crate::snapshot::{Backend, Client, Snapshot};

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// A request's identity and arrival.
pub(crate) struct Arrival {
    pub(crate) id: RequestId,
    pub(crate) begun: Moment,
    pub(crate) started: WallTime,
    /// The client's tag for its own bookkeeping.
    pub(crate) project: Option<String>,
    /// The dialect in which it is spoken to.
    pub(crate) dialect: Dialect,
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
    client: domain::ClientId,
    pub(crate) request: ClientRequest,
    headers: HeaderMap,
    pub(crate) snapshot: Arc<Snapshot>,
}

impl Gateway {
    pub(crate) async fn generate(
        self: &Arc<Self>,
        surface: Surface,
        call: Call<'_>,
    ) -> Response<AnswerBody> {
        let Call { arrival, client, snapshot, headers, body } = call;
        let dialect = arrival.dialect;
        let bytes_in = body.len();
        let request = match ClientRequest::parse(surface.for_wire(), body) {
            Ok(request) => request,
            Err(error) => return bad_request(&error).answer(dialect),
        };
        let (id, started) = (arrival.id, arrival.started);
        let asked = Asked {
            model: request.model(),
            protocol: dialect.word(),
            is_streamed: request.delivery().is_streamed(),
            bytes_in,
        };
        let (record, decision) = match self.set_out(arrival, client, &snapshot, asked).await {
            Ok(begun) => begun,
            Err(answer) => return *answer,
        };
        let client = client.id.clone();
        let journey = Journey { id, started, client, request, headers, snapshot };
        self.travel(journey, &decision, record).await
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
        let in_flight_max = snapshot.limits.in_flight_max;
        let Some(place) = self.in_flight.enter(in_flight_max) else {
            return Err(Box::new(crowded(in_flight_max).answer(dialect)));
        };
        let asking = Asking {
            model: asked.model,
            client: &client.id,
            project: arrival.project.as_deref(),
            needs: Needs::default(),
            conversation: None,
        };
        let decision = snapshot.routes.choose(&asking, &Calm, &mut || 0.0);
        let route = decision.as_ref().map_or("", |decision| decision.route.as_str());
        let new = new_request(arrival, client, asked, route);
        let mut record = Record::new(&self.books, new, begun, asked.bytes_in, place);
        let decision = match decision {
            Ok(decision) => decision,
            Err(error) => {
                return Err(Box::new(give_up(record, &Failure::no_route(&error), dialect).await));
            }
        };
        if let Err(error) = record.reserve(&decision.explanation) {
            tracing::error!(%error, "a request was refused because it could not be written down");
            return Err(Box::new(ledger_closed().answer(dialect)));
        }
        Ok((record, decision))
    }

    async fn travel(
        self: &Arc<Self>,
        journey: Journey,
        decision: &Decision,
        mut record: Record,
    ) -> Response<AnswerBody> {
        let mut last = None;
        let mut backend = None;
        for candidate in &decision.candidates {
            backend = Some(&candidate.access.backend);
            match self.attempt(&journey, candidate, &mut record).await {
                Ok(begun) => {
                    let mut answer = self.deliver(&journey, begun, record).await;
                    mark(&mut answer, ROUTE, &decision.route);
                    return answer;
                }
                Err(failure) => {
                    record.failed_try(&failure);
                    let go_on = may_try_next(&failure, record.tries());
                    last = Some(failure);
                    if !go_on {
                        break;
                    }
                }
            }
        }
        // `candidates` is never empty, so there is a failure here.
        let failure = last.unwrap_or_else(|| Failure::untried(&decision.route));
        let tries = record.tries();
        let mut answer = give_up(record, &failure, journey.request.dialect()).await;
        mark(&mut answer, ROUTE, &decision.route);
        if let Some(backend) = backend {
            mark(&mut answer, BACKEND, backend.as_str());
        }
        answer.headers_mut().insert(ATTEMPTS, HeaderValue::from(tries));
        answer
    }

    async fn attempt(
        &self,
        journey: &Journey,
        candidate: &Candidate,
        record: &mut Record,
    ) -> Result<Begun, Failure> {
        let snapshot = &journey.snapshot;
        let backend = self.reachable(snapshot, candidate)?;
        let exchange =
            journey.exchange(backend, &candidate.model).map_err(|e| Failure::bad_request(&e))?;
        let key = self.key(backend).await?;
        record.begin_try(candidate, backend, &snapshot.prices);
        self.books.events.emit(GatewayEvent::RequestStarted {
            id: journey.id,
            client: journey.client.clone(),
            backend: backend.id.clone(),
        });
        let question = Question {
            backend,
            key,
            outgoing: exchange.outgoing(),
            headers: &journey.headers,
            client: exchange.client(),
            patience: patience(journey, record),
        };
        let response = self.send(question).await?;
        record.first_byte(response.status.as_u16());
        self.open(journey, Tried { backend, exchange }, response, record).await
    }

    /// The backend of a candidate, if a request may go there at all.
    pub(crate) fn reachable<'a>(
        &self,
        snapshot: &'a Snapshot,
        candidate: &Candidate,
    ) -> Result<&'a Backend, Failure> {
        let Some(backend) = snapshot.backends.get(&candidate.access.backend) else {
            return Err(Failure::misconfigured(
                &candidate.access.backend,
                "is not there any more.",
            ));
        };
        if backend.is_own_door(self.port()) {
            let what = "has this gateway's own address as its base URL. Correct it.";
            return Err(Failure::misconfigured(&backend.id, what));
        }
        Ok(backend)
    }

    /// The key that `backend` is called with.
    pub(crate) async fn key(&self, backend: &Backend) -> Result<Option<Arc<BoundSecret>>, Failure> {
        let Some(id) = &backend.credential else { return Ok(None) };
        let read = self.vault.get(id).await;
        read.map(Some).map_err(|error| Failure::vault(&backend.id, &error))
    }

    async fn deliver(
        self: &Arc<Self>,
        journey: &Journey,
        begun: Begun,
        mut record: Record,
    ) -> Response<AnswerBody> {
        record.status(200);
        let tries = record.tries();
        let Begun { backend, headers: said, content, exchange } = begun;
        let mut answer = match content {
            Content::Whole(body) | Content::Replayed(body) => whole(body, record).await,
            Content::Stream(streaming) => {
                let passage = Passage {
                    backend: backend.clone(),
                    limits: journey.snapshot.limits,
                    client: exchange.client(),
                    delivery: exchange.delivery(),
                    asked: journey.request.body().clone(),
                };
                let clock = Arc::clone(&self.books.clock);
                let relay = Relay::new(*streaming, record, passage, clock);
                answer::streamed(relay.into_stream())
            }
        };
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, content_type(&exchange, &said));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CACHE, HeaderValue::from_static("bypass"));
        headers.insert(ATTEMPTS, HeaderValue::from(tries));
        to_client(&said, exchange.client(), exchange.outgoing().dialect, headers);
        mark(&mut answer, BACKEND, backend.as_str());
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

impl Journey {
    fn exchange(&self, backend: &Backend, model: &str) -> Result<Exchange, RequestError> {
        let id = self.id.to_string().replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let created_unix_s = self.started.unix_ms() / 1_000;
        Exchange::new(&self.request, &backend.target(model), &id, created_unix_s)
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

/// Whether another candidate may answer after `failure`. The one place for this decision.
fn may_try_next(failure: &Failure, tries: usize) -> bool {
    tries < ATTEMPTS_PER_REQUEST_MAX && matches!(failure.verdict, Verdict::BackendFailure(_))
}

/// What a request asks for, as it is written down.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) model: &'a str,
    /// As the ledger spells it.
    pub(crate) protocol: &'static str,
    pub(crate) is_streamed: bool,
    pub(crate) bytes_in: usize,
}

fn new_request(arrival: Arrival, client: &Client, asked: Asked<'_>, route: &str) -> NewRequest {
    NewRequest {
        id: arrival.id,
        started: arrival.started,
        client: client.id.clone(),
        project: arrival.project,
        route: route.to_owned(),
        model_asked: asked.model.to_owned(),
        dialect: asked.protocol.to_owned(),
        streamed: asked.is_streamed,
        purpose: client.purpose,
    }
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

pub(crate) fn crowded(places: usize) -> Refusal {
    let message = format!("All {places} places for requests are taken. Try again in a moment.");
    Refusal::new(429, ErrorKind::RateLimit, "too_many_requests", message)
        .retry(RetryAdvice::After(Duration::from_secs(1)))
}

fn ledger_closed() -> Refusal {
    let message = "The ledger cannot be written, so the request was not sent. Free some disk space or \
                   see the Gatehouse panel.";
    Refusal::new(503, ErrorKind::Api, "ledger_unavailable", message)
        .retry(RetryAdvice::After(Duration::from_secs(5)))
}
