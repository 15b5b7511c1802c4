//! The control listener: which callers pass, which do not, and what a browser may do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Clock, SeededEntropy, SystemClock};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use gateway::{
    Asset, CONTROL_BODY_BYTES_MAX, ControlCaller, ControlListener, ControlOperations, ControlReply,
    ControlTokens, Listener, ListenerLimits, StopSignal,
};
use test_support::{RawAnswer, RawClient};
use tokio::task::JoinSet;

struct Echo {
    metrics_on: bool,
}

#[async_trait]
impl ControlOperations for Echo {
    async fn call(&self, caller: ControlCaller, operation: &str, body: Bytes) -> ControlReply {
        let text = format!("\"{caller:?} {operation} {}\"", body.len());
        ControlReply { status: 200, body: text.into() }
    }

    fn events(&self) -> BoxStream<'static, Bytes> {
        stream::iter([Bytes::from_static(b"{\"kind\":\"changed\"}")])
            .chain(stream::pending())
            .boxed()
    }

    fn metrics(&self) -> Option<Bytes> {
        self.metrics_on.then(|| Bytes::from_static(b"# EOF\n"))
    }

    fn asset(&self, path: &str) -> Option<Asset> {
        let known = ["index.html", "assets/app-1a2b.js"].contains(&path);
        known.then(|| Asset { content_type: "text/html".to_owned(), bytes: path.to_owned().into() })
    }
}

struct Control {
    address: SocketAddr,
    tokens: Arc<ControlTokens>,
    stop: StopSignal,
    serving: JoinSet<()>,
}

async fn control() -> Control {
    control_with(ListenerLimits::default(), true).await
}

async fn control_with(limits: ListenerLimits, metrics_on: bool) -> Control {
    let clock = Arc::new(SystemClock::new());
    let tokens = Arc::new(ControlTokens::generate(Arc::new(SeededEntropy::new(5)), clock));
    let control = ControlListener::new(Arc::new(Echo { metrics_on }), Arc::clone(&tokens), limits);
    let listener = Listener::bind_v4_any().await.expect("a port");
    let address = SocketAddr::from(([127, 0, 0, 1], listener.port()));
    let stop = StopSignal::default();
    let mut serving = JoinSet::new();
    serving.spawn(control.serve(listener, stop.clone()));
    Control { address, tokens, stop, serving }
}

impl Control {
    async fn send(&self, line: &str, headers: &[&str], body: &str) -> RawAnswer {
        let mut client = RawClient::connect(self.address).await.expect("connected");
        let host = format!("host: {}", self.address);
        let mut all = vec![host.as_str()];
        all.extend(headers);
        client.send_request(line, &all, body.as_bytes()).await.expect("sent");
        client.read_answer().await.expect("an answer")
    }

    fn local(&self) -> String {
        format!("authorization: Bearer {}", self.tokens.local().expose())
    }

    fn one_time(&self) -> String {
        let address = self.tokens.one_time_address(self.address.port());
        let (_, token) = address.split_once("#one-time=").expect("a fragment");
        format!("{{\"one_time\":\"{token}\"}}")
    }

    /// Subscribes to events, and waits for the first.
    async fn listen(&self, session: &str) -> RawClient {
        let mut client = RawClient::connect(self.address).await.expect("connected");
        let host = format!("host: {}", self.address);
        client.send_request(EVENTS, &[&host, session], b"").await.expect("sent");
        let mut text = String::new();
        while !text.contains("data: {\"kind\":\"changed\"}\n\n") {
            text += &String::from_utf8_lossy(&client.read_some().await.expect("bytes"));
        }
        assert!(text.contains("content-type: text/event-stream"));
        client
    }

    async fn session(&self) -> String {
        let answer = self.send(EXCHANGE, &[JSON], &self.one_time()).await;
        session_header(&answer)
    }
}

/// The header in which a panel sends its session.
fn session_header(answer: &RawAnswer) -> String {
    format!("authorization: Bearer {}", answer.json()["session"].as_str().expect("a session"))
}

const STATUS: &str = "POST /control/v1/status HTTP/1.1";
const EXCHANGE: &str = "POST /panel/exchange HTTP/1.1";
const JSON: &str = "content-type: application/json";
const SIGN_OUT: &str = "POST /panel/sign-out HTTP/1.1";
const EVENTS: &str = "GET /control/v1/events HTTP/1.1";

#[tokio::test]
async fn s54_idle_connections_without_a_token_shut_no_command_out() {
    let limits = ListenerLimits { connections_max: 8, ..ListenerLimits::default() };
    let control = control_with(limits, true).await;
    let mut idle = Vec::new();
    for _ in 0..30 {
        idle.push(RawClient::connect(control.address).await.expect("connected"));
    }
    for _ in 0..5 {
        assert_eq!(control.send(STATUS, &[JSON, &control.local()], "{}").await.status, 200);
    }
    assert!(idle[0].read_some().await.is_ok_and(|bytes| bytes.is_empty()), "the oldest was closed");
}

