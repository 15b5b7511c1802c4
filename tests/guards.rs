//! Tests of the guards, with raw sockets: no refused request reaches a backend, and every refusal
//! has the error format of its dialect.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::time::Duration;

use acceptance::{
    HomeVault, TestHome, TestServer, await_or_fail, json_body, post_json, session_header,
};
use serde_json::{Value, json};
use test_support::{BodyEnd, RawAnswer, RawClient, Reply, ScriptedUpstream};

/// The body limit of the gateway under test, in bytes.
const BODY_BYTES_MAX: usize = 65_536;

const JSON: &str = "content-type: application/json";

/// How long a revocation may take, whoever holds connections open.
const REVOCATION_MAX: Duration = Duration::from_secs(1);

/// A gateway with a backend that counts the requests it receives.
struct GuardedGateway {
    home: TestHome,
    served: TestServer,
    token: String,
    upstream: ScriptedUpstream,
}

impl GuardedGateway {
    async fn start() -> Self {
        let upstream = ScriptedUpstream::start_with(|request| {
            (request.path == "/v1/models").then(|| Reply::models(&["m"]))
        });
        let upstream = upstream.await.expect("an upstream");
        let home = TestHome::new(HomeVault::Memory);
        home.write_settings(&format!(
            "[gateway]\nbody_bytes_max = {BODY_BYTES_MAX}\n\n[backends.up]\n\
             kind = \"openai-compatible\"\nbase_url = \"{}\"\n",
            upstream.base_url()
        ));
        let served = home.serve_with(&["--panel"]).await;
        let token = home.client("demo").await;
        Self { home, served, token, upstream }
    }

    fn authorization(&self) -> String {
        format!("authorization: Bearer {}", self.token)
    }

    async fn post_chat(&self, headers: &[&str], body: &[u8]) -> RawAnswer {
        post_json(self.served.gateway, "/v1/chat/completions", headers, body).await
    }

    /// Only the monitor's light probes may have reached the backend.
    fn assert_nothing_came_through(&self) {
        let posted: Vec<_> =
            self.upstream.requests().into_iter().filter(|seen| seen.method != "GET").collect();
        assert!(posted.is_empty(), "{posted:?}");
    }

    fn one_time(text: &str) -> Option<String> {
        let (_, rest) = text.split_once("#one-time=")?;
        rest.contains('\n').then(|| rest.lines().next().map(str::to_owned))?
    }
}

fn request() -> Vec<u8> {
    json_body(&json!({"model": "up/m", "messages": [{"role": "user", "content": "hi"}]}))
}

/// Checks a refusal in OpenAI's error format.
#[track_caller]
fn assert_refused(answer: &RawAnswer, status: u16, code: &str) {
    let body: Value = answer.json();
    let error = &body["error"];
    assert_eq!((answer.status, &error["code"]), (status, &json!(code)), "{}", answer.text());
    assert!(error["message"].as_str().is_some_and(|text| text.len() > 10), "{body}");
    assert!(error["type"].is_string() && error.get("param").is_some(), "{body}");
    assert!(answer.header("x-gatehouse-request-id").is_some_and(|id| id.starts_with("req_")));
    let grants = |name: &str| name.to_lowercase().starts_with("access-control-");
    assert!(!answer.headers.iter().any(|(name, _)| grants(name)), "{:?}", answer.headers);
}

