//! Tests the desktop channel against a real notification server (dunst) on a private bus and
//! display.
//!
//! A process finds its session through environment variables. So each test starts this test program
//! again inside a fresh session and runs the `inside_…` test that does the work there.

#![cfg(all(unix, not(target_os = "macos")))]
#![expect(clippy::expect_used, reason = "a session that cannot be made fails its test")]
#![expect(clippy::indexing_slicing, reason = "JSON values give null for what is not there")]

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use alerts::{Notification, Urgency};
use monitor::{
    AppIdentity, ChannelError, DELIVERY_LIMIT, DeliveryOutcome, DesktopChannel,
    NotificationChannel as _,
};
use tempfile::TempDir;
use test_support::has_programs;
use zbus::blocking::{Connection, fdo::DBusProxy};
use zbus::zvariant::OwnedValue;

const SERVER: &str = "org.freedesktop.Notifications";
const INSIDE: &str = "GATEHOUSE_TEST_SESSION";
const CLICK_LIMIT: Duration = Duration::from_secs(5);

/// Bus configuration without service activation, so that each test chooses its notification server.
const BUS: &str = r#"<busconfig><type>session</type><keep_umask/><listen>unix:tmpdir=/tmp</listen>
<auth>EXTERNAL</auth><policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

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
        Arc::new(move |path: &str| opened.send(path.to_owned()).expect("the test waits")),
    );
    let down = notification("OpenAI is down", "refused by <b>a & b</b>", "/backends/openai");
    // The click can come before notify-rust listens for it. People are not that fast, so the test
    // retries.
    let clicked = (0..5).find_map(|_| {
        assert_eq!(channel.deliver(&down).expect("accepted"), DeliveryOutcome::Clickable);
        dunstctl(&["action", "0"]);
        paths.recv_timeout(CLICK_LIMIT).ok()
    });
    assert_eq!(clicked.as_deref(), Some("/backends/openai"));
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
        let (notified, told) = mpsc::channel();
        let server = RecordingServer { capabilities, notified };
        let _serving = zbus::blocking::connection::Builder::session()
            .and_then(|bus| bus.name(SERVER))
            .and_then(|bus| bus.serve_at("/org/freedesktop/Notifications", server))
            .and_then(zbus::blocking::connection::Builder::build)
            .expect("the name is free");
        assert_eq!(deliver_one().expect("accepted"), delivered);
        let told: ReceivedNotification = told.try_recv().expect("one notification");
        assert_eq!(told.actions, actions);
        assert_eq!(told.app_name, "Gatehouse");
        assert_eq!(told.desktop_entry.as_deref(), Some("gatehouse"));
        assert_eq!(told.urgency, Some(2));
        assert_eq!(told.sound.as_deref(), sound);
    }
}

/// A notification as a server receives it.
struct ReceivedNotification {
    app_name: String,
    actions: Vec<String>,
    desktop_entry: Option<String>,
    urgency: Option<u8>,
    sound: Option<String>,
}

struct RecordingServer {
    capabilities: Vec<&'static str>,
    notified: mpsc::Sender<ReceivedNotification>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl RecordingServer {
    fn get_capabilities(&self) -> Vec<&'static str> {
        self.capabilities.clone()
    }

    #[expect(clippy::too_many_arguments, reason = "the specification's own signature")]
    fn notify(
        &self,
        app_name: String,
        _replaces_id: u32,
        _icon: String,
        _summary: String,
        _body: String,
        actions: Vec<String>,
        mut hints: HashMap<String, OwnedValue>,
        _timeout_ms: i32,
    ) -> u32 {
        let desktop_entry = hints.remove("desktop-entry").and_then(|hint| hint.try_into().ok());
        let urgency = hints.remove("urgency").and_then(|hint| hint.try_into().ok());
        let sound = hints.remove("sound-name").and_then(|hint| hint.try_into().ok());
        let told = ReceivedNotification { app_name, actions, desktop_entry, urgency, sound };
        self.notified.send(told).expect("the test waits");
        1
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
    let channel = DesktopChannel::new(identity(), Arc::new(|_path| {}));
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
    }
}

/// Runs one ignored test of this program on a private bus with private folders.
#[track_caller]
fn in_session(test: &str, environment: &[(&str, &str)]) {
    let folder = TempDir::new().expect("a folder");
    let bus = folder.path().join("bus.conf");
    write(&bus, BUS);
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
