//! Streams of backends: OpenAI's, and those of less complete servers.

use std::sync::Arc;

use domain::{Dialect, Meter, PriceTier};
use serde_json::{Value, json};

use super::*;
use crate::dialect::tool_names::ToolNames;
use crate::dialect::translation::StreamReader as _;
use crate::neutral::{ContentPart, FinishReason, ModelAnswer, ThoughtSignature};
use crate::stream::assemble::Assembler;
use crate::stream::fold::fold_events;
use crate::{SseDecoder, UpstreamClass};

fn pieces(events: &[Value]) -> Vec<ProviderEvent> {
    let mut reader = StreamReader::default();
    let mut decoder = SseDecoder::new();
    for event in events {
        decoder.push(format!("event: x\ndata: {event}\n\n").as_bytes());
    }
    let mut pieces = Vec::new();
    while let Some(event) = decoder.next_event().expect("small") {
        pieces.extend(reader.read(&event).expect("read"));
    }
    pieces
}

/// The answer in a stream.
fn read_stream(events: &[Value]) -> ModelAnswer {
    let mut assembler = Assembler::new(Arc::new(ToolNames::default()), "seed");
    let take = |piece| assembler.push_event(piece).expect("in order");
    fold_events(pieces(events).into_iter().flat_map(take).collect())
}

fn completed(extra: &Value) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed",
        "usage": extra}})
}

fn parts(answer: &ModelAnswer) -> &[ContentPart] {
    &answer.choices[0].parts
}

#[test]
fn a_regular_stream_is_read() {
    let events = [
        json!({"type": "response.created", "response": {"id": "resp_1", "model": "gpt-x"}}),
        json!({"type": "response.output_item.added", "output_index": 0,
            "item": {"type": "reasoning", "id": "rs_1", "summary": []}}),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 0}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "a"}),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 1}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "b"}),
        json!({"type": "response.output_item.done", "output_index": 0,
            "item": {"type": "reasoning", "summary": [{"text": "a"}, {"text": "b"}], "encrypted_content": "enc"}}),
        json!({"type": "response.web_search_call.searching", "output_index": 1}),
        json!({"type": "response.output_text.delta", "output_index": 2, "delta": "Hel"}),
        json!({"type": "response.output_text.delta", "output_index": 2, "delta": "lo"}),
        json!({"type": "response.output_text.done", "output_index": 2, "text": "Hello"}),
        json!({"type": "response.content_part.done", "output_index": 2}),
        json!({"type": "response.output_item.done", "output_index": 2,
            "item": {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}}),
        completed(&json!({"input_tokens": 5, "output_tokens": 2})),
    ];
    let answer = read_stream(&events);
    let signature = ThoughtSignature { origin: Dialect::OpenAiResponses, data: "enc".to_owned() };
    let thinking = ContentPart::Thinking { text: "a\n\nb".to_owned(), signature: Some(signature) };
    assert_eq!(parts(&answer), [thinking, ContentPart::text("Hello")]);
    assert_eq!(answer.model.as_deref(), Some("gpt-x"));
    assert_eq!(answer.usage.map(|usage| usage.tokens().total()), Some(7));
}

/// Copilot and some proxies change the items' ids; others omit deltas or `done`.
#[test]
fn f51_calls_are_whole_however_they_are_sent() {
    let item = |arguments: &str| json!({"type": "function_call", "id": "fc_9", "call_id": "call_1", "name": "f", "arguments": arguments});
    let added = json!({"type": "response.output_item.added", "output_index": 0, "item": item("")});
    let delta = |text: &str, id: &str| json!({"type": "response.function_call_arguments.delta", "output_index": 0, "item_id": id, "delta": text});
    let args = json!({"type": "response.function_call_arguments.done", "output_index": 0,
        "item_id": "fc_z", "arguments": "{\"a\":1}"});
    let done =
        json!({"type": "response.output_item.done", "output_index": 0, "item": item("{\"a\":1}")});
    let (first, second) = (delta("{\"a\"", "fc_x"), delta(":1}", "fc_y"));
    let streams = [
        vec![added.clone(), first.clone(), second.clone(), args.clone(), done.clone()],
        vec![added.clone(), first, second, completed(&Value::Null)],
        vec![added.clone(), args, done.clone()],
        vec![added, done.clone()],
        vec![done],
    ];
    for mut stream in streams {
        stream.push(completed(&Value::Null));
        let answer = read_stream(&stream);
        let [ContentPart::ToolCall(call)] = parts(&answer) else { panic!("one call: {answer:?}") };
        assert_eq!((call.id.as_str(), call.name.as_str()), ("call_1", "f"), "{stream:?}");
        assert_eq!(call.arguments, "{\"a\":1}", "{stream:?}");
        let finish = answer.choices[0].finish.as_ref().map(|finish| finish.reason);
        assert_eq!(finish, Some(FinishReason::ToolUse));
    }
}

