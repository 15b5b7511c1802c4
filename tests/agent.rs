//! An agent that speaks MCP with `gatehouse mcp` on pipes.

use std::sync::PoisonError;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::home::{TestHome, Transcript};
use crate::program::await_or_fail;

/// What each request says of its sender in revisions without a handshake (2026-07-28).
#[must_use]
pub fn request_meta(revision: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": revision,
        "io.modelcontextprotocol/clientInfo": {"name": "acceptance", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// A session, killed on drop. Every line of its program must be a message of the protocol.
#[derive(Debug)]
pub struct AgentSession {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    transcript: Transcript,
    last_id: u64,
    notifications: Vec<Value>,
    /// What its person answers to questions of the server; None if it cannot ask.
    person: Option<&'static str>,
}

impl AgentSession {
    /// Starts `gatehouse mcp` without a handshake.
    #[must_use]
    pub fn start(home: &TestHome) -> Self {
        let (mut child, transcript) = home.gatehouse(&["mcp"]).start_with_pipes();
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Self {
            child,
            stdin,
            stdout,
            transcript,
            last_id: 0,
            notifications: Vec::new(),
            person: None,
        }
    }

    /// Starts `gatehouse mcp` and begins a session; returns the answer of the handshake too.
    pub async fn begin(home: &TestHome, revision: &str) -> (Self, Value) {
        let mut session = Self::start(home);
        let begun = session.shake_hands(revision, json!({})).await;
        (session, begun)
    }

    /// As [`Self::begin`], with a person who gives every question of the server this answer, such as
    /// `accept`.
    pub async fn begin_with_person(home: &TestHome, revision: &str, answer: &'static str) -> Self {
        let mut session = Self { person: Some(answer), ..Self::start(home) };
        session.shake_hands(revision, json!({"elicitation": {}})).await;
        session
    }

    /// Begins the session as an agent that can do this; returns the answer of the server.
    async fn shake_hands(&mut self, revision: &str, can: Value) -> Value {
        let client = json!({"name": "acceptance", "version": "1"});
        let hello = json!({"protocolVersion": revision, "capabilities": can, "clientInfo": client});
        let begun = self.request("initialize", hello).await;
        self.notify("notifications/initialized", json!({})).await;
        begun
    }

    pub async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        let answer = self.request("tools/call", params).await;
        answer.get("result").cloned().unwrap_or_else(|| panic!("{tool}: {answer}"))
    }

    /// Sends a request and returns the whole answer.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send_request(method, params).await;
        await_or_fail(method, self.answer(id)).await
    }

    /// Sends a request, waits for nothing and returns its id.
    pub async fn send_request(&mut self, method: &str, params: Value) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        id
    }

    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    /// The notifications and questions of the server so far.
    #[must_use]
    pub fn notifications(&self) -> &[Value] {
        &self.notifications
    }

    /// Closes its standard input and returns the exit code.
    pub async fn end(self) -> Option<i32> {
        let Self { mut child, stdin, stdout, .. } = self;
        drop((stdin, stdout));
        await_or_fail("the end of a session", child.wait()).await.expect("it ends").code()
    }

    /// Asks its process to end, with its standard input still open, and returns the exit code.
    #[cfg(unix)]
    pub async fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(rustix::process::Pid::from_raw).expect("a running process");
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("sent");
        await_or_fail("the end of a session", self.child.wait()).await.expect("it ends").code()
    }

    async fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.stdin.write_all(line.as_bytes()).await.expect("sent");
    }

    /// The answer to `id`. Answers to cancelled requests may come in between.
    async fn answer(&mut self, id: u64) -> Value {
        loop {
            let mut line = String::new();
            let length = self.stdout.read_line(&mut line).await.expect("a line");
            assert_ne!(length, 0, "the program has ended");
            self.transcript
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(line.as_bytes());
            let message: Value = serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("no message ({error}): {line}"));
            assert_eq!(message.get("jsonrpc"), Some(&json!("2.0")), "{line}");
            if message.get("method").is_none() {
                if message.get("id").and_then(Value::as_u64) == Some(id) {
                    return message;
                }
                continue;
            }
            if let (Some(answer), Some(question)) = (self.person, message.get("id")) {
                let result = json!({"action": answer, "content": {}});
                self.send(&json!({"jsonrpc": "2.0", "id": question, "result": result})).await;
            }
            self.notifications.push(message);
        }
    }
}
