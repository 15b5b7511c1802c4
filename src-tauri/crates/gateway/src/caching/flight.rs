//! An answer that several clients may share while it comes: the whole way of a request as a stream of
//! items, which whoever waits for it drives (`cache::Flights`).
//!
//! The first asker's record travels with the work, so the ledger has one request that paid; if that
//! client leaves while others wait, its request is still written down as complete, because it was.
//! A joiner's record says that it shared and what it saved.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use cache::{Cache, LeftBehind, NotKept, Recording, Ticket};
use domain::Dialect;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use http_body_util::{BodyExt, Either};
use hyper::body::Frame;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use ledger::Outcome;
use wire::ErrorKind;

use super::{Shelf, Traveller};
use crate::answer::{
    self, ATTEMPTS, AnswerBody, CACHE, COST_USD, Cut, Refusal, RetryAdvice, StreamItem,
};
use crate::gateway::Gateway;
use crate::record::{Ending, Record, Told};

/// One item of a shared answer.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// First: what the answer's head says.
    Head(Arc<Head>),
    Piece(Bytes),
    /// The last piece, which may be empty, and how it ended. It is written down by then.
    Last(Bytes, Ending),
    /// The connection is to break off.
    Cut,
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    status: StatusCode,
    headers: HeaderMap,
    is_streamed: bool,
}

/// What an item takes in memory, in bytes, for the limit on what is kept for latecomers.
pub(crate) fn weight(item: &Item) -> usize {
    match item {
        Item::Piece(bytes) | Item::Last(bytes, _) => bytes.len(),
        Item::Head(_) | Item::Cut => 0,
    }
}

/// Who takes part.
pub(crate) enum Rider {
    /// Brought the work, and its record with it.
    Leads,
    /// Shares it.
    Joins { record: Box<Record>, dialect: Dialect, cache: Cache },
}

/// The work: an answer on its way, written down for the cache while it passes.
struct Work {
    stage: Stage,
    told: Told,
    head: Option<Arc<Head>>,
    keeping: Option<Keeping>,
}

/// Where a whole answer is kept, and what of it has passed.
struct Keeping {
    shelf: Shelf,
    ticket: Ticket,
    recording: Recording,
}

/// An answer as work that may be shared; `told` hears how it ends.
pub(crate) fn work(
    starting: BoxFuture<'static, Response<AnswerBody>>,
    told: Told,
) -> BoxStream<'static, Item> {
    written_down(starting, told, None)
}

fn written_down(
    starting: BoxFuture<'static, Response<AnswerBody>>,
    told: Told,
    keeping: Option<Keeping>,
) -> BoxStream<'static, Item> {
    let work = Work { stage: Stage::Starting(starting), told, head: None, keeping };
    stream::unfold(Box::new(work), |mut work| async move {
        let item = work.step().await?;
        Some((item, work))
    })
    .boxed()
}

enum Stage {
    Starting(BoxFuture<'static, Response<AnswerBody>>),
    Flowing(Box<AnswerBody>),
    /// The last piece is out.
    Ended(Box<AnswerBody>),
    Over,
}

impl Gateway {
    /// The way of a request as work that may be shared. What comes of it whole is kept. `why` says why
    /// nothing was looked up, if so.
    pub(crate) fn fly(
        self: &Arc<Self>,
        mut traveller: Box<Traveller>,
        shelf: Shelf,
        ticket: Ticket,
        why: Option<&'static str>,
    ) -> BoxStream<'static, Item> {
        let told = Arc::new(OnceLock::new());
        traveller.record.missed(why, Arc::clone(&told));
        let gateway = Arc::clone(self);
        let starting = async move { gateway.travel(traveller).await }.boxed();
        let recording = Recording::new(shelf.cache.entry_bytes_max());
        written_down(starting, told, Some(Keeping { shelf, ticket, recording }))
    }

