//! The beginning of a backend's answer: judged, and read as far as it has to be known before anything
//! is relayed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::{BackendId, Dialect};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hyper::header::HeaderMap;
use wire::{AnswerFacts, AnswerStream, BadAnswer, Exchange, Flow, Tapped, upstream_error};

use crate::failure::{Failure, Told, Work};
use crate::gateway::Gateway;
use crate::headers::{Media, is_compressed, media};
use crate::limits::{ANSWER_BYTES_MAX, ERROR_BODY_BYTES_MAX, HEARTBEAT};
use crate::live::Live;
use crate::pipeline::Journey;
use crate::record::Record;
use crate::relay;
use crate::running_time::within;
use crate::snapshot::Backend;
use crate::trying::Share;
use crate::upstream::{KeyScrubber, UpstreamFailure, UpstreamResponse};

/// Time to read the words of a backend that has already failed.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// The beginning of an answer that may be delivered.
pub(crate) struct Begun {
    pub(crate) backend: BackendId,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
    pub(crate) exchange: Exchange,
}

pub(crate) enum Content {
    /// A whole body.
    Whole(Bytes),
    /// A stream made of a whole answer, for a backend that ignored the wish for a stream.
    Replayed(Bytes),
    Stream(Box<Streaming>),
}

/// A stream whose first bytes for the client are there.
pub(crate) struct Streaming {
    pub(crate) stream: AnswerStream,
    pub(crate) first: Tapped,
    pub(crate) body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
    pub(crate) scrubber: KeyScrubber,
}

impl Gateway {
    /// Judges the head of an answer and reads as much as has to be known before anything is relayed.
    pub(crate) async fn open(
        &self,
        journey: &Journey,
        tried: Tried<'_>,
        response: UpstreamResponse,
        record: &mut Record,
    ) -> Result<Begun, Failure> {
        let Tried { backend, exchange, share } = tried;
        let id = &backend.id;
        if response.status.is_redirection() {
            return Err(Failure::redirected(id, response.status.as_u16()));
        }
        if !response.status.is_success() {
            return Err(self.reported(id, exchange.outgoing().dialect, response).await);
        }
        if is_compressed(&response.headers) {
            let what = "sent a compressed response although none was requested.";
            return Err(Failure::unreadable(id, what, Work::Unknown));
        }
        let is_streamed = exchange.delivery().is_streamed();
        let (headers, content) = match (is_streamed, media(&response.headers)) {
            (_, Media::Html) => {
                let what = "answered with a web page. Check its base URL and the network.";
                return Err(Failure::unreadable(id, what, Work::None));
            }
            (false, said) => {
                let read = |body: &Bytes| match said {
                    Media::EventStream | Media::JsonLines => exchange.answer_of_stream(body),
                    _ => exchange.answer(body),
                };
                let read = Reading { share, read };
                let (headers, body) = self.read_whole(journey, id, response, record, read).await?;
                (headers, Content::Whole(body))
            }
            (true, Media::Json) => {
                let read = |body: &Bytes| exchange.stream_of_answer(body);
                let read = Reading { share, read };
                let (headers, body) = self.read_whole(journey, id, response, record, read).await?;
                (headers, Content::Replayed(body))
            }
            (true, _) => self.open_stream(journey, id, &exchange, response, record).await?,
        };
        Ok(Begun { backend: id.clone(), headers, content, exchange })
    }

    /// A failure in the words of a backend that speaks `dialect`.
    pub(crate) async fn reported(
        &self,
        backend: &BackendId,
        dialect: Dialect,
        response: UpstreamResponse,
    ) -> Failure {
        let UpstreamResponse { status, headers, body, scrubber } = response;
        let reading = read_up_to(&self.live, body, ERROR_BODY_BYTES_MAX, ERROR_BODY_TIMEOUT);
        // Whatever was read in time is all there is to say.
        let body = match tokio::time::timeout(ERROR_BODY_TIMEOUT, reading).await {
            Ok(Ok(body) | Err(Unread::Failed(_, body))) => body,
            Ok(Err(Unread::TooLarge)) | Err(_) => Bytes::new(),
        };
        let error = upstream_error(dialect, status.as_u16(), &body);
        let told = Told { headers: &headers, scrubber: &scrubber, now: self.clock().wall() };
        Failure::reported(backend, &error, &told)
    }

    async fn read_whole(
        &self,
        journey: &Journey,
        backend: &BackendId,
        response: UpstreamResponse,
        record: &mut Record,
        Reading { share, read }: Reading<
            impl FnOnce(&Bytes) -> Result<(Bytes, AnswerFacts), BadAnswer>,
        >,
    ) -> Result<(HeaderMap, Bytes), Failure> {
        let UpstreamResponse { headers, body, scrubber, .. } = response;
        let stall = journey.snapshot.limits.stall_timeout;
        let left = left_of_try(journey, record, share);
        // One that trickles is held to the time of its try, as one that never comes.
        let reading = read_up_to(&self.live, body, ANSWER_BYTES_MAX, stall);
        let failed = |failure: &UpstreamFailure| Failure::upstream(backend, failure);
        let body = match within(&self.live, left, reading).await {
            Some(Ok(body)) => body,
            Some(Err(Unread::Failed(failure, _))) => return Err(failed(&failure)),
            Some(Err(Unread::TooLarge)) => {
                let what = "sent a response that is too large.";
                return Err(Failure::unreadable(backend, what, Work::Unknown));
            }
            None => return Err(failed(&UpstreamFailure::Timeout)),
        };
        let told = Told { headers: &headers, scrubber: &scrubber, now: self.clock().wall() };
        let (body, facts) = read(&body).map_err(|bad| Failure::bad_answer(backend, &bad, &told))?;
        record.learn(&facts, journey.request.body());
        Ok((headers, body))
    }

