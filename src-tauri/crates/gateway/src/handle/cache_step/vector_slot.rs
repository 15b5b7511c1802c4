//! The cache slot of an embeddings request, with one key for each input: only missing inputs are requested.
//!
//! Keys contain the backend's model name, not the name that the client used, so cached vectors are never
//! combined with those of another model.

use std::sync::Arc;

use bytes::Bytes;
use cache::{
    AnswerForm, BypassReason, Cache, CacheEntry, CacheKey, CacheKeyInputs, CachedBody,
    EntryAddress, InsertTicket, Lookup,
};
use domain::{CacheMode, NanoUsd, TokenUsage};
use routing::Decision;
use wire::{CanonicalDigest, EmbeddingRequest, EmbeddingVector};

use super::cache_key_headers;
use super::namespace::cache_namespace;
use super::recorder::{AnswerRecorder, Destination};
use crate::handle::accounting::AnswerRecord;
use crate::handle::cache_mode::CacheModes;
use crate::handle::call::CacheSlot;
use crate::handle::context::RequestContext;
use crate::snapshot::CacheUse;

/// Where the vectors of one request are looked up and cached.
pub(crate) struct VectorSlot {
    destination: Destination,
    mode: CacheMode,
    /// One for each input, in order.
    keys: Vec<CacheKey>,
    /// The key of the whole request.
    flight_key: CacheKey,
    /// Results of the look-up, in the order of the inputs; empty before it.
    found: Vec<Result<Arc<CacheEntry>, InsertTicket>>,
}

/// The cached vectors of a request, one for each input, in order.
pub(crate) struct CachedVectors(Vec<Arc<CacheEntry>>);

impl VectorSlot {
    /// The slot of a request, or the reason why it bypasses the cache.
    pub(crate) fn of(
        context: &RequestContext,
        request: &EmbeddingRequest,
        modes: CacheModes,
        decision: &Decision,
    ) -> Result<Self, BypassReason> {
        let CacheUse { cache, ttl } =
            context.snapshot.cache.as_ref().ok_or(BypassReason::Disabled)?;
        let mode = modes.resolve(decision.cache).inspect_err(|why| cache.record_bypass(*why))?;
        let client = &context.client.id;
        let model = decision.candidates.first().map_or("", |first| first.model.as_str());
        let headers = cache_key_headers(&context.headers);
        let key_inputs = |delivered, input: &CanonicalDigest| CacheKeyInputs {
            namespace: cache_namespace(context),
            protocol: request.dialect().word(),
            delivered,
            model,
            route: decision.fingerprint,
            digest: input.digest,
            headers: &headers,
        };
        let inputs: Vec<_> =
            (0..request.len()).filter_map(|index| request.input_digest(index)).collect();
        let key = |input| key_inputs(AnswerForm::Vector, input).key();
        Ok(Self {
            destination: Destination {
                cache: cache.clone(),
                ttl: *ttl,
                client: client.clone(),
                model_asked: request.model().to_owned(),
                route: decision.route.clone(),
            },
            mode,
            keys: inputs.iter().map(key).collect(),
            flight_key: key_inputs(AnswerForm::Whole, &request.canonical_digest(&inputs)).key(),
            found: Vec::new(),
        })
    }

    /// The indexes of the inputs that were not found.
    pub(crate) fn missing(&self) -> Vec<usize> {
        let missing = self.found.iter().enumerate().filter(|(_, found)| found.is_err());
        missing.map(|(index, _)| index).collect()
    }

    /// The tokens of the inputs that were found.
    pub(crate) fn tokens(&self) -> u64 {
        sum_tokens(self.found.iter().flatten())
    }