#[tokio::test]
async fn unauthorized_requests_are_refused_in_the_dialect_and_not_forwarded() {
    let gate = GuardedGateway::start().await;
    let token = gate.authorization();
    let check = async |headers: &[&str], status: u16, code: &str| {
        assert_refused(&gate.post_chat(headers, &request()).await, status, code);
    };
    check(&[JSON], 401, "missing_token").await;
    check(&[JSON, "authorization: Bearer ghk_guess"], 401, "invalid_token").await;
    check(&[JSON, "x-api-key: ghk_guess"], 401, "invalid_token").await;
    for origin in ["https://evil.example", "null", &format!("http://{}", gate.served.gateway)] {
        check(&[JSON, &token, &format!("origin: {origin}")], 403, "browser_request_refused").await;
    }
    check(&[JSON, &token, "sec-fetch-site: cross-site"], 403, "browser_request_refused").await;
    check(&[JSON, &token, "sec-fetch-site: same-site"], 403, "browser_request_refused").await;
    let media = "unsupported_media_type";
    check(&["content-type: text/plain", &token], 415, media).await;
    check(&["content-type: application/x-www-form-urlencoded", &token], 415, media).await;
    check(&[&token], 415, media).await;
    check(&[JSON, &token, "content-encoding: gzip"], 415, media).await;
    check(&[JSON, &token, "host: evil.example"], 421, "misdirected_request").await;

    let raw = async |text: String| {
        await_or_fail("an answer", RawClient::exchange(gate.served.gateway, text.as_bytes()))
            .await
            .expect("an answer")
    };
    let rest = format!("{token}\r\n{JSON}\r\ncontent-length: 2\r\n\r\n{{}}");
    for host in ["evil.example", "127.0.0.1", "localhost.", "127.0.0.1:1"] {
        let answer = raw(format!("POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\n{rest}"));
        assert_refused(&answer.await, 421, "misdirected_request");
    }
    let preflight = format!(
        "OPTIONS /v1/chat/completions HTTP/1.1\r\nhost: {}\r\norigin: https://evil.example\r\n\
         access-control-request-method: POST\r\n\
         access-control-request-headers: authorization,content-type\r\n\r\n",
        gate.served.gateway
    );
    assert_refused(&raw(preflight).await, 403, "browser_request_refused");
    let options = format!("OPTIONS * HTTP/1.1\r\nhost: {}\r\n\r\n", gate.served.gateway);
    assert_eq!(raw(options).await.status, 403);
    gate.assert_nothing_came_through();
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_its_length_and_while_it_is_read() {
    let gate = GuardedGateway::start().await;
    let token = gate.authorization();
    let filled = |bytes: usize| {
        let mut body = json_body(&json!({"model": "mock/echo",
            "messages": [{"role": "user", "content": "hi"}]}));
        body.resize(bytes, b' ');
        body
    };
    let fits = gate.post_chat(&[JSON, &token], &filled(BODY_BYTES_MAX)).await;
    assert_eq!(fits.status, 200, "{}", fits.text());
    let over = gate.post_chat(&[JSON, &token], &filled(BODY_BYTES_MAX + 1)).await;
    assert_refused(&over, 413, "request_too_large");

    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {}\r\n{token}\r\n{JSON}\r\n",
        gate.served.gateway
    );
    // Announces ten gigabytes; the gateway must refuse without waiting for them.
    let text = format!("{head}content-length: 10737418240\r\n\r\n{{");
    let answer =
        await_or_fail("an answer", RawClient::exchange(gate.served.gateway, text.as_bytes()));
    assert_refused(&answer.await.expect("an answer"), 413, "request_too_large");

    let mut chunked = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..=BODY_BYTES_MAX / 4096 {
        write!(chunked, "1000\r\n").expect("memory");
        chunked.extend(vec![b' '; 4096]);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let answer =
        await_or_fail("an answer", RawClient::exchange(gate.served.gateway, &chunked)).await;
    assert_refused(&answer.expect("an answer"), 413, "request_too_large");

    // A second request hidden behind a chunked one is never read.
    let mut smuggled = format!("{head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n");
    smuggled.push_str("0\r\n\r\nPOST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n\r\n");
    let mut client = RawClient::connect(gate.served.gateway).await.expect("connected");
    client.send(smuggled.as_bytes()).await.expect("sent");
    let first = await_or_fail("an answer", client.read_answer()).await.expect("an answer");
    assert!((400..500).contains(&first.status), "{}", first.text());
    let rest = await_or_fail("the end", client.read_some()).await.unwrap_or_default();
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    gate.assert_nothing_came_through();
}

/// The gateway allows ten seconds for a request head, so this test takes as long.
#[tokio::test]
async fn half_sent_heads_block_nobody_and_are_closed_in_time() {
    let gate = GuardedGateway::start().await;
    let mut half = Vec::new();
    for _ in 0..200 {
        let mut client = RawClient::connect(gate.served.gateway).await.expect("connected");
        client.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.").await.expect("sent");
        half.push(client);
    }
    let body = json_body(&json!({"model": "mock/echo",
        "messages": [{"role": "user", "content": "hi"}]}));
    let good = gate.post_chat(&[JSON, &gate.authorization()], &body).await;
    assert_eq!((good.status, good.end), (200, BodyEnd::Complete));
    // `patiently` waits three times as long as the gateway may take.
    for mut client in half {
        let said = await_or_fail("the end of half a head", client.read_some()).await;
        let said = said.unwrap_or_default();
        assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 408"), "{said:?}");
    }
    gate.assert_nothing_came_through();
}

#[tokio::test]
async fn the_control_api_admits_only_the_panel_and_the_command_line() {
    let gate = GuardedGateway::start().await;
    let control = &gate.served.control;
    let refused = |answer: &RawAnswer, status: u16| {
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.json()["message"].is_string(), "{}", answer.text());
        assert_eq!(answer.json().as_object().map(serde_json::Map::len), Some(4), "no view in it");
    };
    let null = b"null".as_slice();
    refused(&control.send("status", &[], null).await, 401);
    refused(&control.send("status", &["authorization: Bearer ghc_guess"], null).await, 401);
    // A client's token is valid for the gateway only.
    refused(&control.send("status", &[&gate.authorization()], null).await, 401);
    let own = control.authorization();
    assert_eq!(control.send("status", &[&own], null).await.status, 200);
    refused(&control.send("status", &[&own, "origin: https://evil.example"], null).await, 403);
    refused(&control.send("status", &[&own, "sec-fetch-site: cross-site"], null).await, 403);
    refused(&control.send("status", &[&own, "host: evil.example"], null).await, 421);
    let plain = ["content-type: text/plain", &own];
    let plain = post_json(control.address, "/control/v1/status", &plain, null).await;
    refused(&plain, 415);

    // The address of the panel works once.
    let text = gate.served.wait_for_stdout(|text| GuardedGateway::one_time(text).is_some()).await;
    let one_time = GuardedGateway::one_time(&text).expect("waited for it");
    refused(&control.exchange("ghc_guess").await, 403);
    let opened = control.exchange(&one_time).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    assert_eq!(opened.header("set-cookie"), None, "a cookie goes to every port of this host");
    refused(&control.exchange(&one_time).await, 403);

    let session = session_header(&opened);
    let origin = control.origin();
    let all = [session.as_str(), &origin];
    assert_eq!(control.send("status", &all, null).await.status, 200);
    refused(&control.send("status", &[&session, "origin: http://127.0.0.1:1"], null).await, 403);
    let cookie = session.replace("authorization: Bearer ", "cookie: gatehouse_panel=");
    refused(&control.send("status", &[&cookie, &origin], null).await, 401);

    // The operations that return a client's token do not exist for a panel.
    let demo = json_body(&json!({"id": "demo"}));
    let more = json_body(&json!({"id": "more", "expires_in_days": null}));
    refused(&control.send("client_token", &all, &demo).await, 404);
    refused(&control.send("client_issue", &all, &more).await, 404);
    let issued = control.send("client_token", &[&own], &demo).await;
    assert_eq!(issued.json(), json!(gate.token));
    let clients = control.send("clients", &all, null).await;
    assert!(clients.status == 200 && !clients.text().contains(&gate.token));
    assert_eq!(
        gate.home
            .gatehouse(&["clients", "list", "--json"])
            .run()
            .await
            .expect_success()
            .items()
            .as_array()
            .map(Vec::len),
        Some(1),
        "the panel made no client"
    );

    assert_eq!(control.sign_out(&session).await.status, 204);
    refused(&control.send("status", &all, null).await, 401);
}

