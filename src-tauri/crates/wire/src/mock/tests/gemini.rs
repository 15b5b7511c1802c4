//! The mock as a Gemini server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{ApiSurface, ClientRequest, CountRequest, Delivery, UsageChunk, mock};

fn ask(model: &str, delivery: Delivery, body: &Value) -> (u16, String) {
    let surface = ApiSurface::Gemini { model, delivery };
    let request = ClientRequest::parse(surface, Bytes::from(body.to_string()));
    let answer = mock::answer(&request.expect("a request"), 0);
    let bytes: Vec<u8> = answer.body.iter().flat_map(|piece| piece.bytes.to_vec()).collect();
    (answer.status, String::from_utf8(bytes).expect("text"))
}

fn whole(model: &str, body: &Value) -> Value {
    let (status, text) = ask(model, Delivery::Whole, body);
    assert_eq!(status, 200);
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn it_answers_in_both_spellings() {
    let body = json!({"contents": [{"parts": [{"text": "one two three"}]}],
        "generation_config": {"max_output_tokens": 2}});
    let answer = whole("echo", &body);
    assert_eq!(answer["candidates"][0]["content"]["parts"], json!([{"text": "one two"}]));
    assert_eq!(answer["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert_eq!(answer["usageMetadata"]["totalTokenCount"], 5);
    let schema =
        json!({"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]});
    let body = json!({"contents": [{"parts": [{"text": "hi"}]}],
        "generationConfig": {"responseMimeType": "application/json", "responseSchema": schema}});
    let text = whole("chat", &body)["candidates"][0]["content"]["parts"][0]["text"].clone();
    let said: Value = serde_json::from_str(text.as_str().expect("text")).expect("JSON");
    assert!(said["n"].is_i64(), "{said}");
}

#[test]
fn it_counts_the_tokens_of_both_kinds_of_requests() {
    let contents = json!({"contents": [{"parts": [{"text": "one two"}]}]});
    for body in [contents.clone(), json!({"generateContentRequest": contents})] {
        let request = CountRequest::parse_gemini("echo", Bytes::from(body.to_string()));
        let answer = mock::answer_token_count(&request.expect("a request"));
        let count: Value = serde_json::from_slice(&answer.body[0].bytes).expect("JSON");
        assert_eq!(count["totalTokens"], 2, "{body}");
    }
}

#[test]
fn it_calls_tools_and_reads_their_results() {
    let tools = json!([{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]);
    let mut body = json!({"contents": [{"parts": [{"text": "call f and g"}]}], "tools": tools});
    let answer = whole("chat", &body);
    let parts = answer["candidates"][0]["content"]["parts"].clone();
    let names = [&parts[0]["functionCall"]["name"], &parts[1]["functionCall"]["name"]];
    assert_eq!(names, ["f", "g"]);
    // Google's SDKs decode the signature; the Python one refuses invalid base64.
    let signature = parts[0]["thoughtSignature"].as_str().expect("a signature");
    assert!(STANDARD.decode(signature).is_ok(), "{signature}");
    assert!(parts[1]["thoughtSignature"].is_null());
    assert_eq!(answer["candidates"][0]["finishReason"], "STOP");
    let results = json!([{"functionResponse": {"name": "f", "response": {"result": "seven"}}}]);
    let contents = body["contents"].as_array_mut().expect("contents");
    contents.extend([
        json!({"role": "model", "parts": parts}),
        json!({"role": "user", "parts": results}),
    ]);
    let said = whole("chat", &body)["candidates"][0]["content"]["parts"][0]["text"].clone();
    assert!(said.as_str().expect("text").contains("seven"), "{said}");
}

#[test]
fn its_stream_ends_with_the_reason_and_its_errors_are_googles() {
    let body = json!({"contents": [{"parts": [{"text": "a b"}]}]});
    let delivery = Delivery::Stream(UsageChunk::Asked);
    let (_, text) = ask("think", delivery, &body);
    let events: Vec<_> = text.split_terminator("\r\n\r\n").collect();
    assert!(events[0].contains("\"thought\":true"));
    assert!(
        events
            .last()
            .is_some_and(|last| last.contains("STOP") && last.contains("thoughtsTokenCount"))
    );
    assert_eq!(ask("fault-no-done", delivery, &body).1.matches("finishReason").count(), 1);
    assert_eq!(ask("fault-cut", delivery, &body).1.matches("finishReason").count(), 0);
    let (status, text) = ask("fault-429", Delivery::Whole, &body);
    assert_eq!(status, 429);
    assert!(text.contains("RESOURCE_EXHAUSTED"), "{text}");
}
