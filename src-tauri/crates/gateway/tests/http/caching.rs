//! Answers from the cache: what the client gets, what the backend does not get, and what the ledger
//! records.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache::{BypassReason, Cache, CacheConfig, NotStoredReason, Purge};
use domain::{ClientId, NanoUsd, SeededEntropy, SystemClock};
use gateway::{CacheUse, GatewayClient, GatewayClients, TokenState, hash_token, new_token};
use ledger::{CacheOutcome, Purpose, RequestOutcome, RequestState};
use pricing::Cost;
use serde_json::json;
use settings::ClientScope;
use test_support::{BodyEnd, ChatText, RawAnswer, RawClient, Reply, ReplyEnding, ScriptedUpstream};
use tokio::task::JoinSet;

use crate::world::{Limits, PRICED_MODEL, World, world_with};

const HELLO: ChatText<'_> =
    ChatText { model: "gpt-2026", deltas: &["Hel", "lo", " you"], usage: Some((7, 3)) };

/// A request that always gets the same answer.
const COLD: &str = r#"{"model":"gpt","temperature":0,"messages":[{"role":"user","content":"hi"}]}"#;
const COLD_STREAM: &str =
    r#"{"model":"gpt","stream":true,"temperature":0,"messages":[{"role":"user","content":"hi"}]}"#;

pub(crate) fn cache() -> Cache {
    let config = CacheConfig {
        memory_bytes_max: 10_000_000,
        entry_bytes_max: 100_000,
        disk: None,
        shared: None,
    };
    Cache::open(config, Arc::new(SystemClock::new()))
}

/// A world with a cache and high limits.
pub(crate) async fn caching(upstream: &ScriptedUpstream, cache: &Cache) -> World {
    let mut limits = Limits::default();
    limits.request.in_flight_max = 300;
    limits.cache = Some(CacheUse { cache: cache.clone(), ttl: Duration::from_secs(600) });
    world_with(upstream, limits).await
}

/// An upstream that gives the same reply to every request.
pub(crate) async fn always(reply: Reply) -> ScriptedUpstream {
    ScriptedUpstream::start_with(move |_| Some(reply.clone())).await.expect("an upstream")
}

/// The value of the cache header.
pub(crate) fn word(answer: &RawAnswer) -> &str {
    answer.header("x-gatehouse-cache").expect("on every answer")
}

/// A chat request with more headers.
async fn chat_with(world: &World, headers: &[&str], body: &str) -> RawAnswer {
    world.forget();
    let mut client = RawClient::connect(world.address).await.expect("connected");
    let (host, bearer) = (world.host(), world.bearer());
    let own = [host.as_str(), &bearer, "content-type: application/json"];
    let line = "POST /v1/chat/completions HTTP/1.1";
    client.send_request(line, &[&own, headers].concat(), body.as_bytes()).await.expect("sent");
    client.read_answer().await.expect("an answer")
}

/// The raw bytes of a response body, chunk sizes included.
async fn wire_body(world: &World, body: &str) -> Vec<u8> {
    let mut client = world.begin_chat(body).await;
    let mut all = Vec::new();
    while !all.ends_with(b"0\r\n\r\n") {
        let some = client.read_some().await.expect("readable");
        assert!(!some.is_empty(), "it broke off");
        all.extend_from_slice(&some);
    }
    let start = all.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
    all.split_off(start + 4)
}

#[tokio::test]
async fn a_second_question_is_answered_without_the_backend() {
    let upstream = always(Reply::chat(&HELLO)).await;
    let cache = cache();
    let world = caching(&upstream, &cache).await;
    let first = world.chat(COLD).await;
    let second = world.chat(COLD).await;
    assert_eq!((word(&first), word(&second)), ("miss", "hit"));
    assert_eq!((second.status, &second.body), (200, &first.body));
    for name in ["content-type", "x-gatehouse-backend", "x-gatehouse-route", "cache-control"] {
        assert_eq!(second.header(name), first.header(name), "{name}");
    }
    assert_eq!(second.header("x-gatehouse-attempts"), Some("0"));
    assert_eq!(second.header("x-gatehouse-cost-usd"), None);
    assert_eq!(upstream.requests().len(), 1);
    let (paid, tries) = world.row(&first).await;
    assert_eq!((paid.cache, tries.len()), (CacheOutcome::Miss, 1));
    let (row, tries) = world.row(&second).await;
    assert_eq!((row.state, row.cache, tries.len()), (RequestState::Complete, CacheOutcome::Hit, 0));
    assert_eq!((row.cost, row.usage), (Cost::NotBilled, None));
    assert_eq!(row.backend.map(|backend| backend.to_string()).as_deref(), Some("corp"));
    assert!(row.saved_time.is_some());
    assert_eq!(row.bytes_out, u64::try_from(first.body.len()).expect("small"));
    // A backend that was not called keeps its health.
    let settled = world.seen.wait_settled(2).await;
    assert_eq!(settled[1].verdict, None);
}

