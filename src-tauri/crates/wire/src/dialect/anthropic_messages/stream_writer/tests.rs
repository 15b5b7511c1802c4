//! Tests of streams for clients of Messages.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::dialect::translation::StreamWriter as _;
use crate::neutral::{CallKind, FinishReason, MediaSource, ThoughtSignature};
use crate::test_requests::request;
use crate::{ErrorKind, SseDecoder, SsePayload, UsageReading, UsageReport};

pub(crate) fn echo() -> RequestEcho {
    RequestEcho { request: Arc::new(request("hi")), id: "0a1b".to_owned(), created_unix_s: 7 }
}

/// The events as an SDK client sees them. Each event name must match the type in its data.
fn written(events: &[AnswerEvent]) -> Vec<Value> {
    let mut writer = StreamWriter::new(echo());
    let mut out = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    let mut decoder = SseDecoder::new();
    decoder.push(&out);
    let mut seen = Vec::new();
    while let Some(event) = decoder.next_event().expect("small") {
        let SsePayload::Data(data) = &event.payload else { panic!("{event:?}") };
        let value: Value = serde_json::from_slice(data).expect("JSON");
        let name = event.name.as_deref().map(String::from_utf8_lossy);
        assert_eq!(name.as_deref(), value["type"].as_str());
        seen.push(value);
    }
    seen
}

fn begin() -> AnswerEvent {
    AnswerEvent::Begin { id: None, model: None, usage: None }
}

fn part(index: u32, head: PartHead, deltas: Vec<PartDelta>) -> Vec<AnswerEvent> {
    let choice = 0;
    let mut events = vec![AnswerEvent::Start { choice, index, head }];
    events.extend(deltas.into_iter().map(|delta| AnswerEvent::Delta { choice, index, delta }));
    events.push(AnswerEvent::Stop { choice, index });
    events
}

fn ended(reason: FinishReason) -> Vec<AnswerEvent> {
    let finish = Finish { reason, word: "x".to_owned(), stop_sequence: None };
    let tokens = domain::TokenUsage {
        input_uncached: 3,
        cache_read: 4,
        output_visible: 5,
        ..Default::default()
    };
    let usage = Some(UsageReport::of_text(tokens, UsageReading::AsReported));
    vec![AnswerEvent::Finish { choice: 0, finish }, AnswerEvent::End { usage }]
}

fn call(id: &str) -> PartHead {
    PartHead::Call {
        id: id.to_owned(),
        name: "f".to_owned(),
        namespace: None,
        kind: CallKind::Function,
    }
}

fn text(text: &str) -> PartDelta {
    PartDelta::Text(text.to_owned())
}

fn arguments(text: &str) -> PartDelta {
    PartDelta::Arguments(text.to_owned())
}

fn stream(parts: Vec<Vec<AnswerEvent>>, reason: FinishReason) -> Vec<Value> {
    let mut events = vec![begin()];
    events.extend(parts.into_iter().flatten());
    events.extend(ended(reason));
    written(&events)
}

/// Checks that blocks follow each other without gaps, each started and stopped once.
fn check_blocks(events: &[Value]) -> Vec<&str> {
    let mut kinds = Vec::new();
    let mut open = None;
    for event in events {
        let index = event["index"].as_u64();
        match event["type"].as_str() {
            Some("content_block_start") => {
                assert_eq!((open, index), (None, Some(kinds.len() as u64)));
                kinds.push(event["content_block"]["type"].as_str().expect("a kind"));
                open = index;
            }
            Some("content_block_delta") => assert_eq!(open, index),
            Some("content_block_stop") => {
                assert_eq!(open.take(), index);
            }
            _ => assert_eq!(open, None),
        }
    }
    kinds
}

/// litellm#25836, #25561, #25605: arguments were dropped in streams. #18238: text beside a call.
#[test]
fn class_1_and_2_streamed_calls_keep_name_and_arguments_beside_text() {
    let events = stream(
        vec![
            part(0, PartHead::Text, vec![text("I "), text("look")]),
            part(1, call("toolu_1"), vec![arguments("{\"x\""), arguments(":1e400}")]),
            part(2, call("toolu_2"), vec![arguments("{}")]),
        ],
        FinishReason::ToolUse,
    );
    assert_eq!(check_blocks(&events), ["text", "tool_use", "tool_use"]);
    let start = json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}});
    assert_eq!(events[5]["content_block"], start);
    let pieces: Vec<&str> =
        events.iter().filter_map(|event| event["delta"]["partial_json"].as_str()).collect();
    assert_eq!(pieces, ["{\"x\"", ":1e400}", "{}"]);
    let [.., delta, stop] = &events[..] else { panic!("an end") };
    assert_eq!(delta["delta"], json!({"stop_reason": "tool_use", "stop_sequence": null}));
    assert_eq!(delta["usage"]["output_tokens"], 5);
    assert_eq!(delta["usage"]["cache_read_input_tokens"], 4);
    assert_eq!(*stop, json!({"type": "message_stop"}));
}

