//! Counts of tokens over several backends: one that cannot count is replaced by one that counts the
//! same, and no count changes what is known of a backend.

use resilience::{Availability, BreakerOverride};
use serde_json::json;
use test_support::{ClosedPort, RawAnswer, RawClient, Reply, ScriptedUpstream};

use crate::pair::{Pair, always, endpoint, limits};
use crate::world::network;

const BOTH: &[&str] = &["one", "two"];

async fn count(pair: &Pair) -> RawAnswer {
    let world = &pair.world;
    let mut client = RawClient::connect(world.address).await.expect("connected");
    let (host, bearer) = (world.host(), world.bearer());
    let headers = [host.as_str(), &bearer, "content-type: application/json"];
    let line = "POST /v1/messages/count_tokens HTTP/1.1";
    let body = br#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    client.send_request(line, &headers, body).await.expect("sent");
    client.read_answer().await.expect("an answer")
}

async fn counting(tokens: u64) -> ScriptedUpstream {
    always(Reply::json(200, &json!({"input_tokens": tokens}))).await
}

/// Two backends of Anthropic's dialect, the first of which always gives this reply.
async fn pair(one: Reply, two: ScriptedUpstream, candidates: &[&str]) -> Pair {
    let one = always(one).await;
    let url = one.base_url();
    Pair::of_anthropic(one, url, two, candidates, limits(network())).await
}

fn assert_counted(answer: &RawAnswer, backend: &str, tokens: u64) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["input_tokens"], tokens);
    assert_eq!(answer.header("x-gatehouse-estimated"), None);
    assert_eq!(answer.header("x-gatehouse-backend"), Some(backend));
}

#[tokio::test]
async fn a_backend_that_cannot_count_is_replaced_by_one_that_counts_the_same() {
    let port = ClosedPort::bind().expect("a port");
    let one = counting(1).await;
    let limits = limits(network());
    let dead = Pair::of_anthropic(one, port.base_url(), counting(41).await, BOTH, limits).await;
    assert_counted(&count(&dead).await, "two", 41);
    for status in [404, 429, 500, 529] {
        let error = json!({"type": "error", "error": {"type": "api_error", "message": "no"}});
        let pair = pair(Reply::json(status, &error), counting(41).await, BOTH).await;
        assert_counted(&count(&pair).await, "two", 41);
        assert_eq!(pair.calls(), (1, 1), "{status}");
        assert!(pair.world.rows().await.is_empty(), "counting costs nothing");
    }
    let silent = pair(Reply::json(200, &json!({})), counting(41).await, BOTH).await;
    assert_counted(&count(&silent).await, "two", 41);
}

#[tokio::test]
async fn a_failed_count_says_nothing_of_a_backend() {
    let port = ClosedPort::bind().expect("a port");
    let (one, limits) = (counting(1).await, limits(network()));
    let pair = Pair::of_anthropic(one, port.base_url(), counting(41).await, BOTH, limits).await;
    for _ in 0..10 {
        assert_counted(&count(&pair).await, "two", 41);
    }
    let known = pair.world.registry.availability(&endpoint("one"), "gpt");
    assert_eq!(known, Availability::Ready);
    assert_eq!(pair.world.registry.load(&endpoint("one").backend).0, 0);
}

#[tokio::test]
async fn a_closed_backend_is_not_asked_to_count() {
    let pair = pair(Reply::json(200, &json!({"input_tokens": 1})), counting(41).await, BOTH).await;
    let registry = &pair.world.registry;
    registry.force(&endpoint("one"), BreakerOverride::Open, None);
    assert_counted(&count(&pair).await, "two", 41);
    registry.force(&endpoint("two"), BreakerOverride::Open, None);
    let refused = count(&pair).await;
    assert_eq!(refused.status, 529, "{}", refused.text());
    assert_eq!(pair.calls(), (0, 1));
}

#[tokio::test]
async fn each_backend_is_asked_once_and_no_other_model_counts() {
    let failing = || Reply::json(500, &json!({"error": {"message": "no"}}));
    let both = pair(failing(), always(failing()).await, BOTH).await;
    let refused = count(&both).await;
    assert_eq!(refused.header("x-should-retry"), Some("false"), "{}", refused.text());
    assert_eq!((refused.status, both.calls()), (502, (1, 1)));

    let other = pair(failing(), counting(41).await, &["one", "two/other"]).await;
    let refused = count(&other).await;
    assert_eq!((refused.status, other.calls()), (502, (1, 0)), "{}", refused.text());
}