#[tokio::test]
async fn a_one_time_address_gives_one_session_and_no_second() {
    let control = control().await;
    let body = control.one_time();
    let answer = control.send(EXCHANGE, &[JSON], &body).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    assert_eq!(control.send(STATUS, &[&session_header(&answer), JSON], "{}").await.status, 200);
    let replay = control.send(EXCHANGE, &[JSON], &body).await;
    assert_eq!((replay.status, replay.json()["session"].as_str()), (403, None));
    assert!(replay.text().contains("Run `gatehouse panel` for a new one."), "{}", replay.text());
    let own = format!("origin: http://{}", control.address);
    let fresh = control.one_time();
    for origin in ["origin: https://evil.example", "origin: null", "sec-fetch-site: cross-site"] {
        assert_eq!(control.send(EXCHANGE, &[JSON, origin], &fresh).await.status, 403, "{origin}");
    }
    assert_eq!(control.send(EXCHANGE, &["content-type: text/plain"], &fresh).await.status, 415);
    assert_eq!(control.send(EXCHANGE, &[JSON], "{}").await.status, 400);
    assert_eq!(control.send(EXCHANGE, &[JSON, &own], &fresh).await.status, 200);
}

/// Browsers send a cookie to every port of 127.0.0.1, so a cookie would give the panel to any other
/// local server (S26).
#[tokio::test]
async fn a_cookie_is_neither_set_nor_taken() {
    let control = control().await;
    let opened = control.send(EXCHANGE, &[JSON], &control.one_time()).await;
    let header = session_header(&opened);
    let answers = [
        opened,
        control.send("GET / HTTP/1.1", &[], "").await,
        control.send(STATUS, &[&header, JSON], "{}").await,
        control.send(SIGN_OUT, &["authorization: Bearer ghc_x"], "").await,
    ];
    for answer in &answers {
        assert_eq!(answer.header("set-cookie"), None, "{}", answer.status);
    }
    let port = control.address.port();
    let session = header.strip_prefix("authorization: Bearer ").expect("a session");
    for name in [format!("gatehouse_panel_{port}"), "session".to_owned()] {
        let cookie = format!("cookie: {name}={session}");
        let own = format!("origin: http://{}", control.address);
        let headers = [cookie.as_str(), "x-gatehouse-panel: 1", JSON, &own];
        assert_eq!(control.send(STATUS, &headers, "{}").await.status, 401, "{name}");
        assert_eq!(control.send(EVENTS, &[&cookie], "").await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_its_events_at_once() {
    let control = control().await;
    let (session, other) = (control.session().await, control.session().await);
    let mut listening = control.listen(&session).await;
    let foreign = [session.as_str(), "origin: https://evil.example"];
    assert_eq!(control.send(SIGN_OUT, &foreign, "").await.status, 403);
    assert_eq!(control.send(STATUS, &[&session, JSON], "{}").await.status, 200);
    assert_eq!(control.send(SIGN_OUT, &[], "").await.status, 401);
    assert_eq!(control.send(SIGN_OUT, &[&session], "").await.status, 204);
    let mut rest = Vec::new();
    while !rest.ends_with(b"0\r\n\r\n") {
        let more = listening.read_some().await.expect("bytes");
        assert!(!more.is_empty(), "the stream ends, and not the connection");
        rest.extend_from_slice(&more);
    }
    assert_eq!(control.send(STATUS, &[&session, JSON], "{}").await.status, 401);
    assert_eq!(control.send(STATUS, &[&other, JSON], "{}").await.status, 200);
}

#[tokio::test]
async fn operations_want_a_token_or_our_own_page() {
    let control = control().await;
    let (local, session) = (control.local(), control.session().await);
    let answer = control.send(STATUS, &[&local, JSON], "{}").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "\"Local { name: None } status 2\""));
    let named = [&local, JSON, "x-gatehouse-caller: window"];
    let answer = control.send(STATUS, &named, "{}").await;
    assert!(answer.text().contains("window"), "{}", answer.text());
    let named = [&session, JSON, "x-gatehouse-caller: window"];
    let answer = control.send(STATUS, &named, "{}").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "\"Panel status 2\""));
    let own = format!("origin: http://{}", control.address);
    assert_eq!(control.send(STATUS, &[&session, JSON, &own], "{}").await.status, 200);
    let other_port = format!("origin: http://127.0.0.1:{}", control.address.port() ^ 1);
    let refusals: [(u16, Vec<&str>); 8] = [
        (401, vec![JSON]),
        (401, vec!["authorization: Bearer ghc_wrong", JSON]),
        (401, vec!["x-api-key: x", JSON]),
        (403, vec![&session, JSON, "origin: https://evil.example"]),
        (403, vec![&session, JSON, &other_port]),
        (403, vec![&session, JSON, "sec-fetch-site: same-site"]),
        (415, vec![&session, "content-type: application/x-www-form-urlencoded"]),
        (403, vec![&local, JSON, "origin: null"]),
    ];
    for (status, headers) in refusals {
        let answer = control.send(STATUS, &headers, "{}").await;
        assert_eq!(answer.status, status, "{headers:?}");
        assert_eq!(answer.json()["code"], "failed");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    for (status, line) in [
        (405, "GET /control/v1/status HTTP/1.1"),
        (405, "OPTIONS /control/v1/status HTTP/1.1"),
        (404, "POST /control/v1/Sta-tus HTTP/1.1"),
        (404, "POST /control/v1/ HTTP/1.1"),
        (405, "POST /index.html HTTP/1.1"),
    ] {
        assert_eq!(control.send(line, &[&local, JSON], "{}").await.status, status, "{line}");
    }
    let mut client = RawClient::connect(control.address).await.expect("connected");
    client.send_request(STATUS, &["host: evil.test", &local, JSON], b"{}").await.expect("sent");
    assert_eq!(client.read_answer().await.expect("an answer").status, 421);
}

