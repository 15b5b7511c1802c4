//! Request and view types for what agents may do, and for the programs whose agents have our MCP
//! server.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{
    ChangedKeys, DriftCause, LeftSealedView, WiredKeyChangeView, WiringConflictView, WiringState,
};
pub use crate::agent_tool::AgentPermission;
pub use ::wiring::AgentProgram;

/// What agents may do, and how they connect.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AgentAccessView {
    pub permissions: Vec<AgentPermissionView>,
    pub http: AgentHttpView,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AgentPermissionView {
    pub permission: AgentPermission,
    /// Without a full stop at its end.
    pub meaning: String,
    /// The setting that allows it; None if it is always allowed.
    pub setting: Option<String>,
    pub is_allowed: bool,
    /// The tools that it opens.
    pub tools: Vec<AgentToolView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AgentToolView {
    /// As agents call it.
    pub name: String,
    /// Its name in words.
    pub label: String,
    pub description: String,
}

/// MCP over HTTP, at the gateway.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AgentHttpView {
    pub is_served: bool,
    pub address: String,
    /// Clients whose token may be used for it.
    pub clients: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentToolRef {
    /// As agents call it.
    pub tool: String,
}

/// A program, and whether its agents have our MCP server.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AgentProgramView {
    pub tool: AgentProgram,
    /// The program's own name.
    pub name: String,
    pub state: WiringState,
    /// Why it has drifted. `other_home` with `not_wired` is what another Gatehouse added.
    pub cause: Option<DriftCause>,
    /// The state in a sentence.
    pub sentence: String,
    /// None if it is not known.
    pub version: Option<String>,
    /// Files that are changed, or would be.
    pub files: Vec<String>,
    /// Keys that someone else changed.
    pub drift: Vec<WiredKeyChangeView>,
    /// What is used instead of our entry.
    pub conflicts: Vec<WiringConflictView>,
    /// What the undo that led to this state did not put back.
    #[serde(default)]
    #[specta(optional)]
    pub left_sealed: Vec<LeftSealedView>,
}

/// Asks what adding our MCP server to a program, or removing it, would change.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AgentProgramPlanQuery {
    pub tool: AgentProgram,
    /// True for the removal.
    pub undo: bool,
    /// For the removal.
    #[serde(default)]
    #[specta(optional)]
    pub changed_keys: Option<ChangedKeys>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AgentProgramAdd {
    pub tool: AgentProgram,
    /// Of the plan that was shown.
    #[serde(default)]
    #[specta(optional)]
    pub fingerprint: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AgentProgramRemove {
    pub tool: AgentProgram,
    pub changed_keys: ChangedKeys,
}
