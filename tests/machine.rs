//! The built program and the system under it: no descriptors left, an end that is asked for twice, folders
//! of another user.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use acceptance::{
    HomeVault, ProgramResult, TestHome, TestServer, await_or_fail, built_program, json_body,
};
use serde_json::{Value, json};
use test_support::{
    ChatText, RawAnswer, RawClient, ReceivedRequest, Reply, ReplyEnding, ScriptedUpstream,
    skip_test,
};

/// How long the program may go on after the second signal. The grace that the first one gives is five times
/// as long.
const HURRIED_MAX: Duration = Duration::from_secs(2);

const HELLO: ChatText<'_> = ChatText { model: "m", deltas: &["Hel", "lo"], usage: Some((3, 2)) };

/// A gateway with one backend, which answers as told.
struct World {
    home: TestHome,
    served: TestServer,
    token: String,
    upstream: ScriptedUpstream,
}

impl World {
    async fn new(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Self {
        let answer = move |request: &ReceivedRequest| {
            let is_asked = request.method == "POST";
            Some(if is_asked { reply() } else { Reply::models(&["m"]).ending(ReplyEnding::Close) })
        };
        let upstream = ScriptedUpstream::start_with(answer).await.expect("an upstream");
        let home = TestHome::new(HomeVault::Memory);
        home.write_settings(&format!(
            "[backends.up]\nkind = \"openai-compatible\"\nbase_url = \"{}\"\n",
            upstream.base_url()
        ));
        let served = home.serve().await;
        let token = home.client("demo").await;
        Self { home, served, token, upstream }
    }

    fn authorization(&self) -> String {
        format!("authorization: Bearer {}", self.token)
    }
}

/// A connection that stays open from one request to the next.
struct Kept {
    to: SocketAddr,
    authorization: String,
    client: RawClient,
}

impl Kept {
    async fn open(to: SocketAddr, authorization: String) -> Self {
        let client =
            await_or_fail("a connection", RawClient::connect(to)).await.expect("connected");
        Self { to, authorization, client }
    }

    async fn send(&mut self, path: &str, body: &Value) {
        let host = format!("host: {}", self.to);
        let headers = [host.as_str(), &self.authorization, "content-type: application/json"];
        let line = format!("POST {path} HTTP/1.1");
        self.client.send_request(&line, &headers, &json_body(body)).await.expect("sent");
    }

    async fn answer(&mut self) -> RawAnswer {
        await_or_fail("an answer", self.client.read_answer()).await.expect("an answer")
    }

    async fn chat(&mut self, model: &str) -> RawAnswer {
        self.send("/v1/chat/completions", &asking(model)).await;
        self.answer().await
    }

    async fn control(&mut self, operation: &str, request: &Value) -> Value {
        self.send(&format!("/control/v1/{operation}"), request).await;
        let answer = self.answer().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// What has come once `mark` is in it; the rest, if the connection ends before.
    async fn until(&mut self, mark: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(mark) {
            let bytes = await_or_fail("bytes", self.client.read_some()).await.unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            seen += &String::from_utf8_lossy(&bytes);
        }
        seen
    }
}

fn asking(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hi"}]})
}

/// The part of a list that has this value under `name`.
#[track_caller]
fn part(list: &Value, name: &str, value: &str) -> Value {
    let found = list.as_array().expect("a list").iter().find(|one| one[name] == value);
    found.expect(value).clone()
}

/// From here on the process can open nothing. Returns the limit that was in force.
#[cfg(target_os = "linux")]
fn starve(served: &TestServer) -> rustix::process::Rlimit {
    let before = limit_descriptors(served, |limit| limit.current = Some(3));
    assert!(before.current.is_some_and(|number| number > 3), "{before:?}");
    before
}

#[cfg(target_os = "linux")]
fn limit_descriptors(
    served: &TestServer,
    change: impl Fn(&mut rustix::process::Rlimit),
) -> rustix::process::Rlimit {
    use rustix::process::{Pid, Resource, getrlimit, prlimit};
    let pid = i32::try_from(served.pid()).ok().and_then(Pid::from_raw);
    let mut wanted = getrlimit(Resource::Nofile);
    change(&mut wanted);
    prlimit(pid, Resource::Nofile, wanted).expect("the limit of a child")
}

/// Only what is open already still works: the connections of one client and of the command line.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn out_of_descriptors_requests_are_refused_or_wait_and_no_backend_is_blamed() {
    let world = World::new(|| Reply::chat(&HELLO).ending(ReplyEnding::Close)).await;
    let (served, address) = (&world.served, world.served.gateway);
    let control = &served.control;
    let mut control = Kept::open(control.address, control.authorization()).await;
    let mut known = Kept::open(address, world.authorization()).await;
    assert_eq!(known.chat("mock/echo").await.status, 200);
    let up = async {
        let is_up = |all: &Value| part(all, "id", "up")["health"]["state"] == "up";
        while !is_up(&control.control("backends", &Value::Null).await) {}
    };
    await_or_fail("a first probe", up).await;

    let before = starve(served);
    for _ in 0..10 {
        let refused = known.chat("up/m").await;
        let error = &refused.json()["error"];
        assert_eq!(
            (refused.status, &error["code"]),
            (503, &json!("out_of_descriptors")),
            "{error}"
        );
        assert!(refused.header("retry-after").is_some(), "{:?}", refused.headers);
    }
    for _ in 0..5 {
        let tested = control.control("backend_test", &json!({"id": "up"})).await;
        assert_eq!(tested["passed"], false, "{tested}");
    }
    assert_eq!(known.chat("mock/echo").await.status, 200, "it needs no descriptor");
    // A new client's connection waits in the system until there is room.
    let mut late = Kept::open(address, world.authorization()).await;
    late.send("/v1/chat/completions", &asking("up/m")).await;
    assert_eq!(known.chat("mock/echo").await.status, 200);

