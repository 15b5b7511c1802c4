//! The stages of the window test, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use acceptance::{await_or_fail, built_program, loopback_address, post_chat};
use serde_json::{Value, json};
use test_support::{ChatText, MARKED_KEY, ReceivedRequest, Reply, ScriptedUpstream};
use thirtyfour::Key;

use super::page_checks::{
    assert_accessible, assert_no_fault, assert_no_key, assert_policy_holds, start_watching,
};
use super::panel::{PanelPage, SECRET_VARIABLES};
use super::poll_or_fail;
use super::session::DesktopSession;

/// The client whose token the requests use.
pub(super) const CLIENT: &str = "window-test";
/// A second secret, typed with the keyboard; no search needs it.
const SPARE_KEY: &str = "spare-key-of-the-keyboard-walk-0042";
/// Prompt and completion tokens that the backend reports.
const TOKENS: (u64, u64) = (1_234, 567);
/// The processes that `pid` started, directly and indirectly.
fn descendants(pid: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("processes").filter_map(Result::ok);
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may contain anything, so count the fields after it.
        let (_, fields) = stat.rsplit_once(')')?;
        Some((pid, fields.split_whitespace().nth(1)?.parse::<u32>().ok()?))
    };
    let parents: Vec<(u32, u32)> = pids.filter_map(parent).collect();
    let mut found = vec![pid];
    let mut looked_at = 0;
    while let Some(above) = found.get(looked_at).copied() {
        looked_at += 1;
        found.extend(parents.iter().filter(|(_, of)| *of == above).map(|(child, _)| *child));
    }
    found.split_off(1)
}

/// All screens of the panel.
const SCREENS: [&str; 12] = [
    "Overview",
    "Backends",
    "Keys",
    "Clients",
    "Routing",
    "Playground",
    "Usage",
    "Requests",
    "Readiness",
    "Health",
    "Alerts",
    "Settings",
];
/// Longest time with an empty window, in milliseconds; the measured time is printed.
const FIRST_PAINT_MS_MAX: u128 = 10_000;

/// A user's session, its window, and the provider whose key the user has.
pub(crate) struct WindowTest {
    pub(super) session: DesktopSession,
    pub(super) panel: PanelPage,
    pub(super) provider: ScriptedUpstream,
    /// While true, the provider answers with 503.
    pub(super) outage: Arc<AtomicBool>,
    score: String,
}

