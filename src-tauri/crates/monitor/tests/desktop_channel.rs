//! Tests the desktop channel against a real notification server (dunst) on a private bus and
//! display.
//!
//! A process finds its session through environment variables. So each test starts this test program
//! again inside a fresh session and runs the `inside_…` test that does the work there.

#![cfg(all(unix, not(target_os = "macos")))]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a session that cannot be made fails its test"
)]
#![expect(clippy::indexing_slicing, reason = "JSON values give null for what is not there")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use alerts::{Notification, NotificationAction, NotificationResponse, ShownNotification, Urgency};
use monitor::{
    AppIdentity, ChannelError, DELIVERY_LIMIT, DeliveryOutcome, DesktopAbility, DesktopChannel,
    NotificationChannel as _,
};
use tempfile::TempDir;
use test_support::{
    NotificationServer, ReceivedNotification, SESSION_BUS_CONFIGURATION, ServerCall, has_programs,
};
use zbus::blocking::{Connection, fdo::DBusProxy};

const SERVER: &str = "org.freedesktop.Notifications";
const INSIDE: &str = "GATEHOUSE_TEST_SESSION";
const CLICK_LIMIT: Duration = Duration::from_secs(5);

const DUNSTRC: &str = "[global]\n    font = DejaVu Sans 10\n    follow = none\n    markup = full\n    history_length = 20\n";

#[test]
fn a_notification_arrives_and_a_click_on_it_opens_its_path() {
    if !has_programs(&["Xvfb", "dbus-run-session", "dunst", "dunstctl"], "xvfb dbus dunst") {
        return;
    }
    let (_display, number) = display();
    in_session("inside_a_desktop", &[("DISPLAY", &format!(":{number}"))]);
}

#[test]
fn a_bus_without_a_server_gives_its_own_error() {
    if has_programs(&["dbus-run-session"], "dbus") {
        in_session("inside_a_bus_without_a_server", &[]);
    }
}

#[test]
fn a_server_that_hangs_costs_the_time_limit() {
    if has_programs(&["dbus-run-session"], "dbus") {
        in_session("inside_a_bus_with_a_server_that_hangs", &[]);
    }
}

#[test]
fn a_server_is_given_what_it_can_use() {
    if has_programs(&["dbus-run-session"], "dbus") {
        in_session("inside_a_bus_with_a_recording_server", &[]);
    }
}

#[test]
fn the_next_process_replaces_and_withdraws_what_a_killed_one_showed() {
    if !has_programs(&["Xvfb", "dbus-run-session", "dunst", "dunstctl"], "xvfb dbus dunst") {
        return;
    }
    let (_display, number) = display();
    in_session("inside_a_desktop_after_a_kill", &[("DISPLAY", &format!(":{number}"))]);
}

#[test]
fn what_ends_with_its_server_is_lost_and_its_id_is_not_used_for_the_next_one() {
    if has_programs(&["dbus-run-session"], "dbus") {
        in_session("inside_a_bus_with_two_servers", &[]);
    }
}

#[test]
fn what_is_chosen_on_a_notification_is_told_once_with_its_alerts() {
    if has_programs(&["dbus-run-session"], "dbus") {
        in_session("inside_a_bus_with_a_user_who_chooses", &[]);
    }
}

#[test]
fn a_missing_bus_gives_its_own_error() {
    let folder = TempDir::new().expect("a folder");
    let nowhere = format!("unix:path={}/no-bus", folder.path().display());
    let mut alone = Command::new(std::env::current_exe().expect("this program"));
    run_inside(&mut alone, "inside_no_bus", &folder, &[("DBUS_SESSION_BUS_ADDRESS", &nowhere)]);
}

#[test]
#[ignore = "started by a_notification_arrives_and_a_click_on_it_opens_its_path"]
fn inside_a_desktop() {
    if !is_inside() {
        return;
    }
    let _dunst = dunst();
    let (opened, paths) = mpsc::channel();
    let channel = DesktopChannel::new(
        identity(),
        Arc::new(move |response: &NotificationResponse| {
            opened.send(response.path.clone()).expect("the test waits");
        }),
    );
    let down = notification("OpenAI is down", "refused by <b>a & b</b>", "/backends/openai");
    assert_eq!(channel.deliver(&down).expect("accepted"), DeliveryOutcome::Clickable);
    dunstctl(&["action", "0"]);
    let clicked = paths.recv_timeout(CLICK_LIMIT).expect("the click is told");
    assert_eq!(clicked, "/backends/openai");
    let is_gone = |_| dunstctl(&["count", "displayed"]).trim() == "0";
    assert!((0..200).any(is_gone), "a clicked notification does not stay");
    let told = history();
    let newest = told.first().expect("one notification in the history");
    assert_eq!(field(newest, "summary"), "OpenAI is down");
    assert_eq!(field(newest, "body"), "refused by &lt;b&gt;a &amp; b&lt;/b&gt;");
    assert_eq!(field(newest, "appname"), "Gatehouse");

    channel.deliver(&down).expect("accepted");
    let back = notification("OpenAI is back", "It answers again.", "/backends/openai");
    channel.deliver(&back).expect("accepted");
    assert_eq!(dunstctl(&["count", "displayed"]).trim(), "1", "the newer one of a key replaces");
    dunstctl(&["close-all"]);
    assert_eq!(field(history().first().expect("one"), "summary"), "OpenAI is back");
    assert_eq!(paths.try_recv().ok(), None, "closing is not clicking");

    channel.deliver(&down).expect("accepted");
    assert_eq!(dunstctl(&["count", "displayed"]).trim(), "1");
    channel.withdraw(&down.key).expect("taken away");
    assert!((0..200).any(is_gone), "what is not true any more does not stay");
    channel.withdraw(&down.key).expect("nothing to take away");
}

