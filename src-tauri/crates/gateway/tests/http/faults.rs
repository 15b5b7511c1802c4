//! A backend that fails in every way of the table, and the error that the client gets.

use std::sync::Arc;
use std::time::Duration;

use domain::{BoundSecret, CredentialId, Secret};
use endpoints::{FailureReason, Verdict};
use gateway::{HttpUpstream, RequestLimits};
use ledger::RequestState;
use pricing::Cost;
use test_support::{
    BodyEnd, ChatText, ClosedPort, RawAnswer, Reply, ReplyEnding, ScriptedUpstream,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use vault::{LockReason, MemoryStore, SecretStore, Vault, VaultError, VaultKind};

use crate::pair::{Pair, WELL};
use crate::world::{ASK, ASK_STREAM, KEY, Limits, World, build, network, world, world_with};

const HELLO: ChatText<'_> = ChatText { model: "gpt", deltas: &["Hel", "lo"], usage: None };

async fn upstream(reply: Reply) -> ScriptedUpstream {
    ScriptedUpstream::start([reply]).await.expect("an upstream")
}

/// The first `count` events of a good stream.
fn begun(count: usize) -> Vec<String> {
    HELLO.events().into_iter().take(count).collect()
}

struct Told {
    network: Arc<HttpUpstream>,
    world: World,
    answer: RawAnswer,
    upstream: ScriptedUpstream,
}

async fn ask(reply: Reply, body: &str) -> Told {
    ask_over(network(), reply, body).await
}

/// As [`ask`], with a network client that several worlds share: creating one reads all
/// certificates.
async fn ask_over(network: Arc<HttpUpstream>, reply: Reply, body: &str) -> Told {
    let upstream = upstream(reply).await;
    let world =
        world_with(&upstream, Limits { network: Arc::clone(&network), ..Limits::default() }).await;
    let answer = world.chat(body).await;
    assert_eq!(upstream.requests().len(), 1, "one try");
    Told { network, world, answer, upstream }
}

#[tokio::test]
async fn a_failure_before_the_first_event_is_an_honest_status() {
    let failed = Verdict::BackendFailure;
    let error_event = "data: {\"error\":{\"message\":\"busy\",\"type\":\"overloaded_error\"}}\n\n";
    let whole = "{\"choices\":[]}";
    let cases = [
        (Reply::reset_before_head(), ASK, 502, failed(FailureReason::Broken)),
        (Reply::reset_before_head(), ASK_STREAM, 502, failed(FailureReason::Broken)),
        (
            Reply::sse([""; 0]).ending(ReplyEnding::Reset),
            ASK_STREAM,
            502,
            failed(FailureReason::Broken),
        ),
        (Reply::sse([error_event]), ASK_STREAM, 503, failed(FailureReason::Overloaded)),
        (Reply::sse([""; 0]), ASK_STREAM, 502, failed(FailureReason::Unreadable)),
        (Reply::sse(["data: [DONE]\n\n"]), ASK_STREAM, 502, failed(FailureReason::Unreadable)),
        (Reply::sse(["data: nonsense\n\n"]), ASK_STREAM, 502, failed(FailureReason::Unreadable)),
        (
            Reply::sse([&b"data: {\"\xff\"}\n\n"[..]]),
            ASK_STREAM,
            502,
            failed(FailureReason::Unreadable),
        ),
        (Reply::huge_line(2_000_000), ASK_STREAM, 502, failed(FailureReason::Unreadable)),
        (Reply::html(200), ASK, 502, failed(FailureReason::Unreadable)),
        (Reply::html(200), ASK_STREAM, 502, failed(FailureReason::Unreadable)),
        (Reply::html(503), ASK, 503, failed(FailureReason::Overloaded)),
        (Reply::truncated_json(), ASK, 502, failed(FailureReason::Unreadable)),
        (Reply::body(200, "application/json", ""), ASK, 502, failed(FailureReason::Unreadable)),
        (Reply::body(200, "application/json", whole), ASK, 502, failed(FailureReason::Unreadable)),
        (
            Reply::body(200, "application/json", whole)
                .claiming_length(99)
                .ending(ReplyEnding::Close),
            ASK,
            502,
            failed(FailureReason::Broken),
        ),
        (Reply::gzip("application/json", b"{}"), ASK, 502, failed(FailureReason::Unreadable)),
        (
            Reply::gzip("text/event-stream", b"x"),
            ASK_STREAM,
            502,
            failed(FailureReason::Unreadable),
        ),
        (Reply::error(200, "rate_limit_error", "slow"), ASK, 429, Verdict::RateLimited),
        (Reply::error(401, "x", "who"), ASK, 403, Verdict::KeyRejected),
        (Reply::error(403, "x", "who"), ASK_STREAM, 403, Verdict::KeyRejected),
        (Reply::error(429, "insufficient_quota", "no money"), ASK, 429, Verdict::KeyUnpaid),
        (Reply::rate_limited(3_600), ASK, 429, Verdict::RateLimited),
        (Reply::error(500, "x", "oh"), ASK, 502, failed(FailureReason::Status)),
        (Reply::error(529, "x", "oh"), ASK_STREAM, 503, failed(FailureReason::Overloaded)),
        (Reply::error(400, "x", "prompt is too long"), ASK, 400, Verdict::ClientFault),
        (Reply::error(404, "x", "no such model"), ASK, 404, Verdict::ClientFault),
        (Reply::raw("nonsense\r\n\r\n"), ASK, 502, failed(FailureReason::Broken)),
    ];
    let network = network();
    for (reply, body, status, verdict) in cases {
        let shown = format!("{reply:?} {body}");
        let shown = shown.get(..300).unwrap_or(&shown).to_owned();
        let run = ask_over(Arc::clone(&network), reply, body).await;
        assert_eq!(run.answer.status, status, "{shown}: {}", run.answer.text());
        assert!(run.answer.json()["error"]["message"].is_string(), "{shown}");
        assert_eq!(run.answer.header("content-type"), Some("application/json"), "{shown}");
        assert_eq!(run.answer.header("x-gatehouse-backend"), Some("corp"), "{shown}");
        assert_eq!(run.world.seen.wait_settled(1).await[0].verdict, Some(verdict), "{shown}");
        let (row, attempts) = run.world.row(&run.answer).await;
        assert_eq!((row.state, row.http_status), (RequestState::Failed, Some(status)), "{shown}");
        assert_eq!(attempts[0].error_class, row.error_class, "{shown}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_error_and_cleanly() {
    let cut = |ending| Reply::sse(begun(2)).ending(ending);
    let error_event = "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n";
    let mut with_error = begun(2);
    with_error.push(error_event.to_owned());
    let mut early_done = begun(2);
    early_done.push("data: [DONE]\n\n".to_owned());
    let mut late_call = begun(4);
    late_call.push(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0}]}}]}\n\n"
            .to_owned(),
    );
    let cases = [
        ("cut", cut(ReplyEnding::Close), 2),
        ("reset", cut(ReplyEnding::Reset), 2),
        ("clean end", cut(ReplyEnding::Complete), 2),
        ("in-band error", Reply::sse(with_error), 2),
        ("early [DONE]", Reply::sse(early_done), 2),
        ("late tool call", Reply::sse(late_call), 4),
    ];
    let network = network();
    for (name, reply, relayed) in cases {
        let reply = reply.delay_each(Duration::from_millis(5));
        let run = ask_over(Arc::clone(&network), reply, ASK_STREAM).await;
        let text = run.answer.text();
        assert_eq!(run.answer.status, 200, "{name}");
        assert_eq!(run.answer.end, BodyEnd::Complete, "{name}: {text}");
        let rest = text.strip_prefix(&begun(relayed).concat()).expect(name);
        assert!(
            rest.starts_with("data: {\"error\":{") && rest.ends_with("}\n\n"),
            "{name}: {rest}"
        );
        assert_eq!(rest.matches("data: ").count(), 1, "{name}: {rest}");
        assert!(!text.contains("[DONE]"), "{name}");
        let (row, _) = run.world.row(&run.answer).await;
        assert_eq!(row.state, RequestState::Partial, "{name}");
        assert_eq!(row.cost, Cost::Unpriced, "{name}");
        let verdict = run.world.seen.wait_settled(1).await[0].verdict;
        assert!(matches!(verdict, Some(Verdict::BackendFailure(_))), "{name}: {verdict:?}");
    }
}

