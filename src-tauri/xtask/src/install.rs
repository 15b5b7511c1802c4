//! Installs what is missing on a new machine, after printing what and why.
//!
//! Packages are installed only on Debian and its derivatives, where their names are known and
//! tested. Elsewhere the commands print the possibly missing packages by Debian's names and
//! continue. Nothing is installed twice, so on a prepared machine each check is a single look-up.

use std::path::Path;

use anyhow::Result;

use crate::call::ProgramCall;
use crate::panel;
use crate::repository::Repository;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Prerequisite {
    RustComponents,
    /// Libraries to compile the command line program: the Linux keychain uses D-Bus, the allocator
    /// is in C.
    Keychain,
    /// Libraries to compile the window.
    WebView,
    /// A desktop session for tests: screen, session bus, keychain, notifications, window driver.
    Session,
    /// A Chromium for the panel's browser tests.
    Browser,
    /// A Redis server, for the cache's shared tier and for services.
    Redis,
    /// A PostgreSQL server, for services.
    Postgres,
    /// Python with virtual environments, for the vendors' Python SDKs.
    Python,
    Drawing,
    Nextest,
}

/// Debian's package names. Tested on Debian 12; Ubuntu from 22.04 uses the same names.
const KEYCHAIN: [&str; 3] = ["libdbus-1-dev", "pkg-config", "make"];
const WEB_VIEW: [&str; 9] = [
    "libwebkit2gtk-4.1-dev",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libxdo-dev",
    "libssl-dev",
    "libdbus-1-dev",
    "pkg-config",
    "make",
    "file",
];
const SESSION: [&str; 16] = [
    "xvfb",
    "xauth",
    "webkit2gtk-driver",
    "dbus",
    "dbus-x11",
    "gnome-keyring",
    "libsecret-tools",
    "dunst",
    "libnotify-bin",
    "xdotool",
    "imagemagick",
    "x11-utils",
    "x11-apps",
    "fonts-dejavu-core",
    "nginx-light",
    "xterm",
];
const BROWSER: [&str; 2] = ["chromium", "fonts-dejavu-core"];
const REDIS: [&str; 1] = ["redis-server"];
const POSTGRES: [&str; 1] = ["postgresql"];
const PYTHON: [&str; 2] = ["python3", "python3-venv"];
const DRAWING: [&str; 1] = ["librsvg2-bin"];

/// The tested tool versions.
const NEXTEST_VERSION: &str = "0.9.143";
const DENY_VERSION: &str = "0.20.2";

/// Installs the missing ones of `needs`.
pub(crate) fn ensure(repository: &Repository, needs: &[Prerequisite]) -> Result<()> {
    system_packages(repository, needs)?;
    if needs.contains(&Prerequisite::RustComponents) {
        rust_components(repository)?;
    }
    if needs.contains(&Prerequisite::Nextest) {
        cargo_program(repository, "cargo-nextest", NEXTEST_VERSION, "the test runner")?;
    }
    Ok(())
}

/// True if the dependency checker is available. Without it, its step is skipped with a message.
pub(crate) fn ensure_deny(repository: &Repository) -> bool {
    cargo_program(repository, "cargo-deny", DENY_VERSION, "the dependency checker").is_ok()
}

/// Returns the Chromium to drive, installed if necessary: the distribution's if it is a real
/// package (Ubuntu's is a snap, which cannot be driven from a sandboxed folder), else Playwright's.
pub(crate) fn chromium(repository: &Repository) -> Result<String> {
    const KNOWN: [&str; 3] =
        ["/usr/bin/chromium", "/usr/bin/google-chrome-stable", "/usr/bin/google-chrome"];
    if let Some(known) = KNOWN.into_iter().find(|path| Path::new(path).is_file()) {
        return Ok(known.to_owned());
    }
    println!("Installing Playwright's Chromium: the panel's browser tests drive one.");
    panel::install(repository)?;
    let npx = if cfg!(windows) { "npx.cmd" } else { "npx" };
    let arguments = "playwright install --with-deps chromium";
    ProgramCall::new(npx, &repository.ui()).words(arguments).interactive().run()?;
    let script = "console.log(require('@playwright/test').chromium.executablePath())";
    let said = ProgramCall::new("node", &repository.ui()).arg("-e").arg(script).capture()?;
    Ok(said.stdout.trim().to_owned())
}

