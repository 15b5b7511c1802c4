//! MCP over streamable HTTP at `/mcp`, as agents call it: who may, whose a session is, and its end.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::time::Duration;

use acceptance::{HomeVault, TestHome, await_or_fail, json_body, post_json, request_meta};
use serde_json::{Value, json};
use test_support::{ChatText, RawAnswer, RawClient, Reply, ScriptedUpstream};

const JSON: &str = "content-type: application/json";
const ACCEPT: &str = "accept: application/json, text/event-stream";

/// The revisions with this transport and an `initialize` handshake, oldest first.
const REVISIONS: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];
/// Each of its requests stands alone, without a session.
const REVISION_WITHOUT_HANDSHAKE: &str = "2026-07-28";
/// What agents ask for where the revision does not matter.
const USUAL_REVISION: &str = REVISIONS[1];

/// Most sessions of a client.
const SESSIONS_MAX: usize = 16;

/// An agent with a client's token.
struct HttpAgent {
    gateway: SocketAddr,
    token: String,
    session: Option<String>,
}

impl HttpAgent {
    fn new(gateway: SocketAddr, token: &str) -> Self {
        Self { gateway, token: format!("authorization: Bearer {token}"), session: None }
    }

    async fn post(&self, message: &Value, more: &[&str]) -> RawAnswer {
        let session = self.session.as_ref().map(|id| format!("mcp-session-id: {id}"));
        let mut headers = vec![self.token.as_str(), JSON, ACCEPT];
        headers.extend(session.as_deref());
        headers.extend(more);
        post_json(self.gateway, "/mcp", &headers, &json_body(message)).await
    }

    /// Begins a session, or returns the status that refuses it.
    async fn begin(&mut self) -> u16 {
        self.begin_with(USUAL_REVISION).await
    }

    async fn begin_with(&mut self, revision: &str) -> u16 {
        let answer = self.post(&hello_with(revision), &[]).await;
        if answer.status == 200 {
            let begun = message(&answer);
            assert_eq!(begun.pointer("/result/protocolVersion"), Some(&json!(revision)));
            self.session = answer.header("mcp-session-id").map(str::to_owned);
            let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
            assert_eq!(self.post(&ready, &[]).await.status, 202);
        }
        answer.status
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.post(&call(tool, &arguments), &[]).await;
        assert_eq!(answer.status, 200, "{tool}: {}", answer.text());
        message(&answer).get("result").cloned().expect("a result")
    }
}

fn hello() -> Value {
    hello_with(USUAL_REVISION)
}

fn hello_with(revision: &str) -> Value {
    let client = json!({"name": "acceptance", "version": "1"});
    let params = json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
}

fn call(tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments}})
}

/// The JSON-RPC message of an answer, whole or as an event.
fn message(answer: &RawAnswer) -> Value {
    let text = answer.text();
    let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let found = events.chain([text.as_str()]).find_map(|it| serde_json::from_str(it.trim()).ok());
    found.unwrap_or_else(|| panic!("no message: {text}"))
}

async fn set(home: &TestHome, setting: &str) {
    home.gatehouse(&["settings", "set", setting, "true"]).run().await.expect_success();
}

async fn allow(home: &TestHome, client: &str) {
    let edit = ["clients", "edit", client, "--mcp", "true"];
    home.gatehouse(&edit).run().await.expect_success();
}

