//! The input of the panel's TypeScript generator: commands, events and every type they use.

use control::PanelEvent;
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::Wry;
use tauri_specta::{Builder, Event, collect_events};

/// An event of the core, sent to the window.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
#[serde(transparent)]
#[specta(transparent)]
#[tauri_specta(event_name = "panel-event")]
pub struct PanelMessage(pub PanelEvent);

/// The commands and events of the window, with their types.
#[must_use]
pub fn bindings() -> Builder<Wry> {
    Builder::<Wry>::new()
        .commands(crate::commands::collect())
        .events(collect_events![PanelMessage])
        .disable_serde_phases()
}