#[tokio::test]
async fn a_header_names_the_one_answer_that_a_purge_throws_away() {
    let upstream = always(Reply::chat(&HELLO)).await;
    let cache = cache();
    let world = caching(&upstream, &cache).await;
    let other = COLD.replace("\"gpt\"", "\"corp/gpt\"");
    let key = |answer: &RawAnswer| answer.header("x-gatehouse-cache-key").map(str::to_owned);
    let (first, second) = (world.chat(COLD).await, world.chat(&other).await);
    let named = key(&first).expect("a key");
    assert_ne!(Some(&named), key(&second).as_ref());
    assert_eq!(key(&world.chat(COLD).await), Some(named.clone()));
    cache.purge(Purge::Entry(named.parse().expect("an address"))).await.expect("purged");
    assert_eq!(word(&world.chat(COLD).await), "miss");
    assert_eq!(word(&world.chat(&other).await), "hit");
    // An answer that is not cached has no cache key.
    let bypassed = chat_with(&world, &["x-gatehouse-cache: off"], COLD).await;
    assert_eq!(key(&bypassed), None);
}

#[tokio::test]
async fn a_hit_saves_what_the_answer_cost() {
    let upstream = always(Reply::chat(&ChatText { model: PRICED_MODEL, ..HELLO })).await;
    let world = caching(&upstream, &cache()).await;
    let first = world.chat(COLD).await;
    let second = world.chat(COLD).await;
    assert_eq!((word(&first), word(&second)), ("miss", "hit"), "{}", first.text());
    let paid = world.row(&first).await.0.cost.amount().expect("the model has a price");
    assert!(paid > NanoUsd::ZERO);
    assert_eq!(world.row(&second).await.0.saved, Some(paid));
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_stream_is_replayed_chunk_by_chunk_as_it_was_given() {
    let upstream = always(Reply::chat_stream(&HELLO).delay_each(Duration::from_millis(2))).await;
    let world = caching(&upstream, &cache()).await;
    let first = wire_body(&world, COLD_STREAM).await;
    let second = wire_body(&world, COLD_STREAM).await;
    assert!(first == second, "{}", String::from_utf8_lossy(&second));
    let chunks = String::from_utf8_lossy(&second).matches("\r\ndata: ").count();
    assert!(chunks >= HELLO.deltas.len(), "{chunks} chunks");
    assert_eq!(upstream.requests().len(), 1);
    // The same question in another delivery is a different answer.
    let asked = COLD_STREAM
        .replace("\"stream\":true", "\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    assert_eq!(word(&world.chat(&asked).await), "miss");
    assert_eq!(word(&world.chat(&asked).await), "hit");
}

#[tokio::test]
async fn what_is_not_eligible_is_bypassed_for_a_reason() {
    let upstream = always(Reply::chat(&HELLO)).await;
    let cache = cache();
    let world = caching(&upstream, &cache).await;
    let sampled = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    let tools = r#"{"model":"gpt","temperature":0,"tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"user","content":"hi"}]}"#;
    let state = r#"{"model":"gpt","temperature":0,"store":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let cases: [(&[&str], &str, BypassReason); 4] = [
        (&[], sampled, BypassReason::Sampled),
        (&["x-gatehouse-cache: off"], COLD, BypassReason::Request),
        (&["x-gatehouse-cache: on"], tools, BypassReason::Tools),
        (&["x-gatehouse-cache: on"], state, BypassReason::State),
    ];
    for (headers, body, why) in cases {
        for _ in 0..2 {
            let answer = chat_with(&world, headers, body).await;
            assert_eq!((answer.status, word(&answer)), (200, "bypass"), "{why}");
            let row = world.row(&answer).await.0;
            assert_eq!(row.cache, CacheOutcome::Bypass);
            assert_eq!(row.cache_reason.as_deref(), Some(why.word()));
        }
    }
    assert_eq!(upstream.requests().len(), 8);
    let counted = cache.stats().bypassed;
    assert_eq!(counted.len(), 4, "{counted:?}");
    assert!(counted.iter().all(|(_, count)| *count == 2), "{counted:?}");
    let refused = chat_with(&world, &["x-gatehouse-cache: yes"], COLD).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"]["param"], "x-gatehouse-cache");
}

#[tokio::test]
async fn the_header_switches_it_on_for_what_is_sampled_and_renews_what_is_kept() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let upstream = ScriptedUpstream::start_with(move |_| {
        let number = counter.fetch_add(1, Ordering::SeqCst).to_string();
        Some(Reply::chat(&ChatText { model: "gpt", deltas: &[&number], usage: None }))
    })
    .await
    .expect("an upstream");
    let world = caching(&upstream, &cache()).await;
    let sampled = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    let says = async |mode: &str| {
        let answer = chat_with(&world, &[&format!("x-gatehouse-cache: {mode}")], sampled).await;
        let text = answer.json()["choices"][0]["message"]["content"].to_string();
        (word(&answer).to_owned(), text)
    };
    let is = |word: &str, text: &str| (word.to_owned(), format!("\"{text}\""));
    assert_eq!(says("on").await, is("miss", "0"));
    assert_eq!(says("on").await, is("hit", "0"));
    assert_eq!(says("auto").await, is("bypass", "1"));
    assert_eq!(says("refresh").await, is("miss", "2"));
    assert_eq!(says("on").await, is("hit", "2"));
}