    /// The answer for one who takes part.
    pub(crate) async fn ride(
        self: &Arc<Self>,
        mut items: BoxStream<'static, Result<Item, LeftBehind>>,
        mut rider: Rider,
    ) -> Response<AnswerBody> {
        let Some(Ok(Item::Head(head))) = items.next().await else {
            return lost().answer(rider.dialect());
        };
        rider.begins(&head);
        let mut headers = head.headers.clone();
        rider.mark(&mut headers);
        let mut answer = if head.is_streamed {
            answer::streamed(Seat { items, rider, stage: SeatStage::Reading }.into_stream())
        } else {
            match gathered(items, &mut rider).await {
                Some(body) => answer::whole(body),
                None => return lost().answer(rider.dialect()),
            }
        };
        *answer.status_mut() = head.status;
        answer.headers_mut().extend(headers);
        answer
    }
}

impl Work {
    async fn step(&mut self) -> Option<Item> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Starting(starting) => {
                let (head, body) = starting.await.into_parts();
                let is_streamed = matches!(body, Either::Right(_));
                let (status, headers) = (head.status, head.headers);
                let head = Arc::new(Head { status, headers, is_streamed });
                self.head = Some(Arc::clone(&head));
                self.stage = Stage::Flowing(Box::new(body));
                Some(Item::Head(head))
            }
            Stage::Flowing(mut body) => {
                let next = body.frame().await;
                let (item, is_last) = self.taken(next);
                self.stage = if is_last { Stage::Ended(body) } else { Stage::Flowing(body) };
                Some(item)
            }
            Stage::Ended(mut body) => {
                // Nothing is left; a cut would be passed on.
                let next = body.frame().await?;
                self.stage = Stage::Ended(body);
                next.is_err().then_some(Item::Cut)
            }
            Stage::Over => None,
        }
    }

    /// What the next frame is, and whether it is the last one.
    fn taken<E>(&mut self, next: Option<Result<Frame<Bytes>, E>>) -> (Item, bool) {
        let ending = self.told.get().cloned();
        match (next, ending) {
            (Some(Ok(frame)), ending) => {
                let bytes = frame.into_data().unwrap_or_default();
                if let Some(keeping) = &mut self.keeping {
                    keeping.recording.push(&bytes);
                }
                match ending {
                    None => (Item::Piece(bytes), false),
                    Some(ending) => {
                        self.keep(&ending);
                        (Item::Last(bytes, ending), true)
                    }
                }
            }
            (None | Some(Err(_)), Some(ending)) => {
                self.keep(&ending);
                (Item::Last(Bytes::new(), ending), true)
            }
            // An answer always says how it ended first; one that did not is not to pass for whole.
            (None | Some(Err(_)), None) => (Item::Cut, true),
        }
    }

    /// Before the last piece goes out: who asks after it has come finds it kept.
    fn keep(&mut self, ending: &Ending) {
        if let (Some(keeping), Some(head)) = (self.keeping.take(), &self.head) {
            keeping.keep(ending, head);
        }
    }
}

impl Keeping {
    fn keep(self, ending: &Ending, head: &Head) {
        let Self { shelf, ticket, recording } = self;
        let cache = &shelf.cache;
        let Ending::Whole(made) = ending else {
            let is_cut = matches!(ending, Ending::Broken { outcome: Outcome::Partial, .. });
            return cache.not_kept(if is_cut { NotKept::Cut } else { NotKept::Failed });
        };
        if made.finish_reason.as_deref().is_some_and(is_tool_call) {
            return cache.not_kept(NotKept::ToolCall);
        }
        match recording.finish() {
            Some(answer) => shelf.keep(ticket, answer, made, &head.headers),
            None => cache.not_kept(NotKept::TooLarge),
        }
    }
}

/// The word of any dialect for an answer that calls a tool. None was offered, so none should come.
fn is_tool_call(finish_reason: &str) -> bool {
    matches!(finish_reason, "tool_calls" | "function_call" | "tool_use")
}

impl Rider {
    fn dialect(&self) -> Dialect {
        match self {
            Self::Leads => Dialect::OpenAiChat,
            Self::Joins { dialect, .. } => *dialect,
        }
    }

    fn begins(&mut self, head: &Head) {
        if let Self::Joins { record, .. } = self {
            record.joins(head.status.as_u16());
        }
    }

