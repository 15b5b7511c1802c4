//! The cache as a step of a request: after routing, before any attempt.
//!
//! A cached answer is replayed chunk by chunk as it was received. Otherwise identical requests at the same
//! time share one answer ([`single_flight`]). Requests that offer tools or use state at the provider
//! bypass the cache, and incomplete answers are never cached.

use cache::{Joined, SingleFlight};
use domain::{CacheMode, Dialect};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use hyper::Response;
use hyper::header::HeaderMap;

use self::single_flight::{Follower, Item, SharedItems};
use crate::handle::call::{CacheSlot, Call, PendingRequest};
use crate::handle::response::ResponseBody;

pub(crate) mod answer_slot;
mod namespace;
pub(crate) mod recorder;
pub(crate) mod single_flight;
pub(crate) mod vector_slot;

/// The result of the look-up.
pub(crate) enum CacheStep<C: Call> {
    Bypass(Box<PendingRequest<C>>),
    /// The cache has the whole answer.
    Hit(Box<PendingRequest<C>>, <C::Slot as CacheSlot>::Hit),
    /// This request fetches the answer, and others may join it.
    Lead(SharedItems, Dialect),
    /// Another request fetches the same answer.
    Follow(SharedItems, Follower),
}

/// Looks for the answer to `pending`. If it is not there, `fetch` starts the fetch that may be shared.
pub(crate) async fn look_up<C: Call>(
    flights: &SingleFlight<Item>,
    mut pending: Box<PendingRequest<C>>,
    fetch: impl FnOnce(Box<PendingRequest<C>>) -> BoxFuture<'static, Response<ResponseBody>>,
) -> CacheStep<C> {
    let dialect = pending.routed.context.arrival.dialect;
    let Some(slot) = &mut pending.routed.slot else { return CacheStep::Bypass(pending) };
    // Read before the look-up: a request after a purge never shares an answer requested before it.
    let generation = slot.cache().generation();
    if let Some(hit) = slot.look_up().await {
        return CacheStep::Hit(pending, hit);
    }
    if slot.mode() == CacheMode::Refresh {
        let items = single_flight::work(pending, fetch);
        return CacheStep::Lead(items.map(Ok).boxed(), dialect);
    }
    let (key, cache) = (slot.flight_key(), slot.cache().clone());
    let joined = flights.join(key, generation, pending, |mut pending| {
        // Another request may have fetched and cached the answer since the look-up.
        match pending.routed.slot.as_mut().and_then(CacheSlot::look_up_in_memory) {
            Some(hit) => Err((pending, hit)),
            None => Ok(single_flight::work(pending, fetch)),
        }
    });
    match joined {
        Joined::Leader(items) => CacheStep::Lead(items.boxed(), dialect),
        Joined::Follower(items, pending) => {
            let record = Box::new(pending.record);
            CacheStep::Follow(items.boxed(), Follower { record, dialect, cache })
        }
        Joined::Declined((pending, hit)) => CacheStep::Hit(pending, hit),
    }
}

/// The request headers that reach backends and change their answers: versions, betas, organisations.
fn cache_key_headers(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    let changes_answer = |name: &str| {
        name.starts_with("openai-") || matches!(name, "anthropic-version" | "anthropic-beta")
    };
    let named = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    named.filter(|(name, _)| changes_answer(name)).collect()
}