/// The first wrong tokens, as many as a misconfigured tool sends, are answered at once; later ones
/// wait.
#[tokio::test]
async fn trying_tokens_becomes_slow() {
    let control = control().await;
    let wrong = || control.send(STATUS, &["authorization: Bearer ghc_wrong", JSON], "{}");
    let guess = r#"{"one_time":"guessed"}"#;
    for _ in 0..10 {
        assert_eq!(wrong().await.status, 401);
        let exchanged = control.send("POST /panel/exchange HTTP/1.1", &[JSON], guess).await;
        assert_eq!(exchanged.status, 403);
    }
    let clock = SystemClock::new();
    let begin = clock.now();
    assert_eq!(wrong().await.status, 401);
    let waited = clock.now().since(begin);
    assert!(waited >= Duration::from_millis(250), "{waited:?}");
}

#[tokio::test]
async fn a_call_is_limited_in_size() {
    let control = control().await;
    let local = control.local();
    let at = "x".repeat(CONTROL_BODY_BYTES_MAX);
    assert_eq!(control.send(STATUS, &[&local, JSON], &at).await.status, 200);
    assert_eq!(control.send(STATUS, &[&local, JSON], &format!("{at}x")).await.status, 413);
}

#[tokio::test]
async fn files_of_the_panel_need_no_session_and_bind_the_browser() {
    let control = control().await;
    for (path, status, caching) in [
        ("/", 200, "no-cache"),
        ("/index.html", 200, "no-cache"),
        ("/assets/app-1a2b.js", 200, "public, max-age=31536000, immutable"),
        ("/nope.js", 404, "no-store"),
        ("/assets/../index.html", 404, "no-store"),
        ("/%69ndex.html", 404, "no-store"),
        ("/health", 404, "no-store"),
    ] {
        let answer = control.send(&format!("GET {path} HTTP/1.1"), &[], "").await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (status, Some(caching)),
            "{path}"
        );
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"));
        assert!(policy.contains("form-action 'none';"), "{policy}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

const METRICS: &str = "GET /metrics HTTP/1.1";

#[tokio::test]
async fn metrics_want_what_operations_want_and_are_not_there_while_off() {
    let control = control().await;
    let (local, session) = (control.local(), control.session().await);
    for headers in [[local.as_str(), JSON], [session.as_str(), JSON]] {
        let answer = control.send(METRICS, &headers, "").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "# EOF\n"));
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(answer.header("content-type"), Some(kind));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    for (status, line, headers) in [
        (401, METRICS, vec![]),
        (401, METRICS, vec!["authorization: Bearer ghc_wrong"]),
        (403, METRICS, vec![local.as_str(), "origin: https://evil.example"]),
        (405, "POST /metrics HTTP/1.1", vec![local.as_str()]),
    ] {
        assert_eq!(control.send(line, &headers, "").await.status, status, "{line} {headers:?}");
    }
    let off = control_with(ListenerLimits::default(), false).await;
    assert_eq!(off.send(METRICS, &[], "").await.status, 401, "who has no token learns nothing");
    let answer = off.send(METRICS, &[&off.local()], "").await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("gatehouse settings set metrics_prometheus true"));
}

#[tokio::test]
async fn events_stream_to_whoever_may_call_and_end_with_the_program() {
    let mut control = control().await;
    let session = control.session().await;
    assert_eq!(control.send(EVENTS, &[], "").await.status, 401);
    let foreign = [session.as_str(), "sec-fetch-site: cross-site"];
    assert_eq!(control.send(EVENTS, &foreign, "").await.status, 403);
    let mut client = control.listen(&session).await;
    control.stop.begun.cancel();
    control.serving.join_next().await.expect("served").expect("no panic");
    while !client.read_some().await.expect("bytes").is_empty() {}
}
