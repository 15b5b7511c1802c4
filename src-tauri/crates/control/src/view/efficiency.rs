//! View types of what the caches saved and what was wasted.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars, UnixMs, UsageGroupKind, WasteKind};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageEfficiencyView {
    pub from: UnixMs,
    pub to: UnixMs,
    /// "The cache saved $4.10; $0.30 was wasted"
    pub finding: String,
    pub cost_nano_usd: NanoDollars,
    /// True if there were requests, and nothing is known of what they cost; the cost is then no zero.
    pub is_cost_unknown: bool,
    pub requests: Count,
    /// Requests whose cost is not known; in neither the cost nor that without the cache.
    pub unpriced_requests: Count,
    /// Known cost of the answers that came from the cache instead.
    pub saved_nano_usd: NanoDollars,
    /// The cost and what the cache saved.
    pub without_cache_nano_usd: NanoDollars,
    /// By route, most saved first; at most 200, then `other`. Groups that looked nothing up are
    /// left out.
    pub cache_savings: Vec<UsageSavingView>,
    /// The same sums by model.
    pub cache_savings_by_model: Vec<UsageSavingView>,
    /// The same sums by client.
    pub cache_savings_by_client: Vec<UsageSavingView>,
    /// Percentage of the input tokens that providers read from their caches; None without input.
    pub provider_cache_read_percent: Option<f64>,
    /// Every kind once. Their costs do not overlap.
    pub waste: Vec<UsageWasteView>,
}

/// What the response cache did for a group of requests.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageSavingView {
    pub kind: UsageGroupKind,
    /// `other` for the rest.
    pub key: String,
    pub label: String,
    pub saved_nano_usd: NanoDollars,
    /// Answered by the cache, or together with an identical request in flight.
    pub hits: Count,
    /// Requests that looked into the cache.
    pub eligible_requests: Count,
    /// Time saved compared to the backends' answers.
    pub saved_ms: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageWasteView {
    pub kind: WasteKind,
    /// "Failed requests"
    pub label: String,
    /// The requests that the filter `waste` finds.
    pub requests: Count,
    /// Of `retries` that of their failed attempts alone.
    pub cost_nano_usd: NanoDollars,
    /// True if nothing is known of what they cost; the cost is then no zero.
    pub is_cost_unknown: bool,
    /// Requests whose wasted cost is not, or not wholly, known and in the cost.
    pub unpriced: Count,
}