    limit_descriptors(served, |limit| limit.current = before.current);
    assert_eq!(late.answer().await.status, 200);
    assert_eq!(known.chat("up/m").await.status, 200);
    let posted = world.upstream.requests().iter().filter(|seen| seen.method == "POST").count();
    assert_eq!(posted, 2, "what was refused was not sent");
    let backends = control.control("backends", &Value::Null).await;
    let health = &part(&backends, "id", "up")["health"];
    assert_eq!(health["state"], "up", "{health}");
    let accesses = control.control("accesses", &Value::Null).await;
    let access = part(&accesses, "backend", "up");
    assert_eq!(access["breaker"]["state"], "closed", "{access}");
    assert_eq!(access["availability"]["state"], "ready", "{access}");
    assert_eq!(world.served.stop().await, Some(0));
}

/// A stream of each dialect that has begun and will not end by itself.
async fn begun(world: &World) -> Vec<(&'static str, Kept)> {
    let messages = json!([{"role": "user", "content": "hi"}]);
    let surfaces = [
        (
            "data: {\"error\":",
            "/v1/chat/completions",
            json!({"model": "up/m", "stream": true, "messages": messages}),
        ),
        (
            "event: error",
            "/v1/messages",
            json!({"model": "up/m", "stream": true, "max_tokens": 9, "messages": messages}),
        ),
        (
            "event: response.failed",
            "/v1/responses",
            json!({"model": "up/m", "stream": true, "input": "hi"}),
        ),
        (
            "data: {\"error\":",
            "/v1beta/models/up%2Fm:streamGenerateContent?alt=sse",
            json!({"contents": [{"parts": [{"text": "hi"}]}]}),
        ),
    ];
    let mut streams = Vec::new();
    for (mark, path, body) in surfaces {
        let mut stream = Kept::open(world.served.gateway, world.authorization()).await;
        stream.send(path, &body).await;
        let seen = stream.until("Hel").await;
        assert!(seen.starts_with("HTTP/1.1 200") && seen.contains("Hel"), "{path}: {seen}");
        streams.push((mark, stream));
    }
    streams
}

#[tokio::test]
async fn a_second_sigterm_ends_it_at_once_and_streams_end_in_their_dialect() {
    let begin = || HELLO.events().into_iter().take(2);
    let world = World::new(move || Reply::sse(begin()).ending(ReplyEnding::Stall)).await;
    let streams = begun(&world).await;
    let World { home, served, .. } = world;
    served.terminate();
    let address = served.gateway;
    let stopping = async { while RawClient::connect(address).await.is_ok() {} };
    await_or_fail("the begin of the stop", stopping).await;
    served.terminate();
    let ended = tokio::time::timeout(HURRIED_MAX, served.end()).await;
    assert_eq!(ended.expect("it ends at once"), Some(0));
    for (mark, mut stream) in streams {
        let rest = stream.until("Gatehouse was stopped").await;
        assert!(rest.contains(mark) && rest.contains("Gatehouse was stopped"), "{mark}: {rest}");
    }
    let sql = "SELECT count(*) FROM requests WHERE state = 'partial'";
    let partial: u32 = home.ledger().query_row(sql, [], |row| row.get(0)).expect("counted");
    assert_eq!(partial, 4, "each is booked as what came of it");
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
}

/// Refused, in one sentence that names the folder and says what to do.
#[track_caller]
fn assert_folder_refused(said: &ProgramResult, folder: &Path, words: &str) {
    assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{}", said.err);
    let named = format!("{} ", folder.display());
    assert!(said.err.contains(&named) && said.err.contains(words), "{}", said.err);
}

#[tokio::test]
async fn a_home_of_another_user_is_refused_by_name() {
    let home = TestHome::new(HomeVault::Memory);
    if !rustix::process::geteuid().is_root() {
        // Nobody else's folder can be made, so one that lets nobody in stands for it.
        set_mode(home.path(), 0o000);
        let said = home.gatehouse(&["status"]).run().await;
        set_mode(home.path(), 0o700);
        let config = home.path().join("config");
        return assert_folder_refused(&said, &config, "cannot be created or made private");
    }
    if cfg!(not(target_os = "linux")) {
        return skip_test("the administrator can become another user on Linux only");
    }
    let programs = tempfile::tempdir().expect("a folder");
    set_mode(programs.path(), 0o755);
    let program = programs.path().join("gatehouse");
    std::fs::copy(built_program("gatehouse"), &program).expect("copied");
    set_mode(&program, 0o755);
    let belongs = "belongs to another user (uid 0); change its owner, or set GATEHOUSE_HOME";
    // Empty, closed or not; then with everything in it.
    for mode in [0o700, 0o755] {
        set_mode(home.path(), mode);
        let said = home.by_nobody(&program, &["status"]).run().await;
        assert_folder_refused(&said, home.path(), belongs);
    }
    home.gatehouse(&["keys", "list"]).run().await.expect_success();
    let said = home.by_nobody(&program, &["status"]).run().await;
    assert_folder_refused(&said, &home.path().join("config"), belongs);
    set_mode(home.path(), 0o700);
}
