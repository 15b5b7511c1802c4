//! Ten thousand wrong tokens: what they tell whoever guesses, and what they take from others.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use test_support::{RawAnswer, RawClient, ScriptedUpstream};
use tokio::task::JoinSet;

use crate::world::world;

const GUESSES: usize = 10_000;

/// More than wait for their answer at one time.
const GUESSERS: usize = 200;

/// What is sent with the right token meanwhile.
const RIGHT_REQUESTS: usize = 500;

/// A wrong token whose first characters are those of `right`: all of them but one, or none.
fn guess(right: &str, number: usize) -> String {
    let place = number % (right.len() + 1);
    let (same, rest) = right.split_at(place);
    let rest: String = rest.chars().map(|it| if it == 'x' { 'y' } else { 'x' }).collect();
    // One with nothing wrong in it is too long.
    if rest.is_empty() { format!("{same}x") } else { format!("{same}{rest}") }
}

/// An answer without what differs in any two: its time and its id.
fn told(answer: &RawAnswer) -> String {
    let differing = ["date", "x-gatehouse-request-id", "x-request-id"];
    let own = |name: &str| differing.iter().any(|known| name.eq_ignore_ascii_case(known));
    let headers: Vec<_> = answer.headers.iter().filter(|(name, _)| !own(name)).collect();
    format!("{} {headers:?} {}", answer.status, answer.text())
}

fn models_request(host: &str, token: &str) -> String {
    format!("GET /v1/models HTTP/1.1\r\n{host}\r\nauthorization: Bearer {token}\r\n\r\n")
}

/// Sends guesses on one connection until all are sent, and returns what was told.
async fn send_guesses(
    address: SocketAddr,
    host: String,
    right: String,
    sent: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut client = RawClient::connect(address).await.expect("connected");
    let mut answers = Vec::new();
    loop {
        let number = sent.fetch_add(1, Ordering::Relaxed);
        if number >= GUESSES {
            return answers;
        }
        let request = models_request(&host, &guess(&right, number));
        client.send(request.as_bytes()).await.expect("sent");
        answers.push(told(&client.read_answer().await.expect("an answer")));
    }
}

#[tokio::test]
async fn s18_wrong_tokens_are_all_told_the_same_and_nobody_with_a_right_one_is_shut_out() {
    let upstream = ScriptedUpstream::start([]).await.expect("an upstream");
    let world = world(&upstream).await;
    let mut known = RawClient::connect(world.address).await.expect("connected");
    let right = models_request(&world.host(), &world.token);
    let sent = Arc::new(AtomicUsize::new(0));
    let mut guessers = JoinSet::new();
    for _ in 0..GUESSERS {
        let (token, sent) = (world.token.clone(), Arc::clone(&sent));
        guessers.spawn(send_guesses(world.address, world.host(), token, sent));
    }
    for number in 0..RIGHT_REQUESTS {
        known.send(right.as_bytes()).await.expect("the connection stays");
        let answer = known.read_answer().await.expect("an answer");
        assert_eq!(answer.status, 200, "{number}: {}", answer.text());
    }
    assert_eq!(world.get("/v1/models").await.status, 200, "a new connection is served too");

    let answers: Vec<String> = guessers.join_all().await.into_iter().flatten().collect();
    assert_eq!(answers.len(), GUESSES, "each was answered");
    // Whether a guess shares nothing with the token or all but its end cannot be told from the answer.
    let kinds: BTreeSet<String> = answers.into_iter().collect();
    let shown: Vec<&String> = kinds.iter().take(2).collect();
    assert_eq!(kinds.len(), 1, "{shown:?}");
    let only = kinds.first().expect("an answer");
    assert!(only.starts_with("401 ") && only.contains(r#"("x-should-retry", "false")"#), "{only}");
    assert!(!only.contains(&world.token), "{only}");
    assert_eq!(upstream.requests().len(), 0);
}