/// A second channel knows nothing but what the first one told, as the process after a kill.
#[test]
#[ignore = "started by the_next_process_replaces_and_withdraws_what_a_killed_one_showed"]
fn inside_a_desktop_after_a_kill() {
    if !is_inside() {
        return;
    }
    let displayed = || dunstctl(&["count", "displayed"]).trim().to_owned();
    let first_dunst = dunst();
    let killed = DesktopChannel::new(identity(), Arc::new(|_| {}));
    let down = |name: &str| notification(&format!("{name} is down"), "refused", name);
    for name in ["a", "b"] {
        killed.deliver(&down(name)).expect("accepted");
    }
    let saved = killed.take_screen().shown;
    // Without a farewell to the desktop, but with the end of its connection.
    drop(killed);
    assert_eq!(displayed(), "2");

    let next = DesktopChannel::new(identity(), Arc::new(|_| {}));
    next.restore(saved.clone()).expect("the desktop answers");
    assert_eq!(next.take_screen().shown, saved);
    next.deliver(&down("a")).expect("accepted");
    assert_eq!(displayed(), "2", "it replaces the one of the process before");
    next.withdraw("b").expect("taken away");
    assert!((0..200).any(|_| displayed() == "1"), "and withdraws the other");

    // The desktop's program is killed too, before the process after this one starts.
    let saved = next.take_screen().shown;
    drop((next, first_dunst));
    let _second_dunst = dunst();
    let last = DesktopChannel::new(identity(), Arc::new(|_| {}));
    last.restore(saved).expect("the desktop answers");
    let screen = last.take_screen();
    assert!(screen.shown.is_empty() && screen.lost.contains("a"), "{screen:?}");
    last.deliver(&down("b")).expect("accepted");
    assert_eq!(displayed(), "1");
    last.withdraw("a").expect("nothing to take away");
    assert_eq!(displayed(), "1");
}

#[test]
#[ignore = "started by what_ends_with_its_server_is_lost_and_its_id_is_not_used_for_the_next_one"]
fn inside_a_bus_with_two_servers() {
    if !is_inside() {
        return;
    }
    let (changed, changes) = mpsc::channel();
    let channel = DesktopChannel::new(identity(), Arc::new(|_| {}));
    channel.watch_screen(Box::new(move || changed.send(()).expect("the test waits")));
    let down = |name: &str| notification(name, "refused", name);
    let mut first = NotificationServer::start(&["body"]).expect("the name is free");
    channel.deliver(&down("a")).expect("accepted");
    assert_eq!(notified(&mut first).replaces_id, 0);
    channel.deliver(&down("a")).expect("accepted");
    assert_eq!(notified(&mut first).replaces_id, 1);
    // The user closes it: it is gone, and not lost.
    first.close_by_user(1).expect("sent");
    changes.recv_timeout(CLICK_LIMIT).expect("it is told");
    let screen = channel.take_screen();
    assert!(screen.shown.is_empty() && screen.lost.is_empty(), "{screen:?}");

    channel.deliver(&down("a")).expect("accepted");
    channel.deliver(&down("b")).expect("accepted");
    channel.withdraw("b").expect("taken away");
    drop(first);
    changes.recv_timeout(CLICK_LIMIT).expect("it is told");
    let screen = channel.take_screen();
    assert!(screen.shown.is_empty(), "{screen:?}");
    assert_eq!(screen.lost, ["a".to_owned()].into(), "what was withdrawn is not lost");
    assert!(matches!(channel.deliver(&down("a")), Err(ChannelError::NoDaemon(_))));

    let mut second = NotificationServer::start(&["body"]).expect("the name is free");
    changes.recv_timeout(CLICK_LIMIT).expect("the next one is told");
    channel.deliver(&down("a")).expect("accepted");
    assert_eq!(notified(&mut second).replaces_id, 0, "its own ids begin anew");
    assert!(channel.take_screen().lost.is_empty());
    // A server of another bus with the same name and id.
    let elsewhere = channel.take_screen().shown.into_values().next().expect("one");
    let (_bus, name) = elsewhere.server.split_once('/').expect("a bus and a name");
    let elsewhere = ShownNotification { server: format!("0123/{name}"), ..elsewhere };
    channel.restore(BTreeMap::from([("c".to_owned(), elsewhere)])).expect("it answers");
    assert_eq!(channel.take_screen().lost, ["c".to_owned()].into());
}

