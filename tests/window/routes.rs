//! The stages about routes: one is created in its form, and an outage of a backend behind it is
//! visible only in the panel.

use acceptance::{loopback_address, post_chat};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use test_support::ReceivedRequest;

use super::page_checks::{assert_accessible, assert_no_fault};
use super::poll_or_fail;
use super::stages::WindowTest;

/// More than the consecutive failures that open a breaker.
const QUESTIONS: usize = 8;

/// The smallest size of the window.
const SMALLEST: (u32, u32) = (900, 600);
const USUAL: (u32, u32) = (1_280, 800);

impl WindowTest {
    /// Creates a route over two backends and explains which one would serve it.
    pub(crate) async fn a_route_is_made_and_explained(&self) {
        let panel = &self.panel;
        self.session.screen.focus_panel();
        panel.open_screen("Routing").await;
        panel.wait_for_text("No routes yet. Requests go by model name.").await;
        self.save_picture("12-no-routes").await;
        panel.press("Create a route named fast").await;
        panel.press("Add backend").await;
        assert_accessible(panel, "the form of a route").await;
        self.save_picture("12-route-form").await;
        panel.find("//*[@role='dialog']//button[normalize-space(.)='Add route']").await;
        panel.press("Add route").await;
        panel.wait_for_text("Use fast as the model name.").await;
        self.save_picture("12-route").await;
        panel.press("Close").await;
        panel.wait_for_text("is the first of 2 in the route fast").await;
        assert_accessible(panel, "Routing").await;
        self.save_picture("12-routes").await;
    }

    /// While the first backend fails, the second one answers, and all screens show the same.
    pub(crate) async fn an_outage_costs_no_request_and_is_shown(&self) {
        let (panel, token) = (&self.panel, self.token().await);
        self.outage.store(true, Ordering::Relaxed);
        for number in 0..QUESTIONS {
            let words = format!("question {number}");
            let ask = json!({"model": "fast", "messages": [{"role": "user", "content": words}]});
            let answer = post_chat(loopback_address(self.session.gateway_port), &token, &ask).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.header("x-gatehouse-backend"), Some("mock"));
        }
        // The last request came while the breaker was open.
        let last = format!("question {}", QUESTIONS - 1);
        let came = |request: &ReceivedRequest| request.json().to_string().contains(&last);
        assert!(!self.provider.requests().iter().any(came), "an open breaker let it through");
        let strip = "//ol[@aria-label='Candidates of fast']//a[contains(@aria-label, ': Tripped')]";
        panel.find(strip).await;
        self.save_picture("13-outage-routing").await;
        panel.open_screen("Backends").await;
        panel.row("Scripted", |row| row.contains("Down")).await;
        self.save_picture("13-outage-backends").await;
        panel.press_row("Scripted").await;
        panel.press("Resilience").await;
        panel.wait_for_text("Retries in").await;
        assert_accessible(panel, "Resilience").await;
        self.save_picture("13-outage-resilience").await;
        panel.press("Close").await;
        panel.open_screen("Requests").await;
        panel.press_row("fast").await;
        panel.wait_for_text("route fast").await;
        assert_accessible(panel, "the way of a request").await;
        self.save_picture("13-outage-request").await;
        panel.press("Close").await;
        assert_no_fault(panel).await;
    }

    /// The provider is back: after a manual reset and a test everything works as before.
    pub(crate) async fn a_reset_ends_the_outage(&self) {
        let panel = &self.panel;
        self.outage.store(false, Ordering::Relaxed);
        panel.open_screen("Backends").await;
        panel.press_row("Scripted").await;
        panel.press("Resilience").await;
        panel.press("Reset").await;
        panel.wait_for_text("Reset manually.").await;
        panel.press("Close").await;
        for _ in 0..2 {
            let tested =
                panel.invoke_command("backend_test", json!({"req": {"id": "scripted"}})).await;
            tested.expect("tested");
        }
        panel.row("Scripted", |row| row.contains("Up")).await;
        let ready: Value = panel.invoke_command("accesses", json!({})).await.expect("accesses");
        let states = ready.to_string();
        assert!(states.contains("\"ready\"") && !states.contains("\"open\""), "{states}");
    }

    /// At the smallest size and in both themes everything is present and readable.
    pub(crate) async fn small_and_dark_nothing_is_lost(&self) {
        let panel = &self.panel;
        for (theme, size) in [("Dark", USUAL), ("Dark", SMALLEST), ("Light", SMALLEST)] {
            panel.open_screen("Settings").await;
            panel
                .find(&format!("//*[@role='radio'][normalize-space(.)='{theme}']"))
                .await
                .click()
                .await
                .expect(theme);
            poll_or_fail("the colours change", async || {
                let now = panel.script("return document.documentElement.dataset.theme", vec![]);
                (now.await == json!(theme.to_lowercase())).then_some(())
            })
            .await;
            self.session.screen.resize_panel(size);
            for screen in
                ["Overview", "Backends", "Routing", "Playground", "Usage", "Requests", "Settings"]
            {
                panel.open_screen(screen).await;
                assert_accessible(panel, screen).await;
                let name =
                    format!("14-{}-{}-{}", theme.to_lowercase(), size.0, screen.to_lowercase());
                self.save_picture(&name).await;
                let wide = panel
                    .script("return document.documentElement.scrollWidth - innerWidth", vec![])
                    .await;
                assert!(
                    wide.as_i64().is_some_and(|beyond| beyond <= 0),
                    "{screen} is {wide} px too wide"
                );
            }
        }
        self.session.screen.resize_panel(USUAL);
    }
}
