//! `kill -9` at fifty points during requests of every kind. Each answer that a client received in
//! full is in the ledger exactly once, with the tokens that the backend counted, and nothing else
//! is.
//!
//! The server is killed after a number of whole answers, never after a time, and restarted on the
//! same home. The backend keeps its own list, which is compared with the ledger at the end. Answers
//! wait up to five seconds for their commit here, so that the ledger is never behind, even on a
//! busy machine.
//!
//! `GATEHOUSE_TEST_KILLS` and `GATEHOUSE_TEST_CLIENTS` make a longer run.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use acceptance::{HomeVault, TestHome, TestServer, await_or_fail, json_body};
use rusqlite::Connection;
use serde_json::{Value, json};
use test_support::{
    BodyEnd, ChatText, RawAnswer, RawClient, ReceivedRequest, Reply, ScriptedUpstream,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const KILLS: usize = 50;

/// Concurrent clients, each on its own connection.
const CLIENTS: usize = 6;

/// The number in this environment variable, else `usual`.
#[expect(clippy::disallowed_methods, reason = "a person asks for a longer run")]
fn number_from(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |text| text.parse().expect("a number"))
}

/// Most whole answers before a kill; the least is one.
const ANSWERS_MAX: usize = 23;

/// One request. The models differ, so that each request can be found by its model and tokens.
#[derive(Debug, Clone)]
struct SentRequest {
    model: String,
    streamed: bool,
}

impl SentRequest {
    fn new(round: usize, client: usize, number: usize) -> Self {
        let model = match client {
            // This client is nearly always in the middle of a stream.
            0 => "mock/chat".to_owned(),
            1 | 2 => "mock/echo".to_owned(),
            _ => format!("up/m-{round}-{client}-{number}"),
        };
        Self { model, streamed: client.is_multiple_of(2) }
    }

    fn body(&self) -> Vec<u8> {
        json_body(&json!({"model": self.model, "stream": self.streamed,
            "messages": [{"role": "user", "content": "count to three"}]}))
    }
}

/// The prompt and completion tokens that the backend bills for a model, different for nearly every
/// one.
fn tokens(model: &str) -> (u64, u64) {
    let sum: u64 = model.bytes().map(u64::from).zip(1..).map(|(byte, place)| byte * place).sum();
    (sum % 997 + 1, sum % 89 + 1)
}

fn answer(request: &ReceivedRequest) -> Reply {
    let body = request.json();
    let Some(model) = body.get("model").and_then(Value::as_str) else {
        return Reply::models(&["m"]);
    };
    let text = ChatText { model, deltas: &["one ", "two ", "three"], usage: Some(tokens(model)) };
    match body.get("stream") {
        Some(Value::Bool(true)) => Reply::chat_stream(&text),
        _ => Reply::chat(&text),
    }
}

/// Sends requests until the server is gone, and reports every whole answer.
async fn send_until_gone(
    gateway: SocketAddr,
    token: String,
    round: usize,
    client: usize,
    whole: mpsc::UnboundedSender<String>,
) {
    let Ok(mut connection) = RawClient::connect(gateway).await else { return };
    let authorization = format!("authorization: Bearer {token}");
    let host = format!("host: {gateway}");
    let headers = [host.as_str(), &authorization, "content-type: application/json"];
    for number in 0.. {
        let asked = SentRequest::new(round, client, number);
        let line = "POST /v1/chat/completions HTTP/1.1";
        if connection.send_request(line, &headers, &asked.body()).await.is_err() {
            return;
        }
        let Ok(answer) = connection.read_answer().await else { return };
        let Some(id) = id_of_whole(&answer, &asked) else { return };
        if whole.send(id).is_err() {
            return;
        }
    }
}

/// The request's id, if its client received a whole answer.
fn id_of_whole(answer: &RawAnswer, asked: &SentRequest) -> Option<String> {
    if answer.end != BodyEnd::Complete {
        return None;
    }
    assert_eq!(answer.status, 200, "{asked:?}: {}", answer.text());
    let text = answer.text();
    // A stream that is complete in HTTP must also be complete in the dialect.
    assert!(!asked.streamed || text.ends_with("data: [DONE]\n\n"), "{asked:?}: {text}");
    answer.header("x-gatehouse-request-id").map(str::to_owned)
}

/// Runs the server until it is killed. Returns the ids of all whole answers.
async fn run_until_killed(home: &TestHome, token: &str, round: usize) -> Vec<String> {
    let served: TestServer = home.serve().await;
    let (sender, mut whole) = mpsc::unbounded_channel();
    let mut clients = JoinSet::new();
    for client in 0..number_from("GATEHOUSE_TEST_CLIENTS", CLIENTS) {
        clients.spawn(send_until_gone(
            served.gateway,
            token.to_owned(),
            round,
            client,
            sender.clone(),
        ));
    }
    drop(sender);
    let wanted = 1 + round * 7 % ANSWERS_MAX;
    let mut seen = Vec::new();
    while seen.len() < wanted {
        let id = await_or_fail("a whole answer", whole.recv()).await;
        seen.push(id.expect("somebody asks"));
    }
    served.kill().await;
    while let Some(ended) = await_or_fail("the end of a client", clients.join_next()).await {
        ended.expect("a client does not break");
    }
    while let Some(id) = whole.recv().await {
        seen.push(id);
    }
    seen
}

