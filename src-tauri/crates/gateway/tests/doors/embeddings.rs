//! Vectors from the cache: each input by itself, and only the missing ones are asked for.

use cache::{Cache, Purge};
use ledger::{CacheOutcome, Cost, RequestState};
use serde_json::{Value, json};
use test_support::{RawAnswer, RawClient, Reply, ScriptedUpstream};

use crate::caching::{cache, caching, word};
use crate::world::World;

/// A backend that makes a vector of a text's length and counts ten tokens each; it refuses `bad`.
async fn upstream() -> ScriptedUpstream {
    let answer = |received: &test_support::Received| {
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
        Some(Reply::json(
            200,
            &json!({"object": "list", "model": "gpt-2026", "data": data,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens, "cost": 0.000_02}}),
        ))
    };
    ScriptedUpstream::answering(answer).await.expect("an upstream")
}

async fn embed(world: &World, headers: &[&str], body: &Value) -> RawAnswer {
    world.forget();
    let mut client = RawClient::connect(world.address).await.expect("connected");
    let (host, bearer) = (world.host(), world.bearer());
    let own = [host.as_str(), &bearer, "content-type: application/json"];
    let body = body.to_string();
    let line = "POST /v1/embeddings HTTP/1.1";
    client.request(line, &[&own, headers].concat(), body.as_bytes()).await.expect("sent");
    client.answer().await.expect("an answer")
}

fn ask(texts: &[&str]) -> Value {
    json!({"model": "gpt", "input": texts, "encoding_format": "float"})
}

/// The first number of each vector: how long its text was.
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
    // Two of four inputs were there, each of them half of 20 micro-dollars.
    assert_eq!(partly.saved.map(domain::MicroUsd::micros), Some(20));
    assert_eq!(partly.usage.map(|usage| usage.total()), Some(20));
    let (kept, tries) = world.row(&third).await;
    assert_eq!((kept.state, kept.cache), (RequestState::Complete, CacheOutcome::Hit));
    assert_eq!((kept.cost, kept.usage, tries.len()), (Cost::NotBilled, None, 0));
    assert_eq!(kept.saved.map(domain::MicroUsd::micros), Some(50));
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
