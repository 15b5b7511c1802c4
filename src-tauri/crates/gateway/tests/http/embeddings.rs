//! Embeddings from the cache: each input by itself, and only the missing ones are asked for.

use std::time::Duration;

use cache::{Cache, Purge};
use futures_util::future::join_all;
use ledger::{CacheOutcome, RequestOutcome, RequestState};
use pricing::Cost;
use serde_json::{Value, json};
use test_support::{RawAnswer, RawClient, Reply, ScriptedUpstream};

use crate::caching::{cache, caching, word};
use crate::world::World;

/// A backend that turns a text's length into a vector and counts ten tokens each; it refuses `bad`.
async fn upstream() -> ScriptedUpstream {
    slow_upstream(Duration::ZERO).await
}

/// As [`upstream`], after this delay.
async fn slow_upstream(wait: Duration) -> ScriptedUpstream {
    let answer = move |received: &test_support::ReceivedRequest| {
        let body = received.json();
        let texts: Vec<&str> = body["input"].as_array()?.iter().filter_map(Value::as_str).collect();
        if texts.contains(&"bad") {
            return Some(Reply::error(400, "invalid_request_error", "not this one"));
        }
        let data: Vec<Value> = texts
            .iter()
            .zip(0..)
            .map(|(text, index)| json!({"object": "embedding", "index": index, "embedding": [text.len(), 0.25]}))
            .collect();
        let tokens = texts.len() * 10;
        let reply = Reply::json(
            200,
            &json!({"object": "list", "model": "gpt-2026", "data": data,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens, "cost": 0.000_02}}),
        );
        Some(reply.delay_first(wait))
    };
    ScriptedUpstream::start_with(answer).await.expect("an upstream")
}

async fn embed(world: &World, headers: &[&str], body: &Value) -> RawAnswer {
    begin(world, headers, body).await.read_answer().await.expect("an answer")
}

async fn begin(world: &World, headers: &[&str], body: &Value) -> RawClient {
    world.forget();
    let mut client = RawClient::connect(world.address).await.expect("connected");
    let (host, bearer) = (world.host(), world.bearer());
    let own = [host.as_str(), &bearer, "content-type: application/json"];
    let body = body.to_string();
    let line = "POST /v1/embeddings HTTP/1.1";
    client.send_request(line, &[&own, headers].concat(), body.as_bytes()).await.expect("sent");
    client
}

fn ask(texts: &[&str]) -> Value {
    json!({"model": "gpt", "input": texts, "encoding_format": "float"})
}

/// The first number of each vector: the length of its text.
fn lengths(answer: &RawAnswer) -> Vec<u64> {
    let body = answer.json();
    let data = body["data"].as_array().expect("vectors");
    for (place, item) in data.iter().enumerate() {
        assert_eq!(item["index"], place);
        assert_eq!(item["embedding"][1], 0.25);
    }
    data.iter().filter_map(|item| item["embedding"][0].as_u64()).collect()
}

fn inputs(upstream: &ScriptedUpstream) -> Vec<Value> {
    upstream.requests().iter().map(|received| received.json()["input"].clone()).collect()
}

async fn world(upstream: &ScriptedUpstream) -> (World, Cache) {
    let cache = cache();
    (caching(upstream, &cache).await, cache)
}

#[tokio::test]
async fn only_missing_inputs_are_asked_for_and_order_is_kept() {
    let upstream = upstream().await;
    let (world, _cache) = world(&upstream).await;
    let first = embed(&world, &[], &ask(&["a", "bbb"])).await;
    assert_eq!((word(&first), lengths(&first)), ("miss", vec![1, 3]));
    let second = embed(&world, &[], &ask(&["cc", "bbb", "dddd", "a"])).await;
    assert_eq!((word(&second), lengths(&second)), ("miss", vec![2, 3, 4, 1]));
    let third = embed(&world, &[], &ask(&["dddd", "cc", "bbb", "a", "a"])).await;
    assert_eq!((word(&third), lengths(&third)), ("hit", vec![4, 2, 3, 1, 1]));
    assert_eq!(inputs(&upstream), [json!(["a", "bbb"]), json!(["cc", "dddd"])]);
    assert_eq!(third.json()["usage"]["prompt_tokens"], 50);
    assert_eq!(third.json()["model"], "gpt-2026");
    assert_eq!(third.header("x-gatehouse-backend"), Some("corp"));

    let (paid, _) = world.row(&first).await;
    assert_eq!((paid.cache, paid.saved), (CacheOutcome::Miss, None));
    let (partly, tries) = world.row(&second).await;
    assert_eq!((partly.cache, tries.len()), (CacheOutcome::Miss, 1));
    // Two of four inputs were cached, each worth half of 20 micro-dollars.
    assert_eq!(partly.saved.map(domain::NanoUsd::nanos), Some(20_000));
    assert_eq!(partly.usage.map(|usage| usage.total()), Some(20));
    let (kept, tries) = world.row(&third).await;
    assert_eq!((kept.state, kept.cache), (RequestState::Complete, CacheOutcome::Hit));
    assert_eq!((kept.cost, kept.usage, tries.len()), (Cost::NotBilled, None, 0));
    assert_eq!(kept.saved.map(domain::NanoUsd::nanos), Some(50_000));
}

