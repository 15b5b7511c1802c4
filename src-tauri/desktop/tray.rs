//! The tray icon: four shapes that differ without colour, and a menu with all actions, since most
//! Linux hosts deliver no click on the icon.

use control::Core;
use control::view::{
    CheckSet, CurrencyView, GatewayState, ReadinessStart, StatusView, VerdictLevel,
};
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
    /// Updates icon, tooltip and menu from `status`, with amounts in `currency`.
    pub(crate) fn show(&self, status: &StatusView, currency: &CurrencyView) -> tauri::Result<()> {
        self.icon.set_icon(Some(tray_image(status.verdict.level)?))?;
        self.icon.set_tooltip(Some(format!("Gatehouse: {}", status.verdict.sentence)))?;
        self.state.set_text(state_line(status))?;
        self.spend.set_text(spend_line(status, currency))
    }
}

/// The verdict, the worst of several issues by its name, and where clients call.
fn state_line(status: &StatusView) -> String {
    let port = status.gateway.port;
    if status.gateway.state == GatewayState::Failed {
        return format!("Gateway not running, port {port}");
    }
    let sentence = &status.verdict.sentence;
    match status.verdict.needs.as_slice() {
        [worst, _, ..] => format!("{sentence}, first: {} (port {port})", worst.title),
        _ => format!("{sentence} (port {port})"),
    }
}

fn spend_line(status: &StatusView, currency: &CurrencyView) -> String {
    let spend = status.spend_today;
    let cost = spend.cost_nano_usd.shown_in(currency.shown());
    match spend.unpriced_requests.0 {
        0 => format!("Spend today: {cost}"),
        number => format!("Spend today: {cost}, {number} unpriced"),
    }
}

fn tray_image(level: VerdictLevel) -> tauri::Result<Image<'static>> {
    Image::from_bytes(match level {
        VerdictLevel::Ok => include_bytes!("../../icons/tray-ok-32.png"),
        VerdictLevel::Unknown | VerdictLevel::NotSetUp => {
            include_bytes!("../../icons/tray-unknown-32.png")
        }
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
                let full = ReadinessStart { set: CheckSet::Full };
                if let Err(error) = control::readiness_start(&core, full).await {
                    tracing::warn!(%error, "the checks could not be started from the tray");
                }
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn need(id: &str, level: &str, title: &str) -> Value {
        json!({"id": id, "level": level, "title": title, "impact": "", "since": null,
            "action": {"kind": "open_ledger"}})
    }

    /// The lines of a status with this verdict, gateway and spend.
    fn lines(verdict: &Value, gateway: &str, unpriced: u64) -> [String; 2] {
        let status = json!({
            "version": "0.1.0", "now": 0, "started_at": 0, "verdict": verdict,
            "gateway": {"state": gateway, "address": "http://127.0.0.1:4283", "port": 4283,
                "reason": null},
            "vault": {"kind": "file", "state": "ready", "hint": "", "keychain_missing": false,
                "file_exists": true, "set_by_environment": false},
            "backends": {"total": 1, "up": 1, "down": 0, "unknown": 0, "disabled": 0},
            "requests_in_flight": 0,
            "spend_today": {"cost_nano_usd": 1_234_000_000, "requests": 9, "unpriced_requests": unpriced},
            "first_steps": {"backend_added": true, "client_added": true, "request_seen": true,
                "checks_run": true},
            "last_run": null, "data_folder": "/h",
        });
        let status: StatusView = serde_json::from_value(status).expect("a status");
        let dollars = json!({"code": "USD", "rate": "1", "minor_digits": 2, "has_symbol": true,
            "source": null, "source_url": null, "as_of": null, "is_own": false, "finding": null});
        let dollars: CurrencyView = serde_json::from_value(dollars).expect("a currency");
        [state_line(&status), spend_line(&status, &dollars)]
    }

    #[test]
    fn a_ledger_that_is_in_trouble_stands_in_the_tray() {
        let full = need("ledger/disk-full", "problem", "The ledger cannot be written");
        let slow = need("ledger/slow", "attention", "The ledger is behind");
        let down = need("backend/b", "problem", "Groq is down");
        let verdict = |level: &str, sentence: &str, needs: &[&Value]| json!({"level": level, "sentence": sentence, "needs": needs});
        let state = |verdict: Value| lines(&verdict, "listening", 0)[0].clone();
        assert_eq!(state(verdict("ok", "Everything works", &[])), "Everything works (port 4283)");
        assert_eq!(
            state(verdict("attention", "The ledger is behind", &[&slow])),
            "The ledger is behind (port 4283)"
        );
        // Several are counted in the sentence, which names none of them.
        assert_eq!(
            state(verdict("problem", "2 issues", &[&full, &down])),
            "2 issues, first: The ledger cannot be written (port 4283)"
        );
        let stopped = lines(&verdict("problem", "2 issues", &[&full, &down]), "failed", 0);
        assert_eq!(stopped[0], "Gateway not running, port 4283");
    }

    #[test]
    fn spend_says_what_it_leaves_out() {
        let calm = json!({"level": "ok", "sentence": "Everything works", "needs": []});
        assert_eq!(lines(&calm, "listening", 0)[1], "Spend today: $1.23");
        assert_eq!(lines(&calm, "listening", 3)[1], "Spend today: $1.23, 3 unpriced");
    }
}
