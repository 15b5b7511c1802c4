//! View types of what happened lately, whatever it came from.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::UnixMs;
use crate::sign::Tone;

domain::words! {
    /// What an event came from.
    RecentEventKind {
        /// A backend went up or down
        Health = "health",
        /// A breaker tripped or closed again
        Breaker = "breaker",
        /// An alert fired or ended
        Alert = "alert",
        /// Something changed the settings
        Settings = "settings",
        /// Something was done with a key
        Key = "key",
        /// Readiness checks ended
        Checks = "checks",
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RecentEventsQuery {
    /// None for all kinds.
    #[serde(default)]
    pub kind: Option<RecentEventKind>,
    /// 1 to 100.
    pub limit: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RecentEventView {
    pub at: UnixMs,
    pub kind: RecentEventKind,
    pub tone: Tone,
    /// "groq is down"
    pub title: String,
    /// A sentence, or empty.
    pub detail: String,
    /// Path of the panel.
    pub path: Option<String>,
}
