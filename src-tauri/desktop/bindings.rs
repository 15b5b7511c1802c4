//! What the panel's TypeScript is generated from: commands, events and every type they reach.

use tauri::Wry;
use tauri_specta::Builder;

/// The typed surface of the window.
#[must_use]
pub fn builder() -> Builder<Wry> {
    Builder::<Wry>::new()
        .commands(crate::commands::collect())
        .typ::<control::PanelEvent>()
        .disable_serde_phases()
}
