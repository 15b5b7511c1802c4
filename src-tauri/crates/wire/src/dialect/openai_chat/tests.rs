//! Chat Completions parsed, translated and written: the bug classes and faults that concern it.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use domain::{Dialect, TranslationMode, UnsupportedFeature};
use serde_json::{Value, json};

mod streams;
mod writing;

use super::*;
use crate::dialect::tool_names::ToolNames;
use crate::dialect::translation::{RequestEcho, StreamReader as _, StreamWriter as _};
use crate::neutral::{
    AnswerEvent, CallKind, ContentPart, ConversationTurn, FinishReason, JsonText, ModelRequest,
    OutputFormat, Reasoning, Role, ThoughtSignature, ToolChoice, ToolResult,
};
use crate::stream::assemble::Assembler;
use crate::stream::fold::fold_events;
use crate::test_requests::{call, message, request, result};
use crate::{
    ApiSurface, BackendExchange, ClientRequest, Delivery, RequestError, SseDecoder, StreamEnd,
    Target, TargetKind, UsageChunk,
};

fn target(lacks: &[UnsupportedFeature], crossing: TranslationMode) -> Target {
    let lacks: BTreeSet<_> = lacks.iter().copied().collect();
    let kind = TargetKind::OpenAiCompatible { lacks, offers: BTreeSet::new() };
    Target { kind, model: "m2".to_owned(), crossing, output_tokens_max: None }
}

fn read(body: &Value) -> ModelRequest {
    read_request(&body.to_string(), "m", Delivery::Whole).expect("a good request")
}

fn written(request: &ModelRequest) -> Value {
    let written =
        write_request(request, &target(&[], TranslationMode::Strict)).expect("it crosses");
    serde_json::from_slice(&written.body).expect("JSON")
}

/// The events of a backend's stream.
fn events(stream: &str) -> Vec<AnswerEvent> {
    let mut decoder = SseDecoder::new();
    decoder.push(stream.as_bytes());
    let mut reader = StreamReader::default();
    let mut assembler = Assembler::new(Arc::new(ToolNames::default()), "seed");
    let mut events = Vec::new();
    while let Some(event) = decoder.next_event().expect("small") {
        for piece in reader.read(&event).expect("the dialect") {
            events.extend(assembler.push_event(piece).expect("an answer"));
        }
    }
    events
}

fn stream(chunks: &[Value]) -> String {
    let chunks: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    format!("{chunks}data: [DONE]\n\n")
}

