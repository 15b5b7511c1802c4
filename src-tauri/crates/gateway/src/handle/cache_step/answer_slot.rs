//! The cache slot of one generated answer.

use std::sync::Arc;

use cache::{
    AnswerForm, BypassReason, Cache, CacheEntry, CacheKey, CacheKeyInputs, EntryAddress,
    InsertTicket, Lookup,
};
use domain::{CacheMode, NanoUsd};
use routing::Decision;
use wire::{ClientRequest, Delivery, Determinism, UsageChunk};

use super::cache_key_headers;
use super::namespace::cache_namespace;
use super::recorder::{AnswerRecorder, Destination};
use crate::handle::cache_mode::CacheModes;
use crate::handle::call::CacheSlot;
use crate::handle::context::RequestContext;
use crate::snapshot::CacheUse;

/// Where the answer to one request is looked up and cached.
pub(crate) struct AnswerSlot {
    destination: Destination,
    key: CacheKey,
    mode: CacheMode,
    /// Set by the look-up.
    ticket: Option<InsertTicket>,
}

impl AnswerSlot {
    /// The slot of a request, or the reason why it bypasses the cache. Most requests do, so that path is
    /// cheap.
    pub(crate) fn of(
        context: &RequestContext,
        request: &ClientRequest,
        modes: CacheModes,
        decision: &Decision,
    ) -> Result<Self, BypassReason> {
        let CacheUse { cache, ttl } =
            context.snapshot.cache.as_ref().ok_or(BypassReason::Disabled)?;
        let mode =
            eligible(request, modes, decision).inspect_err(|why| cache.record_bypass(*why))?;
        let client = &context.client.id;
        let inputs = CacheKeyInputs {
            namespace: cache_namespace(context),
            protocol: request.dialect().word(),
            delivered: delivered(request.delivery()),
            model: request.model(),
            route: decision.fingerprint,
            digest: request.canonical_digest().digest,
            headers: &cache_key_headers(&context.headers),
        };
        let destination = Destination {
            cache: cache.clone(),
            ttl: *ttl,
            client: client.clone(),
            model_asked: request.model().to_owned(),
            route: decision.route.clone(),
        };
        Ok(Self { key: inputs.key(), mode, ticket: None, destination })
    }
}

impl CacheSlot for AnswerSlot {
    type Hit = Arc<CacheEntry>;

    fn cache(&self) -> &Cache {
        &self.destination.cache
    }

    fn flight_key(&self) -> CacheKey {
        self.key
    }

    fn mode(&self) -> CacheMode {
        self.mode
    }

    fn address(&self) -> Option<EntryAddress> {
        Some(self.key.address())
    }

    async fn look_up(&mut self) -> Option<Arc<CacheEntry>> {
        if self.mode == CacheMode::Refresh {
            self.ticket = Some(self.cache().ticket());
            return None;
        }
        match self.cache().get(&self.key).await {
            Lookup::Hit { entry, .. } => Some(entry),
            Lookup::Miss(ticket) => {
                self.ticket = Some(ticket);
                None
            }
        }
    }

    fn look_up_in_memory(&mut self) -> Option<Arc<CacheEntry>> {
        self.cache().get_memory(&self.key)
    }

    fn saved(&self) -> Option<NanoUsd> {
        None
    }

    fn recorder(&self) -> Option<AnswerRecorder> {
        Some(AnswerRecorder::new(self.destination.clone(), self.key, self.ticket?))
    }
}

fn eligible(
    request: &ClientRequest,
    modes: CacheModes,
    decision: &Decision,
) -> Result<CacheMode, BypassReason> {
    let mode = modes.resolve(decision.cache)?;
    let traits = request.cache_traits();
    if mode == CacheMode::Auto && traits.determinism == Determinism::Sampled {
        return Err(BypassReason::Sampled);
    }
    if traits.has_tools {
        return Err(BypassReason::Tools);
    }
    if traits.has_state {
        return Err(BypassReason::State);
    }
    Ok(mode)
}

const fn delivered(delivery: Delivery) -> AnswerForm {
    match delivery {
        Delivery::Whole => AnswerForm::Whole,
        Delivery::Stream(UsageChunk::NotAsked) => AnswerForm::Stream,
        Delivery::Stream(UsageChunk::Asked) => AnswerForm::StreamWithUsage,
        Delivery::StreamArray => AnswerForm::StreamArray,
    }
}
