//! The tray icon: four shapes that differ without colour, and a menu with all actions, since most
//! Linux hosts deliver no click on the icon.

use control::Core;
use control::view::{CheckSetView, GatewayState, ReadinessStart, StatusView, VerdictLevel};
use tauri::image::Image;
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry};

use crate::window;

/// Handles to the tray parts that change later.
pub(crate) struct Tray {
    icon: TrayIcon<Wry>,
    state: MenuItem<Wry>,
    spend: MenuItem<Wry>,
}

pub(crate) fn create(app: &AppHandle<Wry>) -> tauri::Result<Tray> {
    let item = |id: &str, text: &str| MenuItem::with_id(app, id, text, true, None::<&str>);
    let note = |id: &str, text: &str| MenuItem::with_id(app, id, text, false, None::<&str>);
    let line = || PredefinedMenuItem::separator(app);
    let state = note("state", "Gatehouse is starting")?;
    let spend = note("spend", "Spend today: none yet")?;
    let menu = Menu::with_items(
        app,
        &[
            &state,
            &spend,
            &line()?,
            &item("checks", "Run checks")?,
            &item("open", "Open Gatehouse")?,
            &line()?,
            &item("quit", "Quit")?,
        ],
    )?;
    let icon = TrayIconBuilder::with_id("gatehouse")
        .icon(tray_image(VerdictLevel::Ok)?)
        .tooltip("Gatehouse")
        .menu(&menu)
        .on_menu_event(on_menu_event)
        .build(app)?;
    Ok(Tray { icon, state, spend })
}

impl Tray {
    /// Updates icon, tooltip and menu from `status`.
    pub(crate) fn show(&self, status: &StatusView) -> tauri::Result<()> {
        self.icon.set_icon(Some(tray_image(status.verdict.level)?))?;
        self.icon.set_tooltip(Some(format!("Gatehouse: {}", status.verdict.sentence)))?;
        self.state.set_text(state_line(status))?;
        self.spend.set_text(spend_line(status))
    }
}

fn state_line(status: &StatusView) -> String {
    match status.gateway.state {
        GatewayState::Listening => {
            format!("{} on port {}", status.verdict.sentence, status.gateway.port)
        }
        GatewayState::Failed => format!("Gateway not running, port {}", status.gateway.port),
    }
}

fn spend_line(status: &StatusView) -> String {
    let spend = status.spend_today;
    match spend.unpriced_requests.0 {
        0 => format!("Spend today: {}", spend.cost),
        number => format!("Spend today: {}, {number} unpriced", spend.cost),
    }
}

fn tray_image(level: VerdictLevel) -> tauri::Result<Image<'static>> {
    Image::from_bytes(match level {
        VerdictLevel::Ok => include_bytes!("../../icons/tray-ok-32.png"),
        VerdictLevel::Unknown => include_bytes!("../../icons/tray-unknown-32.png"),
        VerdictLevel::Attention => include_bytes!("../../icons/tray-attention-32.png"),
        VerdictLevel::Problem => include_bytes!("../../icons/tray-problem-32.png"),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the form that Tauri calls")]
fn on_menu_event(app: &AppHandle<Wry>, event: MenuEvent) {
    match event.id().as_ref() {
        "open" => window::show(app),
        "quit" => app.exit(0),
        "checks" => {
            let core = app.state::<Core>().inner().clone();
            window::show(app);
            tauri::async_runtime::spawn(async move {
                let full = ReadinessStart { set: CheckSetView::Full };
                if let Err(error) = control::readiness_start(&core, full).await {
                    tracing::warn!(%error, "the checks could not be started from the tray");
                }
            });
        }
        _ => {}
    }
}