#[tokio::test]
async fn a_missing_done_is_added_where_the_answer_is_whole() {
    let good = HELLO.events();
    for ending in [ReplyEnding::Complete, ReplyEnding::Close, ReplyEnding::Reset] {
        let reply = Reply::sse(good[..good.len() - 1].to_vec()).ending(ending);
        let run = ask(reply.delay_each(Duration::from_millis(5)), ASK_STREAM).await;
        assert_eq!(run.answer.text(), good.concat(), "{ending:?}");
        assert_eq!(run.answer.end, BodyEnd::Complete);
        assert_eq!(run.world.row(&run.answer).await.0.state, RequestState::Complete);
    }
}

#[tokio::test]
async fn what_comes_after_the_end_is_ignored_and_a_lingering_body_is_not_waited_for() {
    let mut events = HELLO.events();
    events.extend(["data: [DONE]\n\n".to_owned(), "data: more\n\n".to_owned()]);
    let run = ask(Reply::sse(events).ending(ReplyEnding::Stall), ASK_STREAM).await;
    assert_eq!(run.answer.text(), HELLO.events().concat());
    assert_eq!(run.answer.end, BodyEnd::Complete);
}

#[tokio::test]
async fn silence_ends_at_each_limit() {
    // The first use of a network client takes longer than these limits.
    let network = ask_over(network(), Reply::chat(&HELLO), ASK).await.network;
    let limited = |change: fn(&mut RequestLimits, Duration)| {
        let mut limits = Limits { network: Arc::clone(&network), ..Limits::default() };
        change(&mut limits.request, Duration::from_millis(150));
        limits
    };
    let stalled = || Reply::sse(begun(2)).ending(ReplyEnding::Stall);
    let first = limited(|l, short| l.first_token_timeout = short);
    let total = limited(|l, short| l.total_timeout = short);
    for (name, reply, body, limits) in [
        ("first token, no head", Reply::silence(), ASK_STREAM, first.clone()),
        ("total, no head", Reply::silence(), ASK, total),
        (
            "first token, after the role",
            Reply::sse(begun(1)).ending(ReplyEnding::Stall),
            ASK_STREAM,
            first,
        ),
    ] {
        let upstream = upstream(reply).await;
        let world = world_with(&upstream, limits).await;
        let answer = world.chat(body).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["code"].as_str()),
            (504, Some("timeout")),
            "{name}"
        );
        upstream.wait_for_broken_off(1).await;
    }
    for (name, reply, limits) in [
        ("stall", stalled(), limited(|l, short| l.stall_timeout = short)),
        ("total", stalled(), limited(|l, short| l.total_timeout = short)),
    ] {
        let upstream = upstream(reply).await;
        let world = world_with(&upstream, limits).await;
        let answer = world.chat(ASK_STREAM).await;
        assert!(answer.text().contains("\"code\":\"timeout\""), "{name}: {}", answer.text());
        assert_eq!(answer.end, BodyEnd::Complete, "{name}");
        upstream.wait_for_broken_off(1).await;
        assert_eq!(world.row(&answer).await.0.state, RequestState::Partial, "{name}");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let other = ScriptedUpstream::start([]).await.expect("an upstream");
    for status in [301, 302, 303, 307, 308] {
        let run = ask(Reply::redirect(other.addr()).status(status), ASK).await;
        assert_eq!((run.answer.status, run.answer.header("x-should-retry")), (502, Some("false")));
        assert_eq!(run.answer.header("location"), None);
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_key_that_the_backend_repeats_is_taken_out() {
    let upstream = ScriptedUpstream::start_with(|received| Some(Reply::echo_key(received)))
        .await
        .expect("an upstream");
    let world = world(&upstream).await;
    for body in [ASK, ASK_STREAM] {
        let answer = world.chat(body).await;
        let message = answer.json()["error"]["message"].to_string();
        assert!(!answer.text().contains(KEY), "{message}");
        assert!(message.contains("rejected its key") && message.contains("corp"), "{message}");
        assert_eq!((answer.status, answer.header("x-should-retry")), (403, Some("false")));
        let (_, attempts) = world.row(&answer).await;
        assert!(!format!("{attempts:?}").contains(KEY));
    }
    let event = format!("data: {{\"error\":{{\"message\":\"key {KEY} is bad\"}}}}\n\n");
    let mut events = begun(2);
    events.push(event);
    let run = ask(Reply::sse(events).delay_each(Duration::from_millis(5)), ASK_STREAM).await;
    assert!(!run.answer.text().contains(KEY), "{}", run.answer.text());
    drop(run.upstream);
}

#[tokio::test]
async fn waits_are_clamped_for_the_client() {
    let run = ask(Reply::rate_limited(7), ASK).await;
    assert_eq!(
        (run.answer.header("retry-after"), run.answer.header("x-should-retry")),
        (Some("7"), None)
    );
    let run = ask(Reply::rate_limited(3_600), ASK).await;
    assert_eq!(
        (run.answer.header("retry-after"), run.answer.header("x-should-retry")),
        (Some("60"), Some("false"))
    );
}

#[tokio::test]
async fn a_backend_that_cannot_be_reached_is_named_with_its_reason() {
    let port = ClosedPort::bind().expect("a port");
    let closed = port.base_url();
    // A server without TLS: it answers everything in plain text.
    let plain = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let over_tls = format!("https://{}/v1", plain.local_addr().expect("an address"));
    let mut answering = JoinSet::new();
    answering.spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            stream.read_exact(&mut [0; 16]).await.expect("a greeting");
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("sent");
        }
    });
    // A label of more than 63 characters resolves nowhere, and no network is used.
    let unresolvable = format!("http://{}.test/v1", "x".repeat(64));
    for (base_url, reason) in [
        (closed.as_str(), FailureReason::Connect),
        (unresolvable.as_str(), FailureReason::Dns),
        (over_tls.as_str(), FailureReason::Tls),
    ] {
        let world = build(base_url, base_url, Limits::default()).await;
        let answer = world.chat(ASK).await;
        assert_eq!(answer.status, 502, "{base_url}");
        assert_eq!(answer.json()["error"]["code"], reason.word(), "{base_url}: {}", answer.text());
        let (row, _) = world.row(&answer).await;
        assert_eq!(row.cost, Cost::NotBilled);
    }
}

