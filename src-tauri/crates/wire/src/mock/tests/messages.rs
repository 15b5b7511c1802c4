//! The mock as an Anthropic Messages server.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{ApiSurface, ClientRequest, CountRequest, mock};

/// Vercel's `@ai-sdk/anthropic` reads the usage details at the end of the answer, where the
/// real service sends them.
#[test]
fn a_stream_tells_the_thinking_in_its_last_usage() {
    let body = json!({"model": "think", "max_tokens": 64, "stream": true,
        "messages": [{"role": "user", "content": "Is it warm"}]});
    let body = Bytes::from(body.to_string());
    let request = ClientRequest::parse(ApiSurface::AnthropicMessages, body).expect("a request");
    let answer = mock::answer(&request, 0);
    let bytes: Vec<u8> = answer.body.iter().flat_map(|piece| piece.bytes.to_vec()).collect();
    let text = String::from_utf8(bytes).expect("text");
    let end = text.lines().find(|line| line.contains("\"message_delta\"")).expect("an end");
    let end: Value = serde_json::from_str(end.trim_start_matches("data: ")).expect("JSON");
    assert_eq!(end["usage"]["output_tokens_details"]["thinking_tokens"], 12);
    assert_eq!(end["usage"]["output_tokens"], 15);
}

#[test]
fn it_counts_tokens_without_a_limit_of_the_answer() {
    let count = |body: Value| {
        let request = CountRequest::parse_anthropic(Bytes::from(body.to_string()));
        let answer = mock::answer_token_count(&request.expect("a request"));
        let body: Value = serde_json::from_slice(&answer.body[0].bytes).expect("JSON");
        (answer.status, body["input_tokens"].as_u64())
    };
    let turns = json!([{"role": "user", "content": "one two"}]);
    assert_eq!(count(json!({"model": "echo", "system": "x", "messages": turns})), (200, Some(3)));
    assert_eq!(count(json!({"model": "echo", "messages": []})), (400, None));
}

/// The dialect's writer always writes the usage.
#[test]
fn no_usage_is_reported_by_its_fault() {
    for stream in [false, true] {
        let body = json!({"model": "fault-no-usage", "max_tokens": 64, "stream": stream,
            "messages": [{"role": "user", "content": "x"}]});
        let body = Bytes::from(body.to_string());
        let request = ClientRequest::parse(ApiSurface::AnthropicMessages, body).expect("a request");
        let answer = mock::answer(&request, 0);
        let bytes: Vec<u8> = answer.body.iter().flat_map(|piece| piece.bytes.to_vec()).collect();
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.contains("stop_reason") && !text.contains("\"usage\""), "{text}");
    }
}