impl WindowTest {
    /// Starts the session and the program for the first time.
    pub(crate) async fn start() -> Option<Self> {
        let session = DesktopSession::start().await?;
        let outage = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&outage);
        let answer = move |request: &ReceivedRequest| match seen.load(Ordering::Relaxed) {
            true => Some(Reply::error(503, "server_error", "down for a while")),
            false => answer(request),
        };
        let provider = ScriptedUpstream::start_with(answer).await.expect("a provider");
        let panel = start_panel(&session, "first start").await;
        Some(Self { session, panel, provider, outage, score: String::new() })
    }

    /// An empty panel shows the next step and no problem.
    pub(crate) async fn first_steps_are_shown(&self) {
        self.panel.wait_for_text("First steps").await;
        self.panel.wait_for_text("0 of 4 done").await;
        self.panel.wait_for_text("Gateway running").await;
        self.save_picture("01-first-start").await;
    }

    /// Enters the key in its field; the backend is tested and becomes healthy.
    pub(crate) async fn a_backend_is_added_with_a_new_key(&self) {
        let panel = &self.panel;
        panel.press("Add backend").await;
        panel.find("//*[@role='dialog']//button[starts-with(normalize-space(.), 'Custom')]").await;
        assert_accessible(panel, "the choice of a provider").await;
        let custom = "//*[@role='dialog']//button[starts-with(normalize-space(.), 'Custom')]";
        panel.find(custom).await.click().await.expect("chosen");
        panel.fill("ID", "scripted").await;
        panel.fill("Display name", "Scripted").await;
        panel.fill("Address", &self.provider.base_url()).await;
        panel.fill("API key", MARKED_KEY).await;
        assert_accessible(panel, "the form of a backend").await;
        self.save_picture("02-backend-form").await;
        panel.press("Add and test").await;
        panel.wait_for_text("It works. All steps passed.").await;
        self.save_picture("03-backend-tested").await;
        panel.press("Done").await;
        panel.open_screen("Backends").await;
        panel.row("Scripted", |row| row.contains("Up")).await;
        self.save_picture("04-backends").await;
        let shown = self.provider.requests();
        assert!(shown.iter().any(knows_key), "the provider was shown the key");
    }

    /// Creates the client's token, which does not appear in the page.
    pub(crate) async fn a_client_is_connected(&self) {
        let panel = &self.panel;
        panel.open_screen("Overview").await;
        panel.wait_for_text("1 of 4 done").await;
        panel.press("Connect a client").await;
        panel.wait_for_text("No tools found").await;
        panel.press("Add client").await;
        panel.fill("Name", CLIENT).await;
        panel.press("Create token").await;
        panel.wait_for_text(&format!("Added {CLIENT}")).await;
        assert_accessible(panel, "a client").await;
        self.save_picture("05-client").await;
        panel.press("Close").await;
        let page = panel.script("return document.documentElement.outerHTML", vec![]).await;
        assert!(!page.to_string().contains(&self.token().await), "the token is in the page");
    }

    /// The command line gets the token from the running window; the tool's requests appear with
    /// tokens and cost.
    pub(crate) async fn a_request_is_sent_and_counted(&self) {
        let token = self.token().await;
        for model in ["scripted/scripted-small", "mock/chat"] {
            let request = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
            let answer =
                post_chat(loopback_address(self.session.gateway_port), &token, &request).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let panel = &self.panel;
        panel.open_screen("Usage").await;
        // This provider has no known prices: unknown is shown as unknown, never as zero.
        panel.wait_for_text("excludes 1 unpriced").await;
        self.save_picture("06-usage").await;
        panel.open_screen("Requests").await;
        let own = panel.row("scripted-small", |row| row.contains("1,234")).await;
        assert!(own.contains("567") && own.contains("unpriced"), "{own}");
        let unbilled = panel.row("mock/chat", |row| row.contains("not billed")).await;
        assert!(unbilled.contains(CLIENT), "{unbilled}");
        self.save_picture("06-requests").await;
        panel.open_screen("Overview").await;
        panel.wait_for_text("3 of 4 done").await;
    }

    /// Stores a key without a mouse, from any screen.
    pub(crate) async fn a_key_is_added_with_the_keyboard_alone(&self) {
        let panel = &self.panel;
        self.session.screen.focus_panel();
        panel.press_with_control('4').await;
        panel.wait_for_text("Stored in: system keychain").await;
        panel.tab_to("Add key").await;
        panel.press_keys(Key::Enter).await;
        panel.field("API key").await;
        panel.press_keys(SPARE_KEY).await;
        panel.press_keys(Key::Tab).await;
        panel.press_keys("spare").await;
        assert_accessible(panel, "the form of a key").await;
        self.save_picture("07-key-form").await;
        panel.press_keys(Key::Enter).await;
        panel.row("spare", |row| row.contains("0042")).await;
        self.save_picture("08-keys").await;
    }

    /// A run reports its score; a desktop notification comes only if the window has no focus.
    pub(crate) async fn the_checks_run_and_a_notification_comes(&mut self) {
        let panel = &self.panel;
        self.session.screen.focus_panel();
        self.panel_has_focus(true).await;
        panel.open_screen("Readiness").await;
        self.score = self.score_of_a_run().await;
        self.save_picture("09-readiness").await;
        let told = self.session.notifications().await;
        assert_eq!(told, Vec::<String>::new(), "the user was looking at the window");

        self.session.screen.focus_other();
        self.panel_has_focus(false).await;
        self.score = self.score_of_a_run().await;
        self.save_picture("10-notification").await;
        let told = poll_or_fail("a notification", async || {
            Some(self.session.notifications().await).filter(|told| !told.is_empty())
        })
        .await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("eady"), "{told:?}");
        println!("notification: {}; {}", told[0], self.score);
        panel.open_screen("Overview").await;
        panel.wait_for_text("All clear").await;
    }

    /// No screen has accessibility violations, throws, breaks the content security policy, or
    /// contains the key.
    pub(crate) async fn every_screen_is_accessible_and_without_the_key(&self) {
        for screen in SCREENS {
            self.panel.open_screen(screen).await;
            assert_accessible(&self.panel, screen).await;
            self.save_picture(&format!("11-{}", screen.to_lowercase())).await;
        }
        assert_no_key(&self.panel).await;
        assert_no_fault(&self.panel).await;
    }

    /// Keys in the environment reach the program, but none of its child processes.
    pub(crate) async fn no_child_of_the_window_inherits_a_key(&self) {
        let environment = |pid: u32| std::fs::read(format!("/proc/{pid}/environ"));
        let knows = |pid: u32, secret: &str| {
            let bytes = environment(pid).expect("readable");
            bytes.windows(secret.len()).any(|part| part == secret.as_bytes())
        };
        let window = self.session.window_pid().await;
        let children = descendants(window);
        assert!(!children.is_empty(), "WebKit runs in processes of its own");
        for (name, secret) in SECRET_VARIABLES {
            // Proves that the search works: the driver that started the window has the variable.
            assert!(knows(self.panel.driver_pid(), secret), "{name} was not set at all");
            for child in &children {
                assert!(!knows(*child, secret), "process {child} knows {name}");
            }
            // Only the administrator may read the window's own environment.
            if environment(window).is_ok() {
                assert!(!knows(window, secret), "the window's own environment shows {name}");
            }
        }
    }

    /// A compromised page can call only the operations, and cannot navigate away.
    pub(crate) async fn forged_commands_and_navigation_are_refused(&self) {
        let panel = &self.panel;
        for command in FORGED {
            let answer =
                panel.invoke_command(command, json!({"id": CLIENT, "req": {"id": CLIENT}})).await;
            let why = answer.expect_err(command).to_string();
            assert!(why.contains("not allowed") || why.contains("not found"), "{command}: {why}");
        }
        let frozen = panel.script("return Object.isFrozen(Object.prototype)", vec![]).await;
        assert_eq!(frozen, json!(true), "what all objects share can be changed");
        let lair = format!("http://{}/lair", self.provider.addr());
        let places = ["http://app.evil.test/", &lair, "data:text/html,gone", "file:///etc/passwd"];
        for place in places {
            panel.script("window.location = arguments[0]", vec![json!(place)]).await;
            panel.invoke_command("status", json!({})).await.expect("the panel is still there");
        }
        let windows = self.session.screen.titled_windows();
        panel.script("window.open(arguments[0])", vec![json!(lair)]).await;
        panel.invoke_command("status", json!({})).await.expect("the panel is still there");
        assert_eq!(self.session.screen.titled_windows(), windows, "another window was opened");
        let place = panel.script("return window.location.href", vec![]).await;
        assert!(place.to_string().contains("tauri://localhost"), "{place}");
        assert_eq!(panel.window_count().await, 1);
        assert_policy_holds(panel, &lair).await;
        let asked = self.provider.requests();
        assert!(!asked.iter().any(|request| request.path == "/lair"), "the page went abroad");
        panel.open_screen("Backends").await;
    }

    /// Closing hides the window and the gateway keeps running; a second start ends at once and
    /// shows the window again.
    pub(crate) async fn the_window_closes_into_the_tray_and_comes_back(&self) {
        let screen = &self.session.screen;
        screen.close_panel();
        poll_or_fail("the window goes", async || (!screen.shows_panel()).then_some(())).await;
        self.panel.invoke_command("status", json!({})).await.expect("the program goes on");
        assert!(is_healthy(self.session.gateway_port).await, "the gateway goes on");
        let second = await_or_fail("a second start", self.second_start()).await;
        assert_eq!(second, Some(0));
        poll_or_fail("the window comes back", async || screen.shows_panel().then_some(())).await;
        self.panel.open_screen("Overview").await;
        self.save_picture("12-back-again").await;
    }

    /// After Quit and a new start all data is there, and the key is read from the keychain.
    pub(crate) async fn quit_and_started_again_all_is_as_it_was(&mut self) {
        self.session.choose_in_tray("Quit").await;
        poll_or_fail("the program quits", async || {
            (!self.session.has_window_process().await).then_some(())
        })
        .await;
        assert!(!is_healthy(self.session.gateway_port).await, "Quit stops the gateway");
        let next = start_panel(&self.session, "second start").await;
        std::mem::replace(&mut self.panel, next).release().await;

        let panel = &self.panel;
        panel.wait_for_text("All clear").await;
        panel.open_screen("Backends").await;
        panel.row("Scripted", |row| row.contains("Up")).await;
        panel.open_screen("Keys").await;
        panel.row("spare", |row| row.contains("0042")).await;
        panel.open_screen("Clients").await;
        panel.row(CLIENT, |row| row.contains("unpriced")).await;
        panel.open_screen("Requests").await;
        panel.row("scripted-small", |row| row.contains("1,234")).await;
        panel.open_screen("Readiness").await;
        self.panel_shows_score(&self.score).await;
        self.save_picture("13-second-start").await;
        let before = self.provider.requests().len();
        let request = json!({"model": "scripted/scripted-small",
            "messages": [{"role": "user", "content": "again"}]});
        let answer =
            post_chat(loopback_address(self.session.gateway_port), &self.token().await, &request)
                .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(self.provider.requests().iter().skip(before).any(knows_key), "without its key");
        self.keychain_has_the_key().await;
        assert_no_key(panel).await;
        assert_no_fault(panel).await;
    }

    /// Quits for good. The folders are kept for the search.
    pub(crate) async fn end(self) -> DesktopSession {
        let Self { session, panel, .. } = self;
        session.choose_in_tray("Quit").await;
        poll_or_fail("the program quits", async || {
            (!session.has_window_process().await).then_some(())
        })
        .await;
        panel.release().await;
        session
    }

    async fn keychain_has_the_key(&self) {
        let keys = self.panel.invoke_command("keys", json!({})).await.expect("keys");
        let tail = MARKED_KEY.get(MARKED_KEY.len() - 4..).expect("a tail");
        let key = keys.as_array().and_then(|keys| keys.iter().find(|key| key["tail"] == tail));
        let id = key.and_then(|key| key["id"].as_str()).expect("the key's id");
        let words = ["lookup", "service", "gatehouse", "username", id];
        let kept = self.session.run("secret-tool", &words).await;
        assert!(kept.contains(MARKED_KEY), "the keychain has no such item: {id}");
    }

    pub(super) async fn token(&self) -> String {
        self.session.gatehouse(&["token", CLIENT]).await
    }

    async fn second_start(&self) -> Option<i32> {
        let mut command = self.session.command(built_program("gatehouse-desktop"));
        command.status().await.expect("it starts").code()
    }

    /// Runs the checks to their end, and returns the score shown in the page.
    async fn score_of_a_run(&self) -> String {
        let newest = async || {
            self.panel.invoke_command("readiness", json!({})).await.expect("runs")["run"].take()
        };
        let before = newest().await["id"].take();
        self.panel.press("Run all checks").await;
        let run = poll_or_fail("the end of a run", async || {
            let run = newest().await;
            (run["id"] != before && !run["ended_at"].is_null()).then_some(run)
        })
        .await;
        let tenths = run["score_tenths"].as_u64().expect("a score");
        let score = format!("Score {}.{} of 10", tenths / 10, tenths % 10);
        self.panel_shows_score(&score).await;
        score
    }

    async fn panel_shows_score(&self, score: &str) {
        self.panel.button("Run all checks").await;
        self.panel.find(&format!("//*[@role='img'][@aria-label='{score}']")).await;
    }

    pub(super) async fn panel_has_focus(&self, wanted: bool) {
        poll_or_fail("the focus moves", async || {
            let focused = self.panel.script("return document.hasFocus()", vec![]).await;
            (focused == Value::Bool(wanted)).then_some(())
        })
        .await;
    }

    pub(super) async fn save_picture(&self, name: &str) {
        self.panel.save_picture(&self.session, name).await;
    }
}

