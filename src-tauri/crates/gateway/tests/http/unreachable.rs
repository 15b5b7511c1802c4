//! Backends that no request reaches: packets are dropped, names do not resolve, certificates are
//! not trusted. With a healthy second backend, and without.

use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, ManualClock, SystemClock, WallTime};
use gateway::HttpUpstream;
use test_support::{ClosedPort, Reply, ScriptedUpstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::bench::Server;
use crate::pair::{At, Pair, WELL, healthy, limits};
use crate::secure::{Authority, HOST, ScriptedLookup, ScriptedResolver, amid, self_signed, serve};
use crate::world::{ASK, network};

/// The connect timeout of these tests.
const CONNECT: Duration = Duration::from_millis(400);

/// The error for a backend that cannot be reached.
struct ExpectedFailure<'a> {
    code: &'a str,
    words: &'a str,
    tries: usize,
    /// The least time of each attempt.
    each: Duration,
}

/// Checks the error alone, and the failover to a healthy second backend.
async fn check(name: &str, url: &str, network: &Arc<HttpUpstream>, expected: ExpectedFailure<'_>) {
    let alone = Pair::alone(At::Url(url.to_owned()), limits(Arc::clone(network))).await;
    let answer = alone.ask(ASK).await;
    let shown = format!("{name}: {}", answer.text());
    let error = &answer.json()["error"];
    assert_eq!((answer.status, error["code"].as_str()), (502, Some(expected.code)), "{shown}");
    assert!(error["message"].as_str().is_some_and(|it| it.contains(expected.words)), "{shown}");
    assert_eq!(answer.header("x-should-retry"), Some("false"), "{shown}");
    let (_, attempts) = alone.world.row(&answer).await;
    assert_eq!(attempts.len(), expected.tries, "{shown}");
    for attempt in &attempts {
        // Twice the limit would be two waits for one connection, unless the machine slept.
        let most = expected.each.saturating_add(Duration::from_secs(5));
        assert!((expected.each..most).contains(&attempt.duration), "{name}: {attempt:?}");
    }
    let pair = Pair::of(At::Url(url.to_owned()), limits(Arc::clone(network))).await;
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, pair.calls()), (200, (0, 1)), "{name}: {}", answer.text());
    assert_eq!(answer.header("x-gatehouse-attempts"), Some("2"), "{name}");
}

/// A port that drops new connections: its backlog is full, and nothing accepts.
#[cfg(target_os = "linux")]
async fn dropping() -> (TcpListener, Vec<tokio::net::TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let listener = socket.listen(1).expect("listening");
    let address = listener.local_addr().expect("an address");
    let mut queue = Vec::new();
    let next = || tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect(address));
    while let Ok(taken) = next().await {
        queue.push(taken.expect("connected"));
        assert!(queue.len() < 100, "the queue has no end");
    }
    (listener, queue)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn f2_a_connection_that_nobody_takes_ends_at_its_limit() {
    let (listener, _queue) = dropping().await;
    let address = listener.local_addr().expect("an address");
    let expected =
        || ExpectedFailure { code: "connect", words: "cannot be reached", tries: 2, each: CONNECT };
    let near = Arc::new(HttpUpstream::new(CONNECT));
    check("F2 http", &format!("http://{address}/v1"), &near, expected()).await;
    let far = amid(ScriptedResolver::new(ScriptedLookup::Here), &Authority::new(), CONNECT);
    check("F2 https", &format!("https://{HOST}:{}/v1", address.port()), &far, expected()).await;
}

#[tokio::test]
async fn f3_f4_names_that_do_not_resolve_are_distinguished() {
    let authority = Authority::new();
    let nowhere = ExpectedFailure {
        code: "dns",
        words: "name cannot be resolved",
        tries: 1,
        each: Duration::ZERO,
    };
    // Three quarters of the connect timeout are for the name lookup.
    let late = ExpectedFailure {
        words: "name could not be resolved in time (DNS)",
        each: CONNECT * 3 / 4,
        ..nowhere
    };
    for (name, lookup, expected) in
        [("F3", ScriptedLookup::Nowhere, &nowhere), ("F4", ScriptedLookup::Nothing, &late)]
    {
        for scheme in ["http", "https"] {
            let names = ScriptedResolver::new(lookup);
            let network = amid(Arc::clone(&names), &authority, CONNECT);
            let expected = ExpectedFailure { ..*expected };
            check(
                &format!("{name} {scheme}"),
                &format!("{scheme}://{HOST}:1/v1"),
                &network,
                expected,
            )
            .await;
            assert_eq!(
                names.lookups(),
                2,
                "{name} {scheme}: once a try, alone and before the second"
            );
        }
    }
}

#[tokio::test]
async fn f3_a_dead_name_is_not_asked_for_by_each_request_and_is_found_again() {
    let clock = Arc::new(ManualClock::starting_at(WallTime::from_unix_ms(1_794_902_400_000)));
    let names = ScriptedResolver::new(ScriptedLookup::Nowhere);
    let mut limits = limits(amid(Arc::clone(&names), &Authority::new(), Duration::from_secs(5)));
    limits.clock = clock.clone();
    let one =
        ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await.expect("an upstream");
    let url = format!("http://{HOST}:{}/v1", one.addr().port());
    let pair = Pair::between((one, url), healthy().await, &["one"], limits).await;
    let mut codes = Vec::new();
    for _ in 0..20 {
        let answer = pair.ask(ASK).await;
        codes.push(answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(codes[..3], ["dns", "dns", "dns"]);
    assert!(codes[3..].iter().all(|code| code == "overloaded"), "{codes:?}");
    assert_eq!(names.lookups(), 3, "the breaker spares the name server");
    names.say(ScriptedLookup::Here);
    // Nothing keeps the name dead for longer than the wait before a sole trial.
    clock.advance(resilience::SOLE_TRIAL_AFTER);
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, pair.calls()), (200, (1, 0)), "{}", answer.text());
    assert_eq!(names.lookups(), 4);
}