#[test]
#[ignore = "started by what_is_chosen_on_a_notification_is_told_once_with_its_alerts"]
fn inside_a_bus_with_a_user_who_chooses() {
    if !is_inside() {
        return;
    }
    let (chosen, responses) = mpsc::channel();
    let told = move |response: &NotificationResponse| {
        chosen.send(response.clone()).expect("the test waits");
    };
    let channel = DesktopChannel::new(identity(), Arc::new(told));
    let mut server = NotificationServer::start(&["actions"]).expect("the name is free");
    let of_alerts = Notification { alerts: vec![4, 7], ..notification("a", "refused", "/a") };
    for action in [NotificationAction::Acknowledge, NotificationAction::SilenceHour] {
        channel.deliver(&of_alerts).expect("accepted");
        let received = notified(&mut server);
        let offered = ["default", "Open", "acknowledge", "Acknowledge"];
        assert_eq!(received.actions[..4], offered);
        assert_eq!(received.actions[4..], ["silence-hour", "Silence for 1 hour"]);
        for _ in 0..2 {
            server.press(received.id, action.id()).expect("sent");
        }
        server.press(received.id + 1, action.id()).expect("sent");
        let response = responses.recv_timeout(CLICK_LIMIT).expect("it is told");
        let wanted = NotificationResponse { action, path: "/a".to_owned(), alerts: vec![4, 7] };
        assert_eq!(response, wanted);
        let closed = server.calls.blocking_recv();
        assert_eq!(closed, Some(ServerCall::Close(received.id)), "it does not stay");
    }
    channel.deliver(&of_alerts).expect("accepted");
    let received = notified(&mut server);
    server.press(received.id, "something else").expect("sent");
    channel.deliver(&notification("b", "refused", "/b")).expect("accepted");
    let plain = notified(&mut server);
    assert_eq!(plain.actions, ["default", "Open"], "it is about no alert");
    server.press(plain.id, "default").expect("sent");
    let response = responses.recv_timeout(CLICK_LIMIT).expect("it is told");
    assert_eq!((response.action, response.path.as_str()), (NotificationAction::Open, "/b"));
}

/// The next call, which is made before `deliver` returns.
fn notified(server: &mut NotificationServer) -> ReceivedNotification {
    match server.calls.try_recv().expect("a call") {
        ServerCall::Notify(received) => received,
        ServerCall::Close(id) => panic!("{id} is closed"),
    }
}

#[test]
#[ignore = "started by a_bus_without_a_server_gives_its_own_error"]
fn inside_a_bus_without_a_server() {
    if is_inside() {
        let error = deliver_one().expect_err("nobody is there");
        assert!(matches!(error, ChannelError::NoDaemon(_)), "{error:?}");
        assert!(error.hint().contains("dunst"));
    }
}

#[test]
#[ignore = "started by a_server_that_hangs_costs_the_time_limit"]
fn inside_a_bus_with_a_server_that_hangs() {
    if !is_inside() {
        return;
    }
    let bus = Connection::session().expect("a bus");
    let name = SERVER.try_into().expect("a name");
    DBusProxy::new(&bus)
        .and_then(|proxy| proxy.request_name(name, Default::default()).map_err(Into::into))
        .expect("the name is free");
    let error = deliver_one().expect_err("it never answers");
    assert!(matches!(error, ChannelError::Hung(limit) if limit == DELIVERY_LIMIT), "{error:?}");
}

#[test]
#[ignore = "started by a_server_is_given_what_it_can_use"]
fn inside_a_bus_with_a_recording_server() {
    if !is_inside() {
        return;
    }
    for (capabilities, delivered, actions, sound) in [
        (vec!["body"], DeliveryOutcome::ShownOnly, vec![], None),
        (
            vec!["body", "actions", "sound"],
            DeliveryOutcome::Clickable,
            vec!["default", "Open"],
            Some("dialog-warning"),
        ),
    ] {
        let mut server = NotificationServer::start(&capabilities).expect("the name is free");
        assert_eq!(deliver_one().expect("accepted"), delivered);
        let told = notified(&mut server);
        assert_eq!(told.actions, actions);
        assert_eq!(told.app_name, "Gatehouse");
        assert_eq!(told.desktop_entry.as_deref(), Some("gatehouse"));
        assert_eq!(told.urgency, Some(2));
        assert_eq!(told.sound.as_deref(), sound);
        let channel = DesktopChannel::new(identity(), Arc::new(|_| {}));
        let service = channel.describe().expect("asked").expect("a server of the specification");
        let can = |ability| service.abilities[&ability];
        assert!(can(DesktopAbility::Text) && can(DesktopAbility::Replace));
        assert_eq!(can(DesktopAbility::Actions), !actions.is_empty());
        assert_eq!(can(DesktopAbility::Sound), sound.is_some());
        assert!(!can(DesktopAbility::Persistence));
        assert_eq!((service.name.as_str(), service.version.as_str()), ("recording", "1"));
    }
}

