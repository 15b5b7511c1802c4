//! A stream on its way to the client: what came is passed on event by event, and its end is told
//! truthfully.
//!
//! Most clients take a clean end for success, so an answer that is not whole ends with the dialect's
//! error event. The connection then ends cleanly, so that no client loses the event. The last bytes of a whole answer wait for the
//! ledger: what a client has seen to its end is on the disk.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::{BackendId, Dialect, Moment};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use hyper::body::Frame;
use hyper::header::HeaderMap;
use ledger::Outcome;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wire::{AnswerStream, Flow, StreamEnd, Tapped, heartbeat};

use crate::answer::StreamItem;
use crate::failure::{Failure, Told, Work};
use crate::items::ItemKeeper;
use crate::limits::{HEARTBEAT, RequestLimits};
use crate::live::Live;
use crate::opening::Streaming;
use crate::record::Record;
use crate::running_time::within;
use crate::upstream::{KeyScrubber, UpstreamFailure};

/// How a stream ended, and what the client is to be told.
pub(crate) enum Ended {
    /// Whole; these bytes are its last.
    Whole { last: Bytes },
    /// No event ever came.
    Nothing,
    /// Not whole.
    Broken { failure: Failure },
}

/// Judges the end of what `stream` saw. `cause` is why no more came, if the backend did not end it.
pub(crate) fn judge_end(
    stream: &mut AnswerStream,
    cause: Option<UpstreamFailure>,
    backend: &BackendId,
    told: &Told<'_>,
) -> Ended {
    let failure = match (stream.finish(), cause) {
        (StreamEnd::Complete { append }, _) => return Ended::Whole { last: append },
        (StreamEnd::UpstreamError(error), _) => {
            let mut failure = Failure::reported(backend, &error, told);
            if stream.content_seen() {
                failure.work = Work::Unknown;
            }
            failure
        }
        (StreamEnd::Broken(fault), _) => Failure::broken_stream(backend, fault),
        (StreamEnd::Truncated, Some(cause)) => Failure::upstream(backend, &cause),
        (StreamEnd::Truncated, None) if !stream.content_seen() && stream.facts().is_empty() => {
            return Ended::Nothing;
        }
        (StreamEnd::Truncated, None) => Failure::upstream(backend, &UpstreamFailure::Broken),
    };
    Ended::Broken { failure }
}

/// A stream on its way. Dropping it ends the call to the backend and settles what had come.
pub(crate) struct Relay {
    record: Record,
    /// The request's body, for an estimate of its tokens where the backend counts none.
    asked: Bytes,
    client: Dialect,
    stream: AnswerStream,
    keeper: Option<ItemKeeper>,
    upstream: Option<BoxStream<'static, Result<Bytes, UpstreamFailure>>>,
    scrubber: KeyScrubber,
    backend: BackendId,
    limits: RequestLimits,
    live: Arc<Live>,
    silent_since: Moment,
    bytes_read: u64,
    stage: Stage,
    is_over: bool,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Whose stream it is, and under which limits.
pub(crate) struct Passage {
    pub(crate) backend: BackendId,
    pub(crate) limits: RequestLimits,
    pub(crate) client: Dialect,
    pub(crate) asked: Bytes,
    pub(crate) keeper: Option<ItemKeeper>,
    /// The time for answers after a stop is over.
    pub(crate) stopped: CancellationToken,
}

enum Stage {
    /// These are to be passed on first.
    First(Tapped),
    Flowing,
    /// The last bytes are out.
    Over,
}

/// Why no more comes.
enum End {
    /// The backend ended it, or why it did not.
    Backend(Option<UpstreamFailure>),
    /// Gatehouse stops.
    Stopped,
}

/// What is left of the time of a stream.
struct Left {
    silence: Duration,
    total: Duration,
}

/// What the wait for the backend ended with.
enum Next {
    Chunk(Bytes),
    Silence,
    End(Option<UpstreamFailure>),
    /// Gatehouse stops.
    Stopped,
}

impl Relay {
    pub(crate) fn new(
        streaming: Streaming,
        record: Record,
        passage: Passage,
        live: Arc<Live>,
    ) -> Self {
        let Streaming { stream, first, body, scrubber } = streaming;
        let Passage { backend, limits, client, asked, keeper, stopped } = passage;
        Self {
            record,
            asked,
            client,
            stream,
            keeper,
            upstream: Some(body),
            scrubber,
            backend,
            limits,
            silent_since: live.moment(),
            live,
            bytes_read: 0,
            stage: Stage::First(first),
            is_over: false,
            stopped: Box::pin(stopped.cancelled_owned()),
        }
    }