#[tokio::test]
async fn a_missing_key_is_said_and_nothing_is_sent() {
    let upstream = ScriptedUpstream::start([]).await.expect("an upstream");
    let world = world(&upstream).await;
    let credential = CredentialId::new("corp-key").expect("an id");
    world.vault.remove(&credential).await.expect("removed");
    let answer = world.chat(ASK).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (403, &"key_missing".into()));
    assert_eq!(answer.header("x-should-retry"), Some("false"));
}

/// A keychain that does not hand out some of its keys.
struct DenyingStore {
    inner: MemoryStore,
    denied: &'static [&'static str],
}

impl SecretStore for DenyingStore {
    fn kind(&self) -> VaultKind {
        self.inner.kind()
    }

    fn put(&self, id: &CredentialId, secret: &BoundSecret) -> Result<(), VaultError> {
        self.inner.put(id, secret)
    }

    fn get(&self, id: &CredentialId) -> Result<BoundSecret, VaultError> {
        match self.denied.contains(&id.as_str()) {
            true => Err(VaultError::Locked(LockReason::Keychain)),
            false => self.inner.get(id),
        }
    }

    fn remove(&self, id: &CredentialId) -> Result<(), VaultError> {
        self.inner.remove(id)
    }

    fn probe(&self) -> Result<(), VaultError> {
        self.inner.probe()
    }
}

