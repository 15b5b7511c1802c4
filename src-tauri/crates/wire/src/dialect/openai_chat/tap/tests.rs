//! How streams end: one case for each way they break, numbered as in the fault table.

use super::*;
use crate::{MODEL_NAME_BYTES_MAX, SSE_EVENT_BYTES_MAX, UpstreamClass, UpstreamError};

const ROLE: &str =
    r#"{"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#;
const HI: &str = r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
const TOOL: &str = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0}]}}]}"#;
const DONE: &str = "[DONE]";

fn stream(chunks: &[&str]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect()
}

struct TapResult {
    relay: String,
    flow: Flow,
    content_seen: bool,
    late_chunks: u32,
    end: StreamEnd,
    facts: AnswerFacts,
}

fn tap_bytes(usage_chunk: UsageChunk, bytes: &[u8]) -> TapResult {
    let mut tap = ChatTap::new(usage_chunk);
    let TapOutput { relay, flow } = tap.feed(bytes);
    let relay = String::from_utf8(relay.to_vec()).expect("only UTF-8 is relayed");
    let (content_seen, late_chunks) = (tap.content_seen(), tap.late_chunks());
    let end = tap.finish();
    let facts = tap.facts().clone();
    TapResult { relay, flow, content_seen, late_chunks, end, facts }
}

fn tap(chunks: &[&str]) -> TapResult {
    tap_bytes(UsageChunk::NotAsked, stream(chunks).as_bytes())
}

fn complete(append: &str) -> StreamEnd {
    StreamEnd::Complete { append: Bytes::copy_from_slice(append.as_bytes()) }
}

#[test]
fn a_regular_stream_passes_untouched_but_for_usage_nobody_asked_for() {
    let seen = tap(&[ROLE, HI, STOP, USAGE, DONE]);
    assert_eq!(seen.relay, stream(&[ROLE, HI, STOP, DONE]));
    assert_eq!((seen.end, seen.flow), (complete(""), Flow::Stop));
    assert_eq!(seen.facts.model.as_deref(), Some("gpt-x"));
    assert_eq!(seen.facts.finish_reason.as_deref(), Some("stop"));
    assert_eq!(seen.facts.usage.expect("usage").tokens().total(), 5);
    assert!(seen.content_seen);
    let all = stream(&[ROLE, HI, STOP, USAGE, DONE]);
    assert_eq!(tap_bytes(UsageChunk::Asked, all.as_bytes()).relay, all);
}

#[test]
fn foreign_spelling_is_relayed_byte_for_byte() {
    let text = ": hello\r\n\r\ndata:{\"choices\":[{\"delta\":{\"content\":\"\\ud800\"}}],\"x\":1e400}\r\n\
        id: 3\r\n\r\n\ndata: {\"choices\":[],\"prompt_filter_results\":[]}\n\n\
        data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\r\rdata: [DONE]\r\r";
    let seen = tap_bytes(UsageChunk::NotAsked, text.as_bytes());
    assert_eq!((seen.relay.as_str(), seen.end), (text, complete("")));
}

