//! Vectors in the cache, each input by itself: only those that are not there are asked for.
//!
//! A vector belongs to the model that made it. So keys name the model at the backend, not the name the
//! client used, and kept vectors are never joined with those of another model.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::{
    Answer, Bypass, Cache, Delivered, Entry, Key, Lookup, Namespace, Question, Tags, Ticket,
};
use domain::{BackendId, CacheWish, ClientId, MicroUsd, TokenUsage};
use hyper::header::HeaderMap;
use routing::Decision;
use wire::{Canonical, EmbeddingRequest, EmbeddingVector};

use super::{CacheUse, Wishes, telling};

/// Where the vectors of one request are looked up and kept.
pub(crate) struct VectorShelf {
    cache: Cache,
    ttl: Duration,
    wish: CacheWish,
    client: ClientId,
    model_asked: String,
    route: String,
    /// Of each input, in order.
    keys: Vec<Key>,
    /// Of the whole request: who asks the same at the same time shares the answer.
    pub(crate) whole: Key,
}

/// What was found, input by input.
pub(crate) struct Looked {
    found: Vec<Result<Arc<Entry>, Option<Ticket>>>,
}

/// Whose vectors these are, and what each is worth.
pub(crate) struct Worth {
    pub(crate) backend: BackendId,
    /// As it was named to the backend.
    pub(crate) model: String,
    pub(crate) model_billed: Option<String>,
    /// Of all inputs that were asked for.
    pub(crate) tokens: u64,
    /// Of all inputs that were asked for.
    pub(crate) cost: Option<MicroUsd>,
    pub(crate) took: Duration,
}

impl VectorShelf {
    /// The shelf of a request, if its vectors may come from there.
    pub(crate) fn of(
        used: Option<&CacheUse>,
        wishes: &Wishes,
        request: &EmbeddingRequest,
        decision: &Decision,
        headers: &HeaderMap,
        client: &ClientId,
    ) -> Result<Self, Bypass> {
        let CacheUse { cache, ttl } = used.ok_or(Bypass::Disabled)?;
        let wish = match wishes.settled(decision.cache) {
            Ok(wish) => wish,
            Err(why) => {
                cache.bypassed(why);
                return Err(why);
            }
        };
        let model = decision.candidates.first().map_or("", |first| first.model.as_str());
        let headers = telling(headers);
        let question = |delivered, input: &Canonical| Question {
            namespace: Namespace { client, project: wishes.project.as_deref() },
            protocol: request.dialect().word(),
            delivered,
            model,
            route: decision.fingerprint,
            digest: input.digest,
            headers: &headers,
        };
        let places = 0..request.len();
        let inputs: Vec<_> = places.filter_map(|at| request.canonical_input(at)).collect();
        let key = |input| question(Delivered::Vector, input).key();
        Ok(Self {
            cache: cache.clone(),
            ttl: *ttl,
            wish,
            client: client.clone(),
            model_asked: request.model().to_owned(),
            route: decision.route.clone(),
            keys: inputs.iter().map(key).collect(),
            whole: question(Delivered::Whole, &request.canonical(&inputs)).key(),
        })
    }

