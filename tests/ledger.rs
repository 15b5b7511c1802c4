//! The built program while its ledger cannot be written: requests are still answered, and no record
//! is lost.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::HashSet;
use std::net::SocketAddr;

use acceptance::{HomeVault, TestHome, await_or_fail, json_body};
use rusqlite::Connection;
use serde_json::{Value, json};
use test_support::{BodyEnd, ChatText, RawClient, ReceivedRequest, Reply, ScriptedUpstream};
use tokio::task::JoinSet;

const CLIENTS: usize = 8;

/// Enough to fill the queue of an older version, 256 writes, long before the end.
const REQUESTS_OF_A_CLIENT: usize = 60;

fn answer(request: &ReceivedRequest) -> Reply {
    let body = request.json();
    let Some(model) = body.get("model").and_then(Value::as_str) else {
        return Reply::models(&["m"]);
    };
    let text = ChatText { model, deltas: &["one ", "two ", "three"], usage: Some((7, 3)) };
    match body.get("stream") {
        Some(Value::Bool(true)) => Reply::chat_stream(&text),
        _ => Reply::chat(&text),
    }
}

/// Sends requests one after the other. Returns the ids of the answers, which must all be whole.
async fn send_requests(gateway: SocketAddr, token: String, streamed: bool) -> Vec<String> {
    let mut connection = RawClient::connect(gateway).await.expect("connected");
    let (host, bearer) = (format!("host: {gateway}"), format!("authorization: Bearer {token}"));
    let headers = [host.as_str(), &bearer, "content-type: application/json"];
    let body = json_body(&json!({"model": "up/m", "stream": streamed,
        "messages": [{"role": "user", "content": "count to three"}]}));
    let mut ids = Vec::new();
    for _ in 0..REQUESTS_OF_A_CLIENT {
        let line = "POST /v1/chat/completions HTTP/1.1";
        connection.send_request(line, &headers, &body).await.expect("sent");
        let answer = connection.read_answer().await.expect("an answer");
        let text = answer.text();
        assert_eq!((answer.status, answer.end), (200, BodyEnd::Complete), "{text}");
        assert!(!streamed || text.ends_with("data: [DONE]\n\n"), "{text}");
        ids.push(answer.header("x-gatehouse-request-id").expect("an id").to_owned());
    }
    ids
}

fn complete_ids(ledger: &Connection) -> HashSet<String> {
    let sql = "SELECT id FROM requests WHERE state = 'complete'";
    let mut statement = ledger.prepare(sql).expect("prepared");
    let ids = statement.query_map([], |row| row.get(0)).expect("asked");
    ids.map(|id| id.expect("an id")).collect()
}

/// R1: with 256 waiting writes every answer waited for the lock to end.
#[tokio::test]
async fn a_locked_ledger_stops_no_answer_and_loses_none() {
    let upstream = ScriptedUpstream::start_with(|request| Some(answer(request)));
    let upstream = upstream.await.expect("an upstream");
    let home = TestHome::new(HomeVault::Memory);
    home.write_settings(&format!(
        "[ledger]\ncommit_wait_ms = 20\n\
         [backends.up]\nkind = \"openai-compatible\"\nbase_url = \"{}\"\n",
        upstream.base_url()
    ));
    let token = home.client("demo").await;
    let served = home.serve().await;
    let other = Connection::open(home.path().join("data/ledger.sqlite")).expect("a ledger");
    other.busy_timeout(acceptance::WAIT_MAX).expect("set");
    other.execute_batch("BEGIN EXCLUSIVE").expect("another program locks the ledger");
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(send_requests(served.gateway, token.clone(), client.is_multiple_of(2)));
    }
    let mut seen = Vec::new();
    // The lock is held until the last answer has arrived, so no answer waited for it.
    while let Some(ids) = await_or_fail("the end of a client", clients.join_next()).await {
        seen.extend(ids.expect("a client does not break"));
    }
    assert_eq!(seen.len(), CLIENTS * REQUESTS_OF_A_CLIENT);
    assert_eq!(complete_ids(&home.ledger()).len(), 0, "all of them wait");
    other.execute_batch("ROLLBACK").expect("unlocked");
    assert_eq!(served.stop().await, Some(0));
    let known = complete_ids(&home.ledger());
    let missing = seen.iter().filter(|id| !known.contains(*id)).count();
    assert_eq!((missing, known.len()), (0, seen.len()));
}