#[tokio::test]
async fn what_a_browser_gets_of_the_panel_cannot_be_framed_or_scripted_from_outside() {
    let gate = GuardedGateway::start().await;
    let control = &gate.served.control;
    for path in ["/", "/control/v1/status", "/../etc/passwd", "/nowhere", "/panel/exchange"] {
        let text = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", control.address);
        let answer = RawClient::exchange(control.address, text.as_bytes());
        let answer = await_or_fail("an answer", answer).await.expect("an answer");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(policy.contains("script-src 'self';"), "{path}: {policy}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert!(!answer.text().contains("root:"), "{path}");
    }
}

/// Connections without a token, as many as the socket limit of a test process allows.
async fn open_idle_connections(port: u16) -> Vec<RawClient> {
    let mut held = Vec::new();
    for _ in 0..600 {
        held.push(RawClient::connect(acceptance::loopback_address(port)).await.expect("connected"));
    }
    held
}

#[tokio::test]
async fn s41_six_hundred_idle_connections_shut_nobody_out() {
    let gate = GuardedGateway::start().await;
    let port = gate.served.gateway.port();
    let idle = open_idle_connections(port).await;
    let question = json!({"model": "mock/echo", "messages": [{"role": "user", "content": "hi"}]});
    let answer = acceptance::post_chat(gate.served.gateway, &gate.token, &question);
    assert_eq!(await_or_fail("an answer", answer).await.status, 200);
    drop(idle);
    let _idle = open_idle_connections(gate.served.control.address.port()).await;
    let revoke = ["clients", "revoke", "demo"];
    let revoked = tokio::time::timeout(REVOCATION_MAX, gate.home.gatehouse(&revoke).run()).await;
    revoked.expect("revoked in time").expect_success();
    let refused = gate.post_chat(&[JSON, &gate.authorization()], &request()).await;
    assert_refused(&refused, 401, "revoked_token");
    gate.served.stop().await;
}
