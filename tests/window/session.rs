//! A private desktop session: a screen, a session bus, an unlocked keyring, a notification daemon,
//! and temporary folders. Ends the processes that it started, by process id.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use acceptance::{await_or_fail, built_program};
use serde_json::Value;
use tempfile::TempDir;
use test_support::MARKED_KEY;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use super::screen::TestScreen;

/// The programs of the session and of the test.
const PROGRAMS: [&str; 8] = [
    "Xvfb",
    "WebKitWebDriver",
    "dbus-daemon",
    "gdbus",
    "gnome-keyring-daemon",
    "secret-tool",
    "dunst",
    "import",
];

/// Debian's packages with them.
const PACKAGES: &str = "xvfb webkit2gtk-driver dbus libglib2.0-bin gnome-keyring libsecret-tools \
                        dunst imagemagick";

/// The path of the tray's menu on the bus, derived from the tray's id.
const TRAY_MENU: &str = "/org/ayatana/NotificationItem/tray_icon_tray_app_gatehouse/Menu";

/// The bus name by which a second start finds the first.
const INSTANCE: &str = "dev.gatehouse.panel.SingleInstance";

/// Without a font or with a longer timeout the test could not see the notifications.
const DUNST: &str = "[global]\nfont = DejaVu Sans 10\n[urgency_low]\ntimeout = 60\n";

/// A user session with only Gatehouse.
pub(crate) struct DesktopSession {
    folder: TempDir,
    variables: BTreeMap<&'static str, String>,
    children: Vec<Child>,
    pub(crate) screen: TestScreen,
    /// The gateway's port in the settings.
    pub(crate) gateway_port: u16,
}

impl DesktopSession {
    /// Starts the session. `None` with a message if a program is missing; fails instead if the
    /// whole suite runs.
    pub(crate) async fn start() -> Option<Self> {
        if !test_support::has_programs(&PROGRAMS, PACKAGES) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let (display, screen_server) = screen_server(folder.path()).await;
        let screen = TestScreen::open(&display);
        let mut session = Self {
            variables: variables(folder.path(), display),
            folder,
            children: vec![screen_server],
            screen,
            gateway_port: free_port(),
        };
        session.write_files();
        session.start_bus().await;
        session.start_keyring().await;
        session.start_notifications().await;
        Some(session)
    }

