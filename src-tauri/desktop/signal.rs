//! A polite request to end, from a log-out or a service manager, is a Quit: answers in flight end and
//! the ledger is written.

use tauri::{AppHandle, Wry};

/// Quits when the system asks this process to end.
#[cfg(unix)]
pub(crate) fn end_on_request(app: AppHandle<Wry>) {
    use tokio::signal::unix::{SignalKind, signal};
    tauri::async_runtime::spawn(async move {
        let asked = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
        match asked {
            (Ok(mut terminate), Ok(mut interrupt)) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                app.exit(0);
            }
            _ => tracing::warn!(
                "termination signals cannot be received; Quit in the tray still works"
            ),
        }
    });
}

/// Windows tells a window to close instead.
#[cfg(not(unix))]
pub(crate) fn end_on_request(_: AppHandle<Wry>) {}
