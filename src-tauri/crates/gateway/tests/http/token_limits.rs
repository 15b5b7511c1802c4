//! A client's limit on tokens per minute, counted by the usage of its answers.

use std::sync::Arc;

use domain::ClientId;
use endpoints::TrafficRules;
use futures_util::future::join_all;
use gateway::{GatewayClient, TokenState};
use ledger::Purpose;
use resilience::RateRules;
use test_support::{ChatText, RawAnswer, RawClient, Reply, ScriptedUpstream};

use crate::world::{Limits, World, world_with};

/// A limit for the world's client.
fn limit(world: &World, tokens_per_minute: u32) {
    let mut snapshot = world.snapshot.load().as_ref().clone();
    let client = GatewayClient {
        rules: TrafficRules {
            rates: RateRules {
                requests_per_minute: None,
                tokens_per_minute: Some(tokens_per_minute),
            },
            in_flight_max: None,
        },
        ..GatewayClient::new(
            ClientId::new("tool").expect("an id"),
            Purpose::User,
            TokenState::Valid(None),
        )
    };
    let token = gateway::new_token(&domain::SeededEntropy::new(9));
    snapshot.clients = [(token.hash, client)].into_iter().collect();
    world.snapshot.store(Arc::new(snapshot));
}

/// An upstream whose answers report this usage.
async fn billing(prompt: u64, completion: u64) -> ScriptedUpstream {
    let text = ChatText { model: "gpt", deltas: &["ok"], usage: Some((prompt, completion)) };
    let reply = Reply::chat(&text);
    ScriptedUpstream::start_with(move |_| Some(reply.clone())).await.expect("an upstream")
}

/// The output limit of [`body`].
const OUTPUT_TOKENS: u64 = 100;

fn body() -> String {
    format!(
        r#"{{"model":"gpt","max_tokens":{OUTPUT_TOKENS},"messages":[{{"role":"user","content":"hi"}}]}}"#
    )
}

/// The estimated tokens of its prompt, at four bytes a token.
fn input_tokens() -> u64 {
    u64::try_from(body().len()).expect("small") / 4
}

/// Asks on an open connection, as tools do.
async fn ask(world: &World, mut client: RawClient) -> RawAnswer {
    let (host, bearer) = (world.host(), world.bearer());
    let headers = [host.as_str(), &bearer, "content-type: application/json"];
    let line = "POST /v1/chat/completions HTTP/1.1";
    client.send_request(line, &headers, body().as_bytes()).await.expect("sent");
    client.read_answer().await.expect("an answer")
}

async fn ask_at_once(world: &World, clients: usize) -> Vec<RawAnswer> {
    let connecting = (0..clients).map(|_| RawClient::connect(world.address));
    let connected = join_all(connecting).await;
    join_all(connected.into_iter().map(|client| ask(world, client.expect("connected")))).await
}

/// R4: with a limit of 1,000, 30 of 30 requests of 1,200 tokens passed.
#[tokio::test]
async fn what_an_answer_used_counts_against_its_client() {
    let upstream = billing(700, 500).await;
    let world = world_with(&upstream, Limits::default()).await;
    limit(&world, 1_000);
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.extend(ask_at_once(&world, 1).await.iter().map(|answer| answer.status));
    }
    assert_eq!(statuses[0], 200);
    assert_eq!(statuses[1..], [429; 29]);
    let refused = &ask_at_once(&world, 1).await[0];
    assert_eq!(refused.json()["error"]["code"], "client_limit", "{}", refused.text());
    assert!(refused.text().contains("tokens per minute"), "{}", refused.text());
    assert!(refused.header("retry-after").is_some());
    assert_eq!(upstream.requests().len(), 1, "what is refused is not sent");
}

#[tokio::test]
async fn the_limit_is_exact_under_64_requests_at_once() {
    let each = input_tokens() + OUTPUT_TOKENS;
    let upstream = billing(input_tokens(), OUTPUT_TOKENS).await;
    let world = world_with(&upstream, Limits { request: many(), ..Limits::default() }).await;
    // Room for exactly ten.
    limit(&world, u32::try_from(10 * each).expect("small"));
    let answers = ask_at_once(&world, 64).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(429)), (10, 54));
    assert_eq!(upstream.requests().len(), 10);
}

#[tokio::test]
async fn what_was_not_used_is_given_back() {
    // Half of the estimate is used: the limit counts what was used, not what was reserved.
    let each = input_tokens() + OUTPUT_TOKENS;
    let upstream = billing(input_tokens(), 0).await;
    let world = world_with(&upstream, Limits { request: many(), ..Limits::default() }).await;
    limit(&world, u32::try_from(10 * each).expect("small"));
    let mut used = 0;
    loop {
        let answers = ask_at_once(&world, 64).await;
        let passed = answers.iter().filter(|answer| answer.status == 200).count();
        used += input_tokens() * u64::try_from(passed).expect("small");
        assert!(used <= 10 * each, "{used} of {}", 10 * each);
        if passed == 0 {
            break;
        }
    }
    // The last request let in has room for all it may use.
    assert!(used > 9 * each, "{used} of {}", 10 * each);
}

/// All of them may be in flight.
fn many() -> gateway::RequestLimits {
    gateway::RequestLimits { in_flight_max: 64, ..Limits::default().request }
}
