//! Records a response while it is relayed and caches it once it is complete.

use std::time::Duration;

use bytes::Bytes;
use cache::{
    BodyRecorder, Cache, CacheEntry, CacheKey, CachedBody, EntryTags, InsertTicket, NotStoredReason,
};
use domain::ClientId;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use ledger::RequestOutcome;

use crate::handle::accounting::{AnswerEnd, AnswerRecord};
use crate::handle::response::DROPPED;

/// Where one answer is cached, and the tags by which it can be purged.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) cache: Cache,
    pub(crate) ttl: Duration,
    pub(crate) client: ClientId,
    pub(crate) model_asked: String,
    pub(crate) route: String,
}

pub(crate) struct AnswerRecorder {
    destination: Destination,
    key: CacheKey,
    ticket: InsertTicket,
    recording: BodyRecorder,
}

impl Destination {
    /// Caches `entry` under `key`.
    pub(crate) fn put(&self, key: &CacheKey, ticket: InsertTicket, entry: CacheEntry) {
        let tags = EntryTags {
            backend: entry.backend.clone(),
            model_asked: self.model_asked.clone(),
            model: entry.model.clone(),
            client: self.client.clone(),
            route: self.route.clone(),
        };
        // The cache itself counts an entry that it refuses.
        let _stored = self.cache.put(key, ticket, tags, entry, self.ttl);
    }
}

impl AnswerRecorder {
    pub(crate) fn new(destination: Destination, key: CacheKey, ticket: InsertTicket) -> Self {
        let recording = BodyRecorder::new(destination.cache.entry_bytes_max());
        Self { destination, key, ticket, recording }
    }

    pub(crate) fn push(&mut self, bytes: &Bytes) {
        self.recording.push(bytes);
    }

    /// Caches the response, which has ended, if it is complete and calls no tool.
    pub(crate) fn finish(self, end: &AnswerEnd, headers: &HeaderMap) {
        let Self { destination, key, ticket, recording } = self;
        let cache = &destination.cache;
        let answer = match end {
            AnswerEnd::Complete(answer) => answer,
            AnswerEnd::Failed { outcome: RequestOutcome::Partial, .. } => {
                return cache.record_not_stored(NotStoredReason::Cut);
            }
            AnswerEnd::Failed { .. } => return cache.record_not_stored(NotStoredReason::Failed),
        };
        if answer.finish_reason.as_deref().is_some_and(wire::is_tool_call) {
            return cache.record_not_stored(NotStoredReason::ToolCall);
        }
        match recording.finish() {
            Some(body) => destination.put(&key, ticket, entry(body, answer, headers, ticket)),
            None => cache.record_not_stored(NotStoredReason::TooLarge),
        }
    }
}

fn entry(
    body: CachedBody,
    answer: &AnswerRecord,
    headers: &HeaderMap,
    ticket: InsertTicket,
) -> CacheEntry {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    CacheEntry {
        answer: body,
        content_type: text(CONTENT_TYPE).unwrap_or_default(),
        dropped: text(DROPPED),
        backend: answer.backend.clone(),
        model: answer.model.clone(),
        model_billed: answer.model_billed.clone(),
        usage: answer.usage,
        cost: answer.cost,
        finish_reason: answer.finish_reason.clone(),
        created: ticket.requested_at(),
        took: answer.took,
    }
}