#[tokio::test]
async fn it_is_off_and_needs_a_token_whose_client_may() {
    let home = TestHome::new(HomeVault::Memory);
    let (served, token) = (home.serve().await, home.client("editor").await);
    let mut agent = HttpAgent::new(served.gateway, &token);
    let stranger = post_json(served.gateway, "/mcp", &[JSON, ACCEPT], &json_body(&hello())).await;
    assert_eq!(stranger.status, 401, "{}", stranger.text());
    let off = agent.post(&hello(), &[]).await;
    assert_eq!(off.status, 404);
    assert!(off.text().contains("gatehouse settings set mcp_http true"), "{}", off.text());
    set(&home, "mcp_http").await;
    let refused = agent.post(&hello(), &[]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("clients edit editor --mcp true"), "{}", refused.text());
    allow(&home, "editor").await;
    assert_eq!(agent.begin().await, 200);
    let status = agent.call("status", json!({})).await;
    let state = status.pointer("/structuredContent/gateway/state");
    assert_eq!(state, Some(&json!("listening")), "{status}");
    home.gatehouse(&["clients", "revoke", "editor"]).run().await.expect_success();
    assert_eq!(agent.post(&call("status", &json!({})), &[]).await.status, 401, "at once");
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn every_revision_of_this_transport_is_agreed_on_and_served() {
    let home = TestHome::new(HomeVault::Memory);
    let (served, token) = (home.serve().await, home.client("editor").await);
    set(&home, "mcp_http").await;
    allow(&home, "editor").await;
    for revision in REVISIONS {
        let mut agent = HttpAgent::new(served.gateway, &token);
        assert_eq!(agent.begin_with(revision).await, 200, "{revision}");
        let header = format!("mcp-protocol-version: {revision}");
        let answer = agent.post(&call("status", &json!({})), &[&header]).await;
        assert_eq!(answer.status, 200, "{revision}: {}", answer.text());
        let told = message(&answer);
        let state = told.pointer("/result/structuredContent/gateway/state");
        assert_eq!(state, Some(&json!("listening")), "{revision}: {told}");
    }
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn requests_without_a_handshake_need_no_session_and_end_none() {
    let home = TestHome::new(HomeVault::Memory);
    let (served, token) = (home.serve().await, home.client("editor").await);
    set(&home, "mcp_http").await;
    allow(&home, "editor").await;
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS_MAX {
        let mut agent = HttpAgent::new(served.gateway, &token);
        assert_eq!(agent.begin().await, 200);
        sessions.push(agent);
    }
    let agent = HttpAgent::new(served.gateway, &token);
    let post = async |method: &str, params: Value, named: &str| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let revision = format!("mcp-protocol-version: {REVISION_WITHOUT_HANDSHAKE}");
        let [method, name] = [format!("mcp-method: {method}"), format!("mcp-name: {named}")];
        let headers = [revision.as_str(), &method, &name];
        agent.post(&body, if named.is_empty() { &headers[..2] } else { &headers }).await
    };
    let meta = request_meta(REVISION_WITHOUT_HANDSHAKE);
    let found = post("server/discover", json!({"_meta": meta}), "").await;
    assert_eq!(found.status, 200, "{}", found.text());
    let call = json!({"name": "status", "arguments": {}, "_meta": meta});
    for _ in 0..=SESSIONS_MAX {
        let answer = post("tools/call", call.clone(), "status").await;
        assert_eq!(answer.header("mcp-session-id"), None);
        let told = message(&answer);
        let state = told.pointer("/result/structuredContent/gateway/state");
        assert_eq!(state, Some(&json!("listening")), "{told}");
    }
    // A header that names another tool than the body would lead a proxy astray.
    let other = post("tools/call", call, "usage_summary").await;
    assert_eq!(other.status, 400, "{}", other.text());
    for open in &sessions {
        open.call("status", json!({})).await;
    }
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn no_web_page_and_no_other_host_gets_in() {
    let home = TestHome::new(HomeVault::Memory);
    let (served, token) = (home.serve().await, home.client("editor").await);
    set(&home, "mcp_http").await;
    allow(&home, "editor").await;
    let agent = HttpAgent::new(served.gateway, &token);
    for origin in ["origin: https://evil.example", "origin: null", "sec-fetch-site: cross-site"] {
        assert_eq!(agent.post(&hello(), &[origin]).await.status, 403, "{origin}");
    }
    let port = served.gateway.port();
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1"] {
        let host = format!("host: {host}");
        let mut client = RawClient::connect(served.gateway).await.expect("connected");
        let headers = [host.as_str(), &agent.token, JSON, ACCEPT];
        let body = json_body(&hello());
        client.send_request("POST /mcp HTTP/1.1", &headers, &body).await.expect("sent");
        let answer = await_or_fail("an answer", client.read_answer()).await.expect("an answer");
        assert_eq!(answer.status, 421, "{host}");
    }
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn a_session_is_that_of_its_client_and_changes_are_asked_for_and_logged() {
    let home = TestHome::new(HomeVault::Memory);
    let served = home.serve().await;
    set(&home, "mcp_http").await;
    let mut agents = Vec::new();
    for name in ["editor", "other"] {
        let token = home.client(name).await;
        allow(&home, name).await;
        let mut agent = HttpAgent::new(served.gateway, &token);
        assert_eq!(agent.begin().await, 200);
        agents.push(agent);
    }
    let (mut other, editor) = (agents.pop().expect("two"), agents.pop().expect("one"));
    let own = std::mem::replace(&mut other.session, editor.session.clone());
    let stolen = other.post(&call("status", &json!({})), &[]).await;
    assert_eq!(stolen.status, 404, "{}", stolen.text());
    other.session = own;
    other.call("status", json!({})).await;

    let everything = json!({"what": {"kind": "everything"}});
    let refused = editor.call("purge_cache", everything.clone()).await;
    assert_eq!(refused.get("isError"), Some(&json!(true)), "{refused}");
    set(&home, "mcp_change").await;
    let purged = editor.call("purge_cache", everything).await;
    assert_eq!(purged.get("isError"), Some(&json!(false)), "{purged}");
    let log = home.gatehouse(&["audit", "--by", "mcp", "--json"]).run().await.expect_success();
    let log = log.json();
    assert_eq!(log.pointer("/entries/0/agent"), Some(&json!("acceptance")), "{log}");
    assert_eq!(log.pointer("/entries/0/operation"), Some(&json!("cache_purge")), "{log}");
    // The name is what the agent says; the token was checked.
    for entry in 0..2 {
        assert_eq!(
            log.pointer(&format!("/entries/{entry}/client")),
            Some(&json!("editor")),
            "{log}"
        );
        assert_eq!(
            log.pointer(&format!("/entries/{entry}/confirmed")),
            Some(&Value::Null),
            "{log}"
        );
    }
    let told = |field: &str| log.pointer(&format!("/entries/1/{field}")).cloned();
    assert_eq!(told("outcome"), Some(json!("not_allowed")), "{log}");
    assert_eq!(told("operation"), Some(json!("cache_purge")), "{log}");
    assert_eq!(told("subject"), Some(json!("mcp_change")), "{log}");
    assert!(log.pointer("/entries/2").is_none(), "{log}");
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn a_client_has_so_many_sessions_and_an_open_stream_delays_no_stop() {
    let home = TestHome::new(HomeVault::Memory);
    let (served, token) = (home.serve().await, home.client("editor").await);
    set(&home, "mcp_http").await;
    allow(&home, "editor").await;
    let mut agent = HttpAgent::new(served.gateway, &token);
    let mut sessions = Vec::new();
    for count in 1..=SESSIONS_MAX {
        assert_eq!(agent.begin().await, 200, "{count}");
        sessions.extend(agent.session.clone());
        if count < SESSIONS_MAX {
            agent.session = None;
        }
    }
    // Many clients never end a session: a further one takes the place of the one unused for longest.
    let used =
        HttpAgent { session: Some(sessions[0].clone()), ..HttpAgent::new(served.gateway, &token) };
    used.call("status", json!({})).await;
    let mut late = HttpAgent::new(served.gateway, &token);
    assert_eq!(late.begin().await, 200);
    late.call("status", json!({})).await;
    used.call("status", json!({})).await;
    let gone =
        HttpAgent { session: Some(sessions[1].clone()), ..HttpAgent::new(served.gateway, &token) };
    assert_eq!(gone.post(&call("status", &json!({})), &[]).await.status, 404);
    let session = format!("mcp-session-id: {}", agent.session.as_deref().expect("a session"));
    let host = format!("host: {}", served.gateway);
    let mut stream = RawClient::connect(served.gateway).await.expect("connected");
    let headers = [host.as_str(), &agent.token, "accept: text/event-stream", &session];
    stream.send_request("GET /mcp HTTP/1.1", &headers, b"").await.expect("sent");
    let head = await_or_fail("a stream", stream.read_some()).await.expect("a head");
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    // Answers in flight have ten seconds; this stream has none.
    let stopped = tokio::time::timeout(Duration::from_secs(8), served.stop()).await;
    assert_eq!(stopped.expect("it stops"), Some(0));
}

/// What `ask` says of each model.
async fn ask(agent: &HttpAgent, models: &[&str]) -> Vec<Value> {
    let asked = json!({"models": models, "prompt": "hi", "timeout_secs": 30});
    let result = agent.call("ask", asked).await;
    let answers = result.pointer("/structuredContent/answers").and_then(Value::as_array);
    answers.unwrap_or_else(|| panic!("no answers: {result}")).clone()
}

fn outcome(answer: &Value) -> (&str, &str) {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    (text("outcome"), text("error"))
}

#[tokio::test]
async fn what_an_agent_asks_obeys_the_scope_and_the_rates_of_its_token_and_counts_for_it() {
    let home = TestHome::new(HomeVault::Memory);
    let (served, token) = (home.serve().await, home.client("editor").await);
    for setting in ["mcp_http", "mcp_spend"] {
        set(&home, setting).await;
    }
    let limits = ["--mcp", "true", "--allow-model", "mock/echo", "--requests-per-minute", "2"];
    let edit = [&["clients", "edit", "editor"], &limits[..]].concat();
    home.gatehouse(&edit).run().await.expect_success();
    let mut agent = HttpAgent::new(served.gateway, &token);
    assert_eq!(agent.begin().await, 200);

    let [allowed, other] = &ask(&agent, &["mock/echo", "mock/other"]).await[..] else {
        panic!("two answers");
    };
    assert_eq!(outcome(allowed).0, "answered", "{allowed}");
    assert_eq!(outcome(other).0, "failed", "{other}");
    assert!(outcome(other).1.contains("editor"), "{other}");
    // The rate is that of the token: what is too much is refused, and so is a call of its own.
    let mut refused = Vec::new();
    while refused.is_empty() {
        refused = ask(&agent, &["mock/echo", "mock/echo"]).await;
        refused.retain(|answer| outcome(answer).0 == "failed");
    }
    let limit = "limits the client editor: the limit of requests per minute is reached";
    assert!(outcome(&refused[0]).1.contains(limit), "{refused:?}");
    let body = json!({"model": "mock/echo", "messages": [{"role": "user", "content": "hi"}]});
    let chat = "/v1/chat/completions";
    let own = post_json(served.gateway, chat, &[&agent.token, JSON], &json_body(&body)).await;
    assert_eq!(own.status, 429, "{}", own.text());
    let listed = home.gatehouse(&["requests", "list", "--json"]).run().await.expect_success();
    let rows = listed.json();
    let rows = rows["requests"].as_array().expect("requests");
    assert!(!rows.is_empty() && rows.iter().all(|row| row["client"] == "editor"), "{rows:?}");
    assert!(rows.iter().any(|row| row["project"] == "agents"), "{rows:?}");
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn what_an_agent_asks_is_paid_from_the_budget_of_its_token() {
    let home = TestHome::new(HomeVault::Memory);
    let upstream = ScriptedUpstream::start_with(|request| {
        let is_asked = request.json().get("model").is_some();
        let text = ChatText { model: "m", deltas: &["well"], usage: None };
        Some(if is_asked { Reply::chat_stream(&text) } else { Reply::models(&["m"]) })
    });
    let upstream = upstream.await.expect("an upstream");
    home.write_settings(&format!(
        "[backends.up]\nkind = \"openai-compatible\"\nbase_url = \"{}\"\n",
        upstream.base_url()
    ));
    let price = ["prices", "set", "up", "m", "--input", "1", "--output", "1"];
    home.gatehouse(&price).run().await.expect_success();
    let (served, token) = (home.serve().await, home.client("editor").await);
    for setting in ["mcp_http", "mcp_spend"] {
        set(&home, setting).await;
    }
    allow(&home, "editor").await;
    let mut agent = HttpAgent::new(served.gateway, &token);
    assert_eq!(agent.begin().await, 200);
    let answers = ask(&agent, &["up/m"]).await;
    assert_eq!(outcome(&answers[0]).0, "answered", "{answers:?}");
    // Less than what a prompt of one word costs.
    let budget = ["budgets", "set", "small", "--client", "editor", "--limit", "0.000001"];
    home.gatehouse(&budget).run().await.expect_success();
    let answers = ask(&agent, &["up/m"]).await;
    assert_eq!(outcome(&answers[0]).0, "failed", "{answers:?}");
    assert!(outcome(&answers[0]).1.contains("small"), "{answers:?}");
    assert_eq!(served.stop().await, Some(0));
}
