//! Requests that the guard refuses: the right status, the dialect's error shape, and no upstream
//! call.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway::{HEAD_BYTES_MAX, HEADERS_MAX, Listener, Snapshot, TokenState};
use test_support::{RawAnswer, RawClient, Reply, ScriptedUpstream, capture_logs};

use crate::world::{ASK, Limits, World, build, world, world_with};

async fn nobody() -> ScriptedUpstream {
    ScriptedUpstream::start([]).await.expect("an upstream")
}

/// Sends `head` (lines without line ends) and `body`; checks the refusal's shape.
async fn refused(world: &World, head: &[&str], body: &str) -> RawAnswer {
    let mut client = RawClient::connect(world.address).await.expect("connected");
    let (line, headers) = head.split_first().expect("a request line");
    client.send_request(line, headers, body.as_bytes()).await.expect("sent");
    let answer = client.read_answer().await.expect("an answer");
    assert!(answer.json()["error"]["message"].is_string(), "{head:?}: {}", answer.text());
    assert!(answer.header("x-gatehouse-request-id").is_some(), "{head:?}");
    let cors = answer.headers.iter().any(|(name, _)| name.starts_with("access-control"));
    assert!(!cors, "{head:?}");
    answer
}

const POST: &str = "POST /v1/chat/completions HTTP/1.1";
const JSON: &str = "content-type: application/json";

#[tokio::test]
async fn nothing_that_is_refused_reaches_the_upstream() {
    let upstream = nobody().await;
    let world = world(&upstream).await;
    let (host, bearer) = (world.host(), world.bearer());
    let port = world.address.port();
    let (h, b) = (host.as_str(), bearer.as_str());
    let evil_host = format!("host: evil.test:{port}");
    let evil_line = "POST http://evil.test/v1/chat/completions HTTP/1.1";
    let own_origin = format!("origin: http://localhost:{port}");
    let cases: Vec<(u16, Vec<&str>)> = vec![
        (421, vec![POST, &evil_host, b, JSON]),
        (421, vec![POST, b, JSON]),
        (421, vec![POST, h, h, b, JSON]),
        (421, vec![evil_line, h, b, JSON]),
        (403, vec![POST, h, b, JSON, "origin: https://evil.example"]),
        (403, vec![POST, h, b, JSON, "origin: null"]),
        (403, vec![POST, h, b, JSON, &own_origin]),
        (403, vec![POST, h, b, JSON, "sec-fetch-site: cross-site"]),
        (403, vec![POST, h, b, JSON, "sec-fetch-site: same-site"]),
        (403, vec!["OPTIONS /v1/chat/completions HTTP/1.1", h, b]),
        (
            403,
            vec![
                "OPTIONS /v1/chat/completions HTTP/1.1",
                h,
                "origin: https://evil.example",
                "access-control-request-method: POST",
                "access-control-request-private-network: true",
            ],
        ),
        (415, vec![POST, h, b]),
        (415, vec![POST, h, b, "content-type: text/plain"]),
        (415, vec![POST, h, b, JSON, "content-encoding: gzip"]),
        (401, vec![POST, h, JSON]),
        (401, vec![POST, h, JSON, "authorization: Bearer ghk_wrong"]),
        (401, vec![POST, h, JSON, "authorization: Basic Zm9vOmJhcg=="]),
        (401, vec![POST, h, JSON, "x-api-key: ' OR 1=1 --"]),
        (508, vec![POST, h, b, JSON, "x-gatehouse-hop: 1"]),
        (405, vec!["PUT /v1/chat/completions HTTP/1.1", h, b, JSON]),
        (405, vec!["DELETE /v1/models HTTP/1.1", h, b]),
        (404, vec!["POST /v1/completions HTTP/1.1", h, b, JSON]),
        (405, vec!["GET /v1/responses HTTP/1.1", h, b, JSON]),
        (404, vec!["POST /control/v1/status HTTP/1.1", h, b, JSON]),
        (404, vec!["POST /v1/chat/completions/ HTTP/1.1", h, b, JSON]),
    ];
    for (status, head) in cases {
        assert_eq!(refused(&world, &head, ASK).await.status, status, "{head:?}");
    }
    assert!(upstream.requests().is_empty());
    assert!(world.rows().await.is_empty());
}

