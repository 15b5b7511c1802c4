//! The cache on the way of a request: who may be answered from it, and what is kept.
//!
//! After the routing decision and before any try: a kept answer is replayed piece by piece as it was
//! given; else whoever asks the same at the same time shares one call ([`flight`]). What tools or the
//! provider's own state have a part in is never looked up, and what is not whole is never kept.

use std::sync::Arc;
use std::time::Duration;

use cache::{
    Address, Boarded, Bypass, Cache, Delivered, Entry, Key, Lookup, Namespace, Question, Tags,
    Ticket,
};
use domain::{CacheWish, ClientId};
use futures_util::{StreamExt, stream};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use routing::Decision;
use wire::{Delivery, Determinism, ErrorKind, UsageChunk};

use crate::answer::{
    self, ATTEMPTS, AnswerBody, BACKEND, CACHE, CACHE_KEY, ROUTE, Refusal, RetryAdvice,
};
use crate::gateway::Gateway;
use crate::items::KeptItems;
use crate::pipeline::{Journey, mark, mark_dropped};
use crate::record::{Made, Record};
use crate::snapshot::Client;

use self::flight::Rider;

pub(crate) mod flight;
pub(crate) mod vectors;

/// The cache and how it is used. A snapshot carries it.
#[derive(Debug, Clone)]
pub struct CacheUse {
    /// The answers.
    pub cache: Cache,
    /// How long one is kept.
    pub ttl: Duration,
}

/// What a request and its client wish of the cache.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    request: Option<CacheWish>,
    client: Option<CacheWish>,
    project: Option<String>,
}

/// What the cache may do for one request.
pub(crate) enum Part {
    /// Nothing.
    Bypass(Bypass),
    /// Look up, share, keep.
    Look(Shelf),
    /// Ask anew, and keep.
    Refresh(Shelf),
}

/// Where the answer to one question is looked up and kept.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    pub(crate) cache: Cache,
    pub(crate) key: Key,
    ttl: Duration,
    client: ClientId,
    model_asked: String,
    route: String,
}

/// A request on its way, with its decision and its record.
pub(crate) struct Traveller {
    pub(crate) journey: Journey,
    pub(crate) decision: Decision,
    pub(crate) record: Record,
}

impl Wishes {
    /// Of the request's header and the client's settings. Refused: a header of another word.
    pub(crate) fn of(
        headers: &HeaderMap,
        client: &Client,
        project: Option<&str>,
    ) -> Result<Self, Refusal> {
        let request = match headers.get(CACHE) {
            Some(value) => {
                let word = value.to_str().unwrap_or_default().trim();
                Some(word.parse().map_err(|_| bad_wish())?)
            }
            None => None,
        };
        Ok(Self { request, client: client.cache, project: project.map(str::to_owned) })
    }

    /// The wish that counts: the request's own, else the route's, else the client's.
    pub(crate) fn settled(&self, route: Option<CacheWish>) -> Result<CacheWish, Bypass> {
        let said = [
            (self.request, Bypass::Request),
            (route, Bypass::Route),
            (self.client, Bypass::Client),
        ];
        match said.into_iter().find_map(|(wish, who)| Some((wish?, who))) {
            Some((CacheWish::Off, who)) => Err(who),
            Some((wish, _)) => Ok(wish),
            None => Ok(CacheWish::Auto),
        }
    }
}

fn bad_wish() -> Refusal {
    let message = "The header x-gatehouse-cache must be 'auto', 'on', 'off' or 'refresh'.";
    Refusal::new(400, ErrorKind::InvalidRequest, "invalid_value", message)
        .param(Some(CACHE.as_str().to_owned()))
        .retry(RetryAdvice::Never)
}

/// What the cache may do for a request. Cheap for those it may do nothing for, which are most.
pub(crate) fn part(journey: &Journey, wishes: &Wishes, decision: &Decision) -> Part {
    let Some(CacheUse { cache, ttl }) = &journey.snapshot.cache else {
        return Part::Bypass(Bypass::Disabled);
    };
    let wish = match eligible(journey, wishes, decision) {
        Ok(wish) => wish,
        Err(why) => {
            cache.bypassed(why);
            return Part::Bypass(why);
        }
    };
    let request = &journey.request;
    let question = Question {
        namespace: Namespace { client: &journey.client, project: wishes.project.as_deref() },
        protocol: request.dialect().word(),
        delivered: delivered(request.delivery()),
        model: request.model(),
        route: decision.fingerprint,
        digest: request.canonical().digest,
        headers: &telling(&journey.headers),
    };
    let shelf = Shelf {
        cache: cache.clone(),
        key: question.key(),
        ttl: *ttl,
        client: journey.client.clone(),
        model_asked: request.model().to_owned(),
        route: decision.route.clone(),
    };
    match wish {
        CacheWish::Refresh => Part::Refresh(shelf),
        _ => Part::Look(shelf),
    }
}

fn eligible(journey: &Journey, wishes: &Wishes, decision: &Decision) -> Result<CacheWish, Bypass> {
    let wish = wishes.settled(decision.cache)?;
    let traits = journey.request.traits();
    if wish == CacheWish::Auto && traits.determinism == Determinism::Sampled {
        return Err(Bypass::Sampled);
    }
    if traits.has_tools {
        return Err(Bypass::Tools);
    }
    if traits.has_state {
        return Err(Bypass::State);
    }
    Ok(wish)
}

const fn delivered(delivery: Delivery) -> Delivered {
    match delivery {
        Delivery::Whole => Delivered::Whole,
        Delivery::Stream(UsageChunk::NotAsked) => Delivered::Stream,
        Delivery::Stream(UsageChunk::Asked) => Delivered::StreamWithUsage,
        Delivery::StreamArray => Delivered::StreamArray,
    }
}

