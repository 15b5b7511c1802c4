//! Answers for clients: complete by the published schema, numbered without gaps, and equal whether
//! streamed or whole.

use std::sync::Arc;

use bytes::BytesMut;
use domain::{Dialect, Meter, TokenUsage};
use serde_json::{Value, json};

use super::*;
use crate::dialect::translation::StreamWriter as _;
use crate::neutral::{
    CallKind, Finish, JsonText, MediaContent, MediaKind, MediaSource, OutputFormat, Reasoning,
    ThoughtSignature, ToolChoice, ToolDefinition, ToolKind,
};
use crate::stream::fold::fold_events;
use crate::test_requests::request;
use crate::test_schema::PublishedSchema;
use crate::{ErrorKind, UsageReading};

fn echo() -> RequestEcho {
    let mut request = request("hi");
    request.model = "route".to_owned();
    let tool = |name: &str, namespace: Option<&str>, kind| ToolDefinition {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        description: Some("does it".to_owned()),
        kind,
        cache: None,
    };
    let function = || ToolKind::Function { schema: Some(JsonText::empty_object()), strict: None };
    let declaration = JsonText::parse(r#"{"type":"web_search"}"#).expect("JSON");
    let server = ToolKind::Server { origin: Dialect::OpenAiResponses, declaration };
    request.tools = vec![
        tool("shell", None, function()),
        tool("spawn", Some("multi_agent_v1"), function()),
        tool("wait", Some("multi_agent_v1"), function()),
        tool("apply_patch", None, ToolKind::Custom { format: None }),
        tool("web_search", None, server),
    ];
    request.tool_choice =
        Some(ToolChoice::Named { name: "apply_patch".to_owned(), namespace: None });
    request.temperature = JsonText::parse("0.70");
    request.reasoning = Reasoning::Off;
    request.output = OutputFormat::Schema {
        name: None,
        description: None,
        schema: JsonText::parse(r#"{"type":"object","properties":{"z":{},"a":{}}}"#).expect("JSON"),
        strict: None,
    };
    RequestEcho { request: Arc::new(request), id: "abc".to_owned(), created_unix_s: 1_700_000_000 }
}

fn usage() -> UsageReport {
    let tokens = TokenUsage {
        input_uncached: 10,
        cache_read: 5,
        cache_write_5m: 2,
        cache_write_1h: 1,
        output_visible: 7,
        reasoning: 3,
    };
    UsageReport::of_text(tokens, UsageReading::AsReported)
}

fn signature(origin: Dialect) -> ThoughtSignature {
    ThoughtSignature { origin, data: "c2ln".to_owned() }
}

fn call(id: &str, name: &str, namespace: Option<&str>, kind: CallKind) -> PartHead {
    let namespace = namespace.map(str::to_owned);
    PartHead::Call { id: id.to_owned(), name: name.to_owned(), namespace, kind }
}

/// Every kind of part, in the order of an answer.
fn parts() -> Vec<(PartHead, Vec<PartDelta>)> {
    let text = |text: &str| PartDelta::Text(text.to_owned());
    let arguments = |text: &str| PartDelta::Arguments(text.to_owned());
    let media = MediaContent {
        kind: MediaKind::Image,
        source: MediaSource::Base64("aW1n".to_owned()),
        media_type: Some("image/png".to_owned()),
        detail: None,
        title: None,
    };
    let anthropic = || signature(Dialect::AnthropicMessages);
    vec![
        (PartHead::Thinking, vec![text("hm, "), text("so"), PartDelta::Signature(anthropic())]),
        (PartHead::Thinking, vec![PartDelta::Signature(anthropic())]),
        (PartHead::RedactedThinking(anthropic()), Vec::new()),
        (PartHead::Text, vec![text("Hel"), text("lo")]),
        (PartHead::Text, vec![text(" \u{1f600}")]),
        (PartHead::Refusal, vec![text("not that")]),
        (PartHead::Media(media), Vec::new()),
        (
            call("call_1", "spawn", Some("multi_agent_v1"), CallKind::Function),
            vec![arguments(r#"{"n":12345678901"#), arguments("2345678901}")],
        ),
        (call("call_2", "apply_patch", None, CallKind::Custom), vec![arguments("*** Begin\n")]),
    ]
}

fn events(parts: Vec<(PartHead, Vec<PartDelta>)>, reason: FinishReason) -> Vec<AnswerEvent> {
    let model = Some("claude-x".to_owned());
    let mut events = vec![AnswerEvent::Begin { id: Some("msg_1".to_owned()), model, usage: None }];
    for (index, (head, deltas)) in (0..).zip(parts) {
        events.push(AnswerEvent::Start { choice: 0, index, head });
        events.extend(deltas.into_iter().map(|delta| AnswerEvent::Delta {
            choice: 0,
            index,
            delta,
        }));
        events.push(AnswerEvent::Stop { choice: 0, index });
    }
    let finish = Finish { reason, word: "w".to_owned(), stop_sequence: None };
    events.push(AnswerEvent::Finish { choice: 0, finish });
    events.push(AnswerEvent::End { usage: Some(usage()) });
    events
}

fn streamed(events: &[AnswerEvent]) -> Vec<Value> {
    let mut writer = StreamWriter::new(echo());
    let mut out = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    read_stream(&out)
}

fn read_stream(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("text");
    let blocks = text.split("\n\n").filter(|block| !block.is_empty());
    let read = |block: &str| {
        let (name, data) = block.split_once('\n').expect("two lines");
        let data: Value =
            serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    };
    blocks.map(read).collect()
}

fn check_all(events: &[Value]) {
    if let Some(published) = PublishedSchema::find() {
        events.iter().for_each(|event| published.check_event(event));
    }
}

const REASONS: [(FinishReason, &str); 8] = [
    (FinishReason::EndTurn, "completed"),
    (FinishReason::StopSequence, "completed"),
    (FinishReason::ToolUse, "completed"),
    (FinishReason::Pause, "completed"),
    (FinishReason::MaxTokens, "incomplete"),
    (FinishReason::ContextWindow, "incomplete"),
    (FinishReason::Refusal, "incomplete"),
    (FinishReason::Fault, "failed"),
];

#[test]
fn every_event_fits_the_published_schema_and_is_numbered_without_gaps() {
    let events = streamed(&events(parts(), FinishReason::ToolUse));
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    check_all(&events);
    let kinds: Vec<_> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds[..2], ["response.created", "response.in_progress"]);
    assert_eq!(kinds.last(), Some(&"response.completed"));
    let count = |kind: &str| kinds.iter().filter(|k| **k == kind).count();
    assert_eq!(count("response.output_item.added"), 7);
    assert_eq!(count("response.output_item.done"), 7);
    assert_eq!((count("response.content_part.added"), count("response.content_part.done")), (3, 3));
}

#[test]
fn a_stream_and_a_whole_answer_say_the_same() {
    let published = PublishedSchema::find();
    for (reason, status) in REASONS {
        let parts: Vec<_> =
            parts().into_iter().filter(|part| part.0 != PartHead::Refusal).collect();
        let events = events(parts, reason);
        let last = streamed(&events).pop().expect("an event");
        assert_eq!(last["type"], format!("response.{status}"));
        let whole = write_answer(&fold_events(events), &echo());
        let whole: Value = serde_json::from_slice(&whole).expect("JSON");
        // In a stream, an item that ends before the reason is known is complete; here the last item
        // is free text, which has no status.
        assert_eq!(last["response"], whole, "{reason:?}");
        assert_eq!(whole["status"], status);
        if let Some(published) = &published {
            published.check("Response", &whole);
        }
    }
}

/// BerriAI/litellm#25825, #37710; nearai/ironclaw#6697.
#[test]
fn class_6_truncation_is_never_a_normal_end() {
    let text = vec![(PartHead::Text, vec![PartDelta::Text("Hel".to_owned())])];
    let events = streamed(&events(text, FinishReason::MaxTokens));
    let last = events.last().expect("an event");
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    check_all(&events);
}

#[test]
fn a_refusal_in_words_is_whole_and_one_without_is_filtered() {
    let refusal = vec![(PartHead::Refusal, vec![PartDelta::Text("no".to_owned())])];
    let told = streamed(&events(refusal, FinishReason::Refusal));
    let told = &told.last().expect("an event")["response"];
    assert_eq!(told["status"], "completed");
    assert_eq!(told["output"][0]["content"][0], json!({"type": "refusal", "refusal": "no"}));
    let silent = streamed(&events(Vec::new(), FinishReason::Refusal));
    let silent = &silent.last().expect("an event")["response"];
    assert_eq!(silent["incomplete_details"]["reason"], "content_filter");
}

#[test]
fn the_response_repeats_its_request() {
    let events = streamed(&events(parts(), FinishReason::EndTurn));
    let response = &events.last().expect("an event")["response"];
    assert_eq!(response["id"], "resp_abc");
    assert_eq!(response["model"], "claude-x");
    assert_eq!(response["temperature"], 0.7);
    assert_eq!(response["tool_choice"], json!({"type": "custom", "name": "apply_patch"}));
    assert_eq!(response["reasoning"]["effort"], "none");
    let tools = response["tools"].as_array().expect("tools");
    assert_eq!(tools.len(), 4);
    assert_eq!(tools[1]["type"], "namespace");
    assert_eq!(tools[1]["tools"][1]["name"], "wait");
    assert_eq!(tools[3], json!({"type": "web_search"}));
    assert_eq!(
        response["usage"],
        json!({"input_tokens": 18, "output_tokens": 10, "total_tokens": 28,
            "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 3},
            "output_tokens_details": {"reasoning_tokens": 3}})
    );
}

/// BerriAI/litellm#35878, #31571.
#[test]
fn class_15_calls_keep_their_namespace_and_their_kind() {
    let events = streamed(&events(parts(), FinishReason::ToolUse));
    let output = &events.last().expect("an event")["response"]["output"];
    let spawn = &output[5];
    assert_eq!((&spawn["type"], &spawn["name"]), (&json!("function_call"), &json!("spawn")));
    assert_eq!(spawn["namespace"], "multi_agent_v1");
    assert_eq!(spawn["arguments"], r#"{"n":123456789012345678901}"#);
    let patch = &output[6];
    assert_eq!(
        (&patch["type"], &patch["input"]),
        (&json!("custom_tool_call"), &json!("*** Begin\n"))
    );
    assert_eq!((&spawn["id"], &patch["id"]), (&json!("fc_abc_5"), &json!("ctc_abc_6")));
}

#[test]
fn an_error_in_mid_stream_is_a_failed_response_and_an_error_event() {
    let mut writer = StreamWriter::new(echo());
    let mut out = BytesMut::new();
    let all = events(parts(), FinishReason::EndTurn);
    all[..3].iter().for_each(|event| writer.write(event, &mut out));
    let written = read_stream(&out).len();
    let error =
        |kind, code| ErrorAnswer { status: 502, kind, code, message: "it broke", param: None };
    let told = read_stream(&writer.error_event(&error(ErrorKind::Api, Some("upstream_failed"))));
    let [failed, last] = told.as_slice() else { panic!("two events: {told:?}") };
    assert_eq!((&failed["type"], &last["type"]), (&json!("response.failed"), &json!("error")));
    assert_eq!(failed["sequence_number"], written);
    assert_eq!(last["sequence_number"], written + 1);
    assert_eq!(failed["response"]["id"], "resp_abc");
    assert_eq!(failed["response"]["error"], json!({"code": "server_error", "message": "it broke"}));
    assert_eq!((&last["code"], &last["message"]), (&json!("upstream_failed"), &json!("it broke")));
    // The SDKs raise an error on this member only.
    assert_eq!(last["error"]["message"], "it broke");
    let unasked = crate::dialect::error_event(
        Dialect::OpenAiResponses,
        &error(ErrorKind::RateLimit, None),
        7,
        Some("resp_1"),
    );
    let unasked = read_stream(&unasked);
    assert_eq!(unasked[0]["response"]["id"], "resp_1");
    assert_eq!(
        (&unasked[0]["sequence_number"], &unasked[1]["sequence_number"]),
        (&json!(7), &json!(8))
    );
    assert_eq!(unasked[0]["response"]["error"]["code"], "rate_limit_exceeded");
    assert_eq!(unasked[1]["error"]["type"], "rate_limit_error");
    check_all(&told);
    check_all(&unasked);
    let full =
        writer.error_event(&error(ErrorKind::InvalidRequest, Some("context_length_exceeded")));
    let full = read_stream(&full);
    assert_eq!(full[0]["response"]["error"]["code"], "context_length_exceeded");
}

#[test]
fn other_choices_and_sound_have_no_place() {
    let sound = MediaContent {
        kind: MediaKind::Audio,
        source: MediaSource::Base64("c28=".to_owned()),
        media_type: None,
        detail: None,
        title: None,
    };
    let start = |choice, head| AnswerEvent::Start { choice, index: 0, head };
    let mut writer = StreamWriter::new(echo());
    let mut out = BytesMut::new();
    writer.write(&start(1, PartHead::Text), &mut out);
    writer.write(&start(0, PartHead::Media(sound)), &mut out);
    writer.write(&AnswerEvent::Stop { choice: 0, index: 0 }, &mut out);
    assert!(out.is_empty());
}

/// A written answer parses as the same answer, whole and streamed, however the bytes are split.
#[test]
fn f16_what_is_written_reads_back_as_the_same_answer() {
    use crate::dialect::tool_names::ToolNames;
    use crate::stream::assemble::Assembler;
    use crate::stream::provider_event_reader::ProviderEventReader;

    let plain = |part: &(PartHead, Vec<PartDelta>)| match &part.0 {
        PartHead::Call { namespace, .. } => namespace.is_none(),
        // Other providers' signatures are intentionally written differently.
        PartHead::Thinking | PartHead::RedactedThinking(_) => false,
        _ => true,
    };
    let parts = parts().into_iter().filter(plain).collect();
    let events = events(parts, FinishReason::ToolUse);
    let mut told = fold_events(events.clone());
    // Our ids replace the provider's.
    told.id = Some("resp_abc".to_owned());
    let mut writer = StreamWriter::new(echo());
    let mut out = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    let whole = write_answer(&fold_events(events), &echo());
    let whole = std::str::from_utf8(&whole).expect("text");
    let whole = crate::dialect::openai_responses::read_answer(whole).expect("an answer");
    let mut ways = vec![whole];
    for size in [1, 3, 1_000_000] {
        let mut reader = ProviderEventReader::new(Dialect::OpenAiResponses);
        let read = |chunk| reader.feed(chunk).0;
        ways.push(out.chunks(size).flat_map(read).collect());
    }
    for pieces in ways {
        let mut assembler = Assembler::new(Arc::new(ToolNames::default()), "seed");
        let take = |piece| assembler.push_event(piece).expect("in order");
        let mut again = fold_events(pieces.into_iter().flat_map(take).collect());
        // The provider's finish reason and usage object are not translated.
        again.choices[0].finish.as_mut().expect("a reason").word = "w".to_owned();
        again.usage.as_mut().expect("usage").raw = None;
        let mut told = told.clone();
        let quantities = &mut told.usage.as_mut().expect("usage").usage.quantities;
        quantities.set(Meter::CacheWrite5m, 3);
        quantities.set(Meter::CacheWrite1h, 0);
        // An image of the answer is written as a call of the tool that makes images.
        quantities.set(Meter::Image, 1);
        assert_eq!(again, told);
    }
}
