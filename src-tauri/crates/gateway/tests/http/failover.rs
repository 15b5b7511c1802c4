//! The fault pack: a first backend that fails in each way of the table, with a healthy second one
//! behind it, and without.
//!
//! With the second one no request of a client fails. Without it the client gets the row's error,
//! after no more attempts than the row allows.

use std::sync::Arc;
use std::time::Duration;

use gateway::{HttpUpstream, RequestLimits};
use ledger::RequestState;
use pricing::Cost;
use serde_json::json;
use test_support::{BodyEnd, ClosedPort, Reply, ReplyEnding, ScriptedUpstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::pair::{At, Pair, WELL, always, endpoint, limits};
use crate::world::{ASK, ASK_STREAM, KEY, network};

struct Row {
    name: &'static str,
    at: At,
    body: &'static str,
    /// Status and code for the client without a second backend.
    alone: (u16, &'static str),
    /// The number of attempts then.
    tries: usize,
}

fn row(
    name: &'static str,
    at: impl Into<At>,
    body: &'static str,
    alone: (u16, &'static str),
    tries: usize,
) -> Row {
    Row { name, at: at.into(), body, alone, tries }
}

impl From<Reply> for At {
    fn from(reply: Reply) -> Self {
        Self::Replying(reply)
    }
}

impl From<String> for At {
    fn from(url: String) -> Self {
        Self::Url(url)
    }
}

/// A port that refuses while `serving` is there.
fn closed_port(serving: &mut JoinSet<()>) -> String {
    let port = ClosedPort::bind().expect("a port");
    let url = port.base_url();
    serving.spawn(async move {
        let _held = port;
        std::future::pending::<()>().await;
    });
    url
}

/// Servers that speak no TLS: one answers in plain text, one sends nothing.
async fn no_tls(serving: &mut JoinSet<()>, answer: &'static [u8]) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("https://{}/v1", listener.local_addr().expect("an address"));
    serving.spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _greeting = stream.read(&mut [0; 1_024]).await;
            let _sent = stream.write_all(answer).await;
            open.push(stream);
        }
    });
    url
}

fn in_band(kind: &str) -> String {
    format!("data: {{\"error\":{{\"message\":\"busy\",\"type\":\"{kind}\"}}}}\n\n")
}

fn json(body: &str) -> Reply {
    Reply::body(200, "application/json", body.to_owned())
}

