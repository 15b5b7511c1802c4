//! The way of a chat request: parse, place, route, try, deliver.
//!
//! Nothing reaches the client before the backend's first event, so until then any failure is an
//! honest status and may be answered by another candidate; [`may_try_next`] alone decides that.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{BackendId, Moment, RequestId, WallTime};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Response};
use ledger::{NewRequest, Outcome};
use routing::{Candidate, Decision};
use wire::ErrorKind;
use wire::openai_chat::{
    BadAnswer, ChatRequest, ChatTap, Delivery, Flow, Metering, Tapped, UsageChunk,
    read_chat_answer, stream_of_answer, upstream_error,
};

use crate::answer::{
    self, ATTEMPTS, AnswerBody, BACKEND, CACHE, COST_USD, JSON, ROUTE, Refusal, RetryAdvice,
};
use crate::event::{GatewayEvent, Verdict};
use crate::failure::{Failure, Told, Work};
use crate::gateway::Gateway;
use crate::headers::{Media, is_compressed, media, to_client};
use crate::limits::{ANSWER_BYTES_MAX, ATTEMPTS_PER_REQUEST_MAX, ERROR_BODY_BYTES_MAX};
use crate::record::Record;
use crate::relay::{self, Relay};
use crate::snapshot::{Backend, Client, Snapshot};
use crate::upstream::{KeyScrubber, UpstreamFailure, UpstreamRequest, UpstreamResponse};

/// The protocol clients speak here, as the ledger spells it.
const DIALECT: &str = "openai-chat";

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// Time to read the words of a backend that has already failed.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// A request's identity and arrival.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) id: RequestId,
    pub(crate) begun: Moment,
    pub(crate) started: WallTime,
}

/// A request with all that its tries share.
struct Journey {
    id: RequestId,
    client: domain::ClientId,
    chat: ChatRequest,
    headers: HeaderMap,
    snapshot: Arc<Snapshot>,
}

/// The beginning of an answer that may be delivered.
pub(crate) struct Begun {
    pub(crate) backend: BackendId,
    headers: HeaderMap,
    content: Content,
}

enum Content {
    /// The backend's body as it came.
    Whole(Bytes),
    /// A stream made of a whole answer, for a backend that ignored `stream: true`.
    Replayed(Bytes),
    Stream(Box<Streaming>),
}

/// A stream whose first bytes for the client are there.
pub(crate) struct Streaming {
    pub(crate) tap: ChatTap,
    pub(crate) first: Tapped,
    pub(crate) body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
    pub(crate) scrubber: KeyScrubber,
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
        let request = new_request(arrival, client, &chat, route);
        let mut record = Record::new(&self.books, request, arrival.begun, bytes_in, place);
        let decision = match decision {
            Ok(decision) => decision,
            Err(error) => return give_up(record, &Failure::no_route(&error)).await,
        };
        if let Err(error) = record.reserve(&decision.explanation) {
            tracing::error!(%error, "a request was refused because it could not be written down");
            return ledger_closed().answer();
        }
        let client = client.id.clone();
        let journey = Journey { id: arrival.id, client, chat, headers, snapshot };
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

    /// Judges the head of an answer and reads as much as has to be known before anything is relayed.
    async fn open(
        &self,
        journey: &Journey,
        backend: &Backend,
        response: UpstreamResponse,
        record: &mut Record,
    ) -> Result<Begun, Failure> {
        let id = &backend.id;
        if response.status.is_redirection() {
            return Err(Failure::redirected(id, response.status.as_u16()));
        }
        if !response.status.is_success() {
            return Err(self.reported(id, response).await);
        }
        if is_compressed(&response.headers) {
            let what = "compressed its answer although it was asked not to.";
            return Err(Failure::unreadable(id, what, Work::Unknown));
        }
        let stall = journey.snapshot.limits.stall_timeout;
        match (journey.chat.delivery(), media(&response.headers)) {
            (_, Media::Html) => {
                let what = "answered with a web page. Check its base URL and the network.";
                Err(Failure::unreadable(id, what, Work::None))
            }
            (Delivery::Whole, Media::EventStream) => {
                let what = "streamed an answer that was not to be streamed.";
                Err(Failure::unreadable(id, what, Work::Unknown))
            }
            (Delivery::Whole, _) => {
                let read = |body: &Bytes| Ok((body.clone(), read_chat_answer(body)?));
                let (headers, (body, facts)) = self.read_whole(id, response, stall, read).await?;
                record.learn(&facts);
                let content = Content::Whole(body);
                Ok(Begun { backend: id.clone(), headers, content })
            }
            (Delivery::Stream(usage_chunk), Media::Json) => {
                let read = |body: &Bytes| stream_of_answer(body, usage_chunk);
                let (headers, (stream, facts)) = self.read_whole(id, response, stall, read).await?;
                record.learn(&facts);
                let content = Content::Replayed(stream);
                Ok(Begun { backend: id.clone(), headers, content })
            }
            (Delivery::Stream(usage_chunk), _) => {
                self.open_stream(journey, id, response, usage_chunk, record).await
            }
        }
    }

