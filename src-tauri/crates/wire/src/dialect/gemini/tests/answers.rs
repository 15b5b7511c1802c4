//! Tests of reading answers of Gemini backends and writing answers for Gemini clients.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use domain::{Dialect, TranslationMode};
use serde_json::{Value, json};

use crate::dialect::gemini::{StreamReader, StreamWriter, read_answer, write_answer};
use crate::dialect::tool_names::ToolNames;
use crate::dialect::translation::{RequestEcho, StreamReader as _, StreamWriter as _};
use crate::neutral::{
    AnswerEvent, CallKey, CallKind, Finish, FinishReason, ModelRequest, ProviderEvent,
    ThoughtSignature,
};
use crate::stream::assemble::Assembler;
use crate::stream::fold::fold_events;
use crate::test_requests::request;
use crate::{
    ApiSurface, BackendExchange, BadAnswer, ClientRequest, Delivery, ErrorAnswer, ErrorKind,
    SseDecoder, StreamEnd, Target, TargetKind, UpstreamClass, UsageChunk,
};

/// Stream of Gemini 3 with thoughts, text and two calls, framed as Google does.
const STREAM: &str = concat!(
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"I look.\",\"thought\":true}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":9,\"totalTokenCount\":20,\"thoughtsTokenCount\":11},\"modelVersion\":\"gemini-3-flash\",\"responseId\":\"r1\"}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hel\"}],\"role\":\"model\"},\"index\":0}],\"modelVersion\":\"gemini-3-flash\",\"responseId\":\"r1\"}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"lo\"},{\"functionCall\":{\"name\":\"f\",\"args\":{\"n\":1.50}},\"thoughtSignature\":\"S+==\"},{\"functionCall\":{\"name\":\"f\",\"args\":{}}}],\"role\":\"model\"},\"index\":0}]}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":4,\"totalTokenCount\":24,\"thoughtsTokenCount\":11}}\r\n\r\n",
);

fn pieces(stream: &str) -> Vec<ProviderEvent> {
    let mut decoder = SseDecoder::new();
    decoder.push(stream.as_bytes());
    let mut reader = StreamReader::default();
    let mut pieces = Vec::new();
    while let Some(event) = decoder.next_event().expect("events") {
        pieces.extend(reader.read(&event).expect("pieces"));
    }
    pieces
}

fn events(pieces: Vec<ProviderEvent>) -> Vec<AnswerEvent> {
    let mut assembler = Assembler::new(Arc::new(ToolNames::default()), "seed");
    let pieces = pieces.into_iter().chain([ProviderEvent::End]);
    pieces.flat_map(|piece| assembler.push_event(piece).expect("events")).collect()
}

fn echo(delivery: Delivery) -> RequestEcho {
    let request = Arc::new(ModelRequest { delivery, ..request("hi") });
    RequestEcho { request, id: "made1".to_owned(), created_unix_s: 0 }
}

fn stream_of(events: &[AnswerEvent], delivery: Delivery) -> String {
    let mut writer = StreamWriter::new(echo(delivery));
    let mut out = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    String::from_utf8(out.to_vec()).expect("text")
}

fn finish(reason: FinishReason, word: &str) -> Finish {
    Finish { reason, word: word.to_owned(), stop_sequence: None }
}

