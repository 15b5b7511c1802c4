//! Runs programs and records their output.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::home::Transcript;
use crate::http::{ControlClient, loopback_address};

/// Longest wait in a test. Generous, since the machine may be busy; a passing test never waits that
/// long.
pub const WAIT_MAX: Duration = Duration::from_secs(30);

/// Returns the result of `work`. Fails the test with `what` if it takes too long.
pub async fn await_or_fail<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(WAIT_MAX, work).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => panic!("{what}: nothing after {WAIT_MAX:?}"),
    }
}

/// A call of a program, before it starts.
#[derive(Debug)]
pub struct TestCall {
    command: Command,
    input: Option<Vec<u8>>,
    transcript: Transcript,
}

/// The output and exit code of a program.
#[derive(Debug, Clone)]
pub struct ProgramResult {
    /// `None` if it was killed.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A running `gatehouse serve`, killed on drop.
#[derive(Debug)]
pub struct TestServer {
    child: Child,
    pub gateway: SocketAddr,
    /// The control API, for the command line and the panel.
    pub control: ControlClient,
    out: RecordedStream,
    err: RecordedStream,
}

impl TestCall {
    pub(crate) fn new(
        program: &Path,
        arguments: &[&str],
        variables: &BTreeMap<String, String>,
        transcript: &Transcript,
    ) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(variables).kill_on_drop(true);
        #[expect(clippy::disallowed_methods, reason = "the one variable that programs inherit")]
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, input: None, transcript: Transcript::clone(transcript) }
    }

    /// Passes this to standard input.
    #[must_use]
    pub fn stdin(mut self, input: &str) -> Self {
        self.input = Some(input.as_bytes().to_vec());
        self.command.stdin(Stdio::piped());
        self
    }

    /// Connects standard output to a closed pipe, so that each write fails.
    #[must_use]
    pub fn with_closed_stdout(mut self) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        self.command.stdout(writer);
        self
    }

    /// Runs it to its end without a variable of its home.
    pub async fn run_without(mut self, variable: &str) -> ProgramResult {
        self.command.env_remove(variable);
        self.run().await
    }

    /// Runs it to its end.
    pub async fn run(self) -> ProgramResult {
        self.run_watched(|_| {}).await
    }

    /// Calls `look` with the process id while the program waits for its input, then passes this to
    /// standard input and runs it to its end.
    pub async fn run_with_stdin_watched(
        self,
        input: &str,
        look: impl FnOnce(u32),
    ) -> ProgramResult {
        self.stdin(input).run_watched(look).await
    }

    /// Runs it and asks `is_time` over and over; then it is killed, as a power cut would. False if it
    /// ended before.
    #[cfg(unix)]
    pub async fn run_until_killed(mut self, mut is_time: impl FnMut() -> bool) -> bool {
        await_or_fail("a call of a program that is killed", async move {
            // What it refuses is shown with the failure of a test.
            self.command.stdout(Stdio::null()).stderr(Stdio::inherit());
            let mut child = self.command.spawn().expect("the program starts");
            while child.try_wait().expect("asked").is_none() {
                if is_time() {
                    child.start_kill().expect("killed");
                    break;
                }
                tokio::task::yield_now().await;
            }
            // A program that has ended by itself has a code.
            child.wait().await.expect("it ends").code().is_none()
        })
        .await
    }

    async fn run_watched(self, look: impl FnOnce(u32)) -> ProgramResult {
        await_or_fail("a call of a program", async move {
            let Self { mut command, input, transcript } = self;
            let mut child = command.spawn().expect("the program starts");
            look(child.id().expect("it has not been waited for"));
            if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
                // A program that rejects its arguments does not read its input.
                let _unread = stdin.write_all(&input).await;
            }
            let ended = child.wait_with_output().await.expect("the program ends");
            let mut heard = transcript.lock().unwrap_or_else(PoisonError::into_inner);
            heard.extend_from_slice(&ended.stdout);
            heard.extend_from_slice(&ended.stderr);
            ProgramResult {
                code: ended.status.code(),
                out: String::from_utf8_lossy(&ended.stdout).into_owned(),
                err: String::from_utf8_lossy(&ended.stderr).into_owned(),
            }
        })
        .await
    }

    /// Starts it with all streams as pipes. The caller reads standard output and records it; nobody
    /// reads standard error.
    #[track_caller]
    pub(crate) fn start_with_pipes(mut self) -> (Child, Transcript) {
        self.command.stdin(Stdio::piped()).stderr(Stdio::null());
        (self.command.spawn().expect("the program starts"), self.transcript)
    }

    /// Starts it as a server on the home at `folder`, and waits until it accepts calls.
    pub async fn serve(mut self, folder: PathBuf) -> TestServer {
        await_or_fail("the start of a server", async move {
            let mut child = self.command.spawn().expect("the program starts");
            let out = RecordedStream::of(child.stdout.take().expect("piped"), &self.transcript);
            let err = RecordedStream::of(child.stderr.take().expect("piped"), &self.transcript);
            let ready = |text: &str| parse_address(text, "http://127.0.0.1:").is_some();
            let gateway = tokio::select! {
                text = out.wait_until(ready) => parse_address(&text, "http://127.0.0.1:"),
                text = err.wait_until(ready) => parse_address(&text, "http://127.0.0.1:"),
                ended = child.wait() => {
                    panic!("the server ended ({ended:?}): {} {}", out.text(), err.text())
                }
            };
            let gateway = gateway.expect("waited for it");
            let control = ControlClient::from_home(&folder);
            TestServer { child, gateway, control, out, err }
        })
        .await
    }
}

