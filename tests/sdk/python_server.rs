//! Servers in Python that tests need for real: each prints its port and then what it sees, as lines of JSON.

use std::path::PathBuf;
use std::process::Stdio;

use acceptance::await_or_fail;
use serde_json::{Value, json};
use test_support::skip_unless_strict;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

pub(crate) struct PythonServer {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) port: u64,
}

impl PythonServer {
    /// Starts a script of this folder. None if Python is not installed and not required.
    #[expect(clippy::disallowed_methods, reason = "the step that installs the server says where")]
    pub(crate) async fn start(script: &str, arguments: &[&str]) -> Option<Self> {
        let Some(python) = std::env::var_os("GATEHOUSE_SDK_PYTHON").map(PathBuf::from) else {
            skip_unless_strict(
                "GATEHOUSE_SDK_PYTHON is not set; run `cargo xtask test --only sdk`",
            );
            return None;
        };
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sdk").join(script);
        let mut command = Command::new(python);
        command.arg("-B").arg(script).args(arguments).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("Python starts");
        let stdin = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut server = Self { child, stdin, lines, port: 0 };
        let listening = server.event("listening").await;
        server.port = listening.get("port").and_then(Value::as_u64).expect("a port");
        Some(server)
    }

    /// The next thing that it saw, which is `wanted`.
    pub(crate) async fn event(&mut self, wanted: &str) -> Value {
        let line = await_or_fail(wanted, self.lines.next_line()).await;
        let event = line.expect("readable").expect("the server runs");
        let event: Value = serde_json::from_str(&event).expect("JSON");
        assert_eq!(event.get("event"), Some(&json!(wanted)), "{event}");
        event
    }

    pub(crate) async fn write_line(&mut self, line: &str) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.expect("written");
    }

    /// Kills it, and returns the first event that nobody has asked for.
    pub(crate) async fn kill(mut self) -> Option<String> {
        self.child.kill().await.expect("ended");
        await_or_fail("the end of its output", self.lines.next_line()).await.expect("readable")
    }
}
