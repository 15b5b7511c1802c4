//! Opens a backend's response: checks its head, and reads as much as must be known before anything is
//! relayed.

use std::time::Duration;

use bytes::Bytes;
use domain::BackendId;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hyper::header::HeaderMap;
use wire::{AnswerFacts, AnswerStream, BackendExchange, BadAnswer, Flow, TapOutput};

use super::read::{self, ReadError, ReadLimits};
use super::send::check_status;
use crate::handle::accounting::RequestRecord;
use crate::handle::call::TimeoutShare;
use crate::handle::failure::{BackendWork, ErrorContext, Failure};
use crate::handle::stream_end::{self, StreamOutcome};
use crate::headers::{Media, is_compressed, media};
use crate::limits::{ANSWER_BYTES_MAX, HEARTBEAT, RequestLimits};
use crate::outbound::Outbound;
use crate::outbound::unpaused_timeout::within;
use crate::outbound::upstream::{KeyScrubber, UpstreamFailure, UpstreamResponse};
use crate::snapshot::Backend;

/// The beginning of an answer that may be delivered.
pub(crate) struct Opened {
    pub(crate) backend: BackendId,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
    pub(crate) exchange: BackendExchange,
}

pub(crate) enum Content {
    Whole(Bytes),
    /// A stream made of a whole answer, for a backend that was asked for a stream and sent none.
    Replayed(Bytes),
    Stream(Box<Streaming>),
}

/// A stream whose first bytes for the client have arrived.
pub(crate) struct Streaming {
    pub(crate) stream: AnswerStream,
    pub(crate) first: TapOutput,
    pub(crate) body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
    pub(crate) scrubber: KeyScrubber,
}

pub(crate) struct Opening<'a> {
    pub(crate) outbound: &'a Outbound,
    pub(crate) limits: &'a RequestLimits,
    pub(crate) backend: &'a Backend,
    /// The request's body, for an estimate of its tokens where the backend reports none.
    pub(crate) request_body: &'a Bytes,
    pub(crate) share: TimeoutShare,
}