impl ProgramResult {
    /// Returns `self` if the exit code is 0, else fails the test.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        self.expect_code(0)
    }

    /// Returns `self` if the exit code is `code`, else fails the test.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "out: {}\nerr: {}", self.out, self.err);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.out) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}): {}\nerr: {}", self.out, self.err),
        }
    }

    /// The list that standard output holds as JSON.
    #[track_caller]
    #[must_use]
    pub fn items(&self) -> serde_json::Value {
        let mut document = self.json();
        assert_eq!(document.get("format_version"), Some(&2.into()), "{document}");
        document.get_mut("items").map(serde_json::Value::take).expect("it holds a list")
    }
}

impl TestServer {
    #[must_use]
    #[track_caller]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Waits until its standard output so far satisfies `enough`, and returns it.
    pub async fn wait_for_stdout(&self, enough: impl Fn(&str) -> bool) -> String {
        await_or_fail("what a server says", self.out.wait_until(enough)).await
    }

    /// Its output so far, both streams.
    #[must_use]
    pub fn output(&self) -> String {
        format!("{}{}", self.out.text(), self.err.text())
    }

    /// The base URL for OpenAI clients.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.gateway)
    }

    /// Kills it, as a power cut would, and waits for its end.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Stops it as Ctrl-C does, and returns its exit code.
    #[cfg(unix)]
    pub async fn stop(self) -> Option<i32> {
        self.signal(rustix::process::Signal::INT);
        self.end().await
    }

    /// Asks it to stop as a supervisor does, and waits for nothing.
    #[cfg(unix)]
    #[track_caller]
    pub fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Waits until it has ended, and returns its exit code.
    pub async fn end(mut self) -> Option<i32> {
        let ended = await_or_fail("the end of a server", self.child.wait()).await;
        ended.expect("it ends").code()
    }

    #[cfg(unix)]
    #[track_caller]
    fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a process id"), signal).expect("signalled");
    }
}

/// The recorded output of one stream of a running program.
#[derive(Debug)]
struct RecordedStream(watch::Receiver<String>);

impl RecordedStream {
    fn of(stream: impl AsyncRead + Unpin + Send + 'static, transcript: &Transcript) -> Self {
        let (sender, receiver) = watch::channel(String::new());
        #[expect(clippy::disallowed_methods, reason = "ends with the stream it reads")]
        tokio::spawn(record_stream(stream, sender, Transcript::clone(transcript)));
        Self(receiver)
    }

    fn text(&self) -> String {
        self.0.borrow().clone()
    }

    /// Returns the output once it satisfies `enough`; pending for ever if the stream ends before.
    async fn wait_until(&self, enough: impl Fn(&str) -> bool) -> String {
        let mut heard = self.0.clone();
        let found = heard.wait_for(|text| enough(text)).await.map(|text| text.clone());
        match found {
            Ok(text) => text,
            Err(_ended) => std::future::pending().await,
        }
    }
}

async fn record_stream(
    mut stream: impl AsyncRead + Unpin,
    said: watch::Sender<String>,
    transcript: Transcript,
) {
    let mut buffer = vec![0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let bytes = buffer.get(..length).unwrap_or_default();
        transcript.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        said.send_modify(|text| text.push_str(&String::from_utf8_lossy(bytes)));
    }
}

/// The first complete address in `text` that starts with `begin`.
fn parse_address(text: &str, begin: &str) -> Option<SocketAddr> {
    let rest = text.split_once(begin)?.1;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    // Without a following character more digits may come.
    let is_whole = rest.len() > digits.len();
    is_whole.then(|| digits.parse().ok().map(loopback_address))?
}
