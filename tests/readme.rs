//! Runs the commands of README's "First five minutes" unchanged, on a machine without a display, a
//! session bus and a keychain. The test reads them from README.md, so that both cannot differ.

#![cfg(unix)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and says where"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use acceptance::{WAIT_MAX, await_or_fail, built_program};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const README: &str = include_str!("../README.md");

/// The section of README with the commands.
const SECTION: &str = "First five minutes";

/// The port in README. The test replaces it with a free one.
const PORT: &str = "4283";

/// Commands that need a provider's key and internet access. `cli.rs` tests them with its own keys
/// and backends.
const COMMANDS_SKIPPED: [&str; 3] = [
    "gatehouse backends add openai",
    "gatehouse check",
    "gatehouse ask openai/gpt-5-mini \"Why a gatehouse?\"",
];

/// The shell blocks of one section, in order.
fn shell_blocks(part: &str) -> Vec<String> {
    let (_, rest) = README.split_once(&format!("\n## {part}\n")).expect("README has the part");
    let text = rest.split("\n## ").next().unwrap_or_default();
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// A machine with only this program and a home folder.
struct BareMachine {
    home: TempDir,
    path: String,
    port: u16,
}

impl BareMachine {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a home");
        let program = built_program("gatehouse");
        let folder = program.parent().expect("a folder").display().to_string();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.expect("a free port").port();
        let machine = Self { home, path: format!("{folder}:/usr/local/bin:/usr/bin:/bin"), port };
        let settings = machine.home.path().join(".config/gatehouse/settings.toml");
        std::fs::create_dir_all(settings.parent().expect("a folder")).expect("made");
        let text = format!("version = 1\n\n[gateway]\nport = {port}\n");
        private_files::write_atomic(&settings, text.as_bytes()).expect("written");
        machine
    }

    /// A shell of this machine that runs `typed`.
    fn shell(&self, typed: &str) -> Command {
        let typed = typed.replace(PORT, &self.port.to_string());
        let mut command = Command::new("/bin/sh");
        command.args(["-e", "-c", &typed]).env_clear().kill_on_drop(true);
        command.env("HOME", self.home.path()).env("PATH", &self.path);
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.current_dir(self.home.path());
        command
    }

    /// Runs a block to its end and returns both output streams.
    async fn run_block(&self, typed: &str, variables: &[(&str, &str)]) -> (String, String) {
        let mut shell = self.shell(typed);
        shell.envs(variables.iter().copied());
        let said = await_or_fail(typed, shell.output()).await.expect("a shell");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&said.stdout), text(&said.stderr));
        assert!(said.status.success(), "typed: {typed}\nout: {out}\nerr: {err}");
        (out, err)
    }

    /// Starts the command that keeps running, and waits until it announces its address.
    async fn start(&self, typed: &str) -> (Child, Vec<String>) {
        let mut child = self.shell(&format!("exec {typed}")).spawn().expect("a shell");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut said = Vec::new();
        // The first two lines are the address and the vault.
        while said.len() < 2 {
            let line = await_or_fail("the first lines of serve", lines.next_line()).await;
            match line.expect("readable") {
                Some(line) => said.push(line),
                None => panic!("it ended after {said:?}, within {WAIT_MAX:?}"),
            }
        }
        (child, said)
    }
}

#[tokio::test]
async fn the_first_five_minutes_work_as_they_are_typed() {
    let machine = BareMachine::new();
    let blocks = shell_blocks(SECTION);
    let [ask, serve, call, file, real] = blocks.as_slice() else {
        panic!("README's first five minutes have other blocks than this test types: {blocks:#?}")
    };

    let (out, err) = machine.run_block(ask, &[]).await;
    assert_eq!((out.as_str(), err.as_str()), ("hello\n", ""));

    let (mut serving, said) = machine.start(serve.trim()).await;
    let address = format!("gateway listening on http://127.0.0.1:{}", machine.port);
    assert!(said.iter().any(|line| line.contains(&address)), "{said:?}");
    let vault =
        said.iter().any(|line| line.contains("vault: none") && line.contains("vault set file"));
    assert!(vault, "{said:?}");

    let (out, err) = machine.run_block(call, &[]).await;
    assert!(out.contains(r#""content":"hello""#), "the answer: {out}");
    assert!(out.contains("mock/echo") && out.contains("demo"), "the request is listed: {out}");
    assert!(err.contains("Not stored") && err.contains("`gatehouse vault set file`"), "{err}");

    // There is no terminal, so the passphrase comes from the environment, as in scripts.
    let passphrase = [("GATEHOUSE_PASSPHRASE", "correct-horse")];
    let (out, err) = machine.run_block(file, &passphrase).await;
    assert_eq!(err, "", "nothing is left to say");
    let tokens: Vec<&str> = out.lines().filter(|line| line.starts_with("ghk_")).collect();
    assert!(matches!(tokens[..], [first, second] if first == second), "stored and read: {out}");
    assert!(file_exists_below(machine.home.path(), "vault.age"), "an encrypted file is there");

    let typed: Vec<&str> = real.lines().collect();
    assert_eq!(typed, COMMANDS_SKIPPED, "everything else of README is typed");
    let (out, _) = machine.run_block("gatehouse stop", &[]).await;
    assert_eq!(out, "Stopped.\n");
    let ended = await_or_fail("the end of serve", serving.wait()).await.expect("it ends");
    assert!(ended.success(), "{ended:?}");
}

fn file_exists_below(folder: &Path, name: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        path.file_name().is_some_and(|file| file == name)
            || path.is_dir() && file_exists_below(&path, name)
    })
}
