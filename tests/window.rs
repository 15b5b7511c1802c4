//! The real window on a private screen, from the first start to the next day: a user's actions in
//! order, with a real keychain, real notifications and a real tray menu.
//!
//! It is one test, since each stage depends on the state that the previous one left. It drives the
//! page through WebKit's own driver, acts as the window manager, and saves a picture of every
//! screen in `target/xtask/window`. Build first: `cargo build --workspace --bins`.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says what it measured"
)]

mod window {
    pub(crate) mod charts;
    pub(crate) mod launch;
    pub(crate) mod outage;
    pub(crate) mod page_checks;
    pub(crate) mod panel;
    pub(crate) mod routes;
    pub(crate) mod screen;
    pub(crate) mod serve_alone;
    pub(crate) mod session;
    pub(crate) mod stages;
    pub(crate) mod tray;

    use std::time::Duration;

    use acceptance::await_or_fail;

    /// Polls another program with `look` until it returns something. Fails the test with `what`
    /// after a time limit.
    pub(crate) async fn poll_or_fail<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
        await_or_fail(what, poll(look)).await
    }

    /// Polls without a time limit.
    pub(crate) async fn poll<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
        const PAUSE: Duration = Duration::from_millis(100);
        let mut ticks = tokio::time::interval(PAUSE);
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    }
}

use test_support::{MARKED_KEY, search_tree};
use window::serve_alone::serve_alone_tells_an_outage_and_a_click_opens_the_window;
use window::stages::WindowTest;

#[tokio::test]
#[ignore = "needs a screen: cargo xtask test --only window"]
async fn from_the_first_start_to_the_day_after() {
    let Some(mut test) = WindowTest::start().await else { return };
    test.first_steps_are_shown().await;
    test.no_child_of_the_window_inherits_a_key().await;
    test.a_backend_is_added_with_a_new_key().await;
    test.a_client_is_connected().await;
    test.a_request_is_sent_and_counted().await;
    test.charts_are_read_zoomed_and_filtered_by_keyboard().await;
    test.a_key_is_added_with_the_keyboard_alone().await;
    test.the_checks_run_and_a_notification_comes().await;
    test.every_screen_is_accessible_and_without_the_key().await;
    test.a_route_is_made_and_explained().await;
    test.an_outage_costs_no_request_and_is_shown().await;
    test.a_reset_ends_the_outage().await;
    test.small_and_dark_nothing_is_lost().await;
    test.forged_commands_and_navigation_are_refused().await;
    test.the_tray_tells_the_state_and_does_what_it_says().await;
    test.a_tool_is_launched_in_a_terminal().await;
    test.the_window_closes_into_the_tray_and_comes_back().await;
    test.the_focus_decides_who_tells_an_outage().await;
    test.quit_and_started_again_all_is_as_it_was().await;
    let session = test.end().await;
    serve_alone_tells_an_outage_and_a_click_opens_the_window(&session).await;
    let found = search_tree(session.folder(), MARKED_KEY).expect("a search");
    assert!(found.is_empty(), "the key lies in {found:?}");
}

#[tokio::test]
#[ignore = "needs the desktop program: cargo xtask test --only window"]
async fn without_a_display_the_window_says_what_to_do() {
    let home = tempfile::tempdir().expect("a folder");
    let mut program = tokio::process::Command::new(acceptance::built_program("gatehouse-desktop"));
    program.env_clear().env("GATEHOUSE_HOME", home.path()).kill_on_drop(true);
    let said = acceptance::await_or_fail("the end of the window", program.output()).await;
    let said = said.expect("it starts");
    let text = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(1), "{text}");
    assert!(text.contains("no display") && text.contains("`gatehouse serve --panel`"), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}