/// The rows after which another backend is tried.
async fn rows(serving: &mut JoinSet<()>) -> Vec<Row> {
    // A label of more than 63 characters resolves nowhere, and no network is used.
    let unresolvable = format!("http://{}.test/v1", "x".repeat(64));
    let money = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let empty = || Reply::sse([""; 0]);
    vec![
        row("F1 refused", closed_port(serving), ASK, (502, "connect"), 2),
        row("F1 refused, stream", closed_port(serving), ASK_STREAM, (502, "connect"), 2),
        row("F3 no such name", unresolvable, ASK, (502, "dns"), 1),
        row("F5 no TLS", no_tls(serving, b"HTTP/1.1 400 No\r\n\r\n").await, ASK, (502, "tls"), 1),
        row("F6 reset before the head", Reply::reset_before_head(), ASK, (502, "broken"), 2),
        row(
            "F7 reset after the head",
            empty().ending(ReplyEnding::Reset),
            ASK_STREAM,
            (502, "broken"),
            2,
        ),
        row("F21 cut JSON", Reply::truncated_json(), ASK, (502, "unreadable"), 2),
        row("F22 HTML", Reply::html(200), ASK, (502, "unreadable"), 2),
        row("F23 HTML for a stream", Reply::html(200), ASK_STREAM, (502, "unreadable"), 2),
        row(
            "F24 an error instead of a stream",
            json(r#"{"error":{"message":"oh","type":"server_error"}}"#),
            ASK_STREAM,
            (502, "backend_error"),
            3,
        ),
        row("F26 empty", json(""), ASK, (502, "unreadable"), 2),
        row("F26 empty stream", empty(), ASK_STREAM, (502, "unreadable"), 2),
        row("F32 401", Reply::error(401, "x", "who"), ASK, (403, "backend_key_rejected"), 1),
        row("F32 403", Reply::error(403, "x", "no"), ASK, (403, "backend_key_rejected"), 1),
        row("F33 404", Reply::error(404, "x", "no such model"), ASK, (404, "model_not_found"), 1),
        row("F34 408", Reply::error(408, "x", "slow"), ASK, (504, "timeout"), 2),
        row("F34 409", Reply::error(409, "x", "twice"), ASK, (504, "timeout"), 2),
        row("F37 429", Reply::rate_limited(7), ASK, (429, "rate_limited"), 1),
        row("F39 429 for an hour", Reply::rate_limited(3_600), ASK, (429, "rate_limited"), 1),
        row("F40 no money", json(money).status(429), ASK, (429, "insufficient_quota"), 1),
        row("F41 500", Reply::error(500, "x", "oh"), ASK, (502, "backend_error"), 3),
        row("F41 502, HTML", Reply::html(502), ASK_STREAM, (502, "backend_error"), 3),
        row("F41 503", Reply::error(503, "x", "oh"), ASK, (503, "overloaded"), 2),
        row("F41 504", Reply::error(504, "x", "oh"), ASK, (504, "timeout"), 3),
        row("F42 529", Reply::error(529, "x", "oh"), ASK_STREAM, (503, "overloaded"), 2),
        row(
            "F43 503, not again",
            Reply::error(503, "x", "oh").header("x-should-retry", "false"),
            ASK,
            (503, "overloaded"),
            1,
        ),
        row(
            "F44 an error with 200",
            json(r#"{"error":{"message":"no","type":"overloaded_error"}}"#),
            ASK,
            (503, "overloaded"),
            2,
        ),
        row(
            "F45 an error first in the stream",
            Reply::sse([in_band("overloaded_error")]),
            ASK_STREAM,
            (503, "overloaded"),
            2,
        ),
    ]
}

#[tokio::test]
async fn with_a_healthy_second_no_request_fails() {
    let (network, mut serving) = (network(), JoinSet::new());
    for Row { name, at, body, .. } in rows(&mut serving).await {
        let reached = !matches!(at, At::Url(_));
        let pair = Pair::of(at, limits(Arc::clone(&network))).await;
        let answer = pair.ask(body).await;
        assert_eq!(
            (answer.status, answer.end),
            (200, BodyEnd::Complete),
            "{name}: {}",
            answer.text()
        );
        let text = answer.text();
        assert!(WELL.deltas.iter().all(|piece| text.contains(piece)), "{name}: {text}");
        assert_eq!(answer.header("x-gatehouse-backend"), Some("two"), "{name}");
        assert_eq!(answer.header("x-gatehouse-attempts"), Some("2"), "{name}");
        assert_eq!(pair.calls(), (usize::from(reached), 1), "{name}");
        let (row, attempts) = pair.world.row(&answer).await;
        assert_eq!(row.state, RequestState::Complete, "{name}");
        let [first, second] = &attempts[..] else { panic!("{name}: {attempts:?}") };
        assert_eq!((first.backend.as_str(), second.backend.as_str()), ("one", "two"), "{name}");
        assert!(first.class.is_some() && first.owner.is_some(), "{name}: {first:?}");
        assert_eq!(second.error_class, None, "{name}");
    }
}

#[tokio::test]
async fn without_one_the_client_gets_what_the_row_says() {
    let (network, mut serving) = (network(), JoinSet::new());
    for Row { name, at, body, alone: (status, code), tries } in rows(&mut serving).await {
        let reached = !matches!(at, At::Url(_));
        let pair = Pair::alone(at, limits(Arc::clone(&network))).await;
        let answer = pair.ask(body).await;
        let error = &answer.json()["error"];
        assert_eq!(
            (answer.status, error["code"].as_str()),
            (status, Some(code)),
            "{name}: {error}"
        );
        assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");
        let attempts = tries.to_string();
        assert_eq!(answer.header("x-gatehouse-attempts"), Some(attempts.as_str()), "{name}");
        assert_eq!(pair.calls(), (if reached { tries } else { 0 }, 0), "{name}");
        if status >= 500 {
            let advice = answer.header("x-should-retry");
            assert_eq!(advice, Some("false"), "{name}: the gateway has tried what it may");
        }
        assert_eq!(
            pair.world.row(&answer).await.1.len(),
            tries,
            "{name}: each try is written down"
        );
    }
}

#[tokio::test]
async fn what_is_the_callers_goes_nowhere_else() {
    let network = network();
    let long = "prompt is too long: 210000 tokens > 200000 maximum";
    for (name, reply, status, code) in [
        ("F31 400", Reply::error(400, "invalid_request_error", long), 400, "invalid_request"),
        ("F35 413", Reply::error(413, "request_too_large", long), 413, "request_too_large"),
        ("F36 422", Reply::error(422, "x", long), 400, "invalid_request"),
    ] {
        let pair = Pair::of(reply.into(), limits(Arc::clone(&network))).await;
        for _ in 0..4 {
            let answer = pair.ask(ASK).await;
            let error = &answer.json()["error"];
            assert_eq!((answer.status, error["code"].as_str()), (status, Some(code)), "{name}");
            assert_eq!(error["message"], long, "{name}: the backend's own words");
        }
        assert_eq!(pair.calls(), (4, 0), "{name}: once each, and the breaker does not mind");
    }
}

#[tokio::test]
async fn a_missing_model_does_not_trip_the_breaker() {
    let pair = Pair::alone(Reply::error(404, "x", "no such model").into(), limits(network())).await;
    for _ in 0..5 {
        assert_eq!(pair.ask(ASK).await.status, 404);
    }
    assert_eq!(pair.calls(), (5, 0));
}

#[tokio::test]
async fn what_can_be_read_is_answered_by_the_first() {
    let network = network();
    let whole = Reply::chat(&WELL);
    let stream = Reply::chat_stream(&WELL);
    for (name, reply, body) in [
        ("F24 a whole answer for a stream", whole, ASK_STREAM),
        ("F25 a stream, folded", stream, ASK),
    ] {
        let pair = Pair::of(reply.into(), limits(Arc::clone(&network))).await;
        let answer = pair.ask(body).await;
        assert_eq!((answer.status, answer.end), (200, BodyEnd::Complete), "{name}");
        assert!(answer.text().contains("well"), "{name}: {}", answer.text());
        assert_eq!(pair.calls(), (1, 0), "{name}");
    }
}

#[tokio::test]
async fn after_the_first_content_nothing_is_tried_again() {
    let begun: Vec<String> = WELL.events().into_iter().take(2).collect();
    let mut with_error = begun.clone();
    with_error.push(in_band("server_error"));
    let network = network();
    for (name, reply) in [
        ("F8 reset", Reply::sse(begun.clone()).ending(ReplyEnding::Reset)),
        ("F9 clean end", Reply::sse(begun)),
        ("F46 in-band error", Reply::sse(with_error)),
    ] {
        let reply = reply.delay_each(Duration::from_millis(5));
        let pair = Pair::of(reply.into(), limits(Arc::clone(&network))).await;
        let answer = pair.ask(ASK_STREAM).await;
        let text = answer.text();
        assert!(text.contains("all") && text.contains("\"error\""), "{name}: {text}");
        assert_eq!(answer.end, BodyEnd::Complete, "{name}");
        assert_eq!(pair.calls(), (1, 0), "{name}");
        let (row, attempts) = pair.world.row(&answer).await;
        assert_eq!((row.state, attempts.len()), (RequestState::Partial, 1), "{name}");
    }
}

#[tokio::test]
async fn silence_before_the_first_token_fails_over() {
    let first = |l: &mut RequestLimits| l.first_token_timeout = Duration::from_millis(700);
    let shared = network();
    // The first use of a network client takes longer than this limit.
    Pair::alone(Reply::chat(&WELL).into(), limits(Arc::clone(&shared))).await.ask(ASK).await;
    let begun: Vec<String> = WELL.events().into_iter().take(1).collect();
    for (name, reply) in [
        ("no head", Reply::silence()),
        ("200, and then nothing", Reply::sse(begun).ending(ReplyEnding::Stall)),
    ] {
        let mut short = limits(Arc::clone(&shared));
        first(&mut short.request);
        let pair = Pair::of(reply.into(), short).await;
        let answer = pair.ask(ASK_STREAM).await;
        assert_eq!((answer.status, answer.end), (200, BodyEnd::Complete), "{name}");
        assert!(answer.text().contains("well"), "{name}");
        assert_eq!(pair.calls(), (1, 1), "{name}");
        pair.one.wait_for_broken_off(1).await;
    }
}

#[tokio::test]
async fn a_whole_answer_that_never_comes_leaves_time_for_the_second() {
    let shared = network();
    Pair::alone(Reply::chat(&WELL).into(), limits(Arc::clone(&shared))).await.ask(ASK).await;
    let mut short = limits(shared);
    short.request.total_timeout = Duration::from_secs(2);
    let pair = Pair::of(Reply::silence().into(), short).await;
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, pair.calls()), (200, (1, 1)), "{}", answer.text());
    let (_, attempts) = pair.world.row(&answer).await;
    assert_eq!(attempts[0].class.as_deref(), Some("first-token-timeout"));
}