    /// The folder of all files of the session's programs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A program of the session. Its output is written to the session's folder.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let program = program.as_ref();
        let name = program.file_name().expect("a program has a name").to_string_lossy();
        let said = File::options()
            .append(true)
            .create(true)
            .open(self.folder().join(format!("{name}.said")))
            .expect("a file");
        let mut command = Command::new(program);
        command.env_clear().envs(&self.variables).kill_on_drop(true);
        command.stdin(Stdio::null()).stderr(said.try_clone().expect("a second handle"));
        command.stdout(said);
        command
    }

    /// Runs a program to its end and returns its output; fails the test if it fails.
    pub(crate) async fn run(&self, program: &str, words: &[&str]) -> String {
        let (well, out) = self.try_run(program, words).await;
        assert!(well, "{program} {words:?} failed: {out}");
        out
    }

    /// Runs a program to its end. Returns true if it succeeded, and its output.
    pub(crate) async fn try_run(&self, program: &str, words: &[&str]) -> (bool, String) {
        let mut command = self.command(program);
        command.args(words).stdout(Stdio::piped());
        let ended = await_or_fail(program, command.output()).await.expect("the program starts");
        (ended.status.success(), String::from_utf8_lossy(&ended.stdout).trim().to_owned())
    }

    /// Runs the command line program on the same home.
    pub(crate) async fn gatehouse(&self, words: &[&str]) -> String {
        self.run(&built_program("gatehouse").display().to_string(), words).await
    }

    /// The notifications shown so far, newest first: summaries and bodies. Closes the visible ones.
    pub(crate) async fn notifications(&self) -> Vec<String> {
        self.run("dunstctl", &["close-all"]).await;
        let history: Value =
            serde_json::from_str(&self.run("dunstctl", &["history"]).await).expect("JSON");
        let shown = history["data"][0].as_array().cloned().unwrap_or_default();
        let text =
            |one: &Value, part: &str| one[part]["data"].as_str().unwrap_or_default().to_owned();
        shown.iter().map(|one| format!("{}: {}", text(one, "summary"), text(one, "body"))).collect()
    }

    /// The process id of the window.
    pub(crate) async fn window_pid(&self) -> u32 {
        let owner = self.bus_call("GetNameOwner", INSTANCE).await;
        let pid = self.bus_call("GetConnectionUnixProcessID", unquote_name(&owner)).await;
        let digits: String = pid.split_whitespace().last().unwrap_or_default().into();
        let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
        digits.parse().expect("a process id")
    }

    /// True if a window of Gatehouse runs on this bus.
    pub(crate) async fn has_window_process(&self) -> bool {
        self.bus_call("NameHasOwner", INSTANCE).await.contains("true")
    }

    /// Chooses the item of the tray's menu whose label begins so, as a tray host does on a click.
    pub(crate) async fn choose_in_tray(&self, label: &str) {
        let (name, menu) = self.tray_menu().await;
        let id = item_id(&menu, label);
        self.menu_call(&name, "Event", &[&id, "clicked", "<\"\">", "0"]).await;
    }

    /// The same, for the first such item below the one whose label begins with `heading`.
    pub(crate) async fn choose_in_tray_below(&self, heading: &str, label: &str) {
        let (name, menu) = self.tray_menu().await;
        let at = menu.find(&format!("<'{heading}")).expect("the menu has the heading");
        let id = item_id(menu.get(at..).unwrap_or_default(), label);
        self.menu_call(&name, "Event", &[&id, "clicked", "<\"\">", "0"]).await;
    }

    /// The whole menu of the tray, as text in the form of `gdbus`.
    pub(crate) async fn tray_layout(&self) -> String {
        self.tray_menu().await.1
    }

    /// The program with the tray's menu, and the menu.
    async fn tray_menu(&self) -> (String, String) {
        let owner = self.bus_call("GetNameOwner", INSTANCE).await;
        let pid = self.bus_call("GetConnectionUnixProcessID", unquote_name(&owner)).await;
        let names = self.bus_call("ListNames", "").await;
        for name in names.split('\'').filter(|name| name.starts_with(':')) {
            let (_, owned_by) = self.try_bus_call("GetConnectionUnixProcessID", name).await;
            if owned_by != pid {
                continue;
            }
            let layout = ["0", "--", "-1", "[]"];
            let (has_menu, menu) = self.menu_call(name, "GetLayout", &layout).await;
            if has_menu {
                return (name.to_owned(), menu);
            }
        }
        panic!("no program on the bus has the tray's menu");
    }

    async fn menu_call(&self, name: &str, method: &str, words: &[&str]) -> (bool, String) {
        let method = format!("com.canonical.dbusmenu.{method}");
        let call = ["call", "--session", "--timeout", "5", "--dest", name];
        let call = [&call[..], &["--object-path", TRAY_MENU, "--method", &method], words].concat();
        self.try_run("gdbus", &call).await
    }

    async fn bus_call(&self, method: &str, argument: &str) -> String {
        let (well, out) = self.try_bus_call(method, argument).await;
        assert!(well, "{method} {argument} failed: {out}");
        out
    }

    async fn try_bus_call(&self, method: &str, argument: &str) -> (bool, String) {
        let method = format!("org.freedesktop.DBus.{method}");
        let call = ["call", "--session", "--dest", "org.freedesktop.DBus"];
        let call = [&call[..], &["--object-path", "/org/freedesktop/DBus", "--method", &method]];
        let mut call = call.concat();
        if !argument.is_empty() {
            call.push(argument);
        }
        self.try_run("gdbus", &call).await
    }

    fn write_files(&self) {
        for folder in ["home", "run", "data", "config", "cache", "gatehouse/config"] {
            let path = self.folder().join(folder);
            let mut private = std::fs::DirBuilder::new();
            private.recursive(true);
            std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
            private.create(path).expect("a folder");
        }
        write(&self.folder().join("dunstrc"), DUNST);
        // All other settings are the defaults; the default port may be in use on this machine.
        let settings = format!("[gateway]\nport = {}\n", self.gateway_port);
        write(&self.folder().join("gatehouse/config/settings.toml"), &settings);
    }

    async fn start_bus(&mut self) {
        let mut command = self.command("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        let mut bus = command.stdout(Stdio::piped()).spawn().expect("starts");
        let address = first_line(bus.stdout.take().expect("piped")).await;
        self.variables.insert("DBUS_SESSION_BUS_ADDRESS", address);
        self.children.push(bus);
    }

    async fn start_keyring(&mut self) {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]);
        let passphrase = self.folder().join("passphrase");
        write(&passphrase, "of a test");
        command.stdin(File::open(passphrase).expect("a file"));
        self.children.push(command.spawn().expect("starts"));
        self.await_name("org.freedesktop.secrets").await;
    }

    async fn start_notifications(&mut self) {
        let mut command = self.command("dunst");
        command.arg("-config").arg(self.folder().join("dunstrc"));
        self.children.push(command.spawn().expect("starts"));
        self.await_name("org.freedesktop.Notifications").await;
    }

    async fn await_name(&self, name: &str) {
        self.run("gdbus", &["wait", "--session", "--timeout", "20", name]).await;
    }
}