#[tokio::test]
async fn a_vector_is_kept_in_every_encoding_and_split_by_dimensions() {
    let upstream = upstream().await;
    let (world, _cache) = world(&upstream).await;
    assert_eq!(word(&embed(&world, &[], &ask(&["a"])).await), "miss");
    let in_base64 = json!({"model": "gpt", "input": ["a"], "encoding_format": "base64"});
    let packed = embed(&world, &[], &in_base64).await;
    assert_eq!(word(&packed), "hit");
    assert_eq!(packed.json()["data"][0]["embedding"], "AACAPwAAgD4=");
    let fewer = json!({"model": "gpt", "input": ["a"], "dimensions": 1});
    assert_eq!(word(&embed(&world, &[], &fewer).await), "miss");
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn the_header_and_purges_hold_for_vectors_too() {
    let upstream = upstream().await;
    let (world, cache) = world(&upstream).await;
    let ask = ask(&["a"]);
    assert_eq!(word(&embed(&world, &["x-gatehouse-cache: off"], &ask).await), "bypass");
    assert_eq!(word(&embed(&world, &[], &ask).await), "miss");
    assert_eq!(word(&embed(&world, &[], &ask).await), "hit");
    assert_eq!(word(&embed(&world, &["x-gatehouse-cache: refresh"], &ask).await), "miss");
    cache.purge(Purge::All).await.expect("purged");
    assert_eq!(word(&embed(&world, &[], &ask).await), "miss");
    assert_eq!(upstream.requests().len(), 4);
    let refused = embed(&world, &["x-gatehouse-cache: perhaps"], &ask).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn an_error_for_a_missing_input_is_the_requests_and_nothing_of_it_is_kept() {
    let upstream = upstream().await;
    let (world, cache) = world(&upstream).await;
    assert_eq!(word(&embed(&world, &[], &ask(&["a"])).await), "miss");
    let failed = embed(&world, &[], &ask(&["a", "bad"])).await;
    assert_eq!(failed.status, 400);
    assert!(failed.text().contains("not this one"), "{}", failed.text());
    assert_eq!(cache.stats().tiers[0].entries, Some(1));
    assert_eq!(word(&embed(&world, &[], &ask(&["a"])).await), "hit");
}

/// Waits until so many requests are in flight. They have looked up the cache and joined a flight by
/// then, since nothing in between waits.
async fn under_way(world: &World, requests: usize) {
    while world.gateway.in_flight() < requests {
        tokio::task::yield_now().await;
    }
}

fn words(answers: &[RawAnswer], which: &str) -> usize {
    answers.iter().filter(|answer| word(answer) == which).count()
}

#[tokio::test]
async fn three_hundred_identical_requests_cause_one_call_and_cost_once() {
    let upstream = slow_upstream(Duration::from_millis(400)).await;
    let (world, cache) = world(&upstream).await;
    let ask = ask(&["a", "bbb"]);
    let answers = join_all((0..300).map(|_| embed(&world, &[], &ask))).await;
    assert_eq!(upstream.requests().len(), 1);
    let (misses, joined, hits) =
        (words(&answers, "miss"), words(&answers, "coalesced"), words(&answers, "hit"));
    assert_eq!((misses, misses + joined + hits), (1, 300));
    assert!(joined > 0, "{hits} came too late to share");
    let settled = world.seen.wait_settled(300).await;
    assert!(settled.iter().all(|summary| summary.outcome == RequestOutcome::Complete));
    let mut paid = 0;
    for answer in &answers {
        assert_eq!((answer.status, lengths(answer)), (200, vec![1, 3]));
        assert_eq!(answer.header("x-gatehouse-backend"), Some("corp"));
        let (row, tries) = world.row(answer).await;
        paid += row.cost.amount().map_or(0, domain::NanoUsd::nanos);
        if word(answer) == "coalesced" {
            assert_eq!((row.cache, tries.len()), (CacheOutcome::Coalesced, 0));
            assert_eq!((row.cost, row.usage), (Cost::NotBilled, None));
            assert_eq!(row.saved.map(domain::NanoUsd::nanos), Some(20_000));
            assert_eq!(answer.header("x-gatehouse-attempts"), Some("0"));
            assert_eq!(answer.header("x-gatehouse-cost-usd"), None);
        }
    }
    assert_eq!(paid, 20_000, "one call, one cost");
    assert_eq!(cache.stats().coalesced, u64::try_from(joined).expect("small"));
    assert_eq!(word(&embed(&world, &[], &ask).await), "hit");
}

#[tokio::test]
async fn only_what_is_answered_alike_is_shared() {
    let upstream = slow_upstream(Duration::from_millis(300)).await;
    let (world, _cache) = world(&upstream).await;
    let numbers = ask(&["a"]);
    let mut in_base64 = numbers.clone();
    in_base64["encoding_format"] = "base64".into();
    let same = [&numbers, &in_base64, &numbers];
    let answers = join_all(same.map(|ask| embed(&world, &[], ask))).await;
    assert_eq!(upstream.requests().len(), 2);
    assert_eq!((words(&answers, "miss"), words(&answers, "coalesced")), (2, 1));
    let mut forms: Vec<_> =
        upstream.requests().iter().map(|it| it.json()["encoding_format"].to_string()).collect();
    forms.sort();
    assert_eq!(forms, ["\"base64\"", "\"float\""]);
    assert_eq!(answers[0].body, answers[2].body);
    // Requests that refresh or bypass the cache share nothing.
    let ask = ask(&["bb"]);
    let modes = ["x-gatehouse-cache: refresh", "x-gatehouse-cache: off"];
    let each =
        modes.iter().chain(&modes).map(|mode| embed(&world, std::slice::from_ref(mode), &ask));
    let answers = join_all(each).await;
    assert_eq!((words(&answers, "miss"), words(&answers, "bypass")), (2, 2));
    assert_eq!(upstream.requests().len(), 6);
}

#[tokio::test]
async fn when_the_first_asker_leaves_the_others_get_their_vectors() {
    let upstream = slow_upstream(Duration::from_millis(600)).await;
    let (world, _cache) = world(&upstream).await;
    let ask = ask(&["a", "bbb"]);
    let first = begin(&world, &[], &ask).await;
    under_way(&world, 1).await;
    let mut others = Vec::new();
    for count in 2..=4 {
        others.push(begin(&world, &[], &ask).await);
        under_way(&world, count).await;
    }
    first.reset().expect("gone");
    others.pop().expect("one more").reset().expect("gone");
    for mut client in others {
        let answer = client.read_answer().await.expect("an answer");
        assert_eq!((word(&answer), lengths(&answer)), ("coalesced", vec![1, 3]));
    }
    assert_eq!(upstream.requests().len(), 1);
    let settled = world.seen.wait_settled(4).await;
    let count = |what| settled.iter().filter(|summary| summary.outcome == what).count();
    // The leader's call was made and paid for, whoever read its answer.
    assert_eq!(
        (count(RequestOutcome::Complete), count(RequestOutcome::Cancelled)),
        (3, 1),
        "{settled:?}"
    );
    assert_eq!(word(&embed(&world, &[], &ask).await), "hit");
}

#[tokio::test]
async fn when_all_leave_the_call_ends() {
    let upstream =
        ScriptedUpstream::start_with(|_| Some(Reply::silence())).await.expect("an upstream");
    let (world, cache) = world(&upstream).await;
    let mut clients = Vec::new();
    for count in 1..=3 {
        clients.push(begin(&world, &[], &ask(&["a"])).await);
        under_way(&world, count).await;
    }
    upstream.wait_for_requests(1).await;
    for client in clients {
        client.reset().expect("gone");
    }
    upstream.wait_for_broken_off(1).await;
    let settled = world.seen.wait_settled(3).await;
    assert!(
        settled.iter().all(|summary| summary.outcome == RequestOutcome::Cancelled),
        "{settled:?}"
    );
    assert_eq!((upstream.requests().len(), cache.stats().coalesced), (1, 0));
}

#[tokio::test]
async fn those_who_share_a_failure_are_told_it_in_the_same_words() {
    let reply = Reply::error(500, "server_error", "no vectors today");
    let reply = reply.delay_first(Duration::from_millis(400));
    let upstream = ScriptedUpstream::start_with(move |_| Some(reply.clone())).await;
    let upstream = upstream.expect("an upstream");
    let (world, cache) = world(&upstream).await;
    let ask = ask(&["a"]);
    let mut clients = Vec::new();
    for count in 1..=20 {
        clients.push(begin(&world, &[], &ask).await);
        under_way(&world, count).await;
    }
    let answers = join_all(clients.iter_mut().map(RawClient::read_answer)).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("an answer")).collect();
    assert_eq!(upstream.requests().len(), 1);
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (502, &answers[0].body));
        let (row, tries) = world.row(answer).await;
        assert_eq!(row.state, RequestState::Failed);
        assert_eq!(row.error_class.as_deref(), Some("backend_error"));
        assert_eq!(tries.len(), usize::from(word(answer) == "miss"));
    }
    assert!(answers[0].text().contains("no vectors today"), "{}", answers[0].text());
    assert_eq!((words(&answers, "miss"), words(&answers, "coalesced")), (1, 19));
    assert_eq!((cache.stats().coalesced, cache.stats().tiers[0].entries), (0, Some(0)));
}
