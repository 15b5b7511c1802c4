//! Forwards the core's events to the window, and tells the tray what has changed.

use std::time::Duration;

use control::{ChangeTag, Core, CoreEvents, PanelEvent, WindowFocus};
use tauri::{AppHandle, Wry};
use tauri_specta::Event as _;

use crate::bindings::PanelMessage;
use crate::tray::TrayWatch;
use crate::window;

/// Pause between attempts to reconnect to the owner process, in seconds.
const RECONNECT_SECS: u64 = 2;

/// Relays events until the program ends.
pub(crate) fn start(app: &AppHandle<Wry>, core: Core, tray: TrayWatch) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        loop {
            if let Ok(mut events) = CoreEvents::subscribe(&core).await {
                // The events before the connection are unknown, so all data may be stale.
                forward_event(&app, &tray, PanelEvent::Changed { tags: ChangeTag::ALL.to_vec() });
                while let Some(event) = events.next().await {
                    forward_event(&app, &tray, event);
                }
            }
            tray.note_disconnected();
            tokio::time::sleep(Duration::from_secs(RECONNECT_SECS)).await;
        }
    });
}

/// Tells the core if the window has the focus. A remote engine needs no focus, since it sends no
/// notifications for this window.
pub(crate) fn report_focus(core: &Core, focused: bool) {
    if let Core::Local(engine, _) = core {
        engine.notifications().set_focused(if focused {
            WindowFocus::Focused
        } else {
            WindowFocus::Elsewhere
        });
    }
}

fn forward_event(app: &AppHandle<Wry>, tray: &TrayWatch, event: PanelEvent) {
    match &event {
        PanelEvent::Changed { tags } => tray.note_changes(tags),
        // A notification was clicked, perhaps one of another process.
        PanelEvent::Navigate { .. } => window::show(app),
        _ => {}
    }
    if let Err(error) = PanelMessage(event).emit(app) {
        tracing::warn!(%error, "an event did not reach the window");
    }
}