/// The headers that go on to backends and change answers: versions, betas, organisations.
pub(crate) fn telling(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    let tells = |name: &str| {
        name.starts_with("openai-") || matches!(name, "anthropic-version" | "anthropic-beta")
    };
    let named = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    named.filter(|(name, _)| tells(name)).collect()
}

impl Gateway {
    /// Answers a request from the cache, with another's answer under way, or from a backend.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        part: Part,
        mut traveller: Box<Traveller>,
    ) -> Response<AnswerBody> {
        match part {
            Part::Bypass(why) => {
                traveller.record.bypassed(why);
                self.travel(traveller).await
            }
            Part::Refresh(shelf) => {
                let (key, ticket) = (shelf.key.address(), shelf.cache.ticket());
                let fresh = self.fly(traveller, shelf, ticket, Some(CacheWish::Refresh.word()));
                let answer = self.ride(fresh.map(Ok).boxed(), Rider::Leads).await;
                marked_with_key(answer, key)
            }
            Part::Look(shelf) => {
                let key = shelf.key.address();
                marked_with_key(self.look(shelf, traveller).await, key)
            }
        }
    }

    async fn look(
        self: &Arc<Self>,
        shelf: Shelf,
        traveller: Box<Traveller>,
    ) -> Response<AnswerBody> {
        // Before the look-up: whoever comes after a purge shares nothing that was asked for before.
        let generation = shelf.cache.generation();
        let ticket = match shelf.cache.get(&shelf.key).await {
            Lookup::Hit { entry, .. } => return replay(&entry, traveller, &self.items).await,
            Lookup::Miss(ticket) => ticket,
        };
        let cache = shelf.cache.clone();
        let mut waiting = Some(traveller);
        let boarded = self.flights.board(shelf.key, generation, || {
            // Another's answer may have been kept since the look-up, and its flight be over.
            let kept = shelf.cache.get_memory(&shelf.key);
            match (kept, waiting.take()) {
                (None, Some(traveller)) => Ok(self.fly(traveller, shelf.clone(), ticket, None)),
                (kept, traveller) => {
                    waiting = traveller;
                    Err(kept)
                }
            }
        });
        let items = match boarded {
            Boarded::Leads(passenger) => return self.ride(passenger.boxed(), Rider::Leads).await,
            Boarded::Joins(passenger) => passenger.boxed(),
            Boarded::Declined(kept) => {
                return match (kept, waiting) {
                    (Some(entry), Some(traveller)) => replay(&entry, traveller, &self.items).await,
                    // Only a kept answer declines.
                    _ => flight::lost().answer(domain::Dialect::OpenAiChat),
                };
            }
        };
        let Some(traveller) = waiting else {
            return flight::lost().answer(domain::Dialect::OpenAiChat);
        };
        let Traveller { journey, record, .. } = *traveller;
        let dialect = journey.request.dialect();
        self.ride(items, Rider::Joins { record: Box::new(record), dialect, cache }).await
    }
}

/// Names the place of an answer that is kept there or would be.
fn marked_with_key(mut answer: Response<AnswerBody>, key: Address) -> Response<AnswerBody> {
    if answer.status().is_success() {
        mark(&mut answer, CACHE_KEY, &key.to_string());
    }
    answer
}

/// Gives a kept answer, once that is written down.
async fn replay(
    entry: &Entry,
    traveller: Box<Traveller>,
    items: &Arc<KeptItems>,
) -> Response<AnswerBody> {
    let Traveller { journey, decision, mut record } = *traveller;
    if let Some(keeper) = journey.keeper(items) {
        keeper.keep(entry.answer.bytes());
    }
    record.replayed(entry).await;
    let mut answer = if journey.request.delivery().is_streamed() {
        let chunks: Vec<_> = entry.answer.chunks().map(|chunk| Ok(Frame::data(chunk))).collect();
        answer::streamed(stream::iter(chunks).boxed())
    } else {
        answer::whole(entry.answer.bytes().clone())
    };
    let headers = answer.headers_mut();
    if let Ok(value) = HeaderValue::try_from(&entry.content_type) {
        headers.insert(CONTENT_TYPE, value);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CACHE, HeaderValue::from_static("hit"));
    headers.insert(ATTEMPTS, HeaderValue::from(0));
    mark(&mut answer, ROUTE, &decision.route);
    mark(&mut answer, BACKEND, entry.backend.as_str());
    mark_dropped(&mut answer, entry.dropped.as_slice());
    answer
}

impl Shelf {
    /// Keeps a whole answer.
    pub(crate) fn keep(
        &self,
        ticket: Ticket,
        answer: cache::Answer,
        made: &Made,
        said: &HeaderMap,
    ) {
        let text = |name| said.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let entry = Entry {
            answer,
            content_type: text(CONTENT_TYPE).unwrap_or_default(),
            dropped: text(answer::DROPPED),
            backend: made.backend.clone(),
            model: made.model.clone(),
            model_billed: made.model_billed.clone(),
            usage: made.usage,
            cost: made.cost,
            finish_reason: made.finish_reason.clone(),
            created: ticket.asked(),
            took: made.took,
        };
        let tags = Tags {
            backend: made.backend.clone(),
            model_asked: self.model_asked.clone(),
            model: made.model.clone(),
            client: self.client.clone(),
            route: self.route.clone(),
        };
        // Why one is not kept is counted there.
        let _kept = self.cache.put(&self.key, ticket, tags, entry, self.ttl);
    }
}