#[tokio::test]
async fn f5_a_certificate_that_is_not_trusted_is_reported_with_its_reason() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let network = amid(ScriptedResolver::new(ScriptedLookup::Here), &ours, Duration::from_secs(5));
    let mut serving = JoinSet::new();
    let body = Server::Chat.answer().to_string();
    let good = serve(&mut serving, ours.identity(HOST, 4_000), body.clone()).await;
    let pair = Pair::alone(At::Url(good), limits(Arc::clone(&network))).await;
    let answer = pair.ask(ASK).await;
    assert_eq!(answer.status, 200, "a good one is believed: {}", answer.text());
    for (name, identity, words) in [
        ("F5 expired", ours.identity(HOST, 2_020), "certificate has expired"),
        ("F5 wrong host", ours.identity("other.localhost", 4_000), "for another host"),
        ("F5 unknown CA", theirs.identity(HOST, 4_000), "not signed by an authority"),
        ("F5 self-signed", self_signed(), "not signed by an authority"),
    ] {
        let url = serve(&mut serving, identity, body.clone()).await;
        let expected = ExpectedFailure { code: "tls", words, tries: 1, each: Duration::ZERO };
        check(name, &url, &network, expected).await;
    }
}

/// Servers that answer every TLS greeting with these bytes; returns the port.
async fn greeting(serving: &mut JoinSet<()>, answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    serving.spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _greeting = stream.read(&mut [0; 4_096]).await;
            let _sent = stream.write_all(&answer).await;
            open.push(stream);
        }
    });
    port
}

/// A TLS 1.0 record: its kind and its content.
fn old_record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("short");
    [&[kind, 3, 1, 0, length], content].concat()
}

#[tokio::test]
async fn f5_a_server_of_tls_1_0_is_refused_and_one_that_says_nothing_is_tried_again() {
    // Its greeting: version 1.0, 32 random bytes, no session, ECDHE-RSA-AES128-SHA, no compression.
    let chosen = [&[3, 1][..], &[7; 32], &[0, 0xc0, 0x13, 0]].concat();
    let length = u8::try_from(chosen.len()).expect("short");
    let hello = old_record(22, &[&[2, 0, 0, length], &chosen[..]].concat());
    // A fatal alert: the protocol version.
    let alert = old_record(21, &[2, 70]);
    let network = amid(
        ScriptedResolver::new(ScriptedLookup::Here),
        &Authority::new(),
        Duration::from_secs(5),
    );
    let mut serving = JoinSet::new();
    for (name, answer) in [("F5 TLS 1.0", hello), ("F5 alert", alert)] {
        let port = greeting(&mut serving, answer).await;
        let expected = ExpectedFailure {
            code: "tls",
            words: "handshake failed",
            tries: 1,
            each: Duration::ZERO,
        };
        check(name, &format!("https://{HOST}:{port}/v1"), &network, expected).await;
    }
    let silent = greeting(&mut serving, Vec::new()).await;
    let network = amid(ScriptedResolver::new(ScriptedLookup::Here), &Authority::new(), CONNECT);
    let expected =
        ExpectedFailure { code: "connect", words: "cannot be reached", tries: 2, each: CONNECT };
    check("F5 stall", &format!("https://{HOST}:{silent}/v1"), &network, expected).await;
}

#[tokio::test]
async fn f1_a_refusal_is_reported_within_a_second() {
    let port = ClosedPort::bind().expect("a port");
    let url = port.base_url();
    let mut limits = limits(network());
    // The default waits of users.
    limits.resilience = endpoints::ResilienceRules::default();
    let pair = Pair::alone(At::Url(url), limits).await;
    let clock = SystemClock::new();
    let begun = clock.now();
    let answer = pair.ask(ASK).await;
    let took = clock.now().since(begun);
    assert_eq!((answer.status, answer.header("x-gatehouse-attempts")), (502, Some("2")));
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// A recorded reason is read later, so it names no time that has passed by then.
#[tokio::test]
async fn a_request_that_was_not_sent_on_is_recorded_with_its_backend_and_a_reason_that_keeps() {
    let mut limits = limits(network());
    limits.resilience.attempts.attempts_max = 1;
    let failing = Reply::error(500, "x", "oh");
    let pair = Pair::alone(At::Replying(failing), limits).await;
    for _ in 0..3 {
        assert_eq!(pair.ask(ASK).await.status, 502);
    }
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, pair.calls().0), (503, 3), "{}", answer.text());
    let (row, attempts) = pair.world.row(&answer).await;
    assert_eq!((attempts.len(), row.backend.map(|id| id.to_string()).as_deref()), (0, Some("one")));
    assert_eq!(
        row.explanation.as_deref(),
        Some(
            "one is the only candidate in the route pair that can answer, even though it is not \
             ready: its breaker is tripped."
        )
    );
    let message = row.error_message.expect("a reason");
    assert!(message.starts_with("The backend one (one-key) failed repeatedly"), "{message}");
    assert!(!message.contains(" s."), "{message}");
    assert_eq!(row.cost, pricing::Cost::NotBilled);
}