/// litellm#34692: `end_turn` after calls, and a spurious empty text block.
#[test]
fn class_5_no_empty_block_and_the_right_reason() {
    let events = stream(
        vec![
            part(0, PartHead::Text, vec![]),
            part(1, PartHead::Text, vec![text("")]),
            part(2, PartHead::Thinking, vec![]),
            part(3, call("toolu_1"), vec![]),
        ],
        FinishReason::EndTurn,
    );
    assert_eq!(check_blocks(&events), ["tool_use"]);
    assert_eq!(events[2]["delta"], json!({"type": "input_json_delta", "partial_json": "{}"}));
    assert_eq!(events[4]["delta"]["stop_reason"], "tool_use");
}

#[test]
fn f54_arguments_that_are_no_object_stay_visible() {
    for (given, expected) in [
        ("", "{}"),
        ("null", "{}"),
        ("not json", r#"{"_raw":"not json"}"#),
        ("[1]", r#"{"_raw":"[1]"}"#),
    ] {
        let pieces = given.chars().map(|c| arguments(&c.to_string())).collect();
        let events = stream(vec![part(0, call("a"), pieces)], FinishReason::ToolUse);
        assert_eq!(events[2]["delta"]["partial_json"], expected);
        assert_eq!(check_blocks(&events), ["tool_use"]);
    }
}

#[test]
fn class_9_thinking_is_signed_and_foreign_signatures_are_marked() {
    let signature = |origin| ThoughtSignature { origin, data: "abc".to_owned() };
    let events = stream(
        vec![
            part(
                0,
                PartHead::Thinking,
                vec![text("hm"), PartDelta::Signature(signature(Dialect::AnthropicMessages))],
            ),
            part(1, PartHead::Thinking, vec![PartDelta::Signature(signature(Dialect::Gemini))]),
            part(2, PartHead::RedactedThinking(signature(Dialect::OpenAiResponses)), vec![]),
            part(3, PartHead::Thinking, vec![text("unsigned")]),
        ],
        FinishReason::EndTurn,
    );
    let kinds = ["thinking", "thinking", "redacted_thinking", "thinking"];
    assert_eq!(check_blocks(&events), kinds);
    let signed: Vec<&str> =
        events.iter().filter_map(|event| event["delta"]["signature"].as_str()).collect();
    assert_eq!(signed, ["abc", "gh1.gemini.abc"]);
    let empty = json!({"type": "thinking", "thinking": "", "signature": ""});
    assert_eq!(events[1]["content_block"], empty);
    let data = events.iter().find_map(|event| event["content_block"]["data"].as_str());
    assert_eq!(data, Some("gh1.openai-responses.abc"));
}

#[test]
fn other_answers_are_left_out_and_media_become_a_note() {
    let media = MediaContent {
        kind: MediaKind::Image,
        source: MediaSource::Base64("iVBO".to_owned()),
        media_type: Some("image/png".to_owned()),
        detail: None,
        title: None,
    };
    let mut events = vec![begin()];
    events.extend(part(0, PartHead::Media(media), vec![]));
    events.push(AnswerEvent::Start { choice: 1, index: 0, head: PartHead::Text });
    events.push(AnswerEvent::Delta { choice: 1, index: 0, delta: text("other") });
    events.push(AnswerEvent::Stop { choice: 1, index: 0 });
    events.extend(ended(FinishReason::EndTurn));
    let events = written(&events);
    assert_eq!(check_blocks(&events), ["text"]);
    let note = events[2]["delta"]["text"].as_str().expect("a note");
    assert!(note.contains("an image (image/png)"), "{note}");
}

#[test]
fn the_beginning_and_the_error_have_the_sdks_shape() {
    let events = written(&[begin()]);
    let message = &events[0]["message"];
    assert_eq!((&message["id"], &message["model"]), (&json!("msg_0a1b"), &json!("m")));
    assert_eq!((&message["content"], &message["stop_reason"]), (&json!([]), &Value::Null));
    assert_eq!(message["usage"]["input_tokens"], 0);
    let error = ErrorAnswer {
        status: 503,
        kind: ErrorKind::Overloaded,
        code: None,
        message: "busy",
        param: None,
    };
    let bytes = StreamWriter::new(echo()).error_event(&error);
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    assert!(text.starts_with("event: error\ndata: {") && text.ends_with("}\n\n"), "{text}");
}