    fn sent(&mut self, bytes: usize) {
        if let Self::Joins { record, .. } = self {
            record.sent(bytes);
        }
    }

    async fn ended(&mut self, ending: &Ending) {
        if let Self::Joins { record, cache, .. } = self {
            if let Ending::Whole(made) = ending {
                cache.coalesced(made.cost);
            }
            record.shared(ending).await;
        }
    }

    /// The word for the header, and what of the head is not this one's.
    fn mark(&self, headers: &mut HeaderMap) {
        let word = match self {
            Self::Leads => "miss",
            Self::Joins { .. } => {
                headers.remove(COST_USD);
                headers.insert(ATTEMPTS, HeaderValue::from(0));
                "coalesced"
            }
        };
        headers.insert(CACHE, HeaderValue::from_static(word));
    }
}

/// A whole body; `None` if it never came to its end.
async fn gathered(
    mut items: BoxStream<'static, Result<Item, LeftBehind>>,
    rider: &mut Rider,
) -> Option<Bytes> {
    let mut body = BytesMut::new();
    loop {
        match items.next().await? {
            Ok(Item::Piece(bytes)) => body.extend_from_slice(&bytes),
            Ok(Item::Last(bytes, ending)) => {
                let whole = match body.is_empty() {
                    true => bytes,
                    false => {
                        body.extend_from_slice(&bytes);
                        body.freeze()
                    }
                };
                rider.sent(whole.len());
                rider.ended(&ending).await;
                return Some(whole);
            }
            Ok(Item::Head(_) | Item::Cut) | Err(LeftBehind) => return None,
        }
    }
}

/// One reader of a shared stream.
struct Seat {
    items: BoxStream<'static, Result<Item, LeftBehind>>,
    rider: Rider,
    stage: SeatStage,
}

enum SeatStage {
    Reading,
    Cutting,
    Over,
}

impl Seat {
    fn into_stream(self) -> BoxStream<'static, StreamItem> {
        stream::unfold(Box::new(self), |mut seat| async move {
            let item = seat.step().await?;
            Some((item, seat))
        })
        .boxed()
    }

    async fn step(&mut self) -> Option<StreamItem> {
        match self.stage {
            SeatStage::Reading => {}
            SeatStage::Cutting => {
                // hyper writes out what it holds while the body is pending, and drops it on a cut.
                tokio::task::yield_now().await;
                self.stage = SeatStage::Over;
                return Some(Err(Cut));
            }
            SeatStage::Over => return None,
        }
        loop {
            let bytes = match self.items.next().await? {
                Ok(Item::Head(_)) => continue,
                Ok(Item::Piece(bytes)) => bytes,
                Ok(Item::Last(bytes, ending)) => {
                    self.rider.sent(bytes.len());
                    self.rider.ended(&ending).await;
                    if bytes.is_empty() {
                        continue;
                    }
                    return Some(Ok(Frame::data(bytes)));
                }
                Ok(Item::Cut) => {
                    self.stage = SeatStage::Cutting;
                    return Box::pin(self.step()).await;
                }
                Err(LeftBehind) => self.left_behind().await,
            };
            self.rider.sent(bytes.len());
            return Some(Ok(Frame::data(bytes)));
        }
    }

    /// What tells a client that read too slowly that its answer is not whole.
    async fn left_behind(&mut self) -> Bytes {
        let refusal = left_behind();
        let code = refusal.code;
        let event = wire::error_event(self.rider.dialect(), &refusal.spelled(), 0, None);
        self.stage = SeatStage::Over;
        self.rider.ended(&Ending::Broken { outcome: Outcome::Partial, code }).await;
        event
    }
}

fn left_behind() -> Refusal {
    let message = "This client read a shared response too slowly. Send the request again.";
    Refusal::new(503, ErrorKind::Overloaded, "left_behind", message)
}

/// A shared answer that ended before it began, which no work does.
pub(crate) fn lost() -> Refusal {
    let message = "A shared response was lost inside Gatehouse. Send the request again, and please \
                   report this.";
    Refusal::new(500, ErrorKind::Api, "internal", message)
        .retry(RetryAdvice::After(std::time::Duration::from_secs(1)))
}
