//! Faults before the first content: an honest status in the client's dialect, since nothing was sent.

use ledger::RequestState;
use serde_json::json;
use test_support::{RawAnswer, Reply, ReplyEnding};

use crate::bench::{Bench, Server, TOOLS, Tool, Want, each, pairs};

/// The status for OpenAI clients, and the one that clients of other dialects get instead.
fn status(tool: Tool, openai: u16) -> u16 {
    match (tool, openai) {
        (Tool::Messages, 503) => 529,
        (Tool::Gemini | Tool::GeminiArray, 502) => 500,
        _ => openai,
    }
}

/// The error type for this status.
fn word(tool: Tool, openai: u16) -> &'static str {
    match (tool, openai) {
        (Tool::Messages, 429) => "rate_limit_error",
        (Tool::Messages, 503) => "overloaded_error",
        (Tool::Messages, _) => "api_error",
        (Tool::Gemini | Tool::GeminiArray, 429) => "RESOURCE_EXHAUSTED",
        (Tool::Gemini | Tool::GeminiArray, 503) => "UNAVAILABLE",
        (Tool::Gemini | Tool::GeminiArray, _) => "INTERNAL",
        (_, 429) => "rate_limit_error",
        (_, 503) => "overloaded_error",
        _ => "server_error",
    }
}

async fn check_refused(tool: Tool, openai: u16, answer: &RawAnswer, bench: &Bench, name: &str) {
    let shown = format!("{name}: {}", answer.text());
    assert_eq!(answer.status, status(tool, openai), "{shown}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{shown}");
    let (kind, message) = tool.error(&answer.json());
    assert_eq!(kind, word(tool, openai), "{shown}");
    assert!(!message.is_empty(), "{shown}");
    if matches!(tool, Tool::Gemini | Tool::GeminiArray) {
        assert_eq!(answer.json()["error"]["code"], answer.status, "{shown}");
    }
    let (row, attempts) = bench.world.row(answer).await;
    let expected = (RequestState::Failed, Some(answer.status), 1);
    assert_eq!((row.state, row.http_status, attempts.len()), expected, "{name}");
}

/// Runs every client against every backend, streamed and whole.
async fn check(want: Want, openai: u16, reply: impl Fn(Server) -> Reply) {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let answer = bench.ask(tool, want, server, reply(server)).await;
        check_refused(tool, openai, &answer, &bench, name).await;
    })
    .await;
}

#[tokio::test]
async fn f7_a_reset_after_the_head_is_a_status() {
    check(Want::Stream, 502, |server| server.stream(Vec::new()).ending(ReplyEnding::Reset)).await;
}

#[tokio::test]
async fn f7_a_beginning_without_content_is_held_back() {
    for ending in [ReplyEnding::Close, ReplyEnding::Complete] {
        check(Want::Stream, 502, |server| server.stream(server.begin()).ending(ending)).await;
    }
}

#[tokio::test]
async fn f45_an_error_before_the_first_content_is_an_honest_status() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let mut pieces = server.begin();
        pieces.push(server.busy());
        let answer = bench.ask(tool, Want::Stream, server, server.stream(pieces)).await;
        // Ollama's errors are a text and nothing else.
        let openai = if server == Server::Ollama { 502 } else { 503 };
        check_refused(tool, openai, &answer, &bench, name).await;
    })
    .await;
}

#[tokio::test]
async fn f19_f20_a_compressed_answer_is_not_relayed() {
    let packed = |server: Server, media| Reply::gzip(media, server.whole().concat().as_bytes());
    check(Want::Stream, 502, |server| packed(server, "text/event-stream")).await;
    check(Want::Whole, 502, |server| packed(server, "application/json")).await;
}

#[tokio::test]
async fn f21_truncated_json_is_not_relayed() {
    check(Want::Whole, 502, |server| {
        let text = server.answer().to_string();
        Reply::body(200, "application/json", text[..text.len() - 9].to_owned())
    })
    .await;
}

