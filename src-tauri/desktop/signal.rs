//! Treats a termination signal, sent at log-out or by a service manager, as Quit: responses in
//! flight end and the ledger is written.

use tauri::{AppHandle, Wry};

/// Quits on SIGTERM or SIGINT.
#[cfg(unix)]
pub(crate) fn quit_on_signal(app: AppHandle<Wry>) {
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

/// Windows closes the window instead.
#[cfg(not(unix))]
pub(crate) fn quit_on_signal(_: AppHandle<Wry>) {}