struct LedgerRow {
    id: String,
    state: String,
    model_asked: String,
    tokens: Option<(u64, u64)>,
}

fn rows(ledger: &Connection) -> Vec<LedgerRow> {
    let sql = "SELECT id, state, model_asked, input_uncached + cache_read + cache_write_5m \
               + cache_write_1h, output_visible + reasoning FROM requests";
    let mut statement = ledger.prepare(sql).expect("prepared");
    let read = |row: &rusqlite::Row<'_>| {
        let count =
            |column| row.get::<_, Option<i64>>(column).map(|count| count.map(i64::cast_unsigned));
        let tokens = Option::zip(count(3)?, count(4)?);
        Ok(LedgerRow { id: row.get(0)?, state: row.get(1)?, model_asked: row.get(2)?, tokens })
    };
    statement.query_map([], read).expect("asked").map(|row| row.expect("a row")).collect()
}

fn number(ledger: &Connection, sql: &str) -> i64 {
    ledger.query_row(sql, [], |row| row.get(0)).expect("a number")
}

#[tokio::test]
async fn what_a_client_saw_whole_is_in_the_ledger_exactly_once() {
    let upstream = ScriptedUpstream::start_with(|request| Some(answer(request)));
    let upstream = upstream.await.expect("an upstream");
    let home = TestHome::new(HomeVault::Memory);
    home.write_settings(&format!(
        "[ledger]\ncommit_wait_ms = 5000\n\
         [backends.up]\nkind = \"openai-compatible\"\nbase_url = \"{}\"\n",
        upstream.base_url()
    ));
    let token = home.client("demo").await;
    let mut seen = Vec::new();
    let kills = number_from("GATEHOUSE_TEST_KILLS", KILLS);
    for round in 0..kills {
        seen.extend(run_until_killed(&home, &token, round).await);
    }
    // The last start repairs what the last kill left, and ends in order.
    assert_eq!(home.serve().await.stop().await, Some(0));

    let ledger = home.ledger();
    let integrity: String =
        ledger.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
    assert_eq!(integrity, "ok");
    let mut dangling = ledger.prepare("PRAGMA foreign_key_check").expect("prepared");
    assert!(!dangling.exists([]).expect("checked"));

    let rows = rows(&ledger);
    let by_id: HashMap<&str, &LedgerRow> = rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let distinct: HashSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "no two answers have the same id");
    assert!(seen.len() >= kills, "{}", seen.len());
    for id in &seen {
        let state = by_id.get(id.as_str()).map(|row| row.state.as_str());
        assert_eq!(state, Some("complete"), "{id} was answered");
    }

    // Compare the backend's own list with the ledger.
    let billed: Vec<String> = upstream
        .requests()
        .iter()
        .filter_map(|request| Some(request.json().get("model")?.as_str()?.to_owned()))
        .collect();
    let complete: Vec<&LedgerRow> = rows.iter().filter(|row| row.state == "complete").collect();
    let mut settled = HashSet::new();
    for row in &complete {
        let Some(model) = row.model_asked.strip_prefix("up/") else { continue };
        assert!(settled.insert(model), "{model} is in the ledger twice");
        assert_eq!(billed.iter().filter(|asked| *asked == model).count(), 1, "{model}");
        assert_eq!(row.tokens, Some(tokens(model)), "{model}");
    }
    // A kill may lose the record of a request whose answer no client received: at most one for each
    // client that waited at that moment.
    let known: HashSet<&str> =
        rows.iter().filter_map(|row| row.model_asked.strip_prefix("up/")).collect();
    let lost = billed.iter().filter(|model| !known.contains(model.as_str())).count();
    let clients = number_from("GATEHOUSE_TEST_CLIENTS", CLIENTS);
    assert!(lost <= kills * clients, "{lost} without a trace");
    println!(
        "{kills} kills, {clients} clients, {} whole answers, {lost} unseen ones without a trace",
        seen.len()
    );
    let other = rows.iter().filter(|row| row.state != "complete" && row.state != "unknown");
    assert_eq!(other.map(|row| &row.state).collect::<Vec<_>>(), Vec::<&String>::new());

    // The dashboards' totals equal the sums over the requests.
    for (sums, single) in [
        ("requests", "count(*)"),
        ("complete", "count(*) FILTER (WHERE state = 'complete')"),
        ("input_uncached", "total(input_uncached)"),
        ("output_visible", "total(output_visible)"),
    ] {
        let single = number(&ledger, &format!("SELECT CAST({single} AS INTEGER) FROM requests"));
        let sum = number(&ledger, &format!("SELECT sum({sums}) FROM rollup_quarter"));
        assert_eq!(sum, single, "{sums}");
        for dimension in ["backend", "model", "client", "credential", "project"] {
            let hours =
                format!("SELECT total({sums}) FROM rollup_hour WHERE dimension = '{dimension}'");
            let quarters = format!(
                "SELECT total({sums}) FROM rollup_quarter, rollup_folded WHERE slot_ms < until_ms"
            );
            let folded = format!("SELECT CAST(({hours}) - ({quarters}) AS INTEGER)");
            assert_eq!(number(&ledger, &folded), 0, "{sums} by {dimension}");
        }
    }
}
