//! The scope of a client's token: models, backends, routes.

use std::sync::Arc;

use domain::{BackendId, ClientId, RouteId};
use gateway::{GatewayClient, Snapshot, TokenState, hash_token};
use ledger::Purpose;
use settings::ClientScope;
use test_support::{ChatText, RawAnswer, Reply, ScriptedUpstream};

use crate::pair::{At, Pair, WELL, limits};
use crate::world::{ASK, World, network, world};

fn restrict(world: &World, scope: &ClientScope) {
    let id = ClientId::new("tool").expect("an id");
    let client = GatewayClient::new(id, Purpose::User, TokenState::Valid(None));
    let client = GatewayClient { scope: scope.clone(), ..client };
    let mut changed = Snapshot::clone(&world.snapshot.load());
    changed.clients = [(hash_token(&world.token), client)].into_iter().collect();
    world.snapshot.store(Arc::new(changed));
}

fn backend(id: &str) -> BackendId {
    BackendId::new(id).expect("an id")
}

fn assert_forbidden(answer: &RawAnswer, words: &str) {
    let text = answer.text();
    assert_eq!((answer.status, answer.header("x-should-retry")), (403, Some("false")), "{text}");
    assert!(text.contains(words) && text.contains("tool"), "{text}");
}

async fn post(world: &World, path: &str, body: &str) -> RawAnswer {
    let mut client = test_support::RawClient::connect(world.address).await.expect("connected");
    let (host, bearer) = (world.host(), world.bearer());
    let headers = [host.as_str(), &bearer, "content-type: application/json"];
    let line = format!("POST {path} HTTP/1.1");
    client.send_request(&line, &headers, body.as_bytes()).await.expect("sent");
    client.read_answer().await.expect("an answer")
}

#[tokio::test]
async fn a_model_outside_the_scope_is_refused_in_every_dialect_and_nobody_is_asked() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await;
    let upstream = upstream.expect("an upstream");
    let world = world(&upstream).await;
    restrict(&world, &ClientScope { models: vec!["claude*".to_owned()], ..Default::default() });
    let messages = r#"[{"role":"user","content":"hi"}]"#;
    let chat = format!(r#"{{"model":"gpt","messages":{messages}}}"#);
    let count = format!(r#"{{"model":"gpt","messages":{messages}}}"#);
    for (path, body) in [
        ("/v1/chat/completions", chat.as_str()),
        ("/v1/responses", r#"{"model":"gpt","input":"hi"}"#),
        ("/v1/messages", &format!(r#"{{"model":"gpt","max_tokens":9,"messages":{messages}}}"#)),
        ("/v1/messages/count_tokens", &count),
        ("/v1/embeddings", r#"{"model":"gpt","input":"hi"}"#),
        ("/v1beta/models/gpt:generateContent", r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#),
    ] {
        assert_forbidden(&post(&world, path, body).await, "may not use the model gpt");
    }
    // By the backend's name it is the same model under another name.
    let pinned = ASK.replace("gpt", "corp/gpt");
    assert_forbidden(&world.chat(&pinned).await, "may not use the model corp/gpt");
    assert!(upstream.requests().is_empty(), "nothing was sent");
    let listed = world.get("/v1/models").await.text();
    assert!(listed.contains("claude") && !listed.contains("gpt"), "{listed}");
    assert_eq!(world.get("/v1/models/gpt").await.status, 404);
}

#[tokio::test]
async fn only_backends_of_the_scope_answer() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await;
    let upstream = upstream.expect("an upstream");
    let world = world(&upstream).await;
    restrict(&world, &ClientScope { backends: vec![backend("anthropic")], ..Default::default() });
    assert_forbidden(&world.chat(ASK).await, "not use any backend that serves gpt");
    assert!(upstream.requests().is_empty());
    restrict(&world, &ClientScope { backends: vec![backend("corp")], ..Default::default() });
    assert_eq!(world.chat(ASK).await.status, 200);
    // The model list shows only models in the scope.
    let listed = world.get("/v1/models").await.text();
    assert!(listed.contains("corp/gpt") && !listed.contains("anthropic/"), "{listed}");
}

#[tokio::test]
async fn a_backend_outside_the_scope_is_no_second_choice() {
    let busy = Reply::error(500, "api_error", "broken");
    let pair = Pair::of(At::Replying(busy), limits(network())).await;
    restrict(&pair.world, &ClientScope { backends: vec![backend("one")], ..Default::default() });
    let answer = pair.ask(ASK).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(pair.two.requests().is_empty());
}

#[tokio::test]
async fn a_route_outside_the_scope_is_refused() {
    let answer = Reply::chat(&ChatText { ..WELL });
    let pair = Pair::of(At::Replying(answer), limits(network())).await;
    let allow = |id: &str| ClientScope {
        routes: vec![RouteId::new(id).expect("an id")],
        ..Default::default()
    };
    let answer = pair.ask(ASK).await;
    let route = answer.header("x-gatehouse-route").expect("a route").to_owned();
    restrict(&pair.world, &allow("another"));
    assert_forbidden(&pair.ask(ASK).await, "may not use the route");
    restrict(&pair.world, &allow(&route));
    assert_eq!(pair.ask(ASK).await.status, 200);
}

/// The recorded reason belongs to the client's decision, not to that of an unrestricted client.
#[tokio::test]
async fn a_record_says_who_was_left_out_for_the_client() {
    let pair = Pair::of(At::Replying(Reply::chat(&WELL)), limits(network())).await;
    restrict(&pair.world, &ClientScope { backends: vec![backend("two")], ..Default::default() });
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, answer.header("x-gatehouse-backend")), (200, Some("two")));
    let (row, _) = pair.world.row(&answer).await;
    assert_eq!(
        row.explanation.as_deref(),
        Some(
            "two is the first that the client tool may use; skipped: one is not allowed for this \
             client."
        )
    );
    assert!(pair.calls() == (0, 1), "{:?}", pair.calls());
}
