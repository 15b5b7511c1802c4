//! The last stage: the program without a window, in the same session.

use std::time::Duration;

use acceptance::built_program;

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
    assert!(told[0].contains("Scripted"), "{told:?}");
    session.run("kill", &[&session.window_pid().await.to_string()]).await;
    serve.kill().await.expect("it ends");
}