#[tokio::test]
async fn each_attempt_has_its_own_cost() {
    let refusing = Reply::error(500, "server_error", "oh");
    let garbled = always(Reply::json(200, &json!({"choices": []}))).await;
    let pair = Pair::over(refusing.into(), garbled, &["one", "two"], limits(network())).await;
    let answer = pair.ask(ASK).await;
    let (row, attempts) = pair.world.row(&answer).await;
    let of = |id: &str| {
        let of_backend = attempts.iter().filter(|it| it.backend.as_str() == id);
        of_backend.map(|attempt| attempt.cost.clone()).collect::<Vec<_>>()
    };
    let worked = of("two");
    assert!(!worked.is_empty() && worked.iter().all(|cost| *cost == Cost::Unpriced), "{worked:?}");
    let refused = of("one");
    assert!(!refused.is_empty() && refused.iter().all(|cost| *cost == Cost::NotBilled));
    assert_eq!(row.cost, Cost::Unpriced);
}

#[tokio::test]
async fn f5_a_handshake_that_stalls_ends_with_the_connect_limit() {
    let mut serving = JoinSet::new();
    let url = no_tls(&mut serving, b"").await;
    let impatient = Arc::new(HttpUpstream::new(Duration::from_millis(700)));
    let pair = Pair::of(url.into(), limits(impatient)).await;
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, pair.calls()), (200, (0, 1)), "{}", answer.text());
}

