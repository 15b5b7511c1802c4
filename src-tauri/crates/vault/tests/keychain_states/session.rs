//! A private session bus, folders and keyring daemon per test. Ends only its own processes, by pid.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const SCENARIO: &str = "GATEHOUSE_VAULT_SCENARIO";

/// Time limit of a scenario in seconds: three hanging calls, and the rest.
const SCENARIO_SECS_MAX: &str = "20";

#[derive(Clone, Copy)]
pub(crate) enum SessionBus {
    /// Starts a Secret Service on demand, as a desktop's bus does.
    Usual,
    /// Has no service to start.
    WithoutServices,
    /// An address without a bus.
    None,
}

/// Runs the scenario inside a private session, and checks that it passed and that no file in its
/// folders contains the key.
pub(crate) fn in_session(bus: SessionBus, scenario: &str) {
    let programs = ["dbus-run-session", "gnome-keyring-daemon", "gdbus", "timeout"];
    if !test_support::has_programs(&programs, "gnome-keyring dbus libglib2.0-bin coreutils") {
        return;
    }
    let home = tempfile::tempdir().expect("a folder");
    let output = command(bus, home.path(), scenario).output().expect("starts");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{text}");
    assert!(output.status.success(), "the scenario {scenario:?} failed: {}", output.status);
    assert!(text.contains("1 passed"), "the scenario {scenario:?} did not run");
    assert_eq!(files_with(home.path(), b"CANARY"), Vec::<String>::new(), "the key is in a file");
}

fn command(bus: SessionBus, home: &Path, scenario: &str) -> Command {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new("timeout");
    command.args(["-k", "1", SCENARIO_SECS_MAX]);
    match bus {
        SessionBus::Usual => drop(command.args(["dbus-run-session", "--"])),
        SessionBus::WithoutServices => {
            let config = home.join("bus.conf");
            let mut file = fs::File::create(&config).expect("a file");
            file.write_all(BUS_WITHOUT_SERVICES.as_bytes()).expect("writes");
            command.arg("dbus-run-session").arg("--config-file").arg(config).arg("--");
        }
        SessionBus::None => {}
    }
    command.arg(program).args(["states::scenario", "--exact", "--ignored", "--nocapture"]);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env(SCENARIO, scenario);
    command.env("HOME", home).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    for folder in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
        let path = home.join(folder.to_lowercase());
        let mut private = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
        private.create(&path).expect("a folder");
        command.env(folder, path);
    }
    command
}

const BUS_WITHOUT_SERVICES: &str = r#"<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

/// The scenario that this process runs; `None` outside a session of [`in_session`].
pub(crate) fn scenario_name() -> Option<String> {
    variable(SCENARIO)
}

#[expect(clippy::disallowed_methods, reason = "a test program is its own shell")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A keyring daemon, stopped on drop.
pub(crate) struct KeyringDaemon {
    pid: u32,
    child: Option<Child>,
}

impl KeyringDaemon {
    /// Starts one with its login collection unlocked, and waits until it is on the bus.
    pub(crate) fn unlocked() -> Self {
        let mut child = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut passphrase = child.stdin.take().expect("a pipe");
        let daemon = Self { pid: child.id(), child: Some(child) };
        passphrase.write_all(b"of a test").expect("writes");
        drop(passphrase);
        run("gdbus", &["wait", "--session", "--timeout", "5", "org.freedesktop.secrets"]);
        daemon
    }

    /// The one started by the bus.
    pub(crate) fn on_the_bus() -> Self {
        let reply = bus_call(
            "org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus.GetConnectionUnixProcessID",
            "org.freedesktop.secrets",
        );
        let digits: String = reply.split_whitespace().skip(1).collect();
        let pid = digits.trim_end_matches([',', ')']).parse().expect("a pid");
        Self { pid, child: None }
    }

    pub(crate) fn freeze(&self) {
        run("kill", &["-STOP", &self.pid.to_string()]);
    }

    pub(crate) fn thaw(&self) {
        run("kill", &["-CONT", &self.pid.to_string()]);
    }
}

impl Drop for KeyringDaemon {
    fn drop(&mut self) {
        drop(Command::new("kill").args(["-KILL", &self.pid.to_string()]).status());
        if let Some(child) = &mut self.child {
            drop(child.wait());
        }
    }
}

/// Locks the login collection, as a screen lock or a passwords program does.
pub(crate) fn lock_login() {
    bus_call(
        "org.freedesktop.secrets",
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service.Lock",
        "['/org/freedesktop/secrets/collection/login']",
    );
}

/// Number of items under `service`.
pub(crate) fn items_of(service: &str) -> usize {
    let reply = bus_call(
        "org.freedesktop.secrets",
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service.SearchItems",
        &format!("{{'service': '{service}'}}"),
    );
    reply.matches("/org/freedesktop/secrets/collection/").count()
}

fn bus_call(destination: &str, object: &str, method: &str, argument: &str) -> String {
    let output = run(
        "gdbus",
        &[
            "call",
            "--session",
            "--dest",
            destination,
            "--object-path",
            object,
            "--method",
            method,
            argument,
        ],
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output().expect("starts");
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    output
}

fn files_with(folder: &Path, mark: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, mark));
        } else if path.is_file() {
            let bytes = fs::read(&path).expect("reads");
            if bytes.windows(mark.len()).any(|window| window == mark) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}
