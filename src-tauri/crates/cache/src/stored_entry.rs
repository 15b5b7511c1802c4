//! A stored entry with its expiry and purge state, and its sealed form outside this process.
//!
//! Sealed: compressed, then encrypted and authenticated ([`sealing`]) with a secret derived from the
//! key. The tag serves as the checksum: a damaged, swapped or forged row does not open.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{BackendId, NanoUsd, TokenUsage, WallTime};
use serde::{Deserialize, Serialize};

use crate::address::FORMAT;
use crate::mark_time::MarkTime;
use crate::purge::{PurgeRules, RuleInput};
use crate::{CacheEntry, CacheKey, CachedBody, EntryAddress, EntryTags};

/// Most bytes of metadata beside the body; the fields are short names.
const HEAD_BYTES_MAX: usize = 65_536;

/// An entry with its expiry and purge state.
#[derive(Debug, Clone)]
pub(crate) struct StoredEntry {
    pub(crate) entry: Arc<CacheEntry>,
    pub(crate) tags: EntryTags,
    /// In this process; 0 if an earlier process or another machine requested it.
    pub(crate) generation: u64,
    /// Time of the request by the shared tier's marks, if they could be read.
    pub(crate) shared: Option<MarkTime>,
    pub(crate) requested_at: WallTime,
    pub(crate) expires: WallTime,
}

impl StoredEntry {
    pub(crate) fn is_stale(&self, address: EntryAddress, rules: &PurgeRules) -> bool {
        let Self { tags, generation, requested_at, .. } = self;
        rules.is_stale(&RuleInput {
            address,
            tags,
            generation: *generation,
            requested_at: *requested_at,
        })
    }

    /// Remaining lifetime; `None` if it has expired. A clock that was set back does not extend it.
    pub(crate) fn remaining_ttl(&self, now: WallTime) -> Option<Duration> {
        let life = self.expires.unix_ms().saturating_sub(self.requested_at.unix_ms());
        let left = self.expires.unix_ms().saturating_sub(now.unix_ms()).min(life);
        u64::try_from(left).ok().filter(|ms| *ms > 0).map(Duration::from_millis)
    }
}

/// Everything but the body.
#[derive(Serialize, Deserialize)]
struct EntryHeader {
    content_type: String,
    dropped: Option<String>,
    backend: BackendId,
    model: String,
    model_billed: Option<String>,
    usage: Option<TokenUsage>,
    cost: Option<NanoUsd>,
    finish_reason: Option<String>,
    created: WallTime,
    took_ms: u64,
    tags: EntryTags,
    generation: u64,
    shared: Option<MarkTime>,
    #[serde(rename = "asked")]
    requested_at: WallTime,
    expires: WallTime,
    ends: Vec<u32>,
}

/// Seals an entry. `None` if it cannot be encoded, which does not happen to entries made here.
pub(crate) fn seal(key: &CacheKey, kept: &StoredEntry) -> Option<Vec<u8>> {
    let CacheEntry {
        answer,
        content_type,
        dropped,
        backend,
        model,
        model_billed,
        usage,
        cost,
        finish_reason,
        created,
        took,
    } = &*kept.entry;
    let head = EntryHeader {
        content_type: content_type.clone(),
        dropped: dropped.clone(),
        backend: backend.clone(),
        model: model.clone(),
        model_billed: model_billed.clone(),
        usage: *usage,
        cost: *cost,
        finish_reason: finish_reason.clone(),
        created: *created,
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        tags: kept.tags.clone(),
        generation: kept.generation,
        shared: kept.shared,
        requested_at: kept.requested_at,
        expires: kept.expires,
        ends: answer.ends().to_vec(),
    };
    let mut plain = serde_json::to_vec(&head).ok()?;
    let head_length = u32::try_from(plain.len()).ok()?;
    plain.extend_from_slice(answer.bytes());
    plain.extend_from_slice(&head_length.to_le_bytes());
    let packed = lz4_flex::compress_prepend_size(&plain);
    sealing::seal(&key.sealing_secret(), &associated_data(key), &packed)
}

/// Opens `sealed` if it is intact and belongs to `key`. `bytes_max` limits the body.
pub(crate) fn unseal(key: &CacheKey, sealed: &[u8], bytes_max: usize) -> Option<StoredEntry> {
    let packed = sealing::unseal(&key.sealing_secret(), &associated_data(key), sealed)?;
    // Anyone who knows the question can seal any content, so sizes are not trusted.
    let (size, packed) = lz4_flex::block::uncompressed_size(&packed).ok()?;
    if size > bytes_max.saturating_add(ends_bytes_max()).saturating_add(HEAD_BYTES_MAX) {
        return None;
    }
    let mut plain = lz4_flex::decompress(packed, size).ok()?;
    let body_end = plain.len().checked_sub(size_of::<u32>())?;
    let head_length = plain.get(body_end..)?.try_into().ok().map(u32::from_le_bytes)?;
    let body_start = usize::try_from(head_length).ok()?;
    let head: EntryHeader = serde_json::from_slice(plain.get(..body_start)?).ok()?;
    plain.truncate(body_end);
    let body = Bytes::from(plain).slice(body_start..);
    let entry = CacheEntry {
        answer: CachedBody::new(body, head.ends.into())?,
        content_type: head.content_type,
        dropped: head.dropped,
        backend: head.backend,
        model: head.model,
        model_billed: head.model_billed,
        usage: head.usage,
        cost: head.cost,
        finish_reason: head.finish_reason,
        created: head.created,
        took: Duration::from_millis(head.took_ms),
    };
    Some(StoredEntry {
        entry: Arc::new(entry),
        tags: head.tags,
        generation: head.generation,
        shared: head.shared,
        requested_at: head.requested_at,
        expires: head.expires,
    })
}

/// Each end is at most ten decimal digits and a comma.
const fn ends_bytes_max() -> usize {
    crate::entry::CHUNKS_MAX.saturating_mul(11)
}

/// Format and address: a row moved to another address does not open.
fn associated_data(key: &CacheKey) -> Vec<u8> {
    [&FORMAT.to_le_bytes()[..], key.address().bytes()].concat()
}
