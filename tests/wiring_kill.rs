//! `kill -9` of `gatehouse clients wire` and `unwire`, spread over their whole run and, since the change
//! itself takes a small part of that, over the change. Whenever it comes, the tool's file is the old or the
//! new one, whole, and the next command finishes the change or takes it back.
//!
//! The points are fractions of a run that was measured, so that they are spread on a slow machine too.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acceptance::{HomeVault, TestCall, TestHome};
use domain::{Clock as _, Moment, SystemClock};
use serde_json::Value;

/// Of each tool. Nothing is sealed, so that a run takes a tenth of a second.
const KILLS: usize = 20;

/// Of the tool whose record is sealed. Each run unlocks the vault file, which is slow on purpose.
const SEALED_KILLS: usize = 4;

/// Most runs for each kill; one may end before it is killed.
const RUNS_OF_KILL_MAX: usize = 3;

/// What is multiplied to spread points evenly, however many there are: the golden ratio.
const SPREAD: f64 = 0.618_034;

/// Most measurements of a tool. One that was held up saw a single state of the record.
const MEASUREMENTS_MAX: usize = 50;

/// Stands for the client in [`KilledTool::wired`].
const CLIENT: &str = "the-measured-client";

#[derive(Clone, Copy)]
struct ToolFile {
    tool: &'static str,
    /// In the user's folder.
    path: &'static str,
    text: &'static str,
    /// A key in the text, which wiring takes out.
    secret: Option<&'static str>,
}

struct KilledTool {
    home: TestHome,
    tool: &'static str,
    /// Its file, and what was in it.
    path: PathBuf,
    before: &'static str,
    secret: Option<&'static str>,
    /// The file once it is wired with [`CLIENT`].
    wired: String,
    /// How long a wiring takes, and an undo.
    took: [RunLength; 2],
    clock: SystemClock,
}

/// From the start of the program.
#[derive(Debug, Clone, Copy)]
struct RunLength {
    whole: Duration,
    /// From the first write of the record to the last.
    change: Duration,
}

/// When a program is killed, as a fraction of what was measured.
#[derive(Debug, Clone, Copy)]
enum KillPoint {
    OfRun(f64),
    OfChange(f64),
}

/// What a kill left.
#[derive(Debug, Default)]
struct KillCounts {
    kills: usize,
    /// In the middle of a change.
    unfinished: usize,
}

impl KilledTool {
    async fn new(vault: HomeVault, file: ToolFile) -> Self {
        let mut home = TestHome::new(vault);
        let user = home.path().join("user");
        home.set("HOME", &user.display().to_string());
        let ToolFile { tool, path, text: before, secret } = file;
        let path = user.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        private_files::write_atomic(&path, before.as_bytes()).expect("written");
        let took = [RunLength { whole: Duration::ZERO, change: Duration::ZERO }; 2];
        let (wired, clock) = (String::new(), SystemClock::new());
        let mut killed = Self { home, tool, path, before, secret, wired, took, clock };
        for _ in 0..MEASUREMENTS_MAX {
            killed.took[0] = killed.measure(killed.wire(CLIENT)).await;
            killed.wired = killed.read();
            assert_ne!(killed.wired, before);
            killed.check_secret("wired");
            killed.took[1] = killed.measure(killed.unwire()).await;
            assert_eq!(killed.read(), before);
            if killed.has_lengths() {
                break;
            }
        }
        assert!(killed.has_lengths(), "kills are spread over both changes: {:?}", killed.took);
        killed
    }

    fn has_lengths(&self) -> bool {
        self.took.iter().all(|took| took.change > Duration::ZERO)
    }

    fn wire(&self, client: &str) -> TestCall {
        self.home.gatehouse(&["clients", "wire", self.tool, "--client", client, "--yes"])
    }

    fn unwire(&self) -> TestCall {
        self.home.gatehouse(&["clients", "unwire", self.tool])
    }

    fn read(&self) -> String {
        std::fs::read_to_string(&self.path).expect("the file")
    }

    fn record(&self) -> PathBuf {
        self.home.path().join(format!("state/wiring/{}.json", self.tool))
    }

    /// What the record says; none if the tool is not wired.
    fn phase(&self) -> Option<Value> {
        let text = std::fs::read_to_string(self.record()).ok()?;
        let record: Value = serde_json::from_str(&text).expect("a record is whole");
        record.get("phase").cloned()
    }

    /// No file of ours holds the user's key in plain text, and the record of a wired tool holds it sealed.
    fn check_secret(&self, at: &str) {
        let Some(secret) = self.secret else { return };
        let found = test_support::search_tree(&self.home.path().join("state"), secret);
        assert_eq!(found.expect("searched"), Vec::<PathBuf>::new(), "{at}");
        if let Ok(text) = std::fs::read_to_string(self.record()) {
            let record: Value = serde_json::from_str(&text).expect("a record is whole");
            let sealed = record.pointer("/files/0/taken_out/Sealed").and_then(Value::as_str);
            assert!(sealed.is_some_and(|sealed| !sealed.is_empty()), "{at}: {text}");
        }
    }

