//! View types of latencies and failures over time.

use ledger::{LatencyGroupBy, LatencyPart};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars, TimeZoneChoice, UnixMs, UsageRange};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageLatencyQuery {
    pub range: UsageRange,
    pub zone: TimeZoneChoice,
    /// Start of the period, instead of `range`.
    #[serde(default)]
    #[specta(optional)]
    pub from: Option<UnixMs>,
    /// End of the period, exclusive; only with `from`. Now at the latest.
    #[serde(default)]
    #[specta(optional)]
    pub to: Option<UnixMs>,
    pub group_by: LatencyGroupBy,
    /// Only this backend, model or route.
    #[serde(default)]
    #[specta(optional)]
    pub name: Option<String>,
}

/// Latencies of requests that a backend answered whole; answers from the cache are left out.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageLatencyView {
    pub from: UnixMs,
    pub to: UnixMs,
    /// "First token: half within 420 ms, 95 % within 2.1 s"
    pub finding: String,
    /// Everything in the period, or what has the name.
    pub parts: Vec<LatencyPartView>,
    /// Most requests first; at most twenty. Empty without a dimension.
    pub groups: Vec<LatencyGroupView>,
    /// Oldest first, without gaps. A step has the hours of UTC that begin in it.
    pub buckets: Vec<LatencyBucketView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LatencyGroupView {
    pub key: String,
    pub label: String,
    pub parts: Vec<LatencyPartView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LatencyBucketView {
    pub start: UnixMs,
    /// `08:00` or `21 Nov`
    pub label: String,
    pub parts: Vec<LatencyPartView>,
}

/// Percentiles of one part, at most one percent off. Parts that nothing measured are left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Type)]
pub struct LatencyPartView {
    pub part: LatencyPart,
    /// Requests that it was measured of.
    pub count: Count,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// Failed attempts by class.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageFailuresView {
    pub from: UnixMs,
    pub to: UnixMs,
    /// "3 of 1,200 attempts failed, most of them rate-limited"
    pub finding: String,
    /// Requests and retries.
    pub attempts: Count,
    pub failed_attempts: Count,
    /// None without an attempt.
    pub failed_percent: Option<f64>,
    /// Most attempts first.
    pub classes: Vec<FailureClassView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FailureClassView {
    /// Its word: `rate-limited`.
    pub class: String,
    pub attempts: Count,
    pub percent_of_attempts: f64,
    /// The known cost.
    pub cost_nano_usd: NanoDollars,
    /// True if nothing is known of what they cost; the cost is then no zero.
    pub is_cost_unknown: bool,
    /// Attempts whose cost is not known; not in the cost.
    pub unpriced_attempts: Count,
    /// Most attempts first.
    pub backends: Vec<FailureBackendView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FailureBackendView {
    pub key: String,
    pub label: String,
    pub attempts: Count,
}
