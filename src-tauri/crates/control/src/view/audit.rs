//! Request and view types for the audit log.

use domain::{AuditOutcome, CallerKind};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::UnixMs;

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AuditLogQuery {
    /// Only entries with a smaller number: the next page.
    #[serde(default)]
    pub before: Option<u32>,
    /// Only calls from there.
    #[serde(default)]
    pub caller: Option<CallerKind>,
    /// Only calls of this operation.
    #[serde(default)]
    pub operation: Option<String>,
    /// At most 200.
    pub limit: u32,
}

/// Calls of operations that change something, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AuditLogView {
    pub entries: Vec<AuditEntryView>,
    /// Pass it as `before` for the next page; None if there is none.
    pub next: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AuditEntryView {
    pub number: u32,
    /// When the call began. Entries are in the order in which calls ended.
    pub at: UnixMs,
    pub caller: CallerKind,
    /// What an agent calls itself, which may be untrue.
    pub agent: Option<String>,
    pub agent_version: Option<String>,
    /// The client whose token an agent has, which was checked. None for agents that need no token.
    pub client: Option<String>,
    /// True if a person confirmed an agent's call, false if one declined it; None without an answer.
    pub confirmed: Option<bool>,
    /// Its name in the table of operations, such as `backend_add`.
    pub operation: String,
    /// What it does, in a few words.
    pub operation_label: String,
    /// The id of what it was about; of a call that was not allowed, the setting that would allow it.
    /// None if it names none, or if it failed and nothing has that id.
    pub subject: Option<String>,
    pub outcome: AuditOutcome,
}
