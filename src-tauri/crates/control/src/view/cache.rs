//! Request and view types for the response cache: its contents, its savings, and why requests
//! bypassed it.

use ::cache::CacheTier;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars, TimeZoneChoice, UsageRange};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CacheQuery {
    pub range: UsageRange,
    pub zone: TimeZoneChoice,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CacheView {
    pub enabled: bool,
    /// What the cache saved: "31 of 84 repeatable requests were served from cache."
    pub sentence: String,
    pub ttl_secs: u32,
    /// Fastest first.
    pub tiers: Vec<CacheTierView>,
    /// Requests of the period that could have been answered from the cache.
    pub eligible: Count,
    /// Of these, answered from the cache or by joining an identical request in flight.
    pub hits: Count,
    /// Of the hits, those that joined an identical request in flight.
    pub joined: Count,
    /// Hits in percent of `eligible`, 0 to 100; None without any.
    pub hit_percent: Option<f64>,
    /// Cost avoided in the period.
    pub saved_nano_usd: NanoDollars,
    /// Waiting time avoided in the period, in milliseconds.
    pub saved_ms: Count,
    /// Why requests of the period bypassed the cache, most frequent first.
    pub bypasses: Vec<CacheBypassView>,
    /// A suggestion for the memory limit, if there is one.
    pub advice: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CacheTierView {
    pub tier: CacheTier,
    pub state: CacheTierState,
    /// What the tier is, or what is wrong with it.
    pub detail: String,
    /// None if not known.
    pub entries: Option<Count>,
    /// None if not known.
    pub bytes: Option<Count>,
    /// None if Gatehouse sets no limit.
    pub bytes_max: Option<Count>,
    /// Hits since the program started.
    pub hits: Count,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CacheTierState {
    On,
    Off,
    /// Switched on but not available; requests bypass it.
    Lost,
}

/// Requests that bypassed the cache for one reason.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CacheBypassView {
    /// The word stored in the ledger.
    pub reason: String,
    pub label: String,
    /// How to avoid the bypass, if possible.
    pub hint: Option<String>,
    pub requests: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CachePurge {
    pub what: CachePurgeSelector,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CachePurgeSelector {
    Everything,
    Backend {
        id: String,
    },
    Model {
        /// The model name that the backend was asked for.
        name: String,
    },
    Client {
        id: String,
    },
    OlderThan {
        /// Minimum age in seconds.
        secs: u32,
    },
    /// A single entry.
    Key {
        /// The value of the header `x-gatehouse-cache-key` of its response.
        key: String,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CachePurgeResultView {
    /// Number of entries removed.
    pub entries: Count,
    pub sentence: String,
}
