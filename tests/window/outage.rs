//! The stage about outages: the window tells them while it has the focus, the desktop while it is
//! hidden.

use std::time::Duration;

use serde_json::{Value, json};
use test_support::ClosedPort;

use super::stages::WindowTest;
use super::{poll, poll_or_fail};

/// Longest time until an outage is told: three probes, and the ten seconds in which others may join a
/// critical alert.
const OUTAGE_TOLD_MAX: Duration = Duration::from_secs(60);

impl WindowTest {
    /// An outage is a toast of the window that has the focus. One that comes while the window is hidden is a
    /// notification, and a click on it brings the window back, with what it is about.
    pub(crate) async fn the_focus_decides_who_tells_an_outage(&self) {
        let (panel, screen, session) = (&self.panel, &self.session.screen, &self.session);
        screen.focus_panel();
        self.panel_has_focus(true).await;
        let before = session.notifications().await.len();
        // Each has an address of its own, so that one outage is no part of the other.
        let [near, far] = std::array::from_fn(|_| ClosedPort::bind().expect("a port"));
        self.add_dead_backend("near", &near).await;
        let is_told = async || panel.script(HAS_TOAST, vec![json!("near is down")]).await;
        let toast = poll(async || (is_told().await == json!(true)).then_some(()));
        tokio::time::timeout(OUTAGE_TOLD_MAX, toast).await.expect("a toast of the window");
        self.save_picture("14-outage-in-window").await;
        assert_eq!(
            session.notifications().await.len(),
            before,
            "the user was looking at the window"
        );

        screen.close_panel();
        poll_or_fail("the window goes", async || (!screen.shows_panel()).then_some(())).await;
        self.add_dead_backend("far", &far).await;
        let is_shown = async || session.run("dunstctl", &["count", "displayed"]).await != "0";
        // Twice, since the program listens for a click only after it was shown.
        let told = poll(async || (is_shown().await && is_shown().await).then_some(()));
        tokio::time::timeout(OUTAGE_TOLD_MAX, told).await.expect("a notification");
        session.run("dunstctl", &["action", "0"]).await;
        poll_or_fail("the window comes back", async || screen.shows_panel().then_some(())).await;
        panel.wait_for_text("far").await;
        let told = session.notifications().await;
        assert_eq!(told.len(), before + 1, "{told:?}");
        assert!(told[0].contains("far"), "{told:?}");
        println!("hidden window: {}", told[0]);
        for id in ["near", "far"] {
            let removed = panel.invoke_command("backend_remove", json!({"req": {"id": id}})).await;
            removed.expect("removed");
        }
    }

    async fn add_dead_backend(&self, id: &str, nobody: &ClosedPort) {
        let address = nobody.base_url();
        let kind = ["--kind", "openai-compatible", "--base-url", &address, "--no-key"];
        let added = self.session.gatehouse(&[&["backends", "add", id], &kind[..]].concat()).await;
        let known = self.panel.invoke_command("backends", json!({})).await.expect("backends");
        assert!(has_backend(&known, id), "{added}");
    }
}

/// True if a toast has these words. Others name the outage too.
const HAS_TOAST: &str = "
    const isToast = (item) => item.querySelector('[aria-label=\"Dismiss\"]') !== null;
    return [...document.querySelectorAll('li')]
        .some((item) => isToast(item) && item.textContent.includes(arguments[0]));
";

fn has_backend(known: &Value, id: &str) -> bool {
    known.to_string().contains(&format!("\"id\":\"{id}\""))
}
