//! The last stage: the program without a window, in the same session.

use std::time::Duration;

use acceptance::built_program;
use test_support::ClosedPort;

use super::session::DesktopSession;
use super::{poll, poll_or_fail};

/// Longest time from the start of the program to the notification that a backend is down: three
/// probes, and the ten seconds in which others may join a critical alert.
const OUTAGE_TOLD_MAX: Duration = Duration::from_secs(60);

/// Without the window, `gatehouse serve` tells that the backend is gone, and a click opens the window.
pub(crate) async fn serve_alone_tells_an_outage_and_a_click_opens_the_window(
    session: &DesktopSession,
) {
    let before = session.notifications().await.len();
    // The window's process may still be ending; this waits for it.
    let program = built_program("gatehouse").display().to_string();
    let _was_running = session.try_run(&program, &["stop"]).await;
    // Another backend than the one whose outage was told some minutes ago: that it came back down is
    // told once it has lasted.
    let nobody = ClosedPort::bind().expect("a port");
    let address = nobody.base_url();
    let kind = ["--kind", "openai-compatible", "--base-url", &address, "--no-key"];
    session.gatehouse(&[&["backends", "add", "gone"], &kind[..]].concat()).await;
    let mut serve = session.command(built_program("gatehouse"));
    let mut serve = serve.arg("serve").spawn().expect("it starts");
    let shown = async || session.run("dunstctl", &["count", "displayed"]).await != "0";
    // Twice, since the program listens for a click only after it was shown.
    let told = poll(async || (shown().await && shown().await).then_some(()));
    tokio::time::timeout(OUTAGE_TOLD_MAX, told).await.expect("a notification");
    session.run("dunstctl", &["action", "0"]).await;
    poll_or_fail("the window opens", async || session.has_window_process().await.then_some(()))
        .await;
    let told = session.notifications().await;
    println!("serve alone: {}", told[0]);
    assert_eq!(told.len(), before + 1, "{told:?}");
    assert!(told[0].contains("gone"), "{told:?}");
    session.run("kill", &[&session.window_pid().await.to_string()]).await;
    serve.kill().await.expect("it ends");
}