    pub(crate) fn into_stream(self) -> BoxStream<'static, StreamItem> {
        stream::unfold(Box::new(self), |mut relay| async move {
            let item = relay.step().await?;
            Some((item, relay))
        })
        .boxed()
    }

    async fn step(&mut self) -> Option<StreamItem> {
        let mut tapped = match std::mem::replace(&mut self.stage, Stage::Flowing) {
            Stage::First(tapped) => tapped,
            Stage::Flowing => match self.next_tapped().await {
                Ok(tapped) => tapped,
                Err(item) => return item,
            },
            Stage::Over => return None,
        };
        loop {
            if tapped.flow == Flow::Stop {
                return self.finish(tapped.relay, End::Backend(None)).await;
            }
            if !tapped.relay.is_empty() {
                return Some(self.item(tapped.relay));
            }
            tapped = match self.next_tapped().await {
                Ok(tapped) => tapped,
                Err(item) => return item,
            };
        }
    }

    /// What the tap made of the backend's next bytes; `Err` with what to say instead.
    async fn next_tapped(&mut self) -> Result<Tapped, Option<StreamItem>> {
        match self.next().await {
            Next::Chunk(chunk) => {
                let had_content = self.stream.content_seen();
                let tapped = self.stream.feed(&chunk);
                if !had_content && self.stream.content_seen() {
                    self.record.first_token();
                }
                Ok(tapped)
            }
            Next::Silence => {
                let beat = Bytes::from_static(heartbeat(self.client));
                Err(Some(self.item(beat)))
            }
            Next::End(cause) => Err(self.finish(Bytes::new(), End::Backend(cause)).await),
            Next::Stopped => Err(self.finish(Bytes::new(), End::Stopped).await),
        }
    }

    async fn next(&mut self) -> Next {
        let left = self.left();
        if left.total.is_zero() {
            return Next::End(Some(UpstreamFailure::Timeout));
        }
        let left = left.silence.min(left.total);
        let Some(upstream) = &mut self.upstream else { return Next::End(None) };
        // With the time for silence over, what lies in the socket is still taken.
        let next = tokio::select! {
            biased;
            next = within(&self.live, left.min(HEARTBEAT), upstream.next()) => next,
            () = &mut self.stopped => return Next::Stopped,
        };
        match next {
            None if left > HEARTBEAT => Next::Silence,
            None => match self.left() {
                Left { silence, total } if silence.is_zero() || total.is_zero() => {
                    Next::End(Some(UpstreamFailure::Timeout))
                }
                _ => Next::Silence,
            },
            Some(None) => Next::End(None),
            Some(Some(Err(failure))) => Next::End(Some(failure)),
            Some(Some(Ok(chunk))) => {
                self.silent_since = self.live.moment();
                let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                self.bytes_read = self.bytes_read.saturating_add(length);
                if self.bytes_read > self.limits.stream_bytes_max {
                    return Next::End(Some(UpstreamFailure::Broken));
                }
                Next::Chunk(chunk)
            }
        }
    }

