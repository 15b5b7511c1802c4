//! The way of a chat request: parse, place, route, try, deliver.
//!
//! Nothing reaches the client before the backend's first event, so until then any failure is an
//! honest status and may be answered by another candidate; [`may_try_next`] alone decides that.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{Moment, RequestId, WallTime};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Response};
use ledger::{NewRequest, Outcome};
use routing::{Candidate, Decision};
use wire::ErrorKind;
use wire::openai_chat::{ChatRequest, Delivery, Metering};

use crate::answer::{
    self, ATTEMPTS, AnswerBody, BACKEND, CACHE, COST_USD, JSON, ROUTE, Refusal, RetryAdvice,
};
use crate::event::{GatewayEvent, Verdict};
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::headers::{Media, media, to_client};
use crate::limits::ATTEMPTS_PER_REQUEST_MAX;
use crate::opening::{Begun, Content, patience};
use crate::record::Record;
use crate::relay::Relay;
use crate::snapshot::{Client, Snapshot};
use crate::upstream::{UpstreamFailure, UpstreamRequest};

/// The protocol clients speak here, as the ledger spells it.
const DIALECT: &str = "openai-chat";

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// A request's identity and arrival.
pub(crate) struct Arrival {
    pub(crate) id: RequestId,
    pub(crate) begun: Moment,
    pub(crate) started: WallTime,
    /// The client's tag for its own bookkeeping.
    pub(crate) project: Option<String>,
}

/// A request with all that its tries share.
pub(crate) struct Journey {
    id: RequestId,
    client: domain::ClientId,
    pub(crate) chat: ChatRequest,
    headers: HeaderMap,
    pub(crate) snapshot: Arc<Snapshot>,
}

impl Gateway {
    pub(crate) async fn chat(
        self: &Arc<Self>,
        arrival: Arrival,
        client: &Client,
        snapshot: Arc<Snapshot>,
        headers: HeaderMap,
        body: Bytes,
    ) -> Response<AnswerBody> {
        let bytes_in = body.len();
        let chat = match ChatRequest::parse(body) {
            Ok(chat) => chat,
            Err(error) => {
                let kind = ErrorKind::InvalidRequest;
                let refusal = Refusal::new(400, kind, error.code(), error.to_string());
                let param = error.param().map(str::to_owned);
                return refusal.param(param).retry(RetryAdvice::Never).answer();
            }
        };
        let Some(place) = self.in_flight.enter(snapshot.limits.in_flight_max) else {
            return crowded(snapshot.limits.in_flight_max).answer();
        };
        let decision = snapshot.routes.choose(chat.model());
        let route = decision.as_ref().map_or("", |decision| decision.route.as_str());
        let (id, begun) = (arrival.id, arrival.begun);
        let request = new_request(arrival, client, &chat, route);
        let mut record = Record::new(&self.books, request, begun, bytes_in, place);
        let decision = match decision {
            Ok(decision) => decision,
            Err(error) => return give_up(record, &Failure::no_route(&error)).await,
        };
        if let Err(error) = record.reserve(&decision.explanation) {
            tracing::error!(%error, "a request was refused because it could not be written down");
            return ledger_closed().answer();
        }
        let client = client.id.clone();
        let journey = Journey { id, client, chat, headers, snapshot };
        self.travel(journey, &decision, record).await
    }

