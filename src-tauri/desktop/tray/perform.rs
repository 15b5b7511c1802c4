//! Does what a row of the menu says, off the main thread, and says why if it is refused.

use std::sync::Arc;

use control::view::{
    AlertSilence, CheckSet, ClientRef, ClientSwitch, ReadinessStart, RouteEdit, RouteView,
    SilenceRef, UnixMs,
};
use control::{
    ApiError, Core, DesktopChannel, Notification, NotificationChannel as _, PanelEvent, Urgency,
};
use domain::cut_between_words;
use tauri::{AppHandle, Manager, Wry};
use tauri_specta::Event as _;

use super::clipboard::SharedClipboard;
use super::command::TrayCommand;
use super::menu::is_for_all;
use super::watch::TrayWatch;
use crate::bindings::PanelMessage;
use crate::window;

/// How long notifications stay away, in milliseconds.
const QUIET_MS: i64 = 3_600_000;
/// Longest text of a notification, in characters.
const BODY_CHARS_MAX: usize = 120;
/// Of all notifications from the tray one is shown, the newest.
const NOTIFICATION_KEY: &str = "tray";

/// Shows why a command was refused.
#[derive(Clone)]
pub(crate) struct TrayNotifier(pub(crate) Arc<DesktopChannel>);

/// Returns at once; what takes time goes on in the background.
pub(super) fn perform(app: &AppHandle<Wry>, command: TrayCommand) {
    match command {
        TrayCommand::Open => window::show(app),
        TrayCommand::OpenPage(path) => open_page(app, path),
        TrayCommand::Quit => app.exit(0),
        other => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                let core = app.state::<Core>().inner().clone();
                let outcome = call(&app, &core, &other).await;
                let told = outcome.map_err(|error| refusal(&app, &other, &error));
                app.state::<TrayWatch>().note_outcome(told);
            });
        }
    }
}

async fn call(app: &AppHandle<Wry>, core: &Core, command: &TrayCommand) -> Result<(), ApiError> {
    match command {
        TrayCommand::Open | TrayCommand::OpenPage(_) | TrayCommand::Quit => Ok(()),
        TrayCommand::RunChecks => {
            control::readiness_start(core, ReadinessStart { set: CheckSet::Full }).await?;
            open_page(app, "/readiness".to_owned());
            Ok(())
        }
        TrayCommand::PauseGateway => control::gateway_pause(core).await.map(drop),
        TrayCommand::ResumeGateway => control::gateway_resume(core).await.map(drop),
        TrayCommand::CopyAddress => copy_address(core).await,
        TrayCommand::Quiet => silence_all(core).await,
        TrayCommand::EndQuiet => end_silences(core).await,
        TrayCommand::PutFirst { route, backend, model } => {
            put_first(core, route, backend, model.as_deref()).await
        }
        TrayCommand::BlockClient(client) => {
            control::client_block(core, ClientRef { id: client.clone() }).await.map(drop)
        }
        TrayCommand::AllowClient(client) => {
            control::client_allow(core, ClientRef { id: client.clone() }).await.map(drop)
        }
        TrayCommand::SwitchClient { client, backend, route } => {
            let (id, backend, route) = (client.clone(), backend.clone(), route.clone());
            control::client_switch(core, ClientSwitch { id, backend, route }).await.map(drop)
        }
    }
}

fn open_page(app: &AppHandle<Wry>, path: String) {
    window::show(app);
    if let Err(error) = PanelMessage(PanelEvent::Navigate { path }).emit(app) {
        tracing::warn!(%error, "an event did not reach the window");
    }
}

async fn copy_address(core: &Core) -> Result<(), ApiError> {
    static CLIPBOARD: std::sync::LazyLock<SharedClipboard> =
        std::sync::LazyLock::new(SharedClipboard::default);
    let address = control::status(core).await?.gateway.address;
    let copying = tauri::async_runtime::spawn_blocking(move || CLIPBOARD.copy(&address));
    let copied = copying.await.map_err(|error| ApiError::failed(error.to_string()))?;
    copied.map_err(|error| ApiError::failed(format!("{error:#}")))
}

async fn silence_all(core: &Core) -> Result<(), ApiError> {
    let now = control::status(core).await?.now;
    let silence = AlertSilence {
        rule: None,
        scope: None,
        reason: "quiet for 1 hour".to_owned(),
        until: UnixMs(now.0.saturating_add(QUIET_MS)),
    };
    control::alert_silence(core, silence).await.map(drop)
}

async fn end_silences(core: &Core) -> Result<(), ApiError> {
    for silence in control::alerts(core).await?.silences.iter().filter(|it| is_for_all(it)) {
        control::silence_remove(core, SilenceRef { number: silence.number }).await?;
    }
    Ok(())
}

async fn put_first(
    core: &Core,
    route: &str,
    backend: &str,
    model: Option<&str>,
) -> Result<(), ApiError> {
    let routes = control::routes(core).await?.routes;
    let found = routes.into_iter().find(|known| known.id == route).map(RouteView::into_edit);
    let edit = found.ok_or_else(|| ApiError::not_found(format!("there is no route named {route}")));
    let edit: Option<RouteEdit> = edit?.with_first(backend, model);
    let gone = || ApiError::not_found(format!("{route} has no backend {backend} any more"));
    control::route_set(core, edit.ok_or_else(gone)?).await.map(drop)
}

/// Says why by a notification, and returns it for the menu.
fn refusal(app: &AppHandle<Wry>, command: &TrayCommand, error: &ApiError) -> String {
    let title = match command {
        TrayCommand::RunChecks => "The checks did not start",
        TrayCommand::PauseGateway => "The gateway was not paused",
        TrayCommand::ResumeGateway => "The gateway was not resumed",
        TrayCommand::CopyAddress => "The base URL was not copied",
        TrayCommand::Quiet => "Notifications were not silenced",
        TrayCommand::EndQuiet => "Notifications are still silenced",
        TrayCommand::PutFirst { .. } => "The route was not changed",
        TrayCommand::SwitchClient { .. } => "The client was not switched",
        TrayCommand::BlockClient(_) => "The client was not blocked",
        TrayCommand::AllowClient(_) => "The client is still blocked",
        TrayCommand::Open | TrayCommand::OpenPage(_) | TrayCommand::Quit => "It was not done",
    };
    tracing::warn!(%error.message, title, "a command of the tray was refused");
    let hint = error.hint.as_deref().map(|hint| format!(". {hint}")).unwrap_or_default();
    let notification = Notification {
        key: NOTIFICATION_KEY.to_owned(),
        title: title.to_owned(),
        body: cut_between_words(&format!("{}{hint}", error.message), BODY_CHARS_MAX),
        urgency: Urgency::Normal,
        path: "/".to_owned(),
        has_sound: false,
        alerts: Vec::new(),
    };
    let TrayNotifier(channel) = app.state::<TrayNotifier>().inner().clone();
    // Without a program that shows notifications, the menu says it.
    tauri::async_runtime::spawn_blocking(move || channel.deliver(&notification));
    format!("{title}: {}", error.message)
}