#[tokio::test]
async fn f22_f23_a_web_page_is_not_relayed() {
    let unsaid = || Reply::body(200, "text/plain", "<!DOCTYPE html><p>Sign in</p>");
    check(Want::Whole, 502, |_| Reply::html(200)).await;
    check(Want::Whole, 502, |_| unsaid()).await;
    check(Want::Stream, 502, |_| Reply::html(200)).await;
    check(Want::Stream, 502, |_| unsaid()).await;
}

#[tokio::test]
async fn f26_an_empty_body_is_no_answer() {
    check(Want::Whole, 502, |_| Reply::body(200, "application/json", "")).await;
    check(Want::Stream, 502, |_| Reply::body(200, "application/json", "")).await;
    check(Want::Stream, 502, |server| server.stream(Vec::new())).await;
}

#[tokio::test]
async fn f44_an_error_with_status_200_is_an_error() {
    let error = |server| match server {
        Server::Gemini => json!({"error": {"code": 429, "message": "slow down",
            "status": "RESOURCE_EXHAUSTED"}}),
        Server::Messages => json!({"type": "error",
            "error": {"type": "rate_limit_error", "message": "slow down"}}),
        _ => json!({"error": {"message": "slow down", "type": "rate_limit_error"}}),
    };
    check(Want::Whole, 429, |server| Reply::json(200, &error(server))).await;
    // F24: the same for a stream request.
    check(Want::Stream, 429, |server| Reply::json(200, &error(server))).await;
}

#[tokio::test]
async fn f24_a_whole_answer_to_a_stream_request_becomes_a_stream() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let reply = Reply::json(200, &server.answer());
        let answer = bench.ask(tool, Want::Stream, server, reply).await;
        tool.assert_whole(&answer, name);
        assert_eq!(tool.text(&answer), "Hello", "{name}: {}", answer.text());
        let (row, _) = bench.world.row(&answer).await;
        let tokens = row.usage.map(|usage| (usage.input(), usage.output()));
        assert_eq!((row.state, tokens), (RequestState::Complete, Some((7, 2))), "{name}");
    })
    .await;
}

/// The text of a whole answer.
fn whole_text(tool: Tool, answer: &RawAnswer) -> String {
    let body = answer.json();
    let text = match tool {
        Tool::Chat => &body["choices"][0]["message"]["content"],
        Tool::Responses => &body["output"][0]["content"][0]["text"],
        Tool::Messages => &body["content"][0]["text"],
        Tool::Gemini | Tool::GeminiArray => &body["candidates"][0]["content"]["parts"][0]["text"],
    };
    text.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn f25_a_stream_to_a_whole_request_is_folded() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let reply = server.stream(server.whole());
        let answer = bench.ask(tool, Want::Whole, server, reply).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");
        assert_eq!(whole_text(tool, &answer), "Hello", "{name}: {}", answer.text());
        let (row, _) = bench.world.row(&answer).await;
        let tokens = row.usage.map(|usage| (usage.input(), usage.output()));
        assert_eq!((row.state, tokens), (RequestState::Complete, Some((7, 2))), "{name}");
        // A stream that breaks off is not an answer.
        let reply = server.stream(server.begun());
        let answer = bench.ask(tool, Want::Whole, server, reply).await;
        check_refused(tool, 502, &answer, &bench, name).await;
    })
    .await;
}

#[tokio::test]
async fn whole_answers_are_whole_for_everybody() {
    let bench = Bench::new().await;
    for tool in TOOLS {
        assert_ne!(
            whole_text(
                tool,
                &bench
                    .ask(tool, Want::Whole, Server::Chat, Reply::json(200, &Server::Chat.answer()))
                    .await
            ),
            "",
            "{tool:?}"
        );
    }
    each(pairs(), async |(tool, server), name| {
        let answer = server.answer();
        let given = bench.ask(tool, Want::Whole, server, Reply::json(200, &answer)).await;
        assert_eq!(whole_text(tool, &given), "Hello", "{name}: {}", given.text());
        if tool.speaks(server) {
            assert_eq!(given.text(), answer.to_string(), "{name}: byte for byte");
        }
    })
    .await;
}
