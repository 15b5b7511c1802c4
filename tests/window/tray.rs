//! The stage about the tray: its menu is read and used over the session bus, as a desktop's panel does.

use acceptance::{loopback_address, post_chat};
use serde_json::{Value, json};
use test_support::MARKED_KEY;

use super::poll_or_fail;
use super::stages::WindowTest;

/// The submenu of the routes; clients have entries of the same names.
const ROUTES: &str = "First backend of a route";

impl WindowTest {
    /// The state and every command are in the menu, a command is done, and the menu then tells it.
    pub(crate) async fn the_tray_tells_the_state_and_does_what_it_says(&self) {
        let port = self.session.gateway_port;
        self.tray_shows(&format!("Copy base URL http://127.0.0.1:{port}")).await;
        let menu = self.session.tray_layout().await;
        let labels = labels(&menu);
        assert!(labels[0].ends_with(&format!("(port {port})")), "{labels:#?}");
        let starts = |words: &str| labels.iter().any(|label| label.starts_with(words));
        for words in ["Spend today: unknown (", ROUTES, "fast: Scripted", "Run checks"] {
            assert!(starts(words), "{words}: {labels:#?}");
        }
        assert!(labels.ends_with(&["Open Gatehouse".to_owned(), "Quit".to_owned()]), "{labels:#?}");
        for secret in [MARKED_KEY, &self.token().await] {
            assert!(!menu.contains(secret), "a secret is in the menu");
        }

        self.session.choose_in_tray("Pause gateway").await;
        self.tray_shows("Resume gateway").await;
        assert_eq!(self.ask_fast().await, 503);
        self.panel.wait_for_text("Gateway paused").await;
        self.session.choose_in_tray("Resume gateway").await;
        self.tray_shows("Pause gateway").await;
        assert_eq!(self.ask_fast().await, 200);

        self.session.choose_in_tray("Quiet for 1 hour").await;
        self.tray_shows("Quiet until ").await;
        self.session.choose_in_tray("Quiet until ").await;
        self.tray_shows("Quiet for 1 hour").await;

        assert_eq!(self.first_of_fast().await, json!("scripted"));
        self.session.choose_in_tray_below(ROUTES, "Mock").await;
        self.tray_shows("fast: Mock").await;
        assert_eq!(self.first_of_fast().await, json!("mock"));
        self.session.choose_in_tray_below(ROUTES, "Scripted").await;
        self.tray_shows("fast: Scripted").await;
    }

    /// Waits until a label of the menu begins so.
    async fn tray_shows(&self, words: &str) {
        poll_or_fail(words, async || {
            let menu = self.session.tray_layout().await;
            labels(&menu).iter().any(|label| label.starts_with(words)).then_some(())
        })
        .await;
    }

    /// The status of an answer to a request for the route.
    async fn ask_fast(&self) -> u16 {
        let ask =
            json!({"model": "fast", "messages": [{"role": "user", "content": "still there?"}]});
        let gateway = loopback_address(self.session.gateway_port);
        post_chat(gateway, &self.token().await, &ask).await.status
    }

    async fn first_of_fast(&self) -> Value {
        let routes = self.panel.invoke_command("routes", json!({})).await.expect("routes");
        routes["routes"][0]["candidates"][0]["backend"].clone()
    }
}

/// The labels in the order of the menu: `{'label': <'Quit'>, …}`.
fn labels(menu: &str) -> Vec<String> {
    let texts = menu.split("'label': <").skip(1);
    texts.filter_map(|text| text.get(1..)?.split(['\'', '"']).next().map(str::to_owned)).collect()
}
