//! A client that the user switched to another backend or route, or blocked.

use std::sync::Arc;

use domain::{BackendId, ClientId, ClientProgram, ClientTarget, RouteId};
use gateway::{GatewayClient, Snapshot, TokenState, hash_token};
use ledger::Purpose;
use test_support::{RawAnswer, Reply, ScriptedUpstream};

use crate::pair::{At, Pair, WELL, limits};
use crate::world::{ASK, World, network, world};

fn change(world: &World, change: impl Fn(GatewayClient) -> GatewayClient) {
    let id = ClientId::new("tool").expect("an id");
    let client = change(GatewayClient::new(id, Purpose::User, TokenState::Valid(None)));
    let mut changed = Snapshot::clone(&world.snapshot.load());
    changed.clients = [(hash_token(&world.token), client)].into_iter().collect();
    world.snapshot.store(Arc::new(changed));
}

fn switch(world: &World, target: &ClientTarget) {
    change(world, |client| GatewayClient { switched_to: Some(target.clone()), ..client });
}

fn to_backend(id: &str) -> ClientTarget {
    ClientTarget::Backend(BackendId::new(id).expect("an id"))
}

async fn post(world: &World, path: &str, body: &str) -> RawAnswer {
    let mut client = test_support::RawClient::connect(world.address).await.expect("connected");
    let (host, bearer) = (world.host(), world.bearer());
    let agent = "user-agent: claude-cli/2.1.3 (external, cli)";
    let headers = [host.as_str(), &bearer, "content-type: application/json", agent];
    let line = format!("POST {path} HTTP/1.1");
    client.send_request(&line, &headers, body.as_bytes()).await.expect("sent");
    client.read_answer().await.expect("an answer")
}

#[tokio::test]
async fn a_switched_client_goes_to_its_target_and_the_record_says_why() {
    let pair = Pair::of(At::Replying(Reply::chat(&WELL)), limits(network())).await;
    let backend = |answer: &RawAnswer| answer.header("x-gatehouse-backend").map(str::to_owned);
    assert_eq!(backend(&pair.ask(ASK).await).as_deref(), Some("one"));
    switch(&pair.world, &to_backend("two"));
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, backend(&answer).as_deref()), (200, Some("two")));
    assert_eq!(answer.header("x-gatehouse-route"), Some("switched"));
    let (row, _) = pair.world.row(&answer).await;
    let said = row.explanation.expect("an explanation");
    assert!(said.starts_with("The client tool is switched to the backend two"), "{said}");
    // A request that names a backend goes to the target all the same.
    let pinned = pair.ask(&ASK.replace("\"gpt\"", "\"one/gpt\"")).await;
    assert_eq!(backend(&pinned).as_deref(), Some("two"), "{}", pinned.text());

    switch(&pair.world, &ClientTarget::Route(RouteId::new("spare").expect("an id")));
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, backend(&answer).as_deref()), (200, Some("two")));
    assert_eq!(answer.header("x-gatehouse-route"), Some("spare"));
    assert_eq!(pair.calls(), (1, 3));
}