#[tokio::test]
async fn a_purge_is_heard_at_once() {
    let upstream = always(Reply::chat(&HELLO)).await;
    let cache = cache();
    let world = caching(&upstream, &cache).await;
    assert_eq!(word(&world.chat(COLD).await), "miss");
    assert_eq!(word(&world.chat(COLD).await), "hit");
    cache.purge(Purge::Model("gpt".to_owned())).await.expect("purged");
    assert_eq!(word(&world.chat(COLD).await), "miss");
    cache.purge(Purge::Client(ClientId::new("tool").expect("an id"))).await.expect("purged");
    assert_eq!(word(&world.chat(COLD).await), "miss");
    assert_eq!(upstream.requests().len(), 3);
}

#[tokio::test]
async fn two_tokens_with_the_same_prompt_are_separate() {
    let upstream = always(Reply::chat(&HELLO)).await;
    let mut world = caching(&upstream, &cache()).await;
    assert_eq!(word(&world.chat(COLD).await), "miss");
    let other = new_token(&SeededEntropy::new(77));
    let client = |name: &str| {
        let id = ClientId::new(name).expect("an id");
        GatewayClient::new(id, Purpose::User, TokenState::Valid(None))
    };
    let mut snapshot = world.snapshot.load_full().as_ref().clone();
    let both = [(hash_token(&world.token), client("tool")), (other.hash, client("other"))];
    snapshot.clients = both.into_iter().collect::<GatewayClients>();
    world.snapshot.store(Arc::new(snapshot));
    let first = std::mem::replace(&mut world.token, other.secret.expose().to_owned());
    assert_eq!(word(&world.chat(COLD).await), "miss");
    assert_eq!(word(&world.chat(COLD).await), "hit");
    world.token = first;
    assert_eq!(word(&world.chat(COLD).await), "hit");
    let project = chat_with(&world, &["x-gatehouse-project: thesis"], COLD).await;
    assert_eq!(word(&project), "miss");
    assert_eq!(upstream.requests().len(), 3);
}

#[tokio::test]
async fn tokens_of_one_project_share_answers_and_nobody_joins_by_a_header() {
    let upstream = always(Reply::chat(&HELLO)).await;
    let mut world = caching(&upstream, &cache()).await;
    let client = |name: &str, project: Option<&str>, scope: &ClientScope| {
        let id = ClientId::new(name).expect("an id");
        let client = GatewayClient::new(id, Purpose::User, TokenState::Valid(None));
        GatewayClient { project: project.map(str::to_owned), scope: scope.clone(), ..client }
    };
    let all = ClientScope::default();
    let narrow = ClientScope { models: vec!["gpt".to_owned()], ..ClientScope::default() };
    let tokens = [
        client("coder", Some("thesis"), &all),
        client("reviewer", Some("thesis"), &all),
        client("tester", Some("thesis"), &all),
        client("narrow", Some("thesis"), &narrow),
        client("stranger", Some("other"), &all),
        client("spoofer", None, &all),
    ];
    let entropy = SeededEntropy::new(78);
    let tokens: Vec<_> = tokens.into_iter().map(|client| (new_token(&entropy), client)).collect();
    let mut snapshot = world.snapshot.load_full().as_ref().clone();
    let clients = tokens.iter().map(|(token, client)| (token.hash, client.clone()));
    snapshot.clients = clients.collect::<GatewayClients>();
    world.snapshot.store(Arc::new(snapshot));
    let names = ["coder", "reviewer", "tester", "narrow", "stranger", "spoofer"];
    let mut ask = async |name: &str, headers: &[&str]| {
        let place = names.iter().position(|known| *known == name).expect("a client");
        world.token = tokens[place].0.secret.expose().to_owned();
        word(&chat_with(&world, headers, COLD).await).to_owned()
    };
    let thesis = ["x-gatehouse-project: thesis"];
    assert_eq!(ask("coder", &[]).await, "miss");
    assert_eq!(ask("reviewer", &[]).await, "hit");
    assert_eq!(ask("reviewer", &["x-gatehouse-project: other"]).await, "hit", "the token decides");
    assert_eq!(ask("tester", &["x-gatehouse-cache: off"]).await, "bypass");
    assert_eq!(ask("tester", &["x-gatehouse-cache: refresh"]).await, "miss");
    assert_eq!(ask("narrow", &[]).await, "miss", "it may not use the same");
    assert_eq!(ask("stranger", &[]).await, "miss");
    assert_eq!(ask("stranger", &thesis).await, "hit", "its own answer");
    assert_eq!(ask("spoofer", &thesis).await, "miss");
    assert_eq!(ask("spoofer", &[]).await, "miss");
    assert_eq!(upstream.requests().len(), 7);
}

