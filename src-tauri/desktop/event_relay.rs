//! Forwards the core's events to the window and updates the tray.

use std::time::Duration;

use control::{ChangeTag, Core, CoreEvents, PanelEvent, WindowFocus};
use tauri::{AppHandle, Manager, Wry};
use tauri_specta::Event as _;

use crate::bindings::PanelMessage;
use crate::tray::Tray;

/// Pause between attempts to reconnect to the owner process, in seconds.
const RECONNECT_SECS: u64 = 2;

/// Relays events until the program ends.
pub(crate) fn start(app: &AppHandle<Wry>, core: Core) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        loop {
            if let Ok(mut events) = CoreEvents::subscribe(&core).await {
                // The events before the connection are unknown, so all data may be stale.
                forward_event(&app, &core, PanelEvent::Changed { tags: ChangeTag::ALL.to_vec() })
                    .await;
                while let Some(event) = events.next().await {
                    forward_event(&app, &core, event).await;
                }
            }
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

async fn forward_event(app: &AppHandle<Wry>, core: &Core, event: PanelEvent) {
    let status_changed =
        matches!(&event, PanelEvent::Changed { tags } if tags.contains(&ChangeTag::Status));
    if let Err(error) = PanelMessage(event).emit(app) {
        tracing::warn!(%error, "an event did not reach the window");
    }
    if status_changed {
        update_tray(app, core).await;
    }
}

async fn update_tray(app: &AppHandle<Wry>, core: &Core) {
    let Ok(status) = control::status(core).await else { return };
    let Ok(currency) = control::currency(core).await else { return };
    let tray = app.state::<Tray>();
    if let Err(error) = tray.show(&status, &currency) {
        tracing::warn!(%error, "the tray could not be updated");
    }
}