#[tokio::test]
async fn a_target_without_the_model_is_told_in_every_dialect_with_the_way_back() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await;
    let upstream = upstream.expect("an upstream");
    let world = world(&upstream).await;
    switch(&world, &to_backend("corp"));
    let messages = r#"[{"role":"user","content":"hi"}]"#;
    for (path, body) in [
        ("/v1/chat/completions", format!(r#"{{"model":"nova","messages":{messages}}}"#)),
        ("/v1/responses", r#"{"model":"nova","input":"hi"}"#.to_owned()),
        ("/v1/messages", format!(r#"{{"model":"nova","max_tokens":9,"messages":{messages}}}"#)),
        ("/v1/messages/count_tokens", format!(r#"{{"model":"nova","messages":{messages}}}"#)),
        (
            "/v1beta/models/nova:generateContent",
            r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#.to_owned(),
        ),
    ] {
        let answer = post(&world, path, &body).await;
        let text = answer.text();
        assert_eq!(
            (answer.status, answer.header("x-should-retry")),
            (404, Some("false")),
            "{text}"
        );
        assert!(text.contains("The client tool is switched to the backend corp"), "{path}: {text}");
        assert!(text.contains("gatehouse clients switch tool --reset"), "{path}: {text}");
    }
    assert!(upstream.requests().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_blocked_client_is_refused_everything_in_its_dialect_until_it_is_allowed() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await;
    let upstream = upstream.expect("an upstream");
    let world = world(&upstream).await;
    change(&world, |client| GatewayClient { blocked: true, ..client });
    let messages = r#"[{"role":"user","content":"hi"}]"#;
    for (path, body, shape) in [
        (
            "/v1/chat/completions",
            format!(r#"{{"model":"gpt","messages":{messages}}}"#),
            "\"code\":\"client_blocked\"",
        ),
        (
            "/v1/messages",
            format!(r#"{{"model":"gpt","max_tokens":9,"messages":{messages}}}"#),
            "\"type\":\"permission_error\"",
        ),
        ("/v1/embeddings", r#"{"model":"gpt","input":"hi"}"#.to_owned(), "client_blocked"),
        (
            "/v1beta/models/gpt:generateContent",
            r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#.to_owned(),
            "PERMISSION_DENIED",
        ),
    ] {
        let answer = post(&world, path, &body).await;
        let text = answer.text();
        assert_eq!(
            (answer.status, answer.header("x-should-retry")),
            (403, Some("false")),
            "{text}"
        );
        assert!(text.contains("gatehouse clients allow tool") && text.contains(shape), "{text}");
    }
    assert_eq!(world.get("/v1/models").await.status, 403);
    assert!(upstream.requests().is_empty(), "nothing was sent");
    assert_eq!(world.seen.refused(), 5, "each is told");
    change(&world, |client| client);
    assert_eq!(world.chat(ASK).await.status, 200);
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_in_every_dialect() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await;
    let upstream = upstream.expect("an upstream");
    let world = world(&upstream).await;
    assert_eq!(world.chat(ASK).await.status, 200);
    let asked = upstream.requests().len();
    change(&world, |client| GatewayClient { standing: TokenState::Revoked, ..client });
    let messages = r#"[{"role":"user","content":"hi"}]"#;
    let contents = r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#;
    let claude = format!(r#"{{"model":"gpt","max_tokens":9,"messages":{messages}}}"#);
    for (path, body, shape) in [
        (
            "/v1/chat/completions",
            format!(r#"{{"model":"gpt","messages":{messages}}}"#),
            "\"code\":\"revoked_token\"",
        ),
        (
            "/v1/responses",
            r#"{"model":"gpt","input":"hi"}"#.to_owned(),
            "\"code\":\"revoked_token\"",
        ),
        ("/v1/messages", claude.clone(), "\"type\":\"authentication_error\""),
        ("/v1/messages/count_tokens", claude, "\"type\":\"authentication_error\""),
        (
            "/v1/embeddings",
            r#"{"model":"gpt","input":"hi"}"#.to_owned(),
            "\"code\":\"revoked_token\"",
        ),
        ("/v1beta/models/gpt:generateContent", contents.to_owned(), "UNAUTHENTICATED"),
        ("/v1beta/models/gpt:streamGenerateContent", contents.to_owned(), "UNAUTHENTICATED"),
        ("/v1beta/models/gpt:countTokens", contents.to_owned(), "UNAUTHENTICATED"),
    ] {
        let answer = post(&world, path, &body).await;
        let text = answer.text();
        assert_eq!(
            (answer.status, answer.header("x-should-retry")),
            (401, Some("false")),
            "{path}: {text}"
        );
        assert!(text.contains(shape) && text.contains("revoked"), "{path}: {text}");
    }
    assert_eq!(upstream.requests().len(), asked, "nothing was sent");
}

#[tokio::test]
async fn a_client_is_known_by_the_program_that_it_names() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await;
    let upstream = upstream.expect("an upstream");
    let world = world(&upstream).await;
    assert_eq!(world.chat(ASK).await.status, 200);
    assert_eq!(world.seen.programs(), [], "without a header nothing is known");
    assert_eq!(post(&world, "/v1/chat/completions", ASK).await.status, 200);
    let program =
        ClientProgram { name: "claude-cli".to_owned(), version: Some("2.1.3".to_owned()) };
    assert_eq!(world.seen.programs(), [program]);
}

#[tokio::test]
async fn the_requests_of_a_token_for_one_project_belong_to_it_whatever_they_say() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await;
    let upstream = upstream.expect("an upstream");
    let world = world(&upstream).await;
    let said = ["", "x-gatehouse-project: thesis\r\n"];
    let ask = async |header: &str| {
        let (host, bearer) = (world.host(), world.bearer());
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\n{host}\r\n{bearer}\r\n{header}content-type: \
             application/json\r\ncontent-length: {}\r\n\r\n{ASK}",
            ASK.len()
        );
        let answer = test_support::RawClient::exchange(world.address, request.as_bytes()).await;
        let (row, _) = world.row(&answer.expect("an answer")).await;
        row.request.project
    };
    assert_eq!(ask(said[1]).await.as_deref(), Some("thesis"));
    change(&world, |client| GatewayClient { project: Some("website".to_owned()), ..client });
    for header in said {
        assert_eq!(ask(header).await.as_deref(), Some("website"), "{header}");
    }
}

/// Clients of this program alone choose the id of a request; from others the header means nothing, and
/// no backend sees it.
#[tokio::test]
async fn a_chosen_id_is_taken_from_clients_of_this_program_alone() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await;
    let upstream = upstream.expect("an upstream");
    let world = world(&upstream).await;
    let chosen = "req_01890a5dac96774bbcceb302099a8057";
    let ask = async || {
        let mut client = test_support::RawClient::connect(world.address).await.expect("connected");
        let (host, bearer) = (world.host(), world.bearer());
        let own = format!("x-gatehouse-request-id: {chosen}");
        let headers = [host.as_str(), &bearer, "content-type: application/json", &own];
        let line = "POST /v1/chat/completions HTTP/1.1";
        client.send_request(line, &headers, ASK.as_bytes()).await.expect("sent");
        client.read_answer().await.expect("an answer")
    };
    let others = ask().await;
    assert_eq!(others.status, 200);
    assert_ne!(others.header("x-gatehouse-request-id"), Some(chosen));
    world.row(&others).await;

    change(&world, |client| GatewayClient { names_requests: true, ..client });
    let own = ask().await;
    assert_eq!(own.header("x-gatehouse-request-id"), Some(chosen));
    let (row, _) = world.row(&own).await;
    assert_eq!(row.request.id.to_string(), chosen);
    let seen = upstream.requests();
    assert!(seen.iter().all(|it| it.header("x-gatehouse-request-id").is_none()), "{seen:?}");
}

/// One client of this program sends for others, with their scope and their block; from any other client
/// the header means nothing, and no backend sees it.
#[tokio::test]
async fn a_request_for_another_client_is_that_clients_if_this_program_sends_it() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await;
    let upstream = upstream.expect("an upstream");
    let world = world(&upstream).await;
    let ask = async |named: &str| {
        let mut client = test_support::RawClient::connect(world.address).await.expect("connected");
        let (host, bearer) = (world.host(), world.bearer());
        let named = format!("x-gatehouse-client: {named}");
        let headers = [host.as_str(), &bearer, "content-type: application/json", &named];
        let line = "POST /v1/chat/completions HTTP/1.1";
        client.send_request(line, &headers, ASK.as_bytes()).await.expect("sent");
        client.read_answer().await.expect("an answer")
    };
    let named = |change: fn(GatewayClient) -> GatewayClient, sends_for_clients: bool| {
        let client = |id: &str| {
            let id = ClientId::new(id).expect("an id");
            GatewayClient::new(id, Purpose::User, TokenState::Valid(None))
        };
        let sender = GatewayClient { sends_for_clients, ..client("sender") };
        let clients = [
            (hash_token(&world.token), sender),
            (hash_token("ghk_editor"), change(client("editor"))),
        ];
        let mut changed = Snapshot::clone(&world.snapshot.load());
        changed.clients = clients.into_iter().collect();
        world.snapshot.store(Arc::new(changed));
    };
    for (sends_for_clients, recorded) in [(false, "sender"), (true, "editor")] {
        named(|client| client, sends_for_clients);
        let answer = ask("editor").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let (row, _) = world.row(&answer).await;
        assert_eq!(row.request.client.as_str(), recorded);
    }
    named(|client| GatewayClient { blocked: true, ..client }, true);
    assert_eq!(ask("editor").await.status, 403);
    named(|client| GatewayClient { standing: TokenState::Revoked, ..client }, true);
    for gone in ["editor", "nobody", "No id"] {
        let answer = ask(gone).await;
        assert_eq!(
            (answer.status, answer.header("x-should-retry")),
            (401, Some("false")),
            "{gone}"
        );
    }
    let seen = upstream.requests();
    assert!(seen.iter().all(|it| it.header("x-gatehouse-client").is_none()), "{seen:?}");
}
