//! What the core tells the panel without being asked.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::view::RunView;

/// One message to the panel.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PanelEvent {
    /// These things have changed; what is shown of them is stale.
    Changed {
        /// What changed.
        tags: Vec<Tag>,
    },
    /// A readiness run moved on.
    RunProgress {
        /// The run as it is now.
        run: Box<RunView>,
    },
    /// Open this place: a notification or the tray was clicked.
    Navigate {
        /// A path of the panel, `/readiness` or `/backends/openai`.
        path: String,
    },
}

/// What can change. Each operation says which it reads and which it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// The verdict, the gateway, counts and spend.
    Status,
    /// Backends, their health and their models.
    Backends,
    /// Keys and the vault.
    Keys,
    /// Clients.
    Clients,
    /// Requests and sums.
    Usage,
    /// Readiness runs.
    Readiness,
    /// Settings and their file.
    Settings,
}