    async fn travel(
        self: &Arc<Self>,
        journey: Journey,
        decision: &Decision,
        mut record: Record,
    ) -> Response<AnswerBody> {
        let mut last = None;
        for candidate in decision.candidates() {
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
        // `candidates` always has a first, so there is a failure here.
        let failure = last.unwrap_or_else(|| {
            Failure::misconfigured(&decision.first.backend, "was not tried; report this.")
        });
        let (backend, tries) = (decision.first.backend.clone(), record.tries());
        let mut answer = give_up(record, &failure).await;
        mark(&mut answer, ROUTE, &decision.route);
        mark(&mut answer, BACKEND, backend.as_str());
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
        let Some(backend) = snapshot.backends.get(&candidate.backend) else {
            return Err(Failure::misconfigured(&candidate.backend, "is not there any more."));
        };
        if backend.is_own_door(self.port()) {
            let what = "has this gateway's own address as its base URL. Correct it.";
            return Err(Failure::misconfigured(&backend.id, what));
        }
        let key = match &backend.credential {
            None => None,
            Some(id) => {
                let read = self.vault.get(id).await;
                Some(read.map_err(|error| Failure::vault(&backend.id, &error))?)
            }
        };
        record.begin_try(candidate, backend, &snapshot.prices);
        self.books.events.emit(GatewayEvent::RequestStarted {
            id: journey.id,
            client: journey.client.clone(),
            backend: backend.id.clone(),
        });
        let request = UpstreamRequest {
            method: Method::POST,
            url: backend.chat_url.clone(),
            headers: journey.headers.clone(),
            key,
            body: journey.chat.for_upstream(&candidate.model, Metering::AskForUsage),
        };
        let patience = patience(journey, record);
        let sent = tokio::time::timeout(patience, self.upstream(backend.kind).send(request)).await;
        let response = sent.unwrap_or(Err(UpstreamFailure::Timeout));
        let response = response.map_err(|failure| Failure::upstream(&backend.id, &failure))?;
        record.first_byte(response.status.as_u16());
        self.open(journey, backend, response, record).await
    }

    async fn deliver(
        self: &Arc<Self>,
        journey: &Journey,
        begun: Begun,
        mut record: Record,
    ) -> Response<AnswerBody> {
        record.status(200);
        let tries = record.tries();
        let (kind, mut answer) = match begun.content {
            Content::Whole(body) => (said(&begun.headers, JSON), whole(body, record).await),
            Content::Replayed(body) => (EVENT_STREAM, whole(body, record).await),
            Content::Stream(streaming) => {
                let limits = journey.snapshot.limits;
                let clock = Arc::clone(&self.books.clock);
                let relay = Relay::new(*streaming, record, begun.backend.clone(), limits, clock);
                (said(&begun.headers, EVENT_STREAM), answer::streamed(relay.into_stream()))
            }
        };
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, kind);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CACHE, HeaderValue::from_static("bypass"));
        headers.insert(ATTEMPTS, HeaderValue::from(tries));
        to_client(&begun.headers, headers);
        mark(&mut answer, BACKEND, begun.backend.as_str());
        answer
    }
}

/// The backend's own word for what it sends, if it is a known one.
fn said(headers: &HeaderMap, otherwise: HeaderValue) -> HeaderValue {
    let known = media(headers) != Media::Unsaid;
    headers.get(CONTENT_TYPE).filter(|_| known).cloned().unwrap_or(otherwise)
}

/// A whole answer, handed over once it is written down.
async fn whole(body: Bytes, mut record: Record) -> Response<AnswerBody> {
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

fn new_request(arrival: Arrival, client: &Client, chat: &ChatRequest, route: &str) -> NewRequest {
    NewRequest {
        id: arrival.id,
        started: arrival.started,
        client: client.id.clone(),
        project: arrival.project,
        route: route.to_owned(),
        model_asked: chat.model().to_owned(),
        dialect: DIALECT.to_owned(),
        streamed: matches!(chat.delivery(), Delivery::Stream(_)),
        purpose: client.purpose,
    }
}

async fn give_up(mut record: Record, failure: &Failure) -> Response<AnswerBody> {
    record.status(failure.refusal.status);
    record.fail(Outcome::Failed, failure).await;
    let mut answer = failure.refusal.answer();
    answer.headers_mut().insert(CACHE, HeaderValue::from_static("bypass"));
    answer
}

fn mark(answer: &mut Response<AnswerBody>, name: hyper::header::HeaderName, text: &str) {
    // A route is a model's name as the client wrote it; what no header can carry is left out.
    if let Ok(value) = HeaderValue::try_from(text) {
        answer.headers_mut().insert(name, value);
    }
}

fn crowded(places: usize) -> Refusal {
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
