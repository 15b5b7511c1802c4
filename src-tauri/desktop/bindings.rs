//! What the panel's TypeScript is generated from: commands, events and every type they reach.

use control::PanelEvent;
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::Wry;
use tauri_specta::{Builder, Event, collect_events};

/// The core's events on their way to the window.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
#[serde(transparent)]
#[specta(transparent)]
#[tauri_specta(event_name = "panel-event")]
pub struct PanelMessage(pub PanelEvent);

/// The typed surface of the window.
#[must_use]
pub fn bindings() -> Builder<Wry> {
    Builder::<Wry>::new()
        .commands(crate::commands::collect())
        .events(collect_events![PanelMessage])
        .disable_serde_phases()
}
