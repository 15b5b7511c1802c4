//! A budget over `kill -9`: however often the server is killed in the middle of requests, backends are
//! asked no more often than the budget pays for. What is reserved for a request is in the ledger before
//! it is sent, what was spent before a client sees the end of its answer, and both are loaded before
//! anything is served.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use acceptance::{HomeVault, TestHome, TestServer, await_or_fail, json_body};
use serde_json::{Value, json};
use test_support::{BodyEnd, ChatText, RawClient, ReceivedRequest, Reply, ScriptedUpstream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What an answer costs, at a dollar a million tokens. Each has as many tokens as the gateway expects of
/// the body below, a quarter of its bytes, and the two that it allows.
const COST_NANO_USD: i64 = 20_000;
const INPUT_TOKENS: u64 = 18;

const CLIENTS: usize = 8;

/// How a budget is spent: by so many clients at once, over so many kills.
struct Spending {
    clients: usize,
    kills: usize,
    /// Whole answers before each kill.
    answers: usize,
    /// Answers that the budget pays for.
    afforded: usize,
    limit_usd: &'static str,
}

fn answer(request: &ReceivedRequest) -> Reply {
    match request.json().get("model").and_then(Value::as_str) {
        Some(model) => {
            Reply::chat(&ChatText { model, deltas: &["one"], usage: Some((INPUT_TOKENS, 2)) })
        }
        None => Reply::models(&["m"]),
    }
}

/// What a client got: a whole answer, or a refusal by the budget. A cut connection ends it without
/// a word.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Answer,
    Refusal,
}

/// Sends requests until the budget refuses one or the server is gone.
async fn spend(served: std::net::SocketAddr, token: String, got: mpsc::UnboundedSender<Got>) {
    let Ok(mut connection) = RawClient::connect(served).await else { return };
    let authorization = format!("authorization: Bearer {token}");
    let host = format!("host: {served}");
    let headers = [host.as_str(), &authorization, "content-type: application/json"];
    let body = json_body(&json!({"model": "up/m", "max_tokens": 2,
        "messages": [{"role": "user", "content": "hi"}]}));
    assert_eq!(body.len() / 4, usize::try_from(INPUT_TOKENS).expect("few"));
    loop {
        let line = "POST /v1/chat/completions HTTP/1.1";
        if connection.send_request(line, &headers, &body).await.is_err() {
            return;
        }
        let Ok(answer) = connection.read_answer().await else { return };
        if answer.end != BodyEnd::Complete {
            return;
        }
        let is_refused = answer.status == 402;
        assert!(is_refused || answer.status == 200, "{}", answer.text());
        let sent = got.send(if is_refused { Got::Refusal } else { Got::Answer });
        if is_refused || sent.is_err() {
            return;
        }
    }
}

/// Clients that spend at once. The channel ends with the last of them.
fn start_clients(
    served: &TestServer,
    token: &str,
    count: usize,
    clients: &mut JoinSet<()>,
) -> mpsc::UnboundedReceiver<Got> {
    let (sender, got) = mpsc::unbounded_channel();
    for _client in 0..count {
        clients.spawn(spend(served.gateway, token.to_owned(), sender.clone()));
    }
    got
}

/// Answers of the rest of a run. All clients end.
async fn drain(got: &mut mpsc::UnboundedReceiver<Got>, clients: &mut JoinSet<()>) -> usize {
    while let Some(ended) = await_or_fail("the end of a client", clients.join_next()).await {
        ended.expect("a client does not break");
    }
    let mut answers = 0;
    while let Some(one) = got.recv().await {
        answers += usize::from(one == Got::Answer);
    }
    answers
}

/// Lets clients spend and kills the server in the middle. Returns the whole answers.
async fn run_until_killed(home: &TestHome, token: &str, spending: &Spending) -> usize {
    let served = home.serve().await;
    let mut clients = JoinSet::new();
    let mut got = start_clients(&served, token, spending.clients, &mut clients);
    let mut answers = 0;
    while answers < spending.answers {
        match await_or_fail("an answer", got.recv()).await {
            Some(Got::Answer) => answers += 1,
            Some(Got::Refusal) => {}
            None => break,
        }
    }
    served.kill().await;
    answers + drain(&mut got, &mut clients).await
}

/// Requests for an answer that reached the backend.
fn count_asked(upstream: &ScriptedUpstream) -> usize {
    let is_asked =
        |request: &&ReceivedRequest| request.json().get("model").is_some_and(|model| model == "m");
    upstream.requests().iter().filter(is_asked).count()
}

async fn spent_nano_usd(home: &TestHome) -> i64 {
    let budgets =
        home.gatehouse(&["budgets", "list", "--json"]).run().await.expect_success().items();
    budgets.pointer("/0/spent_nano_usd").and_then(Value::as_i64).expect("an amount")
}

#[tokio::test]
async fn no_kill_buys_more_than_the_budget_pays_for() {
    let few = Spending { clients: 8, kills: 4, answers: 2, afforded: 60, limit_usd: "0.0012" };
    spend_over_kills(&few).await;
}