    /// The vectors of all inputs in order: cached ones, and those of `fetched` for the missing inputs. `None`
    /// if a cached vector cannot be read, which does not happen.
    pub(crate) fn join<'v>(
        &self,
        mut fetched: impl Iterator<Item = &'v EmbeddingVector>,
    ) -> Option<Vec<EmbeddingVector>> {
        let one = |found: &Result<Arc<CacheEntry>, InsertTicket>| match found {
            Ok(entry) => read(entry.answer.bytes()),
            Err(_) => fetched.next().cloned(),
        };
        self.found.iter().map(one).collect()
    }

    /// Caches the vectors of the inputs that were missing, in their order.
    pub(crate) fn keep<'v>(
        &self,
        vectors: impl Iterator<Item = &'v EmbeddingVector>,
        answer: &AnswerRecord,
    ) {
        let inputs = u64::try_from(self.missing().len()).unwrap_or(u64::MAX).max(1);
        let missing = self.keys.iter().zip(&self.found);
        let missing = missing.filter_map(|(key, found)| Some((key, *found.as_ref().err()?)));
        for ((key, ticket), vector) in missing.zip(vectors) {
            let Some(body) = CachedBody::single_chunk(vector.as_text().as_bytes()) else {
                continue;
            };
            self.destination.put(key, ticket, entry(body, answer, ticket, inputs));
        }
    }

    fn hit(&self) -> Option<CachedVectors> {
        let entries: Option<Vec<_>> = self.found.iter().map(|found| found.clone().ok()).collect();
        entries.filter(|entries| !entries.is_empty()).map(CachedVectors)
    }
}

impl CacheSlot for VectorSlot {
    type Hit = CachedVectors;

    fn cache(&self) -> &Cache {
        &self.destination.cache
    }

    fn flight_key(&self) -> CacheKey {
        self.flight_key
    }

    fn mode(&self) -> CacheMode {
        self.mode
    }

    fn address(&self) -> Option<EntryAddress> {
        None
    }

    async fn look_up(&mut self) -> Option<CachedVectors> {
        self.found = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            let cache = &self.destination.cache;
            self.found.push(match self.mode {
                CacheMode::Refresh => Err(cache.ticket()),
                _ => match cache.get(key).await {
                    Lookup::Hit { entry, .. } => Ok(entry),
                    Lookup::Miss(ticket) => Err(ticket),
                },
            });
        }
        self.hit()
    }

    fn look_up_in_memory(&mut self) -> Option<CachedVectors> {
        for (key, found) in self.keys.iter().zip(&mut self.found) {
            if found.is_err()
                && let Some(entry) = self.destination.cache.get_memory(key)
            {
                *found = Ok(entry);
            }
        }
        self.hit()
    }

    fn saved(&self) -> Option<NanoUsd> {
        sum_costs(self.found.iter().flatten())
    }

    fn recorder(&self) -> Option<AnswerRecorder> {
        None
    }
}

impl CachedVectors {
    pub(crate) fn first(&self) -> Option<&CacheEntry> {
        self.0.first().map(AsRef::as_ref)
    }

    pub(crate) fn saved(&self) -> Option<NanoUsd> {
        sum_costs(self.0.iter())
    }

    pub(crate) fn tokens(&self) -> u64 {
        sum_tokens(self.0.iter())
    }

    /// `None` if a vector cannot be read, which does not happen.
    pub(crate) fn vectors(&self) -> Option<Vec<EmbeddingVector>> {
        self.0.iter().map(|entry| read(entry.answer.bytes())).collect()
    }
}

/// The cost of all entries whose cost is known; `None` if none is.
fn sum_costs<'e>(entries: impl Iterator<Item = &'e Arc<CacheEntry>>) -> Option<NanoUsd> {
    entries.filter_map(|entry| entry.cost).reduce(|sum, cost| sum + cost)
}

fn sum_tokens<'e>(entries: impl Iterator<Item = &'e Arc<CacheEntry>>) -> u64 {
    let usages = entries.filter_map(|entry| entry.usage);
    usages.map(|usage| usage.input()).fold(0, u64::saturating_add)
}

fn read(bytes: &Bytes) -> Option<EmbeddingVector> {
    EmbeddingVector::from_text(std::str::from_utf8(bytes).ok()?)
}

/// The entry of one of `inputs` vectors. Backends report usage and cost of all inputs together, so each
/// entry gets an equal share, rounded down.
fn entry(body: CachedBody, answer: &AnswerRecord, ticket: InsertTicket, inputs: u64) -> CacheEntry {
    let tokens = answer.usage.map_or(0, |usage| usage.input()) / inputs;
    let share = i64::try_from(inputs).unwrap_or(i64::MAX);
    CacheEntry {
        answer: body,
        content_type: "application/json".to_owned(),
        dropped: None,
        backend: answer.backend.clone(),
        model: answer.model.clone(),
        model_billed: answer.model_billed.clone(),
        usage: Some(TokenUsage { input_uncached: tokens, ..TokenUsage::default() }),
        cost: answer.cost.map(|cost| NanoUsd::new(cost.nanos() / share)),
        finish_reason: None,
        created: ticket.requested_at(),
        took: answer.took,
    }
}
