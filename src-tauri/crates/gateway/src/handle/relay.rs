//! Relays a backend's answer to the client, whole or as a stream, and reports its end truthfully.
//!
//! Most clients take a clean end for success, so an incomplete answer ends with the dialect's error
//! event. The connection then ends cleanly, so that no client loses the event. The last bytes of a
//! complete answer wait for the ledger: an answer that a client has received to its end is on the
//! disk.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::{BackendId, Dialect, Moment};
use endpoints::EndpointRegistry;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{HeaderMap, HeaderValue};
use ledger::RequestOutcome;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wire::{AnswerStream, Flow, TapOutput, heartbeat};

use crate::handle::accounting::RequestRecord;
use crate::handle::attempts::open::Streaming;
use crate::handle::failure::{ErrorContext, Failure};
use crate::handle::response::{self, CACHE, COST_USD, ResponseBody, StreamItem};
use crate::handle::response_items::ResponseItemWriter;
use crate::handle::stream_end::{self, StreamOutcome};
use crate::limits::{HEARTBEAT, RequestLimits};
use crate::outbound::unpaused_timeout::within;
use crate::outbound::upstream::{KeyScrubber, UpstreamFailure};

/// Returns the error of a request that failed before its response began, once it is settled.
pub(crate) async fn refused(
    mut record: RequestRecord,
    failure: &Failure,
    dialect: Dialect,
) -> Response<ResponseBody> {
    let mut response = failure.refusal.answer(dialect);
    record.set_status(response.status().as_u16());
    record.fail(RequestOutcome::Failed, failure).await;
    response.headers_mut().insert(CACHE, HeaderValue::from_static("bypass"));
    response
}

/// Returns a whole answer once it is settled.
pub(crate) async fn whole(body: Bytes, mut record: RequestRecord) -> Response<ResponseBody> {
    record.add_bytes_out(body.len());
    let cost = record.cost();
    record.complete().await;
    let mut response = response::whole(body);
    if let Some(cost) = cost {
        response::mark(&mut response, COST_USD, &cost.to_string());
    }
    response
}