#[tokio::test]
async fn errors_cut_streams_and_tool_calls_are_not_kept() {
    let call = json!({"id": "1", "object": "chat.completion", "created": 1, "model": "gpt",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant",
            "content": null, "tool_calls": [{"id": "c", "type": "function",
                "function": {"name": "f", "arguments": "{}"}}]}}]});
    let large = "x".repeat(200_000);
    let large = ChatText { model: "gpt", deltas: &[&large], usage: None };
    let cut = HELLO.events()[..3].to_vec();
    let cases = [
        (Reply::error(400, "invalid_request_error", "no"), COLD, NotStoredReason::Failed),
        (Reply::error(500, "server_error", "no"), COLD, NotStoredReason::Failed),
        (Reply::sse(cut.clone()), COLD_STREAM, NotStoredReason::Cut),
        (Reply::sse(cut).ending(ReplyEnding::Close), COLD_STREAM, NotStoredReason::Cut),
        (Reply::json(200, &call), COLD, NotStoredReason::ToolCall),
        (Reply::chat(&large), COLD, NotStoredReason::TooLarge),
        (Reply::chat_stream(&large), COLD_STREAM, NotStoredReason::TooLarge),
    ];
    for (reply, body, why) in cases {
        let shown = format!("{reply:?}").chars().take(200).collect::<String>();
        let upstream = always(reply).await;
        let cache = cache();
        let world = caching(&upstream, &cache).await;
        let (first, second) = (world.chat(body).await, world.chat(body).await);
        assert_eq!((word(&first), word(&second)), ("miss", "miss"), "{shown}");
        assert_eq!((first.status, &first.body), (second.status, &second.body), "{shown}");
        assert_eq!(upstream.requests().len(), 2, "{shown}");
        assert_eq!(cache.stats().not_kept, [(why, 2)], "{shown}");
        assert_eq!(cache.stats().tiers[0].entries, Some(0), "{shown}");
    }
}

/// Sends the same request so many times concurrently; returns the answers.
async fn all_at_once(world: &Arc<World>, body: &'static str, times: usize) -> Vec<RawAnswer> {
    let mut asking = JoinSet::new();
    for _ in 0..times {
        let world = Arc::clone(world);
        asking.spawn(async move { world.chat(body).await });
    }
    asking.join_all().await
}

#[tokio::test]
async fn three_hundred_identical_requests_cause_one_call_streams_included() {
    let whole = Reply::chat(&HELLO).delay_first(Duration::from_millis(300));
    let stream = Reply::chat_stream(&HELLO).delay_each(Duration::from_millis(60));
    for (reply, body) in [(whole, COLD), (stream, COLD_STREAM)] {
        let upstream = always(reply).await;
        let cache = cache();
        let world = Arc::new(caching(&upstream, &cache).await);
        let answers = all_at_once(&world, body, 300).await;
        assert_eq!(upstream.requests().len(), 1);
        let first = &answers[0];
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (200, &first.body));
            assert_eq!(answer.header("content-type"), first.header("content-type"));
            assert_eq!(answer.end, BodyEnd::Complete);
        }
        let count = |what: &str| answers.iter().filter(|answer| word(answer) == what).count();
        let (misses, joined, hits) = (count("miss"), count("coalesced"), count("hit"));
        println!("{misses} asked, {joined} shared, {hits} from the cache");
        assert_eq!((misses, misses + joined + hits), (1, 300));
        assert!(joined > 0);
        let settled = world.seen.wait_settled(300).await;
        assert!(settled.iter().all(|summary| summary.outcome == RequestOutcome::Complete));
        let shared = answers.iter().find(|answer| word(answer) == "coalesced").expect("one");
        let (row, tries) = world.row(shared).await;
        assert_eq!((row.cache, tries.len()), (CacheOutcome::Coalesced, 0));
        assert_eq!((row.cost, row.usage), (Cost::NotBilled, None));
        assert_eq!(cache.stats().coalesced, u64::try_from(joined).expect("small"));
    }
}