impl Opening<'_> {
    /// Checks the head of a response and reads what must be known before anything is relayed: a whole body,
    /// or a stream up to its first bytes for the client.
    pub(crate) async fn open(
        &self,
        exchange: BackendExchange,
        response: UpstreamResponse,
        record: &mut RequestRecord,
    ) -> Result<Opened, Failure> {
        let backend = self.backend;
        let dialect = exchange.outgoing().dialect;
        let response = check_status(self.outbound, backend, dialect, response).await?;
        if is_compressed(&response.headers) {
            let what = "sent a compressed response although none was requested.";
            return Err(Failure::unreadable(&backend.id, what, BackendWork::Unknown));
        }
        let is_streamed = exchange.delivery().is_streamed();
        let (headers, content) = match (is_streamed, media(&response.headers)) {
            (_, Media::Html) => {
                let what = "answered with a web page. Check its base URL and the network.";
                return Err(Failure::unreadable(&backend.id, what, BackendWork::None));
            }
            (false, media) => {
                let read = |body: &Bytes| match media {
                    Media::EventStream | Media::JsonLines => exchange.answer_from_stream(body),
                    _ => exchange.translate_answer(body),
                };
                let (headers, body) = self.read_whole(response, record, read).await?;
                (headers, Content::Whole(body))
            }
            (true, Media::Json) => {
                let read = |body: &Bytes| exchange.stream_from_answer(body);
                let (headers, body) = self.read_whole(response, record, read).await?;
                (headers, Content::Replayed(body))
            }
            (true, _) => self.open_stream(&exchange, response, record).await?,
        };
        Ok(Opened { backend: backend.id.clone(), headers, content, exchange })
    }

    async fn read_whole(
        &self,
        response: UpstreamResponse,
        record: &mut RequestRecord,
        read: impl FnOnce(&Bytes) -> Result<(Bytes, AnswerFacts), BadAnswer>,
    ) -> Result<(HeaderMap, Bytes), Failure> {
        let backend = &self.backend.id;
        let registry = &self.outbound.registry;
        let UpstreamResponse { headers, body, scrubber, .. } = response;
        let left = attempt_time_left(self.limits, record, self.share);
        // The attempt's time limit holds for a body that trickles too.
        let limits = ReadLimits { bytes_max: ANSWER_BYTES_MAX, stall: self.limits.stall_timeout };
        let failed = |failure: &UpstreamFailure| Failure::upstream(backend, failure);
        let body = match within(registry, left, read::to_end(registry, body, limits)).await {
            Some(Ok(body)) => body,
            Some(Err(ReadError::Failed(failure, _))) => return Err(failed(&failure)),
            Some(Err(ReadError::TooLarge)) => {
                let what = "sent a response that is too large.";
                return Err(Failure::unreadable(backend, what, BackendWork::Unknown));
            }
            None => return Err(failed(&UpstreamFailure::Timeout)),
        };
        let context = self.error_context(&headers, &scrubber);
        let (body, facts) =
            read(&body).map_err(|bad| Failure::bad_answer(backend, &bad, &context))?;
        record.record_facts(&facts, self.request_body);
        Ok((headers, body))
    }

    async fn open_stream(
        &self,
        exchange: &BackendExchange,
        response: UpstreamResponse,
        record: &mut RequestRecord,
    ) -> Result<(HeaderMap, Content), Failure> {
        let UpstreamResponse { headers, mut body, scrubber, .. } = response;
        let mut stream = exchange.answer_stream();
        let mut has_begun = false;
        let first = loop {
            // Once the backend has begun, the client waits at most one heartbeat for content. Nothing is
            // sent before, so another backend may still answer.
            let (outbound, limits) = (self.outbound, self.limits);
            let timeout = attempt_timeout(outbound, limits, true, record, TimeoutShare::All);
            let wait = if has_begun { timeout.min(HEARTBEAT) } else { timeout };
            let failure = match within(&outbound.registry, wait, body.next()).await {
                Some(Some(Ok(chunk))) => {
                    has_begun |= !chunk.is_empty();
                    let tapped = stream.feed(&chunk);
                    if tapped.flow == Flow::More && tapped.relay.is_empty() {
                        continue;
                    }
                    if !tapped.relay.is_empty() {
                        break tapped;
                    }
                    None
                }
                Some(Some(Err(failure))) => Some(failure),
                Some(None) => None,
                None if wait < timeout => {
                    break TapOutput { relay: stream.release_held(), flow: Flow::More };
                }
                None => Some(UpstreamFailure::Timeout),
            };
            let context = self.error_context(&headers, &scrubber);
            let backend = &self.backend.id;
            match stream_end::judge(&mut stream, failure, backend, &context) {
                // The stream was complete before its first byte was relayed.
                StreamOutcome::Complete { last } if !last.is_empty() => {
                    if stream.content_seen() {
                        record.first_token();
                    }
                    record.record_facts(stream.facts(), self.request_body);
                    return Ok((headers, Content::Replayed(last)));
                }
                StreamOutcome::Complete { .. } | StreamOutcome::Empty => {
                    let what = "ended its stream without a response.";
                    return Err(Failure::unreadable(backend, what, BackendWork::None));
                }
                StreamOutcome::Failed { failure } => return Err(failure),
            }
        };
        if stream.content_seen() {
            record.first_token();
        }
        let streaming = Box::new(Streaming { stream, first, body, scrubber });
        Ok((headers, Content::Stream(streaming)))
    }

    fn error_context<'a>(
        &self,
        headers: &'a HeaderMap,
        scrubber: &'a KeyScrubber,
    ) -> ErrorContext<'a> {
        ErrorContext { headers, scrubber, now: self.outbound.clock.wall() }
    }
}

/// The time left until the backend's first token. It restarts with each attempt and is bounded by the time
/// left for the request; an attempt with [`TimeoutShare::Half`] leaves time for another.
pub(crate) fn attempt_timeout(
    outbound: &Outbound,
    limits: &RequestLimits,
    is_streamed: bool,
    record: &RequestRecord,
    share: TimeoutShare,
) -> Duration {
    let after = |paused: Duration| {
        let total = limits.total_timeout.saturating_add(paused);
        let left = share.of(total.saturating_sub(record.elapsed()));
        let first_token = limits.first_token_timeout.saturating_add(paused);
        match is_streamed {
            false => left,
            true => left.min(first_token.saturating_sub(record.attempt_duration())),
        }
    };
    let left = after(Duration::ZERO);
    // Looking up pauses of this machine takes a lock, so it is only done when time is up.
    let since = record.attempt_begun().filter(|_| left.is_zero());
    since.and_then(|since| outbound.registry.paused_since(since)).map_or(left, after)
}

/// The time left for this attempt: its share of the time left when it began, less its age.
fn attempt_time_left(
    limits: &RequestLimits,
    record: &RequestRecord,
    share: TimeoutShare,
) -> Duration {
    let so_far = record.attempt_duration();
    let before = record.elapsed().saturating_sub(so_far);
    share.of(limits.total_timeout.saturating_sub(before)).saturating_sub(so_far)
}