    /// What is left of the time for silence and for the whole answer, pauses of this machine not counted.
    fn left(&self) -> Left {
        let silence = self.live.moment().since(self.silent_since);
        let elapsed = self.record.elapsed();
        let of = |paused_in_silence: Duration, paused: Duration| Left {
            silence: self.silence_max().saturating_add(paused_in_silence).saturating_sub(silence),
            total: self.limits.total_timeout.saturating_add(paused).saturating_sub(elapsed),
        };
        let left = of(Duration::ZERO, Duration::ZERO);
        if !left.silence.is_zero() && !left.total.is_zero() {
            return left;
        }
        let paused = |since| self.live.paused_since(since).unwrap_or_default();
        of(paused(self.silent_since), paused(self.record.begun()))
    }

    fn silence_max(&self) -> Duration {
        if self.stream.content_seen() {
            self.limits.stall_timeout
        } else {
            self.limits.first_token_timeout
        }
    }

    fn item(&mut self, bytes: Bytes) -> StreamItem {
        self.record.sent(bytes.len());
        Ok(Frame::data(bytes))
    }

    /// Settles, then gives the last bytes.
    async fn finish(&mut self, relay: Bytes, end: End) -> Option<StreamItem> {
        self.is_over = true;
        if self.stream.late_chunks() > 0 {
            let (backend, chunks) = (&self.backend, self.stream.late_chunks());
            tracing::warn!(%backend, chunks, "text after a finish reason was dropped");
        }
        let headers = HeaderMap::new();
        let told = Told { headers: &headers, scrubber: &self.scrubber, now: self.live.wall() };
        let (cause, is_stopped) = match end {
            End::Backend(cause) => (cause, false),
            End::Stopped => (None, true),
        };
        let (last, failure) = match judge_end(&mut self.stream, cause, &self.backend, &told) {
            Ended::Whole { last } => (last, None),
            _ if is_stopped => (Bytes::new(), Some(Failure::stopped())),
            Ended::Broken { failure } => (Bytes::new(), Some(failure)),
            Ended::Nothing => {
                let failure = Failure::upstream(&self.backend, &UpstreamFailure::Broken);
                (Bytes::new(), Some(failure))
            }
        };
        let failure = failure.map(|failure| match self.record.tried_since() {
            Some(since) => self.live.explained(failure, &self.backend, since),
            None => failure,
        });
        let facts = self.stream.facts();
        let last = match &failure {
            None => {
                self.record.learn(facts, &self.asked);
                last
            }
            Some(failure) => {
                self.record.learn_partial(facts, &self.asked);
                self.stream.error_event(&failure.refusal.spelled())
            }
        };
        let bytes = joined(relay, last);
        self.record.sent(bytes.len());
        self.stage = Stage::Over;
        match failure {
            None => {
                if let Some(keeper) = &self.keeper {
                    keeper.keep(&bytes);
                }
                self.record.complete().await;
                self.let_connection_be_kept();
            }
            Some(failure) => {
                self.upstream = None;
                self.record.failed_try(&failure);
                self.record.fail(Outcome::Partial, &failure).await;
            }
        }
        if bytes.is_empty() { None } else { Some(Ok(Frame::data(bytes))) }
    }

    /// A backend that has said its last usually ends its body in the same breath. Seeing that end
    /// lets the connection be used again; a body that lingers is not waited for.
    fn let_connection_be_kept(&mut self) {
        if let Some(mut upstream) = self.upstream.take() {
            drop(upstream.next().now_or_never());
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The client went away: what had come by then is what the record learns.
        if !self.is_over {
            self.record.learn_partial(self.stream.facts(), &self.asked);
        }
    }
}

fn joined(first: Bytes, second: Bytes) -> Bytes {
    match (first.is_empty(), second.is_empty()) {
        (_, true) => first,
        (true, false) => second,
        (false, false) => {
            let mut both = BytesMut::with_capacity(first.len() + second.len());
            both.extend_from_slice(&first);
            both.extend_from_slice(&second);
            both.freeze()
        }
    }
}