#[test]
#[ignore = "started by a_missing_bus_gives_its_own_error"]
fn inside_no_bus() {
    if is_inside() {
        let error = deliver_one().expect_err("there is no bus");
        assert!(matches!(error, ChannelError::NoBus(_)), "{error:?}");
    }
}

fn deliver_one() -> Result<DeliveryOutcome, ChannelError> {
    let channel = DesktopChannel::new(identity(), Arc::new(|_| {}));
    channel.deliver(&notification("Ready to work", "Ready, 9.3 of 10", "/readiness"))
}

fn identity() -> AppIdentity {
    AppIdentity {
        app_name: "Gatehouse".to_owned(),
        desktop_entry: "gatehouse".to_owned(),
        icon: None,
    }
}

fn notification(title: &str, body: &str, path: &str) -> Notification {
    Notification {
        key: path.to_owned(),
        title: title.to_owned(),
        body: body.to_owned(),
        urgency: Urgency::Critical,
        path: path.to_owned(),
        has_sound: true,
        alerts: Vec::new(),
    }
}

/// Runs one ignored test of this program on a private bus with private folders.
#[track_caller]
fn in_session(test: &str, environment: &[(&str, &str)]) {
    let folder = TempDir::new().expect("a folder");
    let bus = folder.path().join("bus.conf");
    write(&bus, SESSION_BUS_CONFIGURATION);
    let mut session = Command::new("dbus-run-session");
    session.arg("--config-file").arg(&bus).arg("--");
    session.arg(std::env::current_exe().expect("this program"));
    run_inside(&mut session, test, &folder, environment);
}

#[track_caller]
fn run_inside(command: &mut Command, test: &str, folder: &TempDir, environment: &[(&str, &str)]) {
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_DATA_DIRS"] {
        command.env_remove(name);
    }
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
        command.env(name, folder.path());
    }
    command.env(INSIDE, "1").envs(environment.iter().copied());
    let output = command.output().expect("the session starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let passed = output.status.success() && told.contains("test result: ok. 1 passed");
    assert!(passed, "{told}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// A process that is killed when the value is dropped.
struct ChildGuard(Child);

impl Drop for ChildGuard {
    fn drop(&mut self) {
        // An error means that it has already ended.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// Starts an X server without a screen and returns its display number.
fn display() -> (ChildGuard, String) {
    let mut xvfb = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb starts");
    let stdout = xvfb.stdout.take().expect("its output");
    let owned = ChildGuard(xvfb);
    let mut number = String::new();
    BufReader::new(stdout).read_line(&mut number).expect("the number of the display");
    (owned, number.trim().to_owned())
}

/// Starts dunst and waits until it is ready.
fn dunst() -> ChildGuard {
    let folder = TempDir::new().expect("a folder");
    let settings = folder.path().join("dunstrc");
    write(&settings, DUNSTRC);
    let bus = Connection::session().expect("a bus");
    let proxy = DBusProxy::new(&bus).expect("the bus itself");
    let mut owners = proxy.receive_name_owner_changed().expect("its signals");
    let dunst = Command::new("dunst")
        .arg("-conf")
        .arg(&settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dunst starts");
    let owned = ChildGuard(dunst);
    let is_ours = |change: zbus::fdo::NameOwnerChanged| {
        change.args().is_ok_and(|args| args.name() == SERVER && args.new_owner().is_some())
    };
    assert!(owners.any(is_ours), "dunst takes its name");
    owned
}

fn dunstctl(arguments: &[&str]) -> String {
    let output = Command::new("dunstctl").args(arguments).output().expect("dunstctl starts");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Closed notifications, newest first.
fn history() -> Vec<serde_json::Value> {
    let history: serde_json::Value =
        serde_json::from_str(&dunstctl(&["history"])).expect("dunst's history is JSON");
    history["data"][0].as_array().cloned().unwrap_or_default()
}

fn field<'a>(notification: &'a serde_json::Value, name: &str) -> &'a str {
    notification[name]["data"].as_str().unwrap_or_default()
}

fn write(path: &Path, text: &str) {
    File::create(path).and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test's own switch, not a setting of the library"
)]
fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}