/// All of the budget is in flight at each kill, and most clients are refused while it is.
#[tokio::test]
async fn two_hundred_clients_get_no_more_than_ten_answers_over_a_kill() {
    let many = Spending { clients: 200, kills: 2, answers: 1, afforded: 10, limit_usd: "0.0002" };
    spend_over_kills(&many).await;
}

async fn spend_over_kills(spending: &Spending) {
    let upstream = ScriptedUpstream::start_with(|request| Some(answer(request)));
    let upstream = upstream.await.expect("an upstream");
    let home = TestHome::new(HomeVault::Memory);
    home.write_settings(&format!(
        "[ledger]\ncommit_wait_ms = 5000\n\
         [backends.up]\nkind = \"openai-compatible\"\nbase_url = \"{}\"\n",
        upstream.base_url()
    ));
    let token = home.client("demo").await;
    let price = ["prices", "set", "up", "m", "--input", "1", "--output", "1"];
    home.gatehouse(&price).run().await.expect_success();
    let budget = ["budgets", "set", "monthly", "--limit", spending.limit_usd];
    home.gatehouse(&budget).run().await.expect_success();

    let mut answers = 0;
    for _kill in 0..spending.kills {
        answers += run_until_killed(&home, &token, spending).await;
    }
    // What the kills left is spent to the end.
    let served = home.serve().await;
    let mut clients = JoinSet::new();
    let mut got = start_clients(&served, &token, spending.clients, &mut clients);
    answers += drain(&mut got, &mut clients).await;
    assert!((1..=spending.afforded).contains(&answers), "{answers} were answered");

    let asked = count_asked(&upstream);
    assert!((answers..=spending.afforded).contains(&asked), "{asked} reached the backend");

    // Checks and tests of a backend spend nothing of it and are not stopped by it.
    let spent = spent_nano_usd(&home).await;
    let afforded = i64::try_from(spending.afforded).expect("few");
    assert!((COST_NANO_USD..=COST_NANO_USD * afforded).contains(&spent), "{spent}");
    let tested = home.gatehouse(&["backends", "test", "up"]).run().await.expect_success();
    let checked = home.gatehouse(&["check", "--json"]).run().await;
    for said in [&tested.out, &checked.out, &checked.err] {
        assert!(!said.contains("budget_exceeded"), "{said}");
    }
    assert_eq!(spent_nano_usd(&home).await, spent);
    assert_eq!(served.stop().await, Some(0));
}

/// More answers than one for each client, that the budget of the second test pays for: 10 in all.
const LEFT_OVER: usize = 2;

/// Requests that a backend had and never answered before the kill are counted with what was reserved
/// for them: it may have billed them.
#[tokio::test]
async fn what_was_in_flight_at_a_kill_still_counts() {
    let silent = ScriptedUpstream::start_with(|request| {
        let is_asked = request.json().get("model").is_some();
        Some(if is_asked { Reply::silence() } else { Reply::models(&["m"]) })
    });
    let upstream = silent.await.expect("an upstream");
    let home = TestHome::new(HomeVault::Memory);
    home.write_settings(&format!(
        "[backends.up]\nkind = \"openai-compatible\"\nbase_url = \"{}\"\n",
        upstream.base_url()
    ));
    let token = home.client("demo").await;
    let price = ["prices", "set", "up", "m", "--input", "1", "--output", "1"];
    home.gatehouse(&price).run().await.expect_success();
    let budget = ["budgets", "set", "monthly", "--limit", "0.0002"];
    home.gatehouse(&budget).run().await.expect_success();

    let served = home.serve().await;
    let mut clients = JoinSet::new();
    let _got = start_clients(&served, &token, CLIENTS, &mut clients);
    upstream.wait_for_requests(CLIENTS / 2).await;
    served.kill().await;
    let before = count_asked(&upstream);
    assert!(before >= 1, "requests were in flight");

    let served = home.serve().await;
    let budgets =
        home.gatehouse(&["budgets", "list", "--json"]).run().await.expect_success().items();
    let interrupted = budgets.pointer("/0/interrupted_requests").and_then(Value::as_u64);
    let interrupted = usize::try_from(interrupted.expect("a number")).expect("few");
    // Some were written down and not yet sent.
    assert!((before..=CLIENTS).contains(&interrupted), "{before} of {budgets}");

    // Only what is left may be in flight from now on.
    let mut clients = JoinSet::new();
    let mut got = start_clients(&served, &token, CLIENTS, &mut clients);
    for _refusal in 0..CLIENTS - (LEFT_OVER + CLIENTS - interrupted) {
        assert_eq!(await_or_fail("a refusal", got.recv()).await, Some(Got::Refusal));
    }
    assert!(
        count_asked(&upstream) <= CLIENTS + LEFT_OVER,
        "{} reached the backend",
        count_asked(&upstream)
    );
}
