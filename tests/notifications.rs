//! Desktop notifications of the built program, as a notification server receives them.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod notifications {
    mod marks;
}

use std::time::Duration;

use acceptance::{HomeVault, TestHome, TestServer, await_or_fail};
use test_support::{
    ClosedPort, NotificationServer, PrivateBus, ReceivedNotification, ReceivedRequest, Reply,
    ScriptedUpstream, ServerCall, has_programs,
};

/// Longest time until something is told: three probes, the wait in which others may join, and the
/// time for which an alert is kept after its end.
const TOLD_MAX: Duration = Duration::from_secs(60);

/// Longest time until the end of an alert is told: it is kept for two minutes.
const END_TOLD_MAX: Duration = Duration::from_secs(240);

/// Interval between looks at what tells no change.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// A home on a bus of its own, with a display that nobody looks at.
fn home_on_a_bus() -> Option<(TestHome, PrivateBus)> {
    if !has_programs(&["dbus-daemon"], "dbus") {
        return None;
    }
    let mut home = TestHome::new(HomeVault::Memory);
    let bus = PrivateBus::start(home.path()).expect("a bus");
    home.set("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    home.set("DISPLAY", ":9");
    Some((home, bus))
}

async fn next_call(server: &mut NotificationServer) -> ServerCall {
    let call = tokio::time::timeout(TOLD_MAX, server.calls.recv()).await;
    call.expect("a call in time").expect("the server runs")
}

async fn next_notification(server: &mut NotificationServer) -> ReceivedNotification {
    match next_call(server).await {
        ServerCall::Notify(received) => received,
        ServerCall::Close(id) => panic!("{id} is closed"),
    }
}

async fn add_backend(home: &TestHome, name: &str, address: &str) {
    let kind = ["--kind", "openai-compatible", "--base-url", address, "--no-key"];
    home.gatehouse(&[&["backends", "add", name], &kind[..]].concat()).run().await.expect_success();
}

async fn serve_until_told(
    home: &TestHome,
    desktop: &mut NotificationServer,
) -> (TestServer, ReceivedNotification) {
    let served = home.serve().await;
    let told = next_notification(desktop).await;
    assert!(told.title.contains("gone"), "{told:?}");
    (served, told)
}

/// Waits until the ledger holds the id of what is shown, which follows the call of the server.
async fn wait_until_saved(home: &TestHome, id: u32) {
    let is_saved = || {
        let state = home
            .ledger()
            .query_row("SELECT json FROM alert_state", [], |row| row.get::<_, String>(0));
        // It may be busy.
        state.is_ok_and(|state| state.contains(&format!("\"id\":{id},\"path\"")))
    };
    let mut ticks = tokio::time::interval(LOOK_INTERVAL);
    await_or_fail("the id in the ledger", async {
        while !is_saved() {
            ticks.tick().await;
        }
    })
    .await;
}

fn lists_models(_: &ReceivedRequest) -> Option<Reply> {
    Some(Reply::models(&["m"]))
}

#[tokio::test]
async fn what_a_killed_program_showed_is_withdrawn_by_the_next_one_when_it_is_over() {
    let Some((home, bus)) = home_on_a_bus() else { return };
    let mut desktop =
        NotificationServer::start_at(&bus.address, &["body", "actions"]).expect("the name is free");
    let nobody = ClosedPort::bind().expect("a port");
    add_backend(&home, "gone", &nobody.base_url()).await;
    let (served, told) = serve_until_told(&home, &mut desktop).await;
    wait_until_saved(&home, told.id).await;
    let stored = "SELECT count(*) FROM alerts WHERE notified_ms IS NOT NULL";
    let notified = home.ledger().query_row(stored, [], |row| row.get::<_, u32>(0));
    assert_eq!(notified, Ok(1), "its history says that it was shown");
    served.kill().await;

    let upstream = ScriptedUpstream::start_with(lists_models).await.expect("an upstream");
    let address = upstream.base_url();
    home.gatehouse(&["backends", "edit", "gone", "--base-url", &address])
        .run()
        .await
        .expect_success();
    let _served = home.serve().await;
    assert_eq!(next_call(&mut desktop).await, ServerCall::Close(told.id));
}

#[tokio::test]
async fn what_was_lost_with_the_desktops_program_is_shown_once_more_and_then_withdrawn() {
    let Some((home, bus)) = home_on_a_bus() else { return };
    let start = || {
        NotificationServer::start_at(&bus.address, &["body", "actions"]).expect("the name is free")
    };
    let mut first = start();
    let nobody = ClosedPort::bind().expect("a port");
    add_backend(&home, "gone", &nobody.base_url()).await;
    let (_served, told) = serve_until_told(&home, &mut first).await;
    wait_until_saved(&home, told.id).await;
    // Others take the ids of the next desktop's program.
    drop(first);
    let mut second = start();
    let again = next_notification(&mut second).await;
    assert_eq!((again.title, again.replaces_id), (told.title, 0));

    let upstream = ScriptedUpstream::start_with(lists_models).await.expect("an upstream");
    let address = upstream.base_url();
    let edit = home.gatehouse(&["backends", "edit", "gone", "--base-url", &address]);
    edit.run().await.expect_success();
    assert_eq!(next_call(&mut second).await, ServerCall::Close(again.id), "it came once");
}

/// Chooses something on the notification of a backend that is down.
async fn choose(action: &str) -> Option<(TestHome, PrivateBus, NotificationServer, TestServer)> {
    let (home, bus) = home_on_a_bus()?;
    let mut desktop =
        NotificationServer::start_at(&bus.address, &["body", "actions"]).expect("the name is free");
    let nobody = ClosedPort::bind().expect("a port");
    add_backend(&home, "gone", &nobody.base_url()).await;
    let (served, told) = serve_until_told(&home, &mut desktop).await;
    assert!(told.actions.iter().any(|offered| offered == action), "{told:?}");
    // The program knows the id by then, as for every user who reads before pressing.
    wait_until_saved(&home, told.id).await;
    desktop.press(told.id, action).expect("sent");
    assert_eq!(next_call(&mut desktop).await, ServerCall::Close(told.id));
    Some((home, bus, desktop, served))
}

/// The operation that the notification is recorded with.
async fn audited_operation(home: &TestHome) -> String {
    let log = home.gatehouse(&["audit", "--by", "notification", "--json"]).run().await;
    let log = log.expect_success().json();
    let entries = log["entries"].as_array().expect("a list");
    assert_eq!(entries.len(), 1, "{log}");
    entries[0]["operation"].as_str().expect("a name").to_owned()
}

#[tokio::test]
async fn an_alert_is_acknowledged_from_its_notification() {
    let Some((home, ..)) = &choose("acknowledge").await else { return };
    assert_eq!(audited_operation(home).await, "alert_acknowledge");
    let alerts = home.gatehouse(&["alerts", "list", "--json"]).run().await.expect_success().json();
    assert!(alerts["alerts"][0]["acknowledged_at"].is_number(), "{alerts}");
}

#[tokio::test]
async fn an_alert_is_silenced_for_an_hour_from_its_notification() {
    let Some((home, ..)) = &choose("silence-hour").await else { return };
    assert_eq!(audited_operation(home).await, "alert_silence");
    let alerts = home.gatehouse(&["alerts", "list", "--json"]).run().await.expect_success().json();
    let silence = &alerts["silences"][0];
    assert_eq!(silence["rule"], "backend-down", "{alerts}");
    assert_eq!(silence["scope"], "gone");
    let time = |name: &str| silence[name].as_i64().expect("a time");
    let lasts_ms = time("until") - time("created_at");
    assert!((3_590_000..=3_600_000).contains(&lasts_ms), "{lasts_ms} ms");
}