    async fn measure(&self, call: TestCall) -> RunLength {
        let (path, began) = (self.record(), self.clock.now());
        let (mut seen, mut first, mut last) = (file_number(&path), None, began);
        let is_killed = call
            .run_until_killed(|| {
                let found = file_number(&path);
                if found != seen {
                    (seen, last) = (found, self.clock.now());
                    first = first.or(Some(last));
                }
                false
            })
            .await;
        assert!(!is_killed);
        // A watcher that was not run meanwhile saw none of it.
        let change = first.map_or(Duration::ZERO, |first| last.since(first));
        RunLength { whole: self.clock.now().since(began), change }
    }

    /// Kills the call at this point; false if it ended before.
    async fn kill(&self, call: TestCall, took: RunLength, point: KillPoint) -> bool {
        let (path, began) = (self.record(), self.clock.now());
        let before = file_number(&path);
        let mut changed: Option<Moment> = None;
        call.run_until_killed(|| {
            let now = self.clock.now();
            match point {
                KillPoint::OfRun(part) => now.since(began) >= took.whole.mul_f64(part),
                KillPoint::OfChange(part) => {
                    if changed.is_none() && file_number(&path) != before {
                        changed = Some(now);
                    }
                    let wait = took.change.mul_f64(part);
                    changed.is_some_and(|changed| now.since(changed) >= wait)
                }
            }
        })
        .await
    }

    /// Kills what changes the present state, and checks what is left, before the next command and after.
    async fn run_killed(&self, run: usize, counts: &mut KillCounts) {
        let part = (run as f64 * SPREAD).fract();
        let point =
            if run.is_multiple_of(3) { KillPoint::OfRun(part) } else { KillPoint::OfChange(part) };
        let was_wired = self.phase().is_some();
        let client = format!("client-{run}");
        let wired = match was_wired {
            true => self.read(),
            false => self.wired.replace(CLIENT, &client),
        };
        let (call, took) = match was_wired {
            true => (self.unwire(), self.took[1]),
            false => (self.wire(&client), self.took[0]),
        };
        counts.kills += usize::from(self.kill(call, took, point).await);
        let at = format!("{}, run {run}, {point:?}, wired before: {was_wired}", self.tool);
        let left = self.read();
        assert!(left == self.before || left == wired, "{at}: {left}");
        let is_finished = self.phase().is_none_or(|phase| phase == "Wired");
        counts.unfinished += usize::from(!is_finished);
        self.check_secret(&format!("{at}, killed"));

        // Any command repairs, before it does its own work.
        self.home.gatehouse(&["profiles", "list"]).run().await.expect_success();
        match self.phase() {
            None => assert_eq!(self.read(), self.before, "{at}"),
            Some(phase) => {
                assert_eq!(phase, "Wired", "{at}");
                assert_eq!(self.read(), wired, "{at}");
            }
        }
        self.check_secret(&format!("{at}, repaired"));
        let folder = self.path.parent().expect("a folder");
        for entry in folder.read_dir().expect("a folder").flatten() {
            assert_eq!(entry.path(), self.path, "{at}");
        }
    }

    async fn kill_runs(&self, kills: usize) -> KillCounts {
        let mut counts = KillCounts::default();
        for run in 1..=kills * RUNS_OF_KILL_MAX {
            if counts.kills < kills {
                self.run_killed(run, &mut counts).await;
            }
        }
        assert_eq!(counts.kills, kills, "{}: {:?}", self.tool, self.took);
        if self.phase().is_some() {
            self.unwire().run().await.expect_success();
        }
        assert_eq!(self.read(), self.before, "{}", self.tool);
        counts
    }
}

/// Tells a file from the one that replaces it.
fn file_number(path: &Path) -> Option<u64> {
    path.metadata().ok().map(|file| file.ino())
}

const CLAUDE: ToolFile = ToolFile {
    tool: "claude-code",
    path: ".claude/settings.json",
    text: "{\n  // mine\n  \"model\": \"opus\"\n}\n",
    secret: None,
};

const CODEX: ToolFile = ToolFile {
    tool: "codex",
    path: ".codex/config.toml",
    text: "model = \"opus\" # mine\n\n[tui]\nnotifications = true\n",
    secret: None,
};

const GEMINI: ToolFile = ToolFile {
    tool: "gemini-cli",
    path: ".gemini/settings.json",
    text: "{\"ui\": {\"theme\": \"mine\"}}\n",
    secret: None,
};

async fn kill_changes_of(file: ToolFile) {
    let counts = KilledTool::new(HomeVault::Memory, file).await.kill_runs(KILLS).await;
    assert!(counts.unfinished > 0, "no kill came in the middle of a change");
}

#[tokio::test]
async fn a_killed_change_of_claude_code_is_finished_or_taken_back() {
    kill_changes_of(CLAUDE).await;
}

#[tokio::test]
async fn a_killed_change_of_codex_is_finished_or_taken_back() {
    kill_changes_of(CODEX).await;
}

#[tokio::test]
async fn a_killed_change_of_gemini_cli_is_finished_or_taken_back() {
    kill_changes_of(GEMINI).await;
}

#[tokio::test]
async fn a_killed_change_of_a_tool_with_a_key_in_its_file_is_finished_or_taken_back() {
    let text = "{\n  \"env\": {\n    \"ANTHROPIC_AUTH_TOKEN\": \"sk-of-the-user\"\n  }\n}\n";
    let file = ToolFile { text, secret: Some("sk-of-the-user"), ..CLAUDE };
    KilledTool::new(HomeVault::File, file).await.kill_runs(SEALED_KILLS).await;
}