/// A pair whose vault does not hand out the keys `denied`.
async fn pair_denied(denied: &'static [&'static str]) -> Pair {
    let pair = Pair::of(Reply::chat(&WELL).into(), Limits::default()).await;
    let store = DenyingStore { inner: MemoryStore::new(), denied };
    for (id, upstream) in [("one-key", &pair.one), ("two-key", &pair.two)] {
        let secret = Secret::parse(KEY.to_owned()).expect("a secret");
        let origin = upstream.base_url().parse().expect("an origin");
        let id = CredentialId::new(id).expect("an id");
        store.put(&id, &BoundSecret::new(secret, Some(origin))).expect("stored");
    }
    let clock = Limits::default().clock;
    pair.world.vault.switch_to(&Vault::new(Arc::new(store), clock));
    pair
}

#[tokio::test]
async fn a_key_that_the_vault_does_not_hand_out_leaves_the_next_backend() {
    let pair = pair_denied(&["one-key"]).await;
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, answer.header("x-gatehouse-backend")), (200, Some("two")));
    assert_eq!(pair.calls(), (0, 1));
}

#[tokio::test]
async fn a_locked_vault_is_said_and_nothing_is_sent() {
    let pair = pair_denied(&["one-key", "two-key"]).await;
    let answer = pair.ask(ASK).await;
    let code = &answer.json()["error"]["code"];
    assert_eq!((answer.status, code), (503, &"vault_unavailable".into()), "{}", answer.text());
    assert_eq!(answer.header("x-should-retry"), Some("false"));
    assert_eq!(pair.calls(), (0, 0));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_the_backend_let_go() {
    let piece = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n",
        "x".repeat(200_000)
    );
    let upstream = upstream(Reply::sse(vec![piece; 200])).await;
    let mut limits = Limits::default();
    limits.listener.write_timeout = Duration::from_millis(200);
    let world = world_with(&upstream, limits).await;
    let _client = world.begin_chat(ASK_STREAM).await;
    let settled = world.seen.wait_settled(1).await;
    assert_eq!(settled[0].outcome, ledger::RequestOutcome::Cancelled);
    upstream.wait_for_broken_off(1).await;
}