#[test]
fn text_and_thinking_without_deltas_are_read_from_their_items() {
    let answer = read_stream(&[
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"type": "reasoning",
            "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": {"type": "message",
            "content": [{"type": "output_text", "text": "Hi"}, {"type": "refusal", "refusal": "no"}]}}),
        completed(&Value::Null),
    ]);
    let thinking = ContentPart::Thinking { text: "hm".to_owned(), signature: None };
    assert_eq!(
        parts(&answer),
        [thinking, ContentPart::text("Hi"), ContentPart::Refusal("no".to_owned())]
    );
    let finish = answer.choices[0].finish.as_ref().map(|finish| finish.reason);
    assert_eq!(finish, Some(FinishReason::Refusal));
}

#[test]
fn f46_both_kinds_of_errors_are_errors() {
    let error = |event: Value| match pieces(&[event]).pop() {
        Some(ProviderEvent::Error(error)) => error,
        other => panic!("an error: {other:?}"),
    };
    let failed = error(json!({"type": "response.failed", "response": {"status": "failed",
        "error": {"code": "server_error", "message": "it broke"}}}));
    assert_eq!((failed.status, failed.message.as_str()), (500, "it broke"));
    let limited = error(
        json!({"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": null}),
    );
    assert_eq!(limited.class, UpstreamClass::RateLimited);
    let wrapped = error(
        json!({"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}),
    );
    assert_eq!((wrapped.status, wrapped.message.as_str()), (400, "bad"));
}

#[test]
fn what_a_failed_or_broken_stream_used_is_read() {
    let searched = json!({"type": "response.output_item.done", "output_index": 0,
        "item": {"type": "web_search_call", "action": {"type": "search"}}});
    let failed = |usage: Value| json!({"type": "response.failed", "response": {"service_tier": "flex", "usage": usage}});
    let bill = |events: &[Value]| {
        let bill = pieces(events).into_iter().rev().find_map(|piece| match piece {
            ProviderEvent::Usage(report) => Some((true, report.usage)),
            ProviderEvent::BilledBeside(usage) => Some((false, usage)),
            _ => None,
        });
        let (has_tokens, usage) = bill.expect("a bill");
        (has_tokens, usage.tier, usage.quantities.iter().collect::<Vec<_>>())
    };
    let (search, standard) = ((Meter::WebSearch, 1), PriceTier::Standard);
    assert_eq!(bill(std::slice::from_ref(&searched)), (false, standard, vec![search]));
    let broke = [searched.clone(), failed(Value::Null)];
    assert_eq!(bill(&broke), (false, PriceTier::Flex, vec![search]));
    let used = [searched, failed(json!({"input_tokens": 7, "output_tokens": 3}))];
    let counts = vec![(Meter::Input, 7), (Meter::Output, 3), search];
    assert_eq!(bill(&used), (true, PriceTier::Flex, counts));
}

#[test]
fn f9_f12_only_the_last_event_ends_a_stream() {
    let text = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"});
    let cut = pieces(&[text.clone(), json!({"type": "response.output_text.done", "text": "Hi"})]);
    assert!(!cut.contains(&ProviderEvent::End));
    let mut reader = StreamReader::default();
    let mut decoder = SseDecoder::new();
    decoder.push(b"data: [DONE]\n\ndata: \n\ndata: {oops\n\n");
    let mut next = || decoder.next_event().expect("small").expect("an event");
    assert_eq!(reader.read(&next()), Ok(Vec::new()));
    assert_eq!(reader.read(&next()), Ok(Vec::new()));
    assert_eq!(reader.read(&next()), Err(StreamFault::NotJson));
    let incomplete = pieces(&[
        text,
        json!({"type": "response.incomplete", "response": {
        "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}}),
    ]);
    assert_eq!(incomplete.last(), Some(&ProviderEvent::End));
}
