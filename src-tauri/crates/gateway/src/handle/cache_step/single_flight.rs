//! An answer that several requests share while it arrives: the leader's fetch as a stream of items, driven
//! by whichever reader is polled ([`cache::SingleFlight`]).
//!
//! The fetch owns the leader's record, so the ledger has one request that paid. If the leader's client
//! disconnects while others wait, the request is still recorded as complete, because it was. A follower's
//! record says that it shared an answer and what it saved.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cache::{Cache, Lagged};
use domain::{CacheMode, Dialect};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use http_body_util::{BodyExt, Either};
use hyper::body::Frame;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use ledger::RequestOutcome;
use wire::ErrorKind;

use super::recorder::AnswerRecorder;
use crate::handle::accounting::{AnswerEnd, AnswerEndCell, RequestRecord};
use crate::handle::call::{CacheSlot, Call, PendingRequest};
use crate::handle::response::{
    self, ATTEMPTS, CACHE, COST_USD, Cut, Refusal, ResponseBody, RetryAdvice, StreamItem,
};

/// The items of one shared answer, as one of its readers gets them.
pub(crate) type SharedItems = BoxStream<'static, Result<Item, Lagged>>;

/// One item of a shared answer.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// The first item.
    Head(Arc<Head>),
    Chunk(Bytes),
    /// The last chunk, which may be empty. The request is settled by then.
    Last(Bytes, AnswerEnd),
    /// The connection must be cut.
    Cut,
}

/// The head of a shared response.
#[derive(Debug)]
pub(crate) struct Head {
    status: StatusCode,
    headers: HeaderMap,
    is_streamed: bool,
}

/// The size of an item in bytes, for the limit on items kept for followers that join late.
pub(crate) fn weight(item: &Item) -> usize {
    match item {
        Item::Chunk(bytes) | Item::Last(bytes, _) => bytes.len(),
        Item::Head(_) | Item::Cut => 0,
    }
}

/// A reader of a shared answer.
pub(crate) enum Reader {
    /// The request that fetches the answer; the fetch owns its record.
    Leader(Dialect),
    Follower(Follower),
}

/// A request that shares the leader's answer.
pub(crate) struct Follower {
    pub(crate) record: Box<RequestRecord>,
    pub(crate) dialect: Dialect,
    pub(crate) cache: Cache,
}

/// The fetch of `pending` as a stream of items. Its response is cached if the slot has a recorder.
pub(crate) fn work<C: Call>(
    mut pending: Box<PendingRequest<C>>,
    fetch: impl FnOnce(Box<PendingRequest<C>>) -> BoxFuture<'static, Response<ResponseBody>>,
) -> BoxStream<'static, Item> {
    let end = Arc::new(OnceLock::new());
    let PendingRequest { routed, record } = &mut *pending;
    let slot = routed.slot.as_ref();
    let is_refresh = slot.is_some_and(|slot| slot.mode() == CacheMode::Refresh);
    let reason = is_refresh.then_some(CacheMode::Refresh.word());
    record.missed(reason, slot.and_then(CacheSlot::saved), Arc::clone(&end));
    let recorder = slot.and_then(CacheSlot::recorder);
    let stage = FetchStage::Starting(fetch(pending));
    stream::unfold(Box::new(Fetch { stage, end, head: None, recorder }), |mut fetch| async move {
        let item = fetch.step().await?;
        Some((item, fetch))
    })
    .boxed()
}

struct Fetch {
    stage: FetchStage,
    end: AnswerEndCell,
    head: Option<Arc<Head>>,
    recorder: Option<AnswerRecorder>,
}

enum FetchStage {
    Starting(BoxFuture<'static, Response<ResponseBody>>),
    Reading(Box<ResponseBody>),
    /// The last chunk has been read.
    Ended(Box<ResponseBody>),
    Over,
}

impl Fetch {
    async fn step(&mut self) -> Option<Item> {
        match std::mem::replace(&mut self.stage, FetchStage::Over) {
            FetchStage::Starting(starting) => {
                let (head, body) = starting.await.into_parts();
                let is_streamed = matches!(body, Either::Right(_));
                let (status, headers) = (head.status, head.headers);
                let head = Arc::new(Head { status, headers, is_streamed });
                self.head = Some(Arc::clone(&head));
                self.stage = FetchStage::Reading(Box::new(body));
                Some(Item::Head(head))
            }
            FetchStage::Reading(mut body) => {
                let next = body.frame().await;
                let (item, is_last) = self.item(next);
                self.stage =
                    if is_last { FetchStage::Ended(body) } else { FetchStage::Reading(body) };
                Some(item)
            }
            FetchStage::Ended(mut body) => {
                // Only a cut can follow; it is passed on.
                let next = body.frame().await?;
                self.stage = FetchStage::Ended(body);
                next.is_err().then_some(Item::Cut)
            }
            FetchStage::Over => None,
        }
    }

    /// The item made of the next frame; true if it is the last one.
    fn item<E>(&mut self, next: Option<Result<Frame<Bytes>, E>>) -> (Item, bool) {
        let end = self.end.get().cloned();
        match (next, end) {
            (Some(Ok(frame)), end) => {
                let bytes = frame.into_data().unwrap_or_default();
                if let Some(recorder) = &mut self.recorder {
                    recorder.push(&bytes);
                }
                match end {
                    None => (Item::Chunk(bytes), false),
                    Some(end) => {
                        self.finish_recording(&end);
                        (Item::Last(bytes, end), true)
                    }
                }
            }
            (None | Some(Err(_)), Some(end)) => {
                self.finish_recording(&end);
                (Item::Last(Bytes::new(), end), true)
            }
            // A record sets its end first; without one the answer must not count as complete.
            (None | Some(Err(_)), None) => (Item::Cut, true),
        }
    }