pub(crate) fn free_port() -> u16 {
    let socket = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    socket.local_addr().expect("an address").port()
}

fn variables(folder: &Path, display: String) -> BTreeMap<&'static str, String> {
    let below = |name: &str| folder.join(name).display().to_string();
    BTreeMap::from([
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("SHELL", "/bin/bash".to_owned()),
        ("DISPLAY", display),
        ("HOME", below("home")),
        ("XDG_RUNTIME_DIR", below("run")),
        ("XDG_DATA_HOME", below("data")),
        ("XDG_CONFIG_HOME", below("config")),
        ("XDG_CACHE_HOME", below("cache")),
        ("GATEHOUSE_HOME", below("gatehouse")),
        // The most verbose log level: even that log must not contain the key.
        ("GATEHOUSE_LOG", "trace".to_owned()),
    ])
}

async fn screen_server(folder: &Path) -> (String, Child) {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
    let said = File::create(folder.join("Xvfb.said")).expect("a file");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said).kill_on_drop(true);
    let mut child = command.spawn().expect("Xvfb starts");
    let number = first_line(child.stdout.take().expect("piped")).await;
    (format!(":{number}"), child)
}

async fn first_line(stream: impl AsyncRead + Unpin) -> String {
    let mut line = String::new();
    let read = await_or_fail("a first line", BufReader::new(stream).read_line(&mut line)).await;
    read.expect("text");
    line.trim().to_owned()
}

/// Extracts the name from `('name',)`.
fn unquote_name(answer: &str) -> &str {
    answer.split('\'').nth(1).unwrap_or(answer)
}

/// The number before the menu item whose label begins so: `<(8, {'label': <'Quit'>}, @av [])>`.
fn item_id(menu: &str, label: &str) -> String {
    let at = menu.find(&format!("<'{label}")).expect("the menu has the item");
    let before = menu.get(..at).and_then(|before| before.rsplit_once("<(")).expect("an item").1;
    before.chars().take_while(char::is_ascii_digit).collect()
}

fn write(path: &Path, text: &str) {
    assert!(!text.contains(MARKED_KEY), "the test itself would write the key down");
    File::create(path).and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
}