#[tokio::test]
async fn marks_that_node_clients_send_do_not_hurt() {
    let upstream = nobody().await;
    let world = world(&upstream).await;
    let line = "GET /v1/models HTTP/1.1";
    let bytes = format!(
        "{line}\r\n{}\r\n{}\r\nsec-fetch-mode: cors\r\naccept-language: *\r\n\r\n",
        world.host(),
        world.bearer()
    );
    let answer = RawClient::exchange(world.address, bytes.as_bytes()).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn every_carrier_of_the_token_is_taken_and_none_is_logged() {
    let logs = capture_logs();
    let upstream = nobody().await;
    let world = world(&upstream).await;
    let token = world.token.clone();
    let carriers = [
        ("/v1/models".to_owned(), format!("authorization: Bearer {token}")),
        ("/v1/models".to_owned(), format!("x-api-key: {token}")),
        ("/v1/models".to_owned(), format!("x-goog-api-key: {token}")),
        (format!("/v1/models?key={token}"), "accept: */*".to_owned()),
        (format!("/nowhere?key={token}"), "accept: */*".to_owned()),
    ];
    for (path, header) in carriers {
        let bytes = format!("GET {path} HTTP/1.1\r\n{}\r\n{header}\r\n\r\n", world.host());
        let answer = RawClient::exchange(world.address, bytes.as_bytes()).await.expect("an answer");
        let expected = if path.starts_with("/v1") { 200 } else { 404 };
        assert_eq!(answer.status, expected, "{path} {header}");
        assert!(!answer.text().contains(&token));
    }
    let text = logs.text();
    assert!(text.contains("a request was refused"), "the log has what it should: {text}");
    assert!(!text.contains(&token), "{text}");
}

#[tokio::test]
async fn a_token_that_no_longer_holds_is_refused_with_its_reason() {
    let upstream = nobody().await;
    let world = world(&upstream).await;
    let past = domain::WallTime::from_unix_ms(1);
    for (standing, code) in
        [(TokenState::Revoked, "revoked_token"), (TokenState::Valid(Some(past)), "expired_token")]
    {
        let mut changed = Snapshot::clone(&world.snapshot.load());
        let id = domain::ClientId::new("tool").expect("an id");
        let client = gateway::GatewayClient::new(id, ledger::Purpose::User, standing);
        changed.clients = [(gateway::hash_token(&world.token), client)].into_iter().collect();
        world.snapshot.store(Arc::new(changed));
        let answer = world.get("/v1/models").await;
        assert_eq!((answer.status, answer.header("x-should-retry")), (401, Some("false")));
        assert_eq!(answer.json()["error"]["code"], code);
        assert_eq!(answer.json()["error"]["type"], "authentication_error");
    }
}

#[tokio::test]
async fn open_paths_need_no_token_and_tell_nothing() {
    let upstream = nobody().await;
    let world = world(&upstream).await;
    for path in ["/health", "/"] {
        for method in ["GET", "HEAD"] {
            let bytes = format!(
                "{method} {path} HTTP/1.1\r\n{}\r\nconnection: close\r\n\r\n",
                world.host()
            );
            let mut client = RawClient::connect(world.address).await.expect("connected");
            client.send(bytes.as_bytes()).await.expect("sent");
            let mut head = String::new();
            loop {
                let some = client.read_some().await.expect("an answer");
                if some.is_empty() {
                    break;
                }
                head += &String::from_utf8_lossy(&some);
            }
            assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {head}");
            assert_eq!(head.contains("\r\n\r\n{"), method == "GET", "{head}");
        }
    }
    let bytes = "GET /health HTTP/1.1\r\nhost: evil.test\r\n\r\n";
    let answer = RawClient::exchange(world.address, bytes.as_bytes()).await.expect("an answer");
    assert_eq!(answer.status, 421, "the Host is checked on open paths too");
}

#[tokio::test]
async fn both_families_serve_the_port() {
    let listener = Listener::bind(0).await.expect("a port");
    if listener.ipv6() == gateway::Ipv6State::Absent {
        return;
    }
    drop(listener);
    let upstream = nobody().await;
    let world = world(&upstream).await;
    let port = world.address.port();
    let bytes = format!("GET /health HTTP/1.1\r\nhost: [::1]:{port}\r\n\r\n");
    let address = format!("[::1]:{port}").parse().expect("an address");
    let answer = RawClient::exchange(address, bytes.as_bytes()).await.expect("an answer");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_body_is_taken_up_to_its_limit() {
    let upstream = nobody().await;
    let mut limits = Limits::default();
    let missing = r#"{"model":"nope","messages":[]}"#;
    limits.request.body_bytes_max = missing.len();
    let world = world_with(&upstream, limits).await;
    // At the limit it is read, and refused by the router only.
    assert_eq!(world.chat(missing).await.status, 404);
    let answer = world.chat(&format!("{missing} ")).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["error"]["code"], "request_too_large");
    // Refused by its stated length, before a byte of it is read.
    let head = format!(
        "{POST}\r\n{}\r\n{}\r\n{JSON}\r\ncontent-length: 10737418240\r\n\r\n",
        world.host(),
        world.bearer()
    );
    let answer = RawClient::exchange(world.address, head.as_bytes()).await.expect("an answer");
    assert_eq!(answer.status, 413);
    // Refused while reading, if no length is stated.
    let chunk = format!("{:x}\r\n{missing}\r\n", missing.len());
    let head = format!(
        "{POST}\r\n{}\r\n{}\r\n{JSON}\r\ntransfer-encoding: chunked\r\n\r\n",
        world.host(),
        world.bearer()
    );
    let endless = format!("{head}{chunk}{chunk}");
    let answer = RawClient::exchange(world.address, endless.as_bytes()).await.expect("an answer");
    assert_eq!(answer.status, 413);
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_slow_body_is_not_waited_for() {
    let upstream = nobody().await;
    let mut limits = Limits::default();
    limits.listener.body_idle_timeout = Duration::from_millis(50);
    let world = world_with(&upstream, limits).await;
    let head = format!(
        "{POST}\r\n{}\r\n{}\r\n{JSON}\r\ncontent-length: 100\r\n\r\n{{",
        world.host(),
        world.bearer()
    );
    let answer = RawClient::exchange(world.address, head.as_bytes()).await.expect("an answer");
    assert_eq!(answer.status, 408);
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn half_a_head_is_closed_and_does_not_block_others() {
    let upstream = nobody().await;
    let mut limits = Limits::default();
    limits.listener.head_timeout = Duration::from_millis(300);
    let world = world_with(&upstream, limits).await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut client = RawClient::connect(world.address).await.expect("connected");
        client.send(b"GET /health HTTP/1.1\r\nhost: ").await.expect("sent");
        slow.push(client);
    }
    assert_eq!(world.get("/health").await.status, 200);
    for mut client in slow {
        let rest = tokio::time::timeout(Duration::from_secs(10), client.read_some()).await;
        assert!(rest.expect("closed in time").unwrap_or_default().is_empty());
    }
}

#[tokio::test]
async fn a_head_is_limited_in_bytes_and_in_lines() {
    let upstream = nobody().await;
    let world = world(&upstream).await;
    let status = async |headers: String| {
        let bytes = format!("GET /health HTTP/1.1\r\n{}\r\n{headers}\r\n", world.host());
        let answer = RawClient::exchange(world.address, bytes.as_bytes()).await;
        answer.map_or(0, |answer| answer.status)
    };
    let lines = |count: usize| (0..count).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    assert_eq!(status(lines(HEADERS_MAX - 1)).await, 200);
    assert_eq!(status(lines(HEADERS_MAX)).await, 431);
    let long = |bytes: usize| format!("x-long: {}\r\n", "x".repeat(bytes));
    assert_eq!(status(long(HEAD_BYTES_MAX - 200)).await, 200);
    assert_eq!(status(long(HEAD_BYTES_MAX)).await, 431);
}

#[tokio::test]
async fn connections_of_authenticated_callers_are_limited() {
    let upstream = nobody().await;
    let mut limits = Limits::default();
    limits.listener.connections_max = 2;
    let world = world_with(&upstream, limits).await;
    let (host, bearer) = (world.host(), world.bearer());
    let request = format!("GET /v1/models HTTP/1.1\r\n{host}\r\n{bearer}\r\n\r\n");
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = RawClient::connect(world.address).await.expect("connected");
        client.send(request.as_bytes()).await.expect("sent");
        assert_eq!(client.read_answer().await.expect("an answer").status, 200);
        held.push(client);
    }
    let mut third = RawClient::connect(world.address).await.expect("connected");
    let refusal = third.read_answer().await.expect("an answer");
    assert_eq!(refusal.status, 429);
    assert!(refusal.text().contains("2 open connections"), "{}", refusal.text());
    // A slot that becomes free is given away.
    drop(held);
    let admitted = async {
        loop {
            let mut next = RawClient::connect(world.address).await.expect("connected");
            let answer = match next.send(request.as_bytes()).await {
                Ok(()) => next.read_answer().await,
                Err(error) => Err(error),
            };
            if answer.is_ok_and(|answer| answer.status == 200) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), admitted).await.expect("a place");
}

#[tokio::test]
async fn s35_idle_connections_without_a_token_shut_nobody_out() {
    let upstream = nobody().await;
    let mut limits = Limits::default();
    limits.listener.connections_max = 16;
    let world = world_with(&upstream, limits).await;
    let mut known = RawClient::connect(world.address).await.expect("connected");
    let models =
        format!("GET /v1/models HTTP/1.1\r\n{}\r\n{}\r\n\r\n", world.host(), world.bearer());
    known.send(models.as_bytes()).await.expect("sent");
    assert_eq!(known.read_answer().await.expect("an answer").status, 200);
    let mut idle = Vec::new();
    for number in 0..40 {
        let mut client = RawClient::connect(world.address).await.expect("connected");
        // Half of them begin a request, and some send a wrong token.
        match number % 4 {
            0 => client.send(b"GET /v1/mod").await.expect("sent"),
            1 => {
                let wrong =
                    format!("GET /v1/models HTTP/1.1\r\n{}\r\nx-api-key: no\r\n\r\n", world.host());
                client.send(wrong.as_bytes()).await.expect("sent");
                assert_eq!(client.read_answer().await.expect("an answer").status, 401);
            }
            _ => {}
        }
        idle.push(client);
    }
    for _ in 0..5 {
        assert_eq!(world.get("/v1/models").await.status, 200, "a new one is served");
    }
    known.send(models.as_bytes()).await.expect("sent");
    assert_eq!(
        known.read_answer().await.expect("an answer").status,
        200,
        "and the known one stays"
    );
    assert!(idle[0].read_some().await.is_ok_and(|bytes| bytes.is_empty()), "the oldest was closed");
}

#[tokio::test]
async fn a_length_beside_chunks_smuggles_nothing() {
    for length_first in [true, false] {
        let upstream = nobody().await;
        let world = world(&upstream).await;
        let length = "content-length: 5";
        let chunked = "transfer-encoding: chunked";
        let pair = if length_first { [length, chunked] } else { [chunked, length] };
        let (host, bearer) = (world.host(), world.bearer());
        let smuggled = format!("GET /v1/models HTTP/1.1\r\n{host}\r\n{bearer}\r\n\r\n");
        let bytes = format!(
            "{POST}\r\n{host}\r\n{bearer}\r\n{JSON}\r\n{}\r\n{}\r\n\r\n0\r\n\r\n{smuggled}",
            pair[0], pair[1]
        );
        let mut client = RawClient::connect(world.address).await.expect("connected");
        client.send(bytes.as_bytes()).await.expect("sent");
        let first = client.read_answer().await.expect("an answer");
        assert_eq!((first.status, first.header("x-should-retry")), (400, Some("false")));
        assert!(first.text().contains("Content-Length or Transfer-Encoding"), "{}", first.text());
        assert_eq!(first.header("connection"), Some("close"));
        assert!(client.read_answer().await.is_err(), "what was behind it is not answered");
    }
}

#[tokio::test]
async fn malformed_requests_are_closed() {
    let upstream = nobody().await;
    let world = world(&upstream).await;
    let host = world.host();
    for bytes in [
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\n{host}\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx"
        ),
        format!("GET /health HTTP/1.1\r\n{host}\r\n folded: x\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\n{host}\r\nx: a\0b\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\n{host}\r\ntransfer-encoding: xchunked\r\n\r\n"),
        "\u{16}\u{3}\u{1}\u{2}".to_owned(),
        "GET\r\n\r\n".to_owned(),
    ] {
        let answer = RawClient::exchange(world.address, bytes.as_bytes()).await;
        assert!(answer.map_or(400, |answer| answer.status) == 400, "{bytes:?}");
    }
    assert_eq!(world.get("/health").await.status, 200);
}