/// Relays one stream. Dropping it cancels the call to the backend and settles what has arrived.
pub(crate) struct Relay {
    record: RequestRecord,
    /// The request's body, to estimate its tokens if the backend reports none.
    request_body: Bytes,
    client: Dialect,
    stream: AnswerStream,
    keeper: Option<ResponseItemWriter>,
    upstream: Option<BoxStream<'static, Result<Bytes, UpstreamFailure>>>,
    scrubber: KeyScrubber,
    backend: BackendId,
    limits: RequestLimits,
    registry: Arc<EndpointRegistry>,
    silent_since: Moment,
    bytes_read: u64,
    stage: RelayStage,
    is_over: bool,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// What a relay needs beside the stream.
pub(crate) struct RelayContext {
    pub(crate) backend: BackendId,
    pub(crate) limits: RequestLimits,
    pub(crate) client: Dialect,
    pub(crate) request_body: Bytes,
    pub(crate) keeper: Option<ResponseItemWriter>,
    /// Cancelled when in-flight answers have to end.
    pub(crate) stopped: CancellationToken,
}

enum RelayStage {
    /// The first output, not yet sent.
    First(TapOutput),
    Flowing,
    /// The last bytes were sent.
    Over,
}

/// Why a stream ended.
enum RelayEnd {
    /// The backend ended it, or the call failed with this failure.
    Backend(Option<UpstreamFailure>),
    /// Gatehouse is stopping.
    Stopped,
}

struct TimeLeft {
    silence: Duration,
    total: Duration,
}

/// The result of one wait for the backend.
enum RelayRead {
    Chunk(Bytes),
    Silence,
    End(Option<UpstreamFailure>),
    /// Gatehouse is stopping.
    Stopped,
}

impl Relay {
    pub(crate) fn new(
        streaming: Streaming,
        record: RequestRecord,
        context: RelayContext,
        registry: Arc<EndpointRegistry>,
    ) -> Self {
        let Streaming { stream, first, body, scrubber } = streaming;
        let RelayContext { backend, limits, client, request_body, keeper, stopped } = context;
        Self {
            record,
            request_body,
            client,
            stream,
            keeper,
            upstream: Some(body),
            scrubber,
            backend,
            limits,
            silent_since: registry.moment(),
            registry,
            bytes_read: 0,
            stage: RelayStage::First(first),
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
        let mut tapped = match std::mem::replace(&mut self.stage, RelayStage::Flowing) {
            RelayStage::First(tapped) => tapped,
            RelayStage::Flowing => match self.next_tapped().await {
                Ok(tapped) => tapped,
                Err(item) => return item,
            },
            RelayStage::Over => return None,
        };
        loop {
            if tapped.flow == Flow::Stop {
                return self.finish(tapped.relay, RelayEnd::Backend(None)).await;
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

    /// The backend's next bytes for the client; `Err` with the item to send instead.
    async fn next_tapped(&mut self) -> Result<TapOutput, Option<StreamItem>> {
        match self.next().await {
            RelayRead::Chunk(chunk) => {
                let had_content = self.stream.content_seen();
                let tapped = self.stream.feed(&chunk);
                if !had_content && self.stream.content_seen() {
                    self.record.first_token();
                }
                Ok(tapped)
            }
            RelayRead::Silence => {
                let beat = Bytes::from_static(heartbeat(self.client));
                Err(Some(self.item(beat)))
            }
            RelayRead::End(cause) => Err(self.finish(Bytes::new(), RelayEnd::Backend(cause)).await),
            RelayRead::Stopped => Err(self.finish(Bytes::new(), RelayEnd::Stopped).await),
        }
    }

    async fn next(&mut self) -> RelayRead {
        let left = self.left();
        if left.total.is_zero() {
            return RelayRead::End(Some(UpstreamFailure::Timeout));
        }
        let left = left.silence.min(left.total);
        let Some(upstream) = &mut self.upstream else { return RelayRead::End(None) };
        // When the time for silence is over, bytes already in the socket are still read.
        let next = tokio::select! {
            biased;
            next = within(&self.registry, left.min(HEARTBEAT), upstream.next()) => next,
            () = &mut self.stopped => return RelayRead::Stopped,
        };
        match next {
            None if left > HEARTBEAT => RelayRead::Silence,
            None => match self.left() {
                TimeLeft { silence, total } if silence.is_zero() || total.is_zero() => {
                    RelayRead::End(Some(UpstreamFailure::Timeout))
                }
                _ => RelayRead::Silence,
            },
            Some(None) => RelayRead::End(None),
            Some(Some(Err(failure))) => RelayRead::End(Some(failure)),
            Some(Some(Ok(chunk))) => {
                self.silent_since = self.registry.moment();
                let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                self.bytes_read = self.bytes_read.saturating_add(length);
                if self.bytes_read > self.limits.stream_bytes_max {
                    return RelayRead::End(Some(UpstreamFailure::Broken));
                }
                RelayRead::Chunk(chunk)
            }
        }
    }

    /// The time left for silence and for the whole answer; pauses of this machine do not count.
    fn left(&self) -> TimeLeft {
        let silence = self.registry.moment().since(self.silent_since);
        let elapsed = self.record.elapsed();
        let of = |paused_in_silence: Duration, paused: Duration| TimeLeft {
            silence: self.silence_max().saturating_add(paused_in_silence).saturating_sub(silence),
            total: self.limits.total_timeout.saturating_add(paused).saturating_sub(elapsed),
        };
        let left = of(Duration::ZERO, Duration::ZERO);
        if !left.silence.is_zero() && !left.total.is_zero() {
            return left;
        }
        let paused = |since| self.registry.paused_since(since).unwrap_or_default();
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
        self.record.add_bytes_out(bytes.len());
        Ok(Frame::data(bytes))
    }

    /// Settles the request, then returns the last bytes.
    async fn finish(&mut self, relay: Bytes, end: RelayEnd) -> Option<StreamItem> {
        self.is_over = true;
        if self.stream.late_chunks() > 0 {
            let (backend, chunks) = (&self.backend, self.stream.late_chunks());
            tracing::warn!(%backend, chunks, "text after a finish reason was dropped");
        }
        let headers = HeaderMap::new();
        let context =
            ErrorContext { headers: &headers, scrubber: &self.scrubber, now: self.registry.wall() };
        let (cause, is_stopped) = match end {
            RelayEnd::Backend(cause) => (cause, false),
            RelayEnd::Stopped => (None, true),
        };
        let outcome = stream_end::judge(&mut self.stream, cause, &self.backend, &context);
        let (last, failure) = match outcome {
            StreamOutcome::Complete { last } => (last, None),
            _ if is_stopped => (Bytes::new(), Some(Failure::stopped())),
            StreamOutcome::Failed { failure } => (Bytes::new(), Some(failure)),
            StreamOutcome::Empty => {
                let failure = Failure::upstream(&self.backend, &UpstreamFailure::Broken);
                (Bytes::new(), Some(failure))
            }
        };
        let failure = failure.map(|failure| match self.record.attempt_begun() {
            Some(since) => failure.without_local_causes(&self.registry, &self.backend, since),
            None => failure,
        });
        let facts = self.stream.facts();
        let last = match &failure {
            None => {
                self.record.record_facts(facts, &self.request_body);
                last
            }
            Some(failure) => {
                self.record.record_partial_facts(facts, &self.request_body);
                self.stream.error_event(&failure.refusal.spelled())
            }
        };
        let bytes = joined(relay, last);
        self.record.add_bytes_out(bytes.len());
        self.stage = RelayStage::Over;
        match failure {
            None => {
                if let Some(keeper) = &self.keeper {
                    keeper.keep(&bytes);
                }
                self.record.complete().await;
                self.release_connection();
            }
            Some(failure) => {
                self.upstream = None;
                self.record.attempt_failed(&failure);
                self.record.fail(RequestOutcome::Partial, &failure).await;
            }
        }
        if bytes.is_empty() { None } else { Some(Ok(Frame::data(bytes))) }
    }

    /// A backend usually ends its body together with its last event. Reading that end makes the
    /// connection reusable; a body that stays open is not waited for.
    fn release_connection(&mut self) {
        if let Some(mut upstream) = self.upstream.take() {
            drop(upstream.next().now_or_never());
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The client has disconnected: record what had arrived by then.
        if !self.is_over {
            self.record.record_partial_facts(self.stream.facts(), &self.request_body);
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
