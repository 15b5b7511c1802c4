//! View types of what went through the gateway in the last hour.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, UnixMs};

/// The user's own requests of the last 60 minutes.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageRecentView {
    /// The start of the first minute.
    pub from: UnixMs,
    pub to: UnixMs,
    /// "35 requests, 2 failed, most often: rate-limited"
    pub finding: String,
    /// Those in flight too.
    pub requests: Count,
    pub failed: Count,
    /// Complete answers among the requests that ended; what a client broke off does not count. None
    /// if none ended.
    pub complete_percent: Option<f64>,
    /// Failed requests by class, most first.
    pub failures: Vec<RecentFailureView>,
    /// Requests that looked into the cache.
    pub cache_eligible: Count,
    /// Of these, served from the cache or by an identical request in flight. None if none looked.
    pub cache_percent: Option<f64>,
    /// Of the last 5 minutes.
    pub requests_per_minute: f64,
    /// Of the last 5 minutes; known tokens of all classes.
    pub tokens_per_minute: Count,
    /// 60 of them, oldest first. The last one is not over.
    pub minutes: Vec<RecentMinuteView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RecentFailureView {
    /// Its word: `rate-limited`.
    pub class: String,
    pub requests: Count,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RecentMinuteView {
    pub start: UnixMs,
    pub requests: Count,
    pub failed: Count,
}