#[test]
fn content_is_text_reasoning_or_a_tool_call_and_not_the_role() {
    assert!(!tap(&[ROLE]).content_seen);
    assert!(tap(&[ROLE, HI]).content_seen);
    assert!(tap(&[TOOL]).content_seen);
    assert!(tap(&[r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#]).content_seen);
    assert!(!tap(&[r#"{"choices":[{"delta":{"content":null,"tool_calls":[]}}]}"#]).content_seen);
}

#[test]
fn f9_bytes_that_end_without_a_finish_reason_are_truncated() {
    for chunks in [&[][..], &[ROLE], &[ROLE, HI], &[ROLE, HI, USAGE]] {
        let seen = tap(chunks);
        assert_eq!((seen.end, seen.flow), (StreamEnd::Truncated, Flow::More), "{chunks:?}");
    }
}

#[test]
fn f10_a_missing_done_is_written() {
    assert_eq!(tap(&[HI, STOP]).end, complete("data: [DONE]\n\n"));
    assert_eq!(tap(&[HI, STOP, USAGE]).end, complete("data: [DONE]\n\n"));
    let unfinished = |rest: &str| {
        let text = format!("{}data: {rest}", stream(&[HI, STOP]));
        tap_bytes(UsageChunk::Asked, text.as_bytes()).end
    };
    assert_eq!(unfinished("[DONE]"), complete("data: [DONE]\n\n"));
    assert_eq!(unfinished("[DONE]\n"), complete("data: [DONE]\n\n"));
    assert_eq!(unfinished("[DO"), complete("data: [DONE]\n\n"));
    assert_eq!(unfinished(USAGE), complete(&stream(&[USAGE, DONE])));
    let no_blank_line = format!("{}data: {STOP}\n", stream(&[HI]));
    let seen = tap_bytes(UsageChunk::Asked, no_blank_line.as_bytes());
    assert_eq!(seen.end, complete(&format!("data: {STOP}\n\n\n{}", stream(&[DONE]))));
    let torn = format!("{}data: {}", stream(&[HI]), &STOP[..20]);
    assert_eq!(tap_bytes(UsageChunk::Asked, torn.as_bytes()).end, StreamEnd::Truncated);
}

#[test]
fn f11_an_early_done_is_a_truncation_and_not_relayed() {
    let seen = tap(&[HI, DONE]);
    assert_eq!((seen.relay, seen.end), (stream(&[HI]), StreamEnd::Truncated));
    let two = r#"{"choices":[{"index":1,"delta":{"content":"x"}}]}"#;
    assert_eq!(
        tap(&[HI, two, STOP, DONE]).end,
        StreamEnd::Truncated,
        "one of two choices finished"
    );
}

#[test]
fn f12_nothing_after_done_is_relayed() {
    let mut tap = ChatTap::new(UsageChunk::NotAsked);
    let first = tap.feed(stream(&[HI, STOP, DONE, DONE, HI, "{garbage"]).as_bytes());
    assert_eq!((first.relay, first.flow), (Bytes::from(stream(&[HI, STOP, DONE])), Flow::Stop));
    let later = tap.feed(stream(&[HI]).as_bytes());
    assert_eq!((later.relay, later.flow), (Bytes::new(), Flow::Stop));
    assert_eq!(tap.finish(), complete(""));
}

#[test]
fn f13_the_first_finish_reason_stands() {
    let length = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
    let seen = tap(&[HI, STOP, length, HI, STOP, DONE]);
    assert_eq!(seen.relay, stream(&[HI, STOP, STOP, DONE]));
    assert_eq!((seen.end, seen.late_chunks), (complete(""), 2));
    assert_eq!(seen.facts.finish_reason.as_deref(), Some("stop"));
    let late_tool = tap(&[HI, STOP, TOOL]);
    assert_eq!(late_tool.end, StreamEnd::Broken(StreamFault::LateToolCall));
    assert_eq!(late_tool.relay, stream(&[HI, STOP]));
}

#[test]
fn usage_in_a_late_chunk_still_reaches_who_asked() {
    let late = r#"{"id":1,"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":1}}"#;
    let text = stream(&[HI, STOP, late, DONE]);
    let seen = tap_bytes(UsageChunk::Asked, text.as_bytes());
    let usage = r#"{"id":1,"choices":[],"usage":{"prompt_tokens":1}}"#;
    assert_eq!(seen.relay, stream(&[HI, STOP, usage, DONE]));
    assert_eq!(tap(&[HI, STOP, late, DONE]).relay, stream(&[HI, STOP, DONE]));
}

#[test]
fn f17_f27_broken_bytes_are_not_relayed() {
    let huge = [b"data: ".to_vec(), vec![b'x'; SSE_EVENT_BYTES_MAX]].concat();
    let seen = tap_bytes(UsageChunk::NotAsked, &huge);
    assert_eq!(seen.end, StreamEnd::Broken(StreamFault::EventTooLarge));
    assert_eq!((seen.relay.as_str(), seen.flow), ("", Flow::Stop));
    for bytes in
        [&b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}\n\n"[..], b": \xff\n\n"]
    {
        let seen = tap_bytes(UsageChunk::NotAsked, bytes);
        assert_eq!(seen.end, StreamEnd::Broken(StreamFault::InvalidUtf8));
    }
    for data in ["{garbage", "[1]", "3", "{\"choices\":3}", "{\"choices\":[3]}", "{\"x\":NaN}"] {
        let seen = tap(&[HI, data, HI]);
        assert_eq!(seen.end, StreamEnd::Broken(StreamFault::NotJson), "{data}");
        assert_eq!(seen.relay, stream(&[HI]));
    }
    let page = tap_bytes(UsageChunk::NotAsked, b"<html>\n\n<p>sign in</p>\n\n</html>");
    assert_eq!((page.relay.as_str(), page.end), ("", StreamEnd::Truncated));
}

#[test]
fn f45_f46_in_band_errors_are_classed_and_held_back() {
    let error = r#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#;
    let first = tap(&[error, HI]);
    assert!(!first.content_seen && first.relay.is_empty());
    let StreamEnd::UpstreamError(told) = first.end else { panic!("an error") };
    assert_eq!((told.class, told.message.as_str()), (UpstreamClass::RateLimited, "slow down"));
    let with_choices =
        r#"{"error":{"message":"x","code":502},"choices":[{"finish_reason":"error"}]}"#;
    let middle = tap(&[HI, with_choices, DONE]);
    assert_eq!((middle.relay, middle.flow), (stream(&[HI]), Flow::Stop));
    assert!(matches!(middle.end, StreamEnd::UpstreamError(UpstreamError { status: 502, .. })));
    let named = tap_bytes(UsageChunk::NotAsked, b"event: error\ndata: {\"message\":\"x\"}\n\n");
    assert!(matches!(named.end, StreamEnd::UpstreamError(_)));
    assert_eq!(
        tap(&[r#"{"error":null,"choices":[{"finish_reason":"stop"}]}"#, DONE]).end,
        complete("")
    );
    let cut = tap_bytes(UsageChunk::NotAsked, format!("data: {error}").as_bytes());
    assert!(matches!(cut.end, StreamEnd::UpstreamError(_)), "also without its blank line");
}

#[test]
fn f48_f49_the_last_usage_wins_and_null_is_none() {
    let with =
        |usage: &str| format!(r#"{{"choices":[{{"delta":{{"content":"x"}}}}],"usage":{usage}}}"#);
    let (one, two, null) =
        (with(r#"{"completion_tokens":1}"#), with(r#"{"completion_tokens":2}"#), with("null"));
    let seen = tap(&[&one, &two, &null, STOP, DONE]);
    assert_eq!(seen.relay, stream(&[&one, &two, &null, STOP, DONE]), "left alone");
    let report = seen.facts.usage.expect("usage");
    assert_eq!(report.tokens().output(), 2);
    assert_eq!(report.raw.as_deref(), Some(r#"{"completion_tokens":2}"#));
    assert_eq!(tap(&[HI, STOP, DONE]).facts.usage, None, "F47: unknown, not zero");
}

#[test]
fn empty_data_is_dropped_and_a_chunk_late_in_part_is_not() {
    let seen = tap(&[HI, "", " ", STOP, DONE]);
    assert_eq!((seen.relay, seen.end), (stream(&[HI, STOP, DONE]), complete("")));
    let both = r#"{"choices":[{"delta":{"content":"x"}},{"index":1,"finish_reason":"stop"}]}"#;
    let seen = tap(&[HI, STOP, both, DONE]);
    assert_eq!((seen.relay, seen.late_chunks), (stream(&[HI, STOP, both, DONE]), 0));
}

#[test]
fn choices_are_bounded() {
    let choices = |count: usize| {
        let all: Vec<_> =
            (0..count).map(|n| format!(r#"{{"index":{n},"finish_reason":"stop"}}"#)).collect();
        format!(r#"{{"choices":[{}]}}"#, all.join(","))
    };
    assert_eq!(tap(&[&choices(CHOICES_MAX), DONE]).end, complete(""));
    let over = StreamEnd::Broken(StreamFault::TooManyChoices);
    assert_eq!(tap(&[&choices(CHOICES_MAX + 1)]).end, over);
    let one_more = format!(r#"{{"choices":[{{"index":{CHOICES_MAX}}}]}}"#);
    assert_eq!(tap(&[&choices(CHOICES_MAX), &one_more]).end, over);
}

#[test]
fn a_model_name_that_is_none_is_not_kept() {
    for name in ["", "a\\n", &"x".repeat(MODEL_NAME_BYTES_MAX + 1)] {
        let chunk = format!(r#"{{"model":"{name}","choices":[]}}"#);
        assert_eq!(tap(&[&chunk]).facts.model, None, "{name}");
    }
}
