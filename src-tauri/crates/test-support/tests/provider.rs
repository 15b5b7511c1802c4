//! Tests that the mock provider refuses what a real one refuses, and names the reason.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use serde_json::{Value, json};
use test_support::{MockProvider, PROVIDER_KEY, RawClient};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";
const GEMINI: &str = "/v1beta/models/echo:generateContent";
const OLLAMA: &str = "/api/chat";

/// Posts `body` as the dialect's own SDK would, and returns the status and the answer.
async fn post(provider: &MockProvider, path: &str, body: &Value) -> (u16, String) {
    let carrier = match path {
        GEMINI => format!("x-goog-api-key: {PROVIDER_KEY}"),
        MESSAGES => format!("x-api-key: {PROVIDER_KEY}\r\nanthropic-version: 2026-10-21"),
        _ => format!("authorization: Bearer {PROVIDER_KEY}"),
    };
    send(provider, path, &carrier, body).await
}

async fn send(provider: &MockProvider, path: &str, carrier: &str, body: &Value) -> (u16, String) {
    let address = provider.root().replace("http://", "").parse().expect("an address");
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: p\r\n{carrier}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = RawClient::exchange(address, request.as_bytes()).await.expect("answered");
    (answer.status, answer.text())
}

#[track_caller]
fn refused(answer: &(u16, String), says: &str) {
    assert!(answer.0 == 400 && answer.1.contains(says), "{says:?}: {answer:?}");
}

fn with(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("{more} is no object") };
    body.as_object_mut().expect("an object").extend(more);
    body
}

#[tokio::test]
async fn good_requests_are_answered_and_fields_of_others_refused_by_name() {
    let provider = MockProvider::start().await.expect("started");
    let user = json!([{"role": "user", "content": "Hello"}]);
    let good = [
        (CHAT, json!({"model": "echo", "messages": user})),
        (RESPONSES, json!({"model": "echo", "input": "Hello"})),
        (MESSAGES, json!({"model": "echo", "max_tokens": 9, "messages": user})),
        (GEMINI, json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]})),
        (OLLAMA, json!({"model": "echo", "stream": false, "messages": user})),
    ];
    for (path, body) in good {
        let (status, text) = post(&provider, path, &body).await;
        assert!(status == 200 && text.contains("Hello"), "{path}: {status} {text}");
        let foreign = with(body, json!({"foreign": 1}));
        refused(&post(&provider, path, &foreign).await, "foreign");
    }
    assert_eq!(provider.refusals().len(), 5);
    assert_eq!(provider.requests().len(), 10);
}

#[tokio::test]
async fn keys_are_taken_from_the_dialects_own_carrier_only() {
    let provider = MockProvider::start().await.expect("started");
    let body = json!({});
    for (path, carrier) in [
        (CHAT, format!("x-api-key: {PROVIDER_KEY}")),
        (RESPONSES, format!("x-goog-api-key: {PROVIDER_KEY}")),
        (MESSAGES, format!("x-goog-api-key: {PROVIDER_KEY}")),
        (GEMINI, format!("authorization: Bearer {PROVIDER_KEY}")),
        (&format!("{GEMINI}?key={PROVIDER_KEY}"), format!("x-goog-api-key: {PROVIDER_KEY}")),
        (CHAT, "authorization: Bearer ghk_local".to_owned()),
        (MESSAGES, format!("x-api-key: {PROVIDER_KEY}\r\nauthorization: Bearer {PROVIDER_KEY}")),
        (OLLAMA, "authorization: Bearer other".to_owned()),
    ] {
        let (status, text) = send(&provider, path, &carrier, &body).await;
        assert_eq!(status, 401, "{path}: {text}");
    }
}

