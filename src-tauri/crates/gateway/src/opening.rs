//! The beginning of a backend's answer: judged, and read as far as it has to be known before anything
//! is relayed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::BackendId;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hyper::header::HeaderMap;
use wire::openai_chat::{
    BadAnswer, ChatTap, Delivery, Flow, Tapped, UsageChunk, read_chat_answer, stream_of_answer,
    upstream_error,
};

use crate::failure::{Failure, Told, Work};
use crate::gateway::Gateway;
use crate::headers::{Media, is_compressed, media};
use crate::limits::{ANSWER_BYTES_MAX, ERROR_BODY_BYTES_MAX};
use crate::pipeline::Journey;
use crate::record::Record;
use crate::relay;
use crate::snapshot::Backend;
use crate::upstream::{KeyScrubber, UpstreamFailure, UpstreamResponse};

/// Time to read the words of a backend that has already failed.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// The beginning of an answer that may be delivered.
pub(crate) struct Begun {
    pub(crate) backend: BackendId,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

pub(crate) enum Content {
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
    /// Judges the head of an answer and reads as much as has to be known before anything is relayed.
    pub(crate) async fn open(
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
}

/// How long the backend may stay silent before its first token: within what is left of the request.
pub(crate) fn patience(journey: &Journey, record: &Record) -> Duration {
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
    let mut rest = BytesMut::new();
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