#[tokio::test]
async fn requests_over_the_limit_are_refused_at_once() {
    let upstream = ScriptedUpstream::start([Reply::silence()]).await.expect("an upstream");
    let mut limits = Limits::default();
    limits.request.in_flight_max = 1;
    limits.request.queue_max = 0;
    let world = world_with(&upstream, limits).await;
    let waiting = world.begin_chat(ASK).await;
    upstream.wait_for_requests(1).await;
    let answer = world.chat(ASK).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert_eq!(answer.json()["error"]["code"], "too_many_requests");
    drop(waiting);
    world.seen.wait_settled(1).await;
    assert_eq!(world.gateway.in_flight(), 0);
}

#[tokio::test]
async fn a_key_of_another_origin_is_not_sent() {
    let upstream = nobody().await;
    let world = build(&upstream.base_url(), "https://api.openai.com", Limits::default()).await;
    let answer = world.chat(ASK).await;
    assert_eq!((answer.status, answer.header("x-should-retry")), (502, Some("false")));
    assert_eq!(answer.header("x-gatehouse-backend"), Some("corp"));
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("corp") && message.contains("api.openai.com"), "{message}");
    assert!(upstream.requests().is_empty());
    let (row, _) = world.row(&answer).await;
    assert_eq!(row.cost, pricing::Cost::NotBilled);
}