    /// Runs before the last chunk is sent, so that a client that repeats its request after it gets a hit.
    fn finish_recording(&mut self, end: &AnswerEnd) {
        if let (Some(recorder), Some(head)) = (self.recorder.take(), &self.head) {
            recorder.finish(end, &head.headers);
        }
    }
}

pub(crate) async fn respond(mut items: SharedItems, mut reader: Reader) -> Response<ResponseBody> {
    let Some(Ok(Item::Head(head))) = items.next().await else {
        return lost().answer(reader.dialect());
    };
    reader.started(&head);
    let mut headers = head.headers.clone();
    reader.mark(&mut headers);
    let mut response = if head.is_streamed {
        let stage = ReadStage::Reading;
        response::streamed(SharedBody { items, reader, stage }.into_stream())
    } else {
        match collect(items, &mut reader).await {
            Some(body) => response::whole(body),
            None => return lost().answer(reader.dialect()),
        }
    };
    *response.status_mut() = head.status;
    response.headers_mut().extend(headers);
    response
}

impl Reader {
    const fn dialect(&self) -> Dialect {
        match self {
            Self::Leader(dialect) | Self::Follower(Follower { dialect, .. }) => *dialect,
        }
    }

    fn started(&mut self, head: &Head) {
        if let Self::Follower(follower) = self {
            follower.record.follow_started(head.status.as_u16());
        }
    }

    fn sent(&mut self, bytes: usize) {
        if let Self::Follower(follower) = self {
            follower.record.add_bytes_out(bytes);
        }
    }

    async fn ended(&mut self, end: &AnswerEnd) {
        if let Self::Follower(Follower { record, cache, .. }) = self {
            if let AnswerEnd::Complete(answer) = end {
                cache.record_coalesced(answer.cost);
            }
            record.follow_ended(end).await;
        }
    }

    /// Sets the headers that differ between the leader and its followers.
    fn mark(&self, headers: &mut HeaderMap) {
        let word = match self {
            Self::Leader(_) => "miss",
            Self::Follower(_) => {
                headers.remove(COST_USD);
                headers.insert(ATTEMPTS, HeaderValue::from(0));
                "coalesced"
            }
        };
        headers.insert(CACHE, HeaderValue::from_static(word));
    }
}

/// Reads the whole body; `None` if it broke off.
async fn collect(mut items: SharedItems, reader: &mut Reader) -> Option<Bytes> {
    let mut body = BytesMut::new();
    loop {
        match items.next().await? {
            Ok(Item::Chunk(bytes)) => body.extend_from_slice(&bytes),
            Ok(Item::Last(bytes, end)) => {
                let whole = match body.is_empty() {
                    true => bytes,
                    false => {
                        body.extend_from_slice(&bytes);
                        body.freeze()
                    }
                };
                reader.sent(whole.len());
                reader.ended(&end).await;
                return Some(whole);
            }
            Ok(Item::Head(_) | Item::Cut) | Err(Lagged) => return None,
        }
    }
}

struct SharedBody {
    items: SharedItems,
    reader: Reader,
    stage: ReadStage,
}

enum ReadStage {
    Reading,
    Cutting,
    Over,
}

impl SharedBody {
    fn into_stream(self) -> BoxStream<'static, StreamItem> {
        stream::unfold(Box::new(self), |mut body| async move {
            let item = body.step().await?;
            Some((item, body))
        })
        .boxed()
    }

    async fn step(&mut self) -> Option<StreamItem> {
        match self.stage {
            ReadStage::Reading => {}
            ReadStage::Cutting => {
                // hyper flushes its buffer while the body is pending, and drops it on a cut.
                tokio::task::yield_now().await;
                self.stage = ReadStage::Over;
                return Some(Err(Cut));
            }
            ReadStage::Over => return None,
        }
        loop {
            let bytes = match self.items.next().await? {
                Ok(Item::Head(_)) => continue,
                Ok(Item::Chunk(bytes)) => bytes,
                Ok(Item::Last(bytes, end)) => {
                    self.reader.sent(bytes.len());
                    self.reader.ended(&end).await;
                    if bytes.is_empty() {
                        continue;
                    }
                    return Some(Ok(Frame::data(bytes)));
                }
                Ok(Item::Cut) => {
                    self.stage = ReadStage::Cutting;
                    return Box::pin(self.step()).await;
                }
                Err(Lagged) => self.left_behind().await,
            };
            self.reader.sent(bytes.len());
            return Some(Ok(Frame::data(bytes)));
        }
    }

    /// The error event for a client that read too slowly.
    async fn left_behind(&mut self) -> Bytes {
        let refusal = left_behind();
        let code = refusal.code;
        let event = wire::error_event(self.reader.dialect(), &refusal.spelled(), 0, None);
        self.stage = ReadStage::Over;
        self.reader.ended(&AnswerEnd::Failed { outcome: RequestOutcome::Partial, code }).await;
        event
    }
}

fn left_behind() -> Refusal {
    let message = "This client read a shared response too slowly. Send the request again.";
    Refusal::new(503, ErrorKind::Overloaded, "left_behind", message)
}

/// The refusal if a shared answer ends before its head or, unless it is streamed, before its end. No fetch
/// does.
fn lost() -> Refusal {
    let message = "A shared response was lost inside Gatehouse. Send the request again, and please \
                   report this.";
    Refusal::new(500, ErrorKind::Api, "internal", message)
        .retry(RetryAdvice::After(Duration::from_secs(1)))
}