    async fn reported(&self, backend: &BackendId, response: UpstreamResponse) -> Failure {
        let UpstreamResponse { status, headers, body, scrubber } = response;
        let reading = read_up_to(body, ERROR_BODY_BYTES_MAX, ERROR_BODY_TIMEOUT);
        // Whatever was read in time is all there is to say.
        let body = match tokio::time::timeout(ERROR_BODY_TIMEOUT, reading).await {
            Ok(Ok(body) | Err(Unread::Failed(_, body))) => body,
            Ok(Err(Unread::TooLarge)) | Err(_) => Bytes::new(),
        };
        let error = upstream_error(status.as_u16(), &scrubber.scrub_body(&body));
        let told = Told { headers: &headers, scrubber: &scrubber, now: self.clock().wall() };
        Failure::reported(backend, &error, &told)
    }

    async fn read_whole<T>(
        &self,
        backend: &BackendId,
        response: UpstreamResponse,
        stall: Duration,
        read: impl FnOnce(&Bytes) -> Result<T, BadAnswer>,
    ) -> Result<(HeaderMap, T), Failure> {
        let UpstreamResponse { headers, body, scrubber, .. } = response;
        let body =
            read_up_to(body, ANSWER_BYTES_MAX, stall).await.map_err(|unread| match unread {
                Unread::TooLarge => {
                    Failure::unreadable(backend, "sent an answer without end.", Work::Unknown)
                }
                Unread::Failed(failure, _) => Failure::upstream(backend, &failure),
            })?;
        let told = Told { headers: &headers, scrubber: &scrubber, now: self.clock().wall() };
        let answer = read(&body).map_err(|bad| Failure::bad_answer(backend, &bad, &told))?;
        Ok((headers, answer))
    }

    async fn open_stream(
        &self,
        journey: &Journey,
        backend: &BackendId,
        response: UpstreamResponse,
        usage_chunk: UsageChunk,
        record: &mut Record,
    ) -> Result<Begun, Failure> {
        let UpstreamResponse { headers, mut body, scrubber, .. } = response;
        let mut tap = ChatTap::new(usage_chunk);
        let first = loop {
            let next = tokio::time::timeout(patience(journey, record), body.next()).await;
            let failure = match next {
                Ok(Some(Ok(chunk))) => {
                    let tapped = tap.feed(&chunk);
                    if tapped.flow == Flow::More && tapped.relay.is_empty() {
                        continue;
                    }
                    if !tapped.relay.is_empty() {
                        break tapped;
                    }
                    None
                }
                Ok(Some(Err(failure))) => Some(failure),
                Ok(None) => None,
                Err(_elapsed) => Some(UpstreamFailure::Timeout),
            };
            let told = Told { headers: &headers, scrubber: &scrubber, now: self.clock().wall() };
            match relay::judge_end(tap, failure, backend, &told) {
                // Nothing to relay but the end itself: an answer without a single event.
                relay::Ended::Whole { .. } | relay::Ended::Nothing => {
                    let what = "ended its stream without an answer.";
                    return Err(Failure::unreadable(backend, what, Work::None));
                }
                relay::Ended::Broken { failure, .. } => return Err(failure),
            }
        };
        if tap.content_seen() {
            record.first_token();
        }
        let streaming = Box::new(Streaming { tap, first, body, scrubber });
        Ok(Begun { backend: backend.clone(), headers, content: Content::Stream(streaming) })
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

/// How long the backend may stay silent before its first token: within what is left of the request.
fn patience(journey: &Journey, record: &Record) -> Duration {
    let limits = &journey.snapshot.limits;
    let limit = match journey.chat.delivery() {
        Delivery::Whole => limits.total_timeout,
        Delivery::Stream(_) => limits.total_timeout.min(limits.first_token_timeout),
    };
    limit.saturating_sub(record.elapsed())
}

enum Unread {
    TooLarge,
    /// Broken off; with what had come.
    Failed(UpstreamFailure, Bytes),
}

async fn read_up_to(
    mut body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
    bytes_max: usize,
    stall: Duration,
) -> Result<Bytes, Unread> {
    let mut first = Bytes::new();
    let mut rest = bytes::BytesMut::new();
    loop {
        let next = tokio::time::timeout(stall, body.next()).await;
        let failure = match next {
            Ok(None) if rest.is_empty() => return Ok(first),
            Ok(None) => return Ok(rest.freeze()),
            Ok(Some(Ok(chunk))) => {
                if first.len().max(rest.len()) + chunk.len() > bytes_max {
                    return Err(Unread::TooLarge);
                }
                if first.is_empty() {
                    first = chunk;
                } else {
                    if rest.is_empty() {
                        rest.extend_from_slice(&first);
                    }
                    rest.extend_from_slice(&chunk);
                }
                continue;
            }
            Ok(Some(Err(failure))) => failure,
            Err(_elapsed) => UpstreamFailure::Timeout,
        };
        return Err(Unread::Failed(failure, if rest.is_empty() { first } else { rest.freeze() }));
    }
}

fn new_request(arrival: Arrival, client: &Client, chat: &ChatRequest, route: &str) -> NewRequest {
    NewRequest {
        id: arrival.id,
        started: arrival.started,
        client: client.id.clone(),
        project: None,
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
