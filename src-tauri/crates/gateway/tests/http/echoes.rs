//! A backend that repeats the key it was sent, in answers and, altered, in errors.

use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use test_support::{ChatText, RawAnswer, Reply, ScriptedUpstream};

use crate::world::{ASK, ASK_STREAM, KEY, World, world};

/// Enough of the key to be worth hiding, in any case and direction.
const KEY_PART: &str = "7f3a9c51e2b8";

/// Fails if a part of the key is left in `text`, whatever separates its letters.
#[track_caller]
fn assert_no_key(text: &str) {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    for text in [text, &*decoded] {
        let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        let letters = letters.to_ascii_lowercase();
        let backwards: String = letters.chars().rev().collect();
        let found = [letters, backwards].iter().any(|letters| letters.contains(KEY_PART));
        assert!(!found, "{text}");
    }
}

async fn answering(reply: Reply) -> (ScriptedUpstream, World) {
    let upstream = ScriptedUpstream::start_with(move |_| Some(reply.clone())).await;
    let upstream = upstream.expect("an upstream");
    let world = world(&upstream).await;
    (upstream, world)
}

/// The answer to `body`, checked to leave no part of the key in it or in the ledger.
async fn send(world: &World, body: &str) -> RawAnswer {
    let answer = world.chat(body).await;
    let row = world.row(&answer).await;
    assert_no_key(&format!("{row:?}"));
    assert_no_key(&answer.text());
    answer
}

#[tokio::test]
async fn a_key_in_a_good_answer_is_taken_out() {
    let deltas = ["the key ", KEY, " is mine"];
    let text = ChatText { model: "gpt", deltas: &deltas, usage: Some((3, 1)) };
    let (_upstream, world) = answering(Reply::chat(&text)).await;
    let answer = send(&world, ASK).await;
    assert_eq!(answer.status, 200);
    let content = &answer.json()["choices"][0]["message"]["content"];
    assert_eq!(content, "the key [key removed] is mine");
    // The same answer for a stream request.
    let answer = send(&world, ASK_STREAM).await;
    assert!(answer.text().contains("the key [key removed] is mine"), "{}", answer.text());
}

#[tokio::test]
async fn a_key_in_a_stream_is_taken_out_wherever_its_pieces_are_cut() {
    let deltas = ["the key ", KEY, " is mine"];
    let text = ChatText { model: "gpt", deltas: &deltas, usage: None };
    let whole = text.events().concat();
    let at = whole.find(KEY).expect("the key");
    for cut in [at - 1, at, at + 1, at + KEY.len() / 2, at + KEY.len() - 1, at + KEY.len()] {
        let (first, second) = whole.split_at(cut);
        let reply = Reply::sse([first.to_owned(), second.to_owned()]);
        let (_upstream, world) = answering(reply.delay_each(Duration::from_millis(5))).await;
        let answer = send(&world, ASK_STREAM).await;
        assert_eq!(answer.status, 200);
        let expected = whole.replace(KEY, "[key removed]");
        assert_eq!(answer.text(), expected, "every other byte passes as it came");
    }
}

#[tokio::test]
async fn an_answer_in_another_dialect_is_without_the_key_too() {
    let deltas = ["the key ", KEY];
    let text = ChatText { model: "gpt", deltas: &deltas, usage: None };
    let (_upstream, world) = answering(Reply::chat_stream(&text)).await;
    let client = |stream: bool| {
        json!({"model": "gpt", "max_tokens": 9, "stream": stream,
            "messages": [{"role": "user", "content": "hi"}]})
    };
    for stream in [false, true] {
        let (host, bearer) = (world.host(), world.bearer());
        let headers = [host.as_str(), &bearer, "content-type: application/json"];
        let mut call = test_support::RawClient::connect(world.address).await.expect("connected");
        let body = client(stream).to_string();
        call.send_request("POST /v1/messages HTTP/1.1", &headers, body.as_bytes())
            .await
            .expect("sent");
        let answer = call.read_answer().await.expect("an answer");
        assert!(answer.text().contains("[key removed]"), "{}", answer.text());
        assert_no_key(&answer.text());
    }
}

/// The key as servers, proxies and their error pages alter it.
fn altered() -> Vec<(&'static str, String)> {
    let each = |write: fn(char) -> String| KEY.chars().map(write).collect::<String>();
    let middle = KEY.len() / 2;
    vec![
        ("as it is", KEY.to_owned()),
        ("without its beginning", KEY[4..].to_owned()),
        ("without its end", format!("{}…", &KEY[..KEY.len() - 4])),
        ("with a space", format!("{} {}", &KEY[..middle], &KEY[middle..])),
        ("over two lines", format!("{}\n  {}", &KEY[..middle], &KEY[middle..])),
        ("spaced", each(|letter| format!("{letter} "))),
        ("backwards", KEY.chars().rev().collect()),
        ("in capitals", KEY.to_ascii_uppercase()),
        ("percent encoded", each(|letter| format!("%{:02X}", u32::from(letter)))),
        ("in base64", in_base64()),
    ]
}

fn in_base64() -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("user:{KEY}"))
}

#[tokio::test]
async fn a_key_altered_in_an_error_is_taken_out() {
    for (how, text) in altered() {
        let message = format!("rejected: {text} (see the docs)");
        let error = json!({"message": message, "type": "invalid_request_error", "param": text,
            "code": text});
        for status in [400, 401, 429, 500] {
            let body: Value = json!({"error": error});
            let (_upstream, world) = answering(Reply::json(status, &body)).await;
            for ask in [ASK, ASK_STREAM] {
                let answer = send(&world, ask).await;
                let said = answer.json()["error"]["message"].to_string();
                // What still looks like a key is masked before the comparison with ours.
                let removed = said.contains("[key removed]") || said.contains('…');
                assert!(removed && said.contains("see the docs"), "{how}: {said}");
                assert!(!answer.text().contains(&in_base64()[12..]), "{how}: {}", answer.text());
            }
        }
        let begun = ChatText { model: "gpt", deltas: &["Hel"], usage: None }.events();
        let event = format!("data: {}\n\n", json!({"error": error}));
        let pieces = begun.into_iter().take(2).chain([event]);
        let reply = Reply::sse(pieces).delay_each(Duration::from_millis(5));
        let (_upstream, world) = answering(reply).await;
        let answer = send(&world, ASK_STREAM).await;
        let removed = answer.text().contains("[key removed]") || answer.text().contains('…');
        assert!(removed, "{how}: {}", answer.text());
    }
}
