//! A cache in a temporary folder with a manual clock, and sample answers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::{
    AnswerForm, BodyRecorder, Cache, CacheConfig, CacheEntry, CacheKey, CacheKeyInputs,
    CacheNamespace, CacheTier, DiskConfig, EntryTags, Lookup,
};
use domain::{BackendId, ClientId, ManualClock, NanoUsd, WallTime};

pub(crate) const START: WallTime = WallTime::from_unix_ms(1_795_248_000_000);
pub(crate) const TTL: Duration = Duration::from_secs(600);
pub(crate) const ENTRY_BYTES_MAX: usize = 100_000;

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::starting_at(START))
}

pub(crate) fn config(folder: Option<&Path>) -> CacheConfig {
    CacheConfig {
        memory_bytes_max: 10_000_000,
        entry_bytes_max: ENTRY_BYTES_MAX,
        disk: folder
            .map(|folder| DiskConfig { path: folder.join("cache.sqlite"), bytes_max: 10_000_000 }),
        shared: None,
    }
}

/// A cache with memory and disk tiers, whose file is open.
pub(crate) async fn open(folder: &Path, clock: &Arc<ManualClock>) -> Cache {
    let cache = Cache::open(config(Some(folder)), Arc::clone(clock) as Arc<_>);
    cache.flush().await;
    cache
}

/// The key of question `number` for model `m` by client `c`.
pub(crate) fn key(number: u64) -> CacheKey {
    let client = ClientId::new("c").expect("a name");
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_le_bytes());
    CacheKeyInputs {
        namespace: CacheNamespace::Client { client: &client, project: None },
        protocol: "openai-chat",
        delivered: AnswerForm::Stream,
        model: "m",
        route: 1,
        digest,
        headers: &[],
    }
    .key()
}

/// Tags that depend on the number.
pub(crate) fn tags(number: u64) -> EntryTags {
    EntryTags {
        backend: BackendId::new(format!("b{number}")).expect("a name"),
        model_asked: format!("asked{number}"),
        model: format!("model{number}"),
        client: ClientId::new(format!("c{number}")).expect("a name"),
        route: format!("r{number}"),
    }
}

/// An answer in two chunks with this text.
pub(crate) fn entry(text: &str) -> CacheEntry {
    let mut recording = BodyRecorder::new(usize::MAX);
    recording.push(b"data: ");
    recording.push(text.as_bytes());
    CacheEntry {
        answer: recording.finish().expect("something"),
        content_type: "text/event-stream".to_owned(),
        dropped: Some("seed".to_owned()),
        backend: BackendId::new("mock").expect("a name"),
        model: "mock/echo".to_owned(),
        model_billed: Some("echo-1".to_owned()),
        usage: None,
        cost: Some(NanoUsd::new(70)),
        finish_reason: Some("stop".to_owned()),
        created: START,
        took: Duration::from_millis(900),
    }
}

pub(crate) fn put(cache: &Cache, number: u64, entry: CacheEntry) {
    cache.put(&key(number), cache.ticket(), tags(number), entry, TTL).expect("kept");
}

/// Looks up and returns the text and its tier.
pub(crate) async fn look(cache: &Cache, number: u64) -> Option<(Bytes, CacheTier)> {
    match cache.get(&key(number)).await {
        Lookup::Hit { entry, tier } => Some((entry.answer.bytes().slice(6..), tier)),
        Lookup::Miss(_) => None,
    }
}