#[tokio::test]
async fn those_who_share_a_failure_are_told_it() {
    let reply = Reply::error(500, "server_error", "no").delay_first(Duration::from_millis(200));
    let upstream = always(reply).await;
    let world = Arc::new(caching(&upstream, &cache()).await);
    let answers = all_at_once(&world, COLD, 50).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert!(statuses.iter().all(|status| *status >= 500), "{statuses:?}");
    let calls = upstream.requests().len();
    assert!(calls < 10, "{calls} calls");
    let joined = answers.iter().find(|answer| word(answer) == "coalesced").expect("one shared");
    let (row, tries) = world.row(joined).await;
    assert_eq!((row.state, tries.len()), (RequestState::Failed, 0));
    assert!(row.error_class.is_some());
}

#[tokio::test]
async fn a_broken_stream_ends_for_all_as_it_does_for_one() {
    let cut = HELLO.events()[..3].to_vec();
    let reply = Reply::sse(cut).delay_each(Duration::from_millis(60));
    let upstream = always(reply).await;
    let world = Arc::new(caching(&upstream, &cache()).await);
    let answers = all_at_once(&world, COLD_STREAM, 20).await;
    for answer in answers {
        assert!(answer.text().contains("\"error\""), "{}", answer.text());
        assert_eq!(answer.end, BodyEnd::Complete, "{}", word(&answer));
        assert_eq!(world.row(&answer).await.0.state, RequestState::Partial);
    }
}

/// Reads until the client has seen so many events.
async fn read_events(client: &mut RawClient, events: usize) {
    let mut text = String::new();
    while text.matches("data: ").count() < events {
        let some = client.read_some().await.expect("readable");
        assert!(!some.is_empty(), "it ended: {text}");
        text.push_str(&String::from_utf8_lossy(&some));
    }
}

#[tokio::test]
async fn when_the_first_asker_leaves_the_others_get_all_and_it_is_kept() {
    let stream = Reply::chat_stream(&HELLO).delay_each(Duration::from_millis(100));
    let upstream = always(stream).await;
    let world = caching(&upstream, &cache()).await;
    let mut first = world.begin_chat(COLD_STREAM).await;
    read_events(&mut first, 1).await;
    let mut second = world.begin_chat(COLD_STREAM).await;
    read_events(&mut second, 1).await;
    first.reset().expect("gone");
    let mut text = String::new();
    while !text.ends_with("0\r\n\r\n") {
        let some = second.read_some().await.expect("readable");
        assert!(!some.is_empty(), "it broke off: {text}");
        text.push_str(&String::from_utf8_lossy(&some));
    }
    assert!(text.contains("[DONE]"));
    assert_eq!(word(&world.chat(COLD_STREAM).await), "hit");
    assert_eq!(upstream.requests().len(), 1);
    let settled = world.seen.wait_settled(3).await;
    assert!(settled.iter().all(|summary| summary.outcome == RequestOutcome::Complete));
}

#[tokio::test]
async fn when_all_leave_the_backend_is_hung_up_on() {
    let stream = Reply::chat_stream(&HELLO).delay_each(Duration::from_millis(300));
    let upstream = always(stream).await;
    let cache = cache();
    let world = caching(&upstream, &cache).await;
    let mut first = world.begin_chat(COLD_STREAM).await;
    read_events(&mut first, 1).await;
    let mut second = world.begin_chat(COLD_STREAM).await;
    read_events(&mut second, 1).await;
    first.reset().expect("gone");
    second.reset().expect("gone");
    upstream.wait_for_broken_off(1).await;
    let settled = world.seen.wait_settled(2).await;
    assert!(
        settled.iter().all(|summary| summary.outcome == RequestOutcome::Cancelled),
        "{settled:?}"
    );
    assert_eq!(cache.stats().tiers[0].entries, Some(0));
}