    /// Looks every input up.
    pub(crate) async fn look(&self) -> Looked {
        let mut found = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            found.push(match self.wish {
                CacheWish::Refresh => Err(Some(self.cache.ticket())),
                _ => match self.cache.get(key).await {
                    Lookup::Hit { entry, .. } => Ok(entry),
                    Lookup::Miss(ticket) => Err(Some(ticket)),
                },
            });
        }
        Looked { found }
    }

    /// Looks again for what was missing, where that takes no wait.
    pub(crate) fn look_again(&self, looked: &mut Looked) {
        for (key, found) in self.keys.iter().zip(&mut looked.found) {
            if found.is_err()
                && let Some(entry) = self.cache.get_memory(key)
            {
                *found = Ok(entry);
            }
        }
    }

    /// Whether an answer under way may be shared.
    pub(crate) fn shares(&self) -> bool {
        self.wish != CacheWish::Refresh
    }

    /// Where its vectors are kept.
    pub(crate) const fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Keeps the vectors of the inputs that were missing, in their order.
    pub(crate) fn keep<'v>(
        &self,
        looked: &Looked,
        vectors: impl Iterator<Item = &'v EmbeddingVector>,
        worth: &Worth,
    ) {
        let missing = looked.missing();
        let each = Shares::of(worth, missing.len());
        for (place, vector) in missing.iter().zip(vectors) {
            let (Some(key), Some(Err(Some(ticket)))) =
                (self.keys.get(*place), looked.found.get(*place))
            else {
                continue;
            };
            let Some(answer) = Answer::whole(vector.as_text().as_bytes()) else { continue };
            let entry = Entry {
                answer,
                content_type: "application/json".to_owned(),
                dropped: None,
                backend: worth.backend.clone(),
                model: worth.model.clone(),
                model_billed: worth.model_billed.clone(),
                usage: Some(each.usage),
                cost: each.cost,
                finish_reason: None,
                created: ticket.asked(),
                took: worth.took,
            };
            let tags = Tags {
                backend: worth.backend.clone(),
                model_asked: self.model_asked.clone(),
                model: worth.model.clone(),
                client: self.client.clone(),
                route: self.route.clone(),
            };
            // Why one is not kept is counted there.
            let _kept = self.cache.put(key, *ticket, tags, entry, self.ttl);
        }
    }

    /// Why nothing was looked up, if so.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        (self.wish == CacheWish::Refresh).then_some(CacheWish::Refresh.word())
    }
}

/// What one of several inputs is worth: an equal share, rounded down. Backends tell sums only.
struct Shares {
    usage: TokenUsage,
    cost: Option<MicroUsd>,
}

impl Shares {
    fn of(worth: &Worth, inputs: usize) -> Self {
        let inputs = u64::try_from(inputs).unwrap_or(u64::MAX).max(1);
        let tokens = worth.tokens / inputs;
        let cost = worth
            .cost
            .map(|cost| MicroUsd::new(cost.micros() / i64::try_from(inputs).unwrap_or(i64::MAX)));
        Self { usage: TokenUsage { input_uncached: tokens, ..TokenUsage::default() }, cost }
    }
}

impl Looked {
    /// Nothing was looked up.
    pub(crate) fn nothing(inputs: usize) -> Self {
        Self { found: (0..inputs).map(|_| Err(None)).collect() }
    }

    /// The places of the inputs that have to be asked for.
    pub(crate) fn missing(&self) -> Vec<usize> {
        let missing = self.found.iter().enumerate().filter(|(_, found)| found.is_err());
        missing.map(|(place, _)| place).collect()
    }

    /// Whether every vector was there.
    pub(crate) fn has_all(&self) -> bool {
        self.found.iter().all(Result::is_ok)
    }

    /// Whether no vector was there.
    pub(crate) fn has_none(&self) -> bool {
        self.found.iter().all(Result::is_err)
    }

    /// What those that were there would have cost, as far as that is known.
    pub(crate) fn saved(&self) -> Option<MicroUsd> {
        let costs = self.found.iter().flatten().filter_map(|entry| entry.cost);
        costs.reduce(|sum, cost| sum + cost)
    }

    /// Tokens of those that were there.
    pub(crate) fn tokens(&self) -> u64 {
        let usages = self.found.iter().flatten().filter_map(|entry| entry.usage);
        usages.map(|usage| usage.input()).fold(0, u64::saturating_add)
    }

    /// Who made those that were there.
    pub(crate) fn first(&self) -> Option<&Arc<Entry>> {
        self.found.iter().flatten().next()
    }

    /// The vectors of all inputs in order: those that were there, and `asked` in the places of the
    /// others. `None` if one does not read back, which none that was put in does.
    pub(crate) fn joined<'v>(
        &self,
        mut asked: impl Iterator<Item = &'v EmbeddingVector>,
    ) -> Option<Vec<EmbeddingVector>> {
        let read = |bytes: &Bytes| EmbeddingVector::of_text(std::str::from_utf8(bytes).ok()?);
        self.found
            .iter()
            .map(|found| match found {
                Ok(entry) => read(entry.answer.bytes()),
                Err(_) => asked.next().cloned(),
            })
            .collect()
    }
}