/// Commands that a page may not call: of plugins, of the window, and those that return tokens.
const FORGED: [&str; 10] = [
    "plugin:fs|read_file",
    "plugin:shell|open",
    "plugin:opener|open_url",
    "plugin:window|close",
    "plugin:webview|create_webview_window",
    "plugin:event|emit",
    "plugin:path|resolve_directory",
    "client_token",
    "client_issue",
    "key_reveal",
];

/// Starts the program, and prints the time until the verdict is visible.
#[expect(clippy::disallowed_methods, reason = "measures what a user waits, in real time")]
async fn start_panel(session: &DesktopSession, which: &str) -> PanelPage {
    let began = Instant::now();
    let panel = PanelPage::open(session).await;
    let verdict = panel.verdict().await;
    let waited = began.elapsed().as_millis();
    println!("{which}: {verdict:?} could be read after {waited} ms, driver included");
    assert!(waited < FIRST_PAINT_MS_MAX, "{which}: nothing to read for {waited} ms");
    start_watching(&panel).await;
    panel
}

/// A provider that requires its key.
fn answer(request: &ReceivedRequest) -> Option<Reply> {
    let usage = Some(TOKENS);
    let text = ChatText { model: "scripted-small", deltas: &["Hello"], usage };
    match (request.method.as_str(), request.path.as_str()) {
        _ if !request.path.starts_with("/v1/") => None,
        _ if !knows_key(request) => Some(Reply::error(401, "invalid_request_error", "no key")),
        ("GET", "/v1/models") => Some(Reply::models(&["scripted-small"])),
        ("POST", "/v1/chat/completions") => Some(Reply::chat(&text)),
        _ => None,
    }
}

fn knows_key(request: &ReceivedRequest) -> bool {
    request.authorization() == Some(&format!("Bearer {MARKED_KEY}"))
}

/// True if the gateway answers; `false` if nothing listens on the port.
async fn is_healthy(port: u16) -> bool {
    let Ok(mut client) = test_support::RawClient::connect(loopback_address(port)).await else {
        return false;
    };
    let host = format!("host: {}", loopback_address(port));
    client.send_request("GET /health HTTP/1.1", &[&host], b"").await.expect("sent");
    client.read_answer().await.is_ok_and(|answer| answer.status == 200)
}