#[tokio::test]
async fn anthropic_wants_its_turns_its_results_and_its_own_signatures() {
    let provider = MockProvider::start().await.expect("started");
    let ask = |messages: Value| json!({"model": "echo", "max_tokens": 9, "messages": messages});
    let user = json!({"role": "user", "content": "Hello"});
    let call = json!({"role": "assistant", "content":
        [{"type": "tool_use", "id": "a", "name": "get_time", "input": {}}]});
    let result = json!({"type": "tool_result", "tool_use_id": "a", "content": "12:30"});
    let answered = |content: Value| json!({"role": "user", "content": content});
    let whole = ask(json!([user, call, answered(json!([result]))]));
    assert_eq!(post(&provider, MESSAGES, &whole).await.0, 200);

    let text = json!({"type": "text", "text": "and"});
    let thinking = json!({"role": "assistant", "content":
        [{"type": "thinking", "thinking": "hm", "signature": "foreign"}]});
    for (messages, says) in [
        (json!([user, user]), "two turns of user"),
        (json!([user, call, user]), "for the calls"),
        (json!([user, call, answered(json!([text, result]))]), "must come first"),
        (json!([user, call, answered(json!([result, result]))]), "for the calls"),
        (json!([user, thinking, user]), "invalid signature"),
        (json!([user, {"role": "assistant", "content": ""}, user]), "non-empty"),
        (json!([{"role": "assistant", "content": "Hello"}]), "the first is the assistant's"),
    ] {
        refused(&post(&provider, MESSAGES, &ask(messages)).await, says);
    }
    let plain = ask(json!([user]));
    let bare = json!({"model": "echo", "messages": [user]});
    refused(&post(&provider, MESSAGES, &bare).await, "max_tokens: field required");
    let sampled = with(plain.clone(), json!({"temperature": 1}));
    refused(&post(&provider, MESSAGES, &sampled).await, "2026-10-21");
    let older = format!("x-api-key: {PROVIDER_KEY}\r\nanthropic-version: 2023-06-01");
    assert_eq!(send(&provider, MESSAGES, &older, &sampled).await.0, 200);
    let thought = with(plain, json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}));
    refused(&post(&provider, MESSAGES, &thought).await, "below max_tokens");
}

#[tokio::test]
async fn gemini_wants_one_response_for_each_call_in_order() {
    let provider = MockProvider::start().await.expect("started");
    let user = json!({"role": "user", "parts": [{"text": "Hello"}]});
    let call = |name: &str| json!({"functionCall": {"name": name, "args": {}}});
    let model = json!({"role": "model", "parts": [call("one"), call("two")]});
    let said =
        |name: &str| json!({"functionResponse": {"name": name, "response": {"output": name}}});
    let told = |parts: Value| json!({"contents": [user, model, {"role": "user", "parts": parts}]});
    let (status, text) = post(&provider, GEMINI, &told(json!([said("one"), said("two")]))).await;
    assert!(status == 200 && text.contains("one; two"), "{text}");
    for parts in [json!([said("one")]), json!([said("two"), said("one")])] {
        refused(&post(&provider, GEMINI, &told(parts)).await, "responses");
    }
    let both = json!({"contents": [{"parts": [{"text": "a", "functionCall": {"name": "b"}}]}]});
    refused(&post(&provider, GEMINI, &both).await, "exactly one of");
    let tool = json!({"name": "one", "parameters":
        {"type": "object", "additionalProperties": false}});
    let tools = json!({"contents": [user], "tools": [{"functionDeclarations": [tool]}]});
    refused(&post(&provider, GEMINI, &tools).await, "additionalProperties");
}

#[tokio::test]
async fn openai_wants_every_call_answered_and_strict_schemas_strict() {
    let provider = MockProvider::start().await.expect("started");
    let user = json!({"role": "user", "content": "Hello"});
    let call = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "a",
        "type": "function", "function": {"name": "one", "arguments": "{}"}}]});
    let result = json!({"role": "tool", "tool_call_id": "a", "content": "1"});
    let ask = |messages: Value| json!({"model": "echo", "messages": messages});
    let whole = ask(json!([user, call, result]));
    assert_eq!(post(&provider, CHAT, &whole).await.0, 200);
    refused(&post(&provider, CHAT, &ask(json!([user, call, user]))).await, "without a result");
    refused(&post(&provider, CHAT, &ask(json!([user, result]))).await, "no call a before it");
    let options = with(ask(json!([user])), json!({"stream_options": {"include_usage": true}}));
    refused(&post(&provider, CHAT, &options).await, "only allowed when stream");
    let loose = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let format = json!({"response_format": {"type": "json_schema",
        "json_schema": {"name": "x", "strict": true, "schema": loose}}});
    let format = with(ask(json!([user])), format);
    refused(&post(&provider, CHAT, &format).await, "when strict");
    let asked =
        json!([{"type": "function_call", "call_id": "a", "name": "one", "arguments": "{}"}]);
    let asked = json!({"model": "echo", "input": asked});
    refused(&post(&provider, RESPONSES, &asked).await, "no output found");
}
