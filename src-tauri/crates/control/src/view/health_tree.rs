//! View types of what answers depend on: the tree of this moment and the lanes of the past.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, PanelActionView, UnixMs};

/// Longest time line, in hours.
pub const HEALTH_TIMELINE_HOURS_MAX: u32 = 30 * 24;

domain::words! {
    /// How something stands that answers depend on.
    DependencyState {
        Up = "up",
        /// It answers, but less than it should
        Degraded = "degraded",
        Down = "down",
        /// Its key or account is refused, or the user blocked it
        Blocked = "blocked",
        /// No recent result tells
        Unknown = "unknown",
        /// This machine has no network
        Offline = "offline",
        /// It is switched off
        Off = "off",
        /// Nobody watched: Gatehouse was not running, or the machine slept
        NotObserved = "not_observed",
    }
}

domain::words! {
    /// What a node of the tree is.
    DependencyKind {
        Network = "network",
        /// A host that backends are at
        Provider = "provider",
        Backend = "backend",
        Key = "key",
        /// All models of a backend
        Models = "models",
        /// A model that alone is held back
        Model = "model",
        Machine = "machine",
        Gateway = "gateway",
        Ledger = "ledger",
        Vault = "vault",
        Settings = "settings",
        /// What draws the panel in the window
        WebView = "web_view",
        /// What work depends on beside the backends
        Service = "service",
    }
}

/// What answers depend on, and which of it is the cause of what.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HealthTreeView {
    /// "Everything that answers depend on is up", "1 cause: openai is down"
    pub finding: String,
    /// Each before what depends on it, the worst first.
    pub nodes: Vec<DependencyNodeView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DependencyNodeView {
    /// `backend/openai`
    pub id: String,
    /// None at the top.
    pub parent: Option<String>,
    /// 0 at the top.
    pub depth: u32,
    pub kind: DependencyKind,
    pub label: String,
    /// Of a service: true if one cannot work without it. None of what is no service.
    pub required: Option<bool>,
    pub state: DependencyState,
    /// One sentence; empty if there is nothing to say.
    pub reason: String,
    pub since: Option<UnixMs>,
    /// The label of the node whose state explains this one.
    pub suppressed_by: Option<String>,
    /// How many nodes this one explains.
    pub suppresses: Count,
    /// Nothing below it is the cause of trouble, so a list may hide it.
    pub folded: bool,
    /// Where it is looked after.
    pub action: Option<PanelActionView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HealthTimelineQuery {
    /// 1 to [`HEALTH_TIMELINE_HOURS_MAX`].
    pub hours: u32,
}

/// States over time, one lane for each part.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HealthTimelineView {
    /// "openai was down for 12 min in 24 hours"
    pub finding: String,
    pub from: UnixMs,
    pub to: UnixMs,
    /// The network and the gateway, then the backends in use.
    pub lanes: Vec<HealthLaneView>,
    /// Oldest first; the newest, if there are too many.
    pub markers: Vec<TimelineMarkerView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HealthLaneView {
    pub kind: DependencyKind,
    /// `backend/openai`, as in the tree
    pub id: String,
    pub label: String,
    /// "down for 12 min of 9 h observed"
    pub summary: String,
    /// Down or blocked; of the network, offline.
    pub down_secs: Count,
    /// In a state that was known.
    pub observed_secs: Count,
    /// Oldest first, without gaps. Where there are too many, each is the worst of its time.
    pub spans: Vec<LaneSpanView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LaneSpanView {
    pub from: UnixMs,
    pub to: UnixMs,
    pub state: DependencyState,
    /// One sentence; empty if there is nothing to say.
    pub why: String,
}

domain::words! {
    /// What a marker of a time line is.
    TimelineMarkerKind {
        /// A breaker tripped
        Breaker = "breaker",
        /// Something was changed that changes the settings
        Settings = "settings",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TimelineMarkerView {
    pub at: UnixMs,
    pub kind: TimelineMarkerKind,
    /// The lane it is about; None for all.
    pub lane: Option<String>,
    pub text: String,
}
