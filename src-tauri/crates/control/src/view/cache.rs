//! The cache of answers: what it holds, what it saved, and why requests went past it.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, MicroDollars, UsageRange, ZoneChoice};

/// Which period the sums are of.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CacheQuery {
    /// The period.
    pub range: UsageRange,
    /// Whose midnight begins a day.
    pub zone: ZoneChoice,
}

/// The cache, its tiers and its sums.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CacheView {
    /// Whether it is on.
    pub enabled: bool,
    /// What it does for the user, in one sentence: "31 of 84 repeatable requests were free."
    pub sentence: String,
    /// How long an answer is kept, in seconds.
    pub ttl_secs: u32,
    /// Its tiers, the fastest first.
    pub tiers: Vec<CacheTierView>,
    /// Requests of the period that might have been answered from it.
    pub eligible: Count,
    /// Of these, answered from it or by joining another that was in flight.
    pub hits: Count,
    /// Of the hits, those that joined another.
    pub joined: Count,
    /// Hits in percent of the eligible, 0 to 100; none without any.
    pub hit_percent: Option<f64>,
    /// Money not spent in the period.
    pub saved: MicroDollars,
    /// Time not waited in the period, in milliseconds.
    pub saved_ms: Count,
    /// Why requests of the period went past it, the most frequent first.
    pub bypasses: Vec<CacheBypassView>,
    /// What would make it better, if something would.
    pub advice: Option<String>,
}

/// One tier.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CacheTierView {
    /// Which.
    pub tier: CacheTierName,
    /// Whether it works.
    pub state: CacheTierState,
    /// What it is or what is wrong with it, in words.
    pub detail: String,
    /// Answers in it; none when not known.
    pub entries: Option<Count>,
    /// Their size, in bytes; none when not known.
    pub bytes: Option<Count>,
    /// Most bytes it may hold; none without a limit of ours.
    pub bytes_max: Option<Count>,
    /// Answers given from it since the program started.
    pub hits: Count,
}

/// The tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CacheTierName {
    /// In this process; gone at its end.
    Memory,
    /// On this machine's disk; outlives a restart.
    Disk,
    /// A Redis or Valkey server that several machines share.
    Shared,
}

/// Whether a tier works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CacheTierState {
    /// Works.
    On,
    /// Switched off.
    Off,
    /// Switched on and not there; requests go past it.
    Lost,
}

/// Requests that went past the cache for one reason.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CacheBypassView {
    /// The reason's word, as it stands in the ledger.
    pub reason: String,
    /// The reason for people.
    pub label: String,
    /// What would change it, if something would.
    pub hint: Option<String>,
    /// How many.
    pub requests: Count,
}

/// Throws answers away.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CachePurge {
    /// Which.
    pub what: CachePurgeWhat,
}

/// Which answers are thrown away.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CachePurgeWhat {
    /// All of them.
    Everything,
    /// Those of one backend.
    Backend {
        /// Which.
        id: String,
    },
    /// Those of one model.
    Model {
        /// Which, as it was asked of the backend.
        name: String,
    },
    /// Those of one client.
    Client {
        /// Which.
        id: String,
    },
    /// Those that are older.
    OlderThan {
        /// Than this, in seconds.
        secs: u32,
    },
    /// A single one.
    Key {
        /// Its key, as the header `x-gatehouse-cache-key` of its answer has it.
        key: String,
    },
}

/// What was thrown away.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CachePurgedView {
    /// How many answers.
    pub entries: Count,
    /// In one sentence.
    pub sentence: String,
}
