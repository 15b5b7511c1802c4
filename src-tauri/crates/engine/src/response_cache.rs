//! The open response cache, and what it was opened with.

use cache::Cache;
use domain::BackendId;
use indexmap::IndexMap;
use parking_lot::Mutex;
use settings::{BackendSettings, CacheSettings};
use tokio_util::sync::CancellationToken;

#[derive(Default)]
pub(crate) struct ResponseCache {
    pub(crate) open: Mutex<Option<OpenCache>>,
    /// Backend settings at the last comparison.
    pub(crate) backends: Mutex<IndexMap<BackendId, BackendSettings>>,
}

pub(crate) struct OpenCache {
    pub(crate) settings: CacheSettings,
    pub(crate) cache: Cache,
    /// Stops the cache's background task.
    pub(crate) closing: CancellationToken,
}