fn packages(need: Prerequisite) -> (&'static [&'static str], &'static str) {
    match need {
        Prerequisite::Keychain => (&KEYCHAIN, "to compile the command line program"),
        Prerequisite::WebView => (&WEB_VIEW, "to compile the window"),
        Prerequisite::Session => {
            (&SESSION, "to test with a desktop session of its own: screen, keychain, notifications")
        }
        Prerequisite::Browser => (&BROWSER, "to test the panel in a browser"),
        Prerequisite::Redis => (&REDIS, "to test the cache that machines share with a real server"),
        Prerequisite::Postgres => (&POSTGRES, "to test the check of databases with a real server"),
        Prerequisite::Python => (&PYTHON, "to test the gateway with the vendors' Python SDKs"),
        Prerequisite::Drawing => (&DRAWING, "to draw the icons"),
        Prerequisite::RustComponents | Prerequisite::Nextest => (&[], ""),
    }
}

fn system_packages(repository: &Repository, needs: &[Prerequisite]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let mut missing = Vec::new();
    for need in needs {
        let (names, why) = packages(*need);
        let absent: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| !missing.contains(name) && !is_there(repository, *need, name))
            .collect();
        if !absent.is_empty() {
            println!("Missing {why}: {}", absent.join(" "));
            missing.extend(absent);
        }
    }
    if missing.is_empty() { Ok(()) } else { apt_install(repository, &missing) }
}

fn is_there(repository: &Repository, need: Prerequisite, package: &str) -> bool {
    // Ubuntu's chromium is a snap; see `chromium`.
    if need == Prerequisite::Browser && package == "chromium" && (is_ubuntu() || has_a_browser()) {
        return true;
    }
    if !has_dpkg(repository) {
        return false;
    }
    let query =
        ProgramCall::new("dpkg-query", &repository.root).arg("-W").arg("-f=${db:Status-Status}");
    query.arg(package).capture().is_ok_and(|said| said.succeeded && said.stdout == "installed")
}

fn apt_install(repository: &Repository, missing: &[&str]) -> Result<()> {
    if !has_dpkg(repository) {
        // The packages may exist under other names, so continue.
        println!(
            "This system has no apt-get. If a step fails, install what is missing of these by"
        );
        println!("your system's own names for them: {}", missing.join(" "));
        return Ok(());
    }
    println!("Installing them with apt-get.");
    as_root(repository, "apt-get update -q")?.run()?;
    let install =
        "env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends";
    missing.iter().fold(as_root(repository, install)?, ProgramCall::arg).run()
}

/// Prefixes `sudo`, which may ask for a password only in a terminal.
fn as_root(repository: &Repository, words: &str) -> Result<ProgramCall> {
    let who = ProgramCall::new("id", &repository.root).arg("-u").capture()?;
    let prefix = if who.stdout.trim() == "0" {
        ""
    } else if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        "sudo"
    } else {
        "sudo -n"
    };
    let all = format!("{prefix} {words}");
    let (program, rest) = all.trim_start().split_once(' ').unwrap_or((&all, ""));
    Ok(ProgramCall::new(program, &repository.root).words(rest).interactive())
}

fn has_dpkg(repository: &Repository) -> bool {
    Path::new("/usr/bin/apt-get").is_file()
        && ProgramCall::new("dpkg-query", &repository.root).arg("--version").succeeds_silently()
}

fn has_a_browser() -> bool {
    ["/usr/bin/google-chrome-stable", "/usr/bin/google-chrome"]
        .iter()
        .any(|p| Path::new(p).is_file())
}

fn is_ubuntu() -> bool {
    std::fs::read_to_string("/etc/os-release")
        .is_ok_and(|text| text.lines().any(|line| line == "ID=ubuntu"))
}

fn rust_components(repository: &Repository) -> Result<()> {
    for component in ["rustfmt", "clippy"] {
        let program = if component == "clippy" { "clippy" } else { "fmt" };
        if ProgramCall::cargo(program, &repository.root).arg("--version").succeeds_silently() {
            continue;
        }
        println!("Missing to check the code: {component}");
        ProgramCall::new("rustup", &repository.root).words("component add").arg(component).run()?;
    }
    Ok(())
}

fn cargo_program(repository: &Repository, name: &str, version: &str, why: &str) -> Result<()> {
    let subcommand = name.trim_start_matches("cargo-");
    if ProgramCall::cargo(subcommand, &repository.root).arg("--version").succeeds_silently() {
        return Ok(());
    }
    println!("Missing {why}: {name}; compiling it takes a few minutes, once.");
    let install = format!("install --locked --version {version} {name}");
    // A permanent target folder, so that an interrupted install continues where it stopped.
    ProgramCall::cargo(&install, &repository.root)
        .arg("--target-dir")
        .arg(repository.scratch()?.join("tools"))
        .run()
}