fn delta(delta: &Value, finish: Option<&str>) -> Value {
    json!({"id": "x", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

/// The chunks that a client receives for a backend's stream.
fn rewritten(chunks: &[Value], usage: UsageChunk) -> Vec<Value> {
    let mut neutral = request("hi");
    neutral.delivery = Delivery::Stream(usage);
    let echo = RequestEcho { request: Arc::new(neutral), id: "e".to_owned(), created_unix_s: 7 };
    let mut writer = StreamWriter::new(echo);
    let mut out = BytesMut::new();
    events(&stream(chunks)).iter().for_each(|event| writer.write(event, &mut out));
    let text = String::from_utf8(out.to_vec()).expect("text");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    text.split("\n\n")
        .filter_map(|event| event.strip_prefix("data: ").filter(|data| *data != "[DONE]"))
        .map(|data| serde_json::from_str(data).expect("JSON"))
        .collect()
}

fn calls_of(chunks: &[Value]) -> Vec<(String, String, String)> {
    let mut calls: Vec<(String, String, String)> = Vec::new();
    for chunk in chunks {
        for call in chunk["choices"][0]["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let place = usize::try_from(call["index"].as_u64().expect("index")).expect("small");
            if calls.len() == place {
                calls.push(Default::default());
            }
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            calls[place].0 += &text(&call["id"]);
            calls[place].1 += &text(&call["function"]["name"]);
            calls[place].2 += &text(&call["function"]["arguments"]);
        }
    }
    calls
}

fn triple(id: &str, name: &str, arguments: &str) -> (String, String, String) {
    (id.to_owned(), name.to_owned(), arguments.to_owned())
}

fn text_of(chunks: &[Value], key: &str) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"][key].as_str()).collect()
}

fn reason_of(chunks: &[Value]) -> Vec<&str> {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str()).collect()
}

fn tool(value: &Value) -> Value {
    json!({"tool_calls": [value]})
}

#[test]
fn a_request_of_every_kind_of_part_is_read() {
    let request = read(&json!({"model": "m", "messages": [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
            {"type": "input_audio", "input_audio": {"data": "BBBB", "format": "mp3"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,CC"}}]},
        {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"n\":1}"}},
            {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "free"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}]},
        {"role": "system", "content": "late"},
        {"role": "assistant", "refusal": "no"}],
        "stop": "END", "n": 2, "max_tokens": 5, "max_completion_tokens": 6, "temperature": 0.70,
        "reasoning_effort": "high", "seed": 12345678901234567890_u64, "logit_bias": {}, "x": 1,
        "tool_choice": {"type": "function", "function": {"name": "f"}}}));
    let roles: Vec<_> = request.messages.iter().map(|message| message.role).collect();
    use Role::{Assistant, System, User};
    assert_eq!(roles, [System, User, Assistant, User, System, Assistant]);
    assert_eq!(request.messages[1].parts.len(), 4);
    assert_eq!(request.messages[3].parts.len(), 2);
    let ContentPart::ToolResult(second) = &request.messages[3].parts[1] else { panic!("a result") };
    assert_eq!((second.name.as_deref(), second.kind), (Some("g"), CallKind::Custom));
    assert_eq!(request.messages[5].parts, [ContentPart::Refusal("no".to_owned())]);
    assert_eq!((request.stop, request.choices), (vec!["END".to_owned()], Some(2)));
    assert_eq!(request.output_tokens_max, Some(6));
    assert!(matches!(request.reasoning, Reasoning::Effort { visible: true, .. }));
    assert!(matches!(request.tool_choice, Some(ToolChoice::Named { .. })));
    let extras: Vec<_> = request.extras.iter().map(|extra| extra.path.as_str()).collect();
    assert_eq!(extras, ["seed", "x"]);
    assert_eq!(request.extras[0].value.get(), "12345678901234567890");
}

#[test]
fn a_refusal_names_the_field() {
    let refused = |body: Value| {
        let text = body.to_string();
        let error = read_request(&text, "m", Delivery::Whole).expect_err("a bad request");
        error.param().map(str::to_owned).unwrap_or_default()
    };
    let with = |message: Value| refused(json!({"messages": [message]}));
    assert_eq!(refused(json!({})), "messages");
    assert_eq!(with(json!({"role": "robot"})), "messages[0].role");
    assert_eq!(with(json!({"role": "user", "content": 3})), "messages[0].content");
    assert_eq!(with(json!({"role": "tool", "content": "x"})), "messages[0].tool_call_id");
    let part = json!({"role": "user", "content": [{"type": "image_url", "image_url": {}}]});
    assert_eq!(with(part), "messages[0].content[0].image_url.url");
    assert_eq!(refused(json!({"messages": [], "stop": [1]})), "stop[0]");
}

#[test]
fn allowed_tools_leaves_only_them() {
    let function = |name: &str| json!({"type": "function", "function": {"name": name}});
    let request = read(&json!({"messages": [], "tools": [function("a"), function("b")],
        "tool_choice": {"type": "allowed_tools", "allowed_tools":
            {"mode": "required", "tools": [function("b")]}}}));
    assert_eq!(request.tools.len(), 1);
    assert_eq!(
        (request.tools[0].name.as_str(), request.tool_choice),
        ("b", Some(ToolChoice::Required))
    );
}

#[test]
fn legacy_functions_are_calls_and_results() {
    let request = read(&json!({"functions": [{"name": "f", "parameters": {"type": "object"}}],
        "function_call": {"name": "f"}, "messages": [
        {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "ok"}]}));
    let ContentPart::ToolCall(call) = &request.messages[0].parts[0] else { panic!("a call") };
    let ContentPart::ToolResult(result) = &request.messages[1].parts[0] else { panic!("a result") };
    assert_eq!(call.id, result.call_id);
    assert!(matches!(request.tool_choice, Some(ToolChoice::Named { .. })));
}

fn signature(origin: Dialect, data: &str) -> ThoughtSignature {
    ThoughtSignature { origin, data: data.to_owned() }
}

fn call_part() -> ContentPart {
    call("1", "f", "{}")
}
