//! The keys that records of wired tools are sealed with, in a real gnome-keyring: made there, moved with
//! every change of the vault, and gone with the record.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::process::Stdio;

use acceptance::{HomeVault, ProgramResult, TestHome, await_or_fail};
use test_support::{MARKED_KEY, PrivateBus, has_programs, search_tree};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use vault::KEYCHAIN_SERVICE;

const SECRETS: [&str; 4] =
    ["--dest", "org.freedesktop.secrets", "--object-path", "/org/freedesktop/secrets"];

/// A user with Claude Code, whose settings hold a key, and an unlocked keyring with nothing in it.
struct Desktop {
    home: TestHome,
    settings_of_tool: PathBuf,
    before: String,
    _keyring: Child,
    _bus: PrivateBus,
}

impl Desktop {
    /// `None` if a program is missing.
    async fn start() -> Option<Self> {
        let programs = ["dbus-daemon", "gnome-keyring-daemon", "gdbus"];
        if !has_programs(&programs, "gnome-keyring dbus libglib2.0-bin") {
            return None;
        }
        let mut home = TestHome::new(HomeVault::Keychain);
        let bus = PrivateBus::start(home.path()).expect("a bus");
        home.set("DBUS_SESSION_BUS_ADDRESS", &bus.address);
        let user = home.path().join("user");
        home.set("HOME", &user.display().to_string());
        let settings_of_tool = user.join(".claude/settings.json");
        let before = format!(
            "{{\n  \"env\": {{\n    \"ANTHROPIC_AUTH_TOKEN\": \"{MARKED_KEY}\"\n  }}\n}}\n"
        );
        std::fs::create_dir_all(settings_of_tool.parent().expect("a folder")).expect("created");
        private_files::write_atomic(&settings_of_tool, before.as_bytes()).expect("written");
        let keyring = start_keyring(home.path(), &bus.address).await;
        let desktop = Self { home, settings_of_tool, before, _keyring: keyring, _bus: bus };
        desktop.gdbus("wait", &["--timeout", "20", "org.freedesktop.secrets"]).await;
        Some(desktop)
    }

    async fn gdbus(&self, verb: &str, words: &[&str]) -> String {
        let words = [&[verb, "--session"], words].concat();
        self.home.program("gdbus", &words).run().await.expect_success().out
    }

    async fn gatehouse(&self, words: &[&str]) -> ProgramResult {
        self.home.gatehouse(words).run().await
    }

    /// Number of items in the keyring that are the key of the tool's record.
    async fn items(&self) -> usize {
        let ours = format!("{{'service': '{KEYCHAIN_SERVICE}', 'username': 'wiring.claude-code'}}");
        let method = ["--method", "org.freedesktop.Secret.Service.SearchItems", &ours];
        let found = self.gdbus("call", &[&SECRETS[..], &method].concat()).await;
        found.matches("/org/freedesktop/secrets/collection/").count()
    }

    /// As a screen lock does.
    async fn lock_keyring(&self) {
        let login = "['/org/freedesktop/secrets/collection/login']";
        let method = ["--method", "org.freedesktop.Secret.Service.Lock", login];
        self.gdbus("call", &[&SECRETS[..], &method].concat()).await;
    }

    /// The token of a client stays in the vault that it was made in.
    async fn wire(&self, client: &str) {
        let wire = ["clients", "wire", "claude-code", "--client", client, "--yes"];
        self.gatehouse(&wire).await.expect_success();
        assert!(!self.read().contains(MARKED_KEY));
        self.check_plain_copies();
    }

    async fn unwire(&self) -> ProgramResult {
        self.gatehouse(&["clients", "unwire", "claude-code"]).await
    }

    fn read(&self) -> String {
        std::fs::read_to_string(&self.settings_of_tool).expect("the file")
    }

    /// No file of ours, and none of the keyring's, holds the key in plain text.
    fn check_plain_copies(&self) {
        let mut found = search_tree(self.home.path(), MARKED_KEY).expect("searched");
        found.retain(|path| *path != self.settings_of_tool);
        assert_eq!(found, Vec::<PathBuf>::new());
    }
}

async fn start_keyring(folder: &Path, bus: &str) -> Child {
    let mut command = Command::new("gnome-keyring-daemon");
    command.args(["--foreground", "--unlock", "--components=secrets"]).kill_on_drop(true);
    command.env("DBUS_SESSION_BUS_ADDRESS", bus).env("HOME", folder);
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
        let path = folder.join(name.to_lowercase());
        let mut private = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
        private.create(&path).expect("a folder");
        command.env(name, path);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut keyring = command.spawn().expect("it starts");
    let mut passphrase = keyring.stdin.take().expect("a pipe");
    let written = passphrase.write_all(b"of a test");
    await_or_fail("the keyring reads its passphrase", written).await.expect("written");
    keyring
}

#[tokio::test]
async fn the_key_of_a_record_goes_from_the_keychain_to_the_file_and_back() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.wire("first").await;
    assert_eq!(desktop.items().await, 1);

    desktop.gatehouse(&["vault", "set", "file"]).await.expect_success();
    assert_eq!(desktop.items().await, 0, "the file has it");
    desktop.unwire().await.expect_success();
    assert_eq!(desktop.read(), desktop.before);

    desktop.wire("second").await;
    assert_eq!(desktop.items().await, 0);
    desktop.gatehouse(&["vault", "set", "keychain"]).await.expect_success();
    assert_eq!(desktop.items().await, 1, "the keychain has it");
    desktop.unwire().await.expect_success();
    assert_eq!(desktop.read(), desktop.before);
    assert_eq!(desktop.items().await, 0, "no record needs it");
    desktop.check_plain_copies();
}

#[tokio::test]
async fn a_locked_keychain_keeps_a_tool_wired_and_says_what_to_do() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.wire("first").await;
    let wired = desktop.read();
    desktop.lock_keyring().await;
    let refused = desktop.unwire().await;
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(refused.err.contains("locked"), "{}", refused.err);
    assert_eq!(desktop.read(), wired);
    desktop.check_plain_copies();
}