#[test]
fn a_stream_is_read_piece_by_piece_and_never_says_end() {
    let read = pieces(STREAM);
    let call = |arguments: &str| ProviderEvent::Call {
        choice: 0,
        key: CallKey::Whole,
        id: None,
        name: Some("f".to_owned()),
        kind: CallKind::Function,
        arguments: arguments.to_owned(),
    };
    let text = |text: &str| ProviderEvent::Text { choice: 0, text: text.to_owned() };
    let content: Vec<_> =
        read.iter().filter(|piece| !matches!(piece, ProviderEvent::Usage(_))).cloned().collect();
    let (id, model) = (Some("r1".to_owned()), Some("gemini-3-flash".to_owned()));
    assert_eq!(
        content,
        [
            ProviderEvent::Begin { id, model },
            ProviderEvent::Thinking { choice: 0, text: "I look.".to_owned() },
            text("Hel"),
            text("lo"),
            ProviderEvent::PartDone { choice: 0 },
            ProviderEvent::Signature {
                choice: 0,
                signature: ThoughtSignature { origin: Dialect::Gemini, data: "S+==".to_owned() },
            },
            call(r#"{"n":1.50}"#),
            call("{}"),
            ProviderEvent::Finish { choice: 0, finish: finish(FinishReason::ToolUse, "STOP") },
        ]
    );
    let Some(ProviderEvent::Usage(report)) =
        read.iter().rfind(|p| matches!(p, ProviderEvent::Usage(_)))
    else {
        panic!("usage")
    };
    let tokens = report.tokens();
    assert_eq!((tokens.input_uncached, tokens.output_visible, tokens.reasoning), (9, 4, 11));
}

#[test]
fn every_finish_reason_has_its_meaning() {
    use FinishReason as R;
    let cases = [
        ("STOP", R::EndTurn),
        ("MAX_TOKENS", R::MaxTokens),
        ("SAFETY", R::Refusal),
        ("RECITATION", R::Refusal),
        ("PROHIBITED_CONTENT", R::Refusal),
        ("IMAGE_SAFETY", R::Refusal),
        ("MALFORMED_FUNCTION_CALL", R::Fault),
        ("MISSING_THOUGHT_SIGNATURE", R::Fault),
        ("SOMETHING_NEW", R::Fault),
    ];
    for (word, reason) in cases {
        let text = format!(r#"{{"candidates":[{{"finishReason":"{word}"}}]}}"#);
        let read = read_answer(&text).expect("an answer");
        let expected = ProviderEvent::Finish { choice: 0, finish: finish(reason, word) };
        assert_eq!(read, [expected, ProviderEvent::End], "{word}");
    }
}

#[test]
fn a_blocked_prompt_is_a_refusal_without_candidates() {
    let read = read_answer(
        r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":4}}"#,
    );
    let expected = finish(FinishReason::Refusal, "PROHIBITED_CONTENT");
    let last = ProviderEvent::Finish { choice: 0, finish: expected };
    assert_eq!(read.expect("an answer")[1..], [last, ProviderEvent::End]);
    assert_eq!(read_answer("{}"), Err(BadAnswer::NoChoices));
    assert_eq!(read_answer("[1"), Err(BadAnswer::NotJson));
    // Without a finish reason, the answer is incomplete and no end is emitted.
    let cut = read_answer(r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#);
    assert_eq!(cut, Ok(vec![ProviderEvent::Text { choice: 0, text: "a".to_owned() }]));
}

/// litellm#18201: the index of the choice.
#[test]
fn class_4_candidates_keep_their_indexes_and_parallel_calls_stay_apart() {
    let answer = r#"{"candidates":[
      {"index":1,"content":{"parts":[{"functionCall":{"name":"a","args":{}}},{"functionCall":{"name":"a","args":{}}}]},"finishReason":"STOP"},
      {"index":0,"content":{"parts":[{"text":"x"}]},"finishReason":"MAX_TOKENS"}]}"#;
    let folded = fold_events(events(read_answer(answer).expect("an answer")));
    let written = write_answer(&folded, &echo(Delivery::Whole));
    let body: Value = serde_json::from_slice(&written).expect("JSON");
    assert_eq!(body["candidates"][0]["finishReason"], "MAX_TOKENS");
    let calls = body["candidates"][1]["content"]["parts"].as_array().expect("parts");
    let ids: Vec<_> = calls.iter().map(|c| c["functionCall"]["id"].clone()).collect();
    assert_eq!(ids, ["call_seed_1_0", "call_seed_1_1"]);
}

#[test]
fn f46_errors_in_the_stream_are_classed() {
    for text in [
        r#"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#,
        r#"{"error":{"message":"overloaded","status":"UNAVAILABLE"}}"#,
    ] {
        let read = pieces(&format!("data: {text}\r\n\r\n"));
        let [ProviderEvent::Error(error)] = read.as_slice() else { panic!("an error: {read:?}") };
        assert_eq!((error.status, error.class), (503, UpstreamClass::Overloaded));
        assert!(matches!(read_answer(text), Err(BadAnswer::UpstreamError(_))));
    }
}

#[test]
fn a_stream_is_written_as_google_writes_it() {
    let written = stream_of(&events(pieces(STREAM)), Delivery::Stream(UsageChunk::Asked));
    let chunks: Vec<Value> = written
        .split_terminator("\r\n\r\n")
        .map(|event| {
            serde_json::from_str(event.strip_prefix("data: ").expect("data")).expect("JSON")
        })
        .collect();
    let parts: Vec<_> =
        chunks.iter().map(|c| c["candidates"][0]["content"]["parts"][0].clone()).collect();
    assert_eq!(
        parts,
        [
            json!({"thought": true, "text": "I look."}),
            json!({"text": "Hel"}),
            json!({"text": "lo"}),
            json!({"functionCall": {"id": "call_seed_0_0", "name": "f", "args": {"n": 1.5}}, "thoughtSignature": "S+=="}),
            json!({"functionCall": {"id": "call_seed_0_1", "name": "f", "args": {}}}),
            json!({"text": ""}),
        ]
    );
    assert!(written.contains(r#""args":{"n":1.50}"#), "numbers stay to the digit");
    let last = chunks.last().expect("chunks");
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    let usage = json!({"promptTokenCount": 9, "candidatesTokenCount": 4, "thoughtsTokenCount": 11, "totalTokenCount": 24});
    assert_eq!(last["usageMetadata"], usage);
    for chunk in &chunks {
        assert_eq!(
            (&chunk["modelVersion"], &chunk["responseId"]),
            (&json!("gemini-3-flash"), &json!("r1"))
        );
    }
    let early =
        chunks.iter().rev().skip(1).all(|c| c["candidates"][0].get("finishReason").is_none());
    assert!(early);
}

#[test]
fn a_stream_without_alt_sse_is_one_array() {
    let written = stream_of(&events(pieces(STREAM)), Delivery::StreamArray);
    let items: Vec<Value> = serde_json::from_str(&written).expect("one array");
    assert_eq!(items.len(), 6);
    assert_eq!(items[5]["candidates"][0]["finishReason"], "STOP");
}

#[test]
fn a_whole_answer_says_what_the_stream_said() {
    let folded = fold_events(events(pieces(STREAM)));
    let body: Value =
        serde_json::from_slice(&write_answer(&folded, &echo(Delivery::Whole))).expect("JSON");
    assert_eq!(
        body["candidates"][0]["content"],
        json!({"role": "model", "parts": [
            {"thought": true, "text": "I look."},
            {"text": "Hello"},
            {"functionCall": {"id": "call_seed_0_0", "name": "f", "args": {"n": 1.5}}, "thoughtSignature": "S+=="},
            {"functionCall": {"id": "call_seed_0_1", "name": "f", "args": {}}},
        ]})
    );
    assert_eq!(body["responseId"], "r1");
}

#[test]
fn f8_a_stream_that_breaks_ends_with_an_error_and_cleanly() {
    let error =
        ErrorAnswer { status: 502, kind: ErrorKind::Api, code: None, message: "cut", param: None };
    let events = events(pieces(STREAM));
    for (delivery, check) in
        [(Delivery::Stream(UsageChunk::Asked), false), (Delivery::StreamArray, true)]
    {
        let mut writer = StreamWriter::new(echo(delivery));
        let mut out = BytesMut::new();
        events.iter().take(4).for_each(|event| writer.write(event, &mut out));
        let event = writer.error_event(&error);
        out.extend_from_slice(&event);
        if check {
            let items: Vec<Value> = serde_json::from_slice(&out).expect("one array");
            assert_eq!(items.last().expect("items")["error"]["code"], 500);
        } else {
            assert!(event.starts_with(b"data: {\"error\":{") && event.ends_with(b"}}"));
        }
    }
}

fn exchange(model: &str, delivery: Delivery, kind: TargetKind) -> BackendExchange {
    let body = Bytes::from_static(br#"{"contents":[{"parts":[{"text":"hi"}]}]}"#);
    let request =
        ClientRequest::parse(ApiSurface::Gemini { model, delivery }, body).expect("a request");
    let (model, crossing) = (model.to_owned(), TranslationMode::Strict);
    let target = Target { kind, model, crossing, output_tokens_max: None };
    BackendExchange::new(&request, &target, "made1", 0).expect("an exchange")
}

#[test]
fn f9_a_stream_that_passes_is_whole_only_after_a_finish_reason() {
    let delivery = Delivery::Stream(UsageChunk::Asked);
    let whole = exchange("g", delivery, TargetKind::Gemini);
    let mut stream = whole.answer_stream();
    assert_eq!(stream.feed(STREAM.as_bytes()).relay, STREAM.as_bytes());
    assert_eq!(stream.finish(), StreamEnd::Complete { append: Bytes::new() });
    assert_eq!(stream.facts().model.as_deref(), Some("gemini-3-flash"));
    assert_eq!(stream.facts().finish_reason.as_deref(), Some("STOP"));
    let mut cut = whole.answer_stream();
    let end = STREAM.rfind("data: ").expect("the last event");
    cut.feed(&STREAM.as_bytes()[..end]);
    assert_eq!(cut.finish(), StreamEnd::Truncated);
}

#[test]
fn f9_a_stream_of_two_candidates_is_whole_when_both_finished() {
    let one = "data: {\"candidates\":[{\"index\":0,\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"},{\"index\":1,\"content\":{\"parts\":[{\"text\":\"b\"}]}}]}\r\n\r\n";
    let rest = "data: {\"candidates\":[{\"index\":1,\"finishReason\":\"STOP\"}]}\r\n\r\n";
    let whole = exchange("g", Delivery::Stream(UsageChunk::Asked), TargetKind::Gemini);
    let mut stream = whole.answer_stream();
    stream.feed(one.as_bytes());
    assert_eq!(stream.finish(), StreamEnd::Truncated);
    let mut stream = whole.answer_stream();
    stream.feed(one.as_bytes());
    stream.feed(rest.as_bytes());
    assert_eq!(stream.finish(), StreamEnd::Complete { append: Bytes::new() });
}

#[test]
fn a_stream_that_passes_becomes_an_array_for_who_did_not_ask_for_sse() {
    let whole = exchange("g", Delivery::StreamArray, TargetKind::Gemini);
    let mut stream = whole.answer_stream();
    let mut out = BytesMut::from(stream.feed(STREAM.as_bytes()).relay.as_ref());
    let StreamEnd::Complete { append } = stream.finish() else { panic!("whole") };
    out.extend_from_slice(&append);
    let items: Vec<Value> = serde_json::from_slice(&out).expect("one array");
    assert_eq!(items.len(), 4);
}

#[test]
fn f25_a_stream_that_nobody_asked_for_is_folded_into_one_answer() {
    let whole = exchange("g", Delivery::Whole, TargetKind::Gemini);
    let (body, facts) = whole.answer_from_stream(STREAM.as_bytes()).expect("an answer");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["candidates"][0]["content"]["parts"][1], json!({"text": "Hello"}));
    assert_eq!(facts.finish_reason.as_deref(), Some("STOP"));
    let end = STREAM.rfind("data: ").expect("the last event");
    assert_eq!(whole.answer_from_stream(&STREAM.as_bytes()[..end]), Err(BadAnswer::Truncated));
}

#[test]
fn f24_a_whole_answer_on_a_stream_request_is_played_as_a_stream() {
    let answer = Bytes::from_static(br#"{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}"#);
    let asked = exchange("g", Delivery::StreamArray, TargetKind::Gemini);
    let (body, _) = asked.stream_from_answer(&answer).expect("a stream");
    let items: Vec<Value> = serde_json::from_slice(&body).expect("one array");
    assert_eq!(items[0]["candidates"][0]["content"]["parts"][0]["text"], "hi");
    assert_eq!(items[1]["usageMetadata"]["totalTokenCount"], 2);
}