    async fn open_stream(
        &self,
        journey: &Journey,
        backend: &BackendId,
        exchange: &Exchange,
        response: UpstreamResponse,
        record: &mut Record,
    ) -> Result<(HeaderMap, Content), Failure> {
        let UpstreamResponse { headers, mut body, scrubber, .. } = response;
        let mut stream = exchange.stream();
        let mut has_begun = false;
        let first = loop {
            // A backend that has begun and then thinks keeps its client waiting no longer than a
            // heartbeat; until then nothing is promised, so that another backend may still answer.
            let patience = self.patience(journey, record, Share::All);
            let wait = if has_begun { patience.min(HEARTBEAT) } else { patience };
            let failure = match within(&self.live, wait, body.next()).await {
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
                None if wait < patience => {
                    break Tapped { relay: stream.release(), flow: Flow::More };
                }
                None => Some(UpstreamFailure::Timeout),
            };
            let told = Told { headers: &headers, scrubber: &scrubber, now: self.clock().wall() };
            match relay::judge_end(&mut stream, failure, backend, &told) {
                // Short enough to be whole before its first byte was passed on.
                relay::Ended::Whole { last } if !last.is_empty() => {
                    if stream.content_seen() {
                        record.first_token();
                    }
                    record.learn(stream.facts(), journey.request.body());
                    return Ok((headers, Content::Replayed(last)));
                }
                relay::Ended::Whole { .. } | relay::Ended::Nothing => {
                    let what = "ended its stream without a response.";
                    return Err(Failure::unreadable(backend, what, Work::None));
                }
                relay::Ended::Broken { failure } => return Err(failure),
            }
        };
        if stream.content_seen() {
            record.first_token();
        }
        let streaming = Box::new(Streaming { stream, first, body, scrubber });
        Ok((headers, Content::Stream(streaming)))
    }
}

/// A backend that is tried, and what it was asked.
pub(crate) struct Tried<'a> {
    pub(crate) backend: &'a Backend,
    pub(crate) exchange: Exchange,
    pub(crate) share: Share,
}

/// How a whole body is read, and in which share of the time.
struct Reading<R> {
    share: Share,
    read: R,
}

impl Gateway {
    /// How long the backend may stay silent before its first token: each try anew, within what is left
    /// of the request. One that says nothing must leave time for another.
    pub(crate) fn patience(&self, journey: &Journey, record: &Record, share: Share) -> Duration {
        let limits = &journey.snapshot.limits;
        let after = |paused: Duration| {
            let total = limits.total_timeout.saturating_add(paused);
            let left = share.of(total.saturating_sub(record.elapsed()));
            let first_token = limits.first_token_timeout.saturating_add(paused);
            match journey.request.delivery().is_streamed() {
                false => left,
                true => left.min(first_token.saturating_sub(record.try_duration())),
            }
        };
        let left = after(Duration::ZERO);
        // A pause of this machine is seldom looked for: it costs a lock.
        let since = record.tried_since().filter(|_| left.is_zero());
        since.and_then(|since| self.live.paused_since(since)).map_or(left, after)
    }
}

/// What is left of the time of this try, which is the share of what was left when it began.
fn left_of_try(journey: &Journey, record: &Record, share: Share) -> Duration {
    let so_far = record.try_duration();
    let before = record.elapsed().saturating_sub(so_far);
    share.of(journey.snapshot.limits.total_timeout.saturating_sub(before)).saturating_sub(so_far)
}

/// A whole body of at most `bytes_max` bytes.
pub(crate) async fn read_in_full(
    live: &Live,
    body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
    bytes_max: usize,
    stall: Duration,
) -> Result<Bytes, UpstreamFailure> {
    read_up_to(live, body, bytes_max, stall).await.map_err(|unread| match unread {
        Unread::TooLarge => UpstreamFailure::Broken,
        Unread::Failed(failure, _) => failure,
    })
}

enum Unread {
    TooLarge,
    /// Broken off; with what had come.
    Failed(UpstreamFailure, Bytes),
}

async fn read_up_to(
    live: &Live,
    mut body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
    bytes_max: usize,
    stall: Duration,
) -> Result<Bytes, Unread> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let next = within(live, stall, body.next()).await;
        let failure = match next {
            Some(None) if rest.is_empty() => return Ok(first),
            Some(None) => return Ok(rest.freeze()),
            Some(Some(Ok(chunk))) => {
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
            Some(Some(Err(failure))) => failure,
            None => UpstreamFailure::Timeout,
        };
        return Err(Unread::Failed(failure, if rest.is_empty() { first } else { rest.freeze() }));
    }
}