#[tokio::test]
async fn a_backend_that_is_the_gateway_itself_is_refused() {
    let upstream = nobody().await;
    let world = world(&upstream).await;
    let own: url::Url =
        format!("http://localhost:{}/v1", world.address.port()).parse().expect("a URL");
    let id = domain::BackendId::new("corp").expect("an id");
    let kind = wire::TargetKind::OpenAiCompatible {
        lacks: Default::default(),
        offers: Default::default(),
    };
    let backend = gateway::Backend::new(id.clone(), kind, &own, None).expect("a backend");
    swap(&world.snapshot, |snapshot| drop(snapshot.backends.insert(id, backend)));
    let answer = world.chat(ASK).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["error"]["code"], "backend_misconfigured");
}

fn swap(snapshot: &ArcSwap<Snapshot>, change: impl FnOnce(&mut Snapshot)) {
    let mut changed = Snapshot::clone(&snapshot.load());
    change(&mut changed);
    snapshot.store(Arc::new(changed));
}

#[tokio::test]
async fn bad_requests_name_their_field_and_leave_no_row() {
    let upstream = nobody().await;
    let world = world(&upstream).await;
    let answer = world.chat(r#"{"messages":[]}"#).await;
    assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &"model".into()));
    assert_eq!(world.chat(&"[".repeat(60_000)).await.status, 400);
    assert_eq!(world.chat(r#"{"model":"gpt","model":"x","messages":[]}"#).await.status, 400);
    assert!(world.rows().await.is_empty());
    let answer = world.chat(r#"{"model":"gpx","messages":[]}"#).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (404, &"model_not_found".into()));
    let (row, _) = world.row(&answer).await;
    assert_eq!((row.state, row.http_status), (ledger::RequestState::Failed, Some(404)));
}