#[tokio::test]
async fn f34_and_f38_are_tried_once_more_where_it_was() {
    let network = network();
    let soon = Reply::error(429, "rate_limit_error", "slow").header("retry-after-ms", "40");
    for (name, first) in [
        ("F34 408", Reply::error(408, "x", "slow")),
        ("F34 409", Reply::error(409, "x", "twice")),
        ("F38 retry-after-ms", soon),
        ("F41 503", Reply::error(503, "x", "oh")),
        ("F6 reset", Reply::reset_before_head()),
    ] {
        let one = ScriptedUpstream::start([first, Reply::chat(&WELL)]).await.expect("an upstream");
        let url = one.base_url();
        let two = always(Reply::chat(&WELL)).await;
        let limits = limits(Arc::clone(&network));
        let pair = Pair::between((one, url), two, &["one"], limits).await;
        let answer = pair.ask(ASK).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(pair.calls(), (2, 0), "{name}");
        let (_, attempts) = pair.world.row(&answer).await;
        if name.starts_with("F38") {
            assert!(attempts[1].waited >= Duration::from_millis(40), "{attempts:?}");
        }
    }
}

#[tokio::test]
async fn f62_when_all_are_down_one_error_names_each_reason() {
    let one = At::Replying(Reply::error(500, "x", &format!("bug at {KEY}")));
    let two = always(Reply::error(529, "x", &format!("full, {KEY}"))).await;
    let pair = Pair::over(one, two, &["one", "two"], limits(network())).await;
    let answer = pair.ask(ASK).await;
    let message = answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(answer.status >= 500, "{}: {message}", answer.status);
    assert!(message.contains("one (one-key)") && message.contains("bug at"), "{message}");
    assert!(message.contains("two (two-key)") && message.contains("full, "), "{message}");
    assert!(!answer.text().contains(KEY), "{message}");
    assert_eq!(answer.header("x-should-retry"), Some("false"));
    let (one, two) = pair.calls();
    assert!(one + two <= 3 && one >= 1 && two >= 1, "{one} and {two} calls");
    let (_, attempts) = pair.world.row(&answer).await;
    assert_eq!(attempts.len(), one + two);
    assert!(!format!("{attempts:?}").contains(KEY));
}

#[tokio::test]
async fn no_request_makes_more_than_three_calls() {
    let network = network();
    for status in [500, 503, 408, 529] {
        let one = At::Replying(Reply::error(status, "x", "oh"));
        let two = always(Reply::error(status, "x", "oh")).await;
        let pair = Pair::over(one, two, &["one", "two"], limits(Arc::clone(&network))).await;
        let mut before = 0;
        for _ in 0..4 {
            let answer = pair.ask(ASK).await;
            assert!(answer.status >= 500, "{status}");
            let (one, two) = pair.calls();
            assert!(one + two - before <= 3, "{status}: {}", one + two - before);
            before = one + two;
        }
    }
}

#[tokio::test]
async fn a_failed_backend_costs_the_others_clients_nothing_but_a_moment() {
    let port = ClosedPort::bind().expect("a port");
    let pair = Pair::of(port.base_url().into(), limits(network())).await;
    // The first request loads certificates and opens connections.
    pair.ask(ASK).await;
    pair.world.registry.reset(&endpoint("one"));
    let mut times = Vec::new();
    for _ in 0..20 {
        pair.world.registry.reset(&endpoint("one"));
        let (_, attempts) = pair.world.row(&pair.ask(ASK).await).await;
        times.push(attempts[0].duration);
    }
    times.sort();
    assert!(times[18] < Duration::from_millis(500), "p95: {times:?}");
}
