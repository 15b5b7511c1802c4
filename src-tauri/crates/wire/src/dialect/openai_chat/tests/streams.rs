//! Regular and broken streams of servers, as clients receive them.

use proptest::prelude::*;

use super::*;
use crate::{BadAnswer, StreamFault};

/// litellm#25836, #25561, #25605: arguments of streamed calls were dropped.
#[test]
fn class_1_streamed_arguments_arrive_in_full() {
    let mut chunks = vec![delta(
        &tool(&json!({"index": 0, "id": "a", "type": "function",
        "function": {"name": "f", "arguments": ""}})),
        None,
    )];
    let arguments = "{\"city\":\"Paris\"}";
    for c in arguments.chars() {
        let piece = json!({"index": 0, "function": {"arguments": c.to_string()}});
        chunks.push(delta(&tool(&piece), None));
    }
    chunks.push(delta(&json!({}), Some("tool_calls")));
    let out = rewritten(&chunks, UsageChunk::NotAsked);
    assert_eq!(calls_of(&out), [triple("a", "f", arguments)]);
}

/// litellm#18238: a delta with text and a call lost the call's name.
#[test]
fn class_2_and_f53_text_and_a_call_in_one_delta_both_survive() {
    let both = json!({"content": "look: ", "tool_calls": [{"index": 0, "id": "a",
        "function": {"name": "f", "arguments": "{}"}}]});
    let out = rewritten(&[delta(&both, Some("tool_calls"))], UsageChunk::NotAsked);
    assert_eq!(text_of(&out, "content"), "look: ");
    assert_eq!(calls_of(&out), [triple("a", "f", "{}")]);
}

/// litellm#15884, #36262: calls without id, name or index, or with index -1.
#[test]
fn class_3_and_f51_calls_without_ids_or_indexes_are_whole() {
    let out = rewritten(
        &[
            delta(
                &tool(&json!({"index": -1, "function": {"name": "f", "arguments": "{\"a\""}})),
                None,
            ),
            delta(&tool(&json!({"function": {"name": "", "arguments": ":1}"}})), None),
            delta(&json!({}), Some("stop")),
        ],
        UsageChunk::NotAsked,
    );
    let calls = calls_of(&out);
    assert_eq!((calls.len(), calls[0].1.as_str(), calls[0].2.as_str()), (1, "f", "{\"a\":1}"));
    assert!(!calls[0].0.is_empty());
    let object = json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": {"n": 1}}});
    let out = rewritten(&[delta(&tool(&object), Some("stop"))], UsageChunk::NotAsked);
    assert_eq!(calls_of(&out), [triple("a", "f", "{\"n\":1}")]);
    for empty in [json!(null), json!("")] {
        let call = json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": empty}});
        let out = rewritten(&[delta(&tool(&call), Some("stop"))], UsageChunk::NotAsked);
        assert_eq!(calls_of(&out), [triple("a", "f", "{}")]);
    }
}

/// litellm#21331, #17425, #15307, #18201: every parallel call had index 0.
#[test]
fn class_4_and_f52_parallel_calls_stay_apart() {
    let begin = |index: usize, id: &str| {
        tool(&json!({"index": index, "id": id, "function": {"name": id, "arguments": ""}}))
    };
    let more =
        |index: usize, text: &str| tool(&json!({"index": index, "function": {"arguments": text}}));
    let out = rewritten(
        &[
            delta(&begin(0, "a"), None),
            delta(&begin(1, "b"), None),
            delta(&more(0, "{\"x\":"), None),
            delta(&more(1, "{\"y\":"), None),
            delta(&more(0, "1}"), None),
            delta(&more(1, "2}"), None),
            delta(&json!({}), Some("tool_calls")),
        ],
        UsageChunk::NotAsked,
    );
    assert_eq!(calls_of(&out), [triple("a", "a", "{\"x\":1}"), triple("b", "b", "{\"y\":2}")]);
    let same_index = |id: &str| {
        tool(&json!({"index": 0, "id": id, "function": {"name": "f", "arguments": "{}"}}))
    };
    let out = rewritten(
        &[delta(&same_index("a"), None), delta(&same_index("b"), Some("tool_calls"))],
        UsageChunk::NotAsked,
    );
    assert_eq!(calls_of(&out), [triple("a", "f", "{}"), triple("b", "f", "{}")]);
}

/// litellm#34692: calls must end with `tool_calls`, even if a server sends `stop` (Ollama).
#[test]
fn class_5_calls_end_with_tool_calls_and_no_empty_text() {
    let call = json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}});
    let chunks = [
        delta(&json!({"role": "assistant", "content": ""}), None),
        delta(&tool(&call), Some("stop")),
    ];
    let out = rewritten(&chunks, UsageChunk::NotAsked);
    assert_eq!(reason_of(&out), ["tool_calls"]);
    let answer = fold_events(events(&stream(&chunks)));
    assert_eq!(answer.choices[0].parts.len(), 1);
    assert_eq!(answer.choices[0].finish.as_ref().expect("a reason").word, "stop");
}

/// litellm#25825, #37710, ironclaw#6697: truncation was reported as a normal stop.
#[test]
fn class_6_truncation_stays_truncation() {
    let out = rewritten(&[delta(&json!({"content": "a"}), Some("length"))], UsageChunk::NotAsked);
    assert_eq!(reason_of(&out), ["length"]);
    let reason = |word: &str| {
        let answer = fold_events(events(&stream(&[delta(&json!({"content": "a"}), Some(word))])));
        answer.choices[0].finish.as_ref().expect("a reason").reason
    };
    assert_eq!(reason("content_filter"), FinishReason::Refusal);
    assert_eq!(reason("model_context_window_exceeded"), FinishReason::ContextWindow);
    assert_eq!(reason("error"), FinishReason::Fault);
    assert_eq!(reason("eos"), FinishReason::EndTurn);
}

/// litellm#42005, #27425, llama.cpp#22684: thinking is not text, and calls survive it.
#[test]
fn class_17_thinking_is_neither_text_nor_lost_on_replay() {
    let call = json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}});
    for key in ["reasoning_content", "reasoning"] {
        let chunks =
            [delta(&json!({key: "I think"}), None), delta(&tool(&call), Some("tool_calls"))];
        let out = rewritten(&chunks, UsageChunk::NotAsked);
        assert_eq!(
            (text_of(&out, "content").as_str(), text_of(&out, "reasoning_content").as_str()),
            ("", "I think")
        );
        assert_eq!(calls_of(&out).len(), 1);
    }
    let mut history = request("go");
    history.messages.push(message(
        Role::Assistant,
        vec![
            ContentPart::Thinking { text: "plain".to_owned(), signature: None },
            ContentPart::Thinking {
                text: "foreign".to_owned(),
                signature: Some(signature(Dialect::AnthropicMessages, "s")),
            },
            call_part(),
        ],
    ));
    history.messages.push(message(Role::User, vec![result("1", "done")]));
    let body = written(&history);
    assert_eq!(body["messages"][1]["reasoning_content"], "plain");
    assert!(!body.to_string().contains("foreign"), "{body}");
    history.messages.push(message(Role::User, vec![ContentPart::text("next")]));
    assert!(written(&history)["messages"][1].get("reasoning_content").is_none());
}

#[test]
fn f49_the_usage_chunk_comes_only_if_asked_for() {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}});
    let chunks = [delta(&json!({"content": "a"}), Some("stop")), usage];
    let asked = rewritten(&chunks, UsageChunk::Asked);
    let last = asked.last().expect("chunks");
    assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json!([]), &json!(7)));
    assert!(asked[0]["usage"].is_null() && asked[0].get("usage").is_some());
    let silent = rewritten(&chunks, UsageChunk::NotAsked);
    assert!(silent.iter().all(|chunk| chunk.get("usage").is_none()));
}

#[test]
fn f47_the_tap_measures_what_came() {
    let mut tap = ChatTap::new(UsageChunk::Asked);
    let call = json!({"index": 0, "function": {"arguments": "{\"a\":1}"}});
    let chunks = [
        delta(&json!({"content": "four", "reasoning": "xx"}), None),
        delta(&tool(&call), Some("stop")),
    ];
    tap.feed(stream(&chunks).as_bytes());
    assert_eq!(tap.facts().content_bytes, 4 + 2 + 9, "escapes count as they stand");
    assert!(matches!(tap.finish(), StreamEnd::Complete { .. }));
}

/// F10 to F13 for a translated answer: a missing `[DONE]`, an early one, one too many, text and
/// reasons after the end.
#[test]
fn f10_to_f13_ends_are_judged_by_the_finish_reason() {
    let text = json!({"content": "a"});
    let done = "data: [DONE]\n\n";
    let event = |chunk: &Value| format!("data: {chunk}\n\n");
    let said = event(&delta(&text, None));
    let finished = event(&delta(&json!({}), Some("stop")));
    let end = |stream: &str| crossed(stream, stream.len()).1;
    assert!(is_whole(&end(&format!("{said}{finished}"))), "f10");
    assert_eq!(end(&format!("{said}{done}")), StreamEnd::Truncated, "f11");
    assert_eq!(end(&said), StreamEnd::Truncated, "f9");
    let (once, _) = crossed(&format!("{said}{finished}{done}"), 4_096);
    let (twice, end_twice) = crossed(&format!("{said}{finished}{done}{done}{said}"), 4_096);
    assert!(once == twice && is_whole(&end_twice), "f12");
    let again = event(&delta(&json!({"content": "late"}), Some("length")));
    let (late, end_late) = crossed(&format!("{said}{finished}{again}{done}"), 4_096);
    assert!(late == once && is_whole(&end_late), "f13");
    let call = tool(&json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}));
    let late_call = format!("{said}{finished}{}", event(&delta(&call, None)));
    assert_eq!(end(&late_call), StreamEnd::Broken(StreamFault::LateToolCall), "f13");
}

#[test]
fn f44_to_f46_errors_with_status_200_are_errors() {
    let body =
        Bytes::from_static(br#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#);
    let Err(BadAnswer::UpstreamError(error)) = crossing().translate_answer(&body) else {
        panic!("f44")
    };
    assert_eq!((error.status, error.message.as_str()), (429, "slow down"));
    let in_band = "data: {\"error\":{\"message\":\"x\",\"code\":503}}\n\n";
    let (before, end) = crossed(in_band, 9);
    assert!(before.is_empty() && matches!(end, StreamEnd::UpstreamError(_)), "f45");
    let said =
        stream(&[delta(&json!({"content": "a"}), None)]).replace("data: [DONE]\n\n", in_band);
    let (before, end) = crossed(&said, 9);
    assert!(!before.is_empty() && matches!(end, StreamEnd::UpstreamError(_)), "f46");
}

#[test]
fn f48_the_last_usage_counts_and_null_is_none() {
    let with = |usage: Value| {
        let mut chunk = delta(&json!({"content": "a"}), None);
        chunk["usage"] = usage;
        chunk
    };
    let counts = |count: u64| json!({"prompt_tokens": 5, "completion_tokens": count});
    let chunks =
        [with(json!(null)), with(counts(1)), with(counts(2)), delta(&json!({}), Some("stop"))];
    let answer = fold_events(events(&stream(&chunks)));
    assert_eq!(answer.usage.expect("usage").tokens().total(), 7);
}

/// F54: arguments that are not JSON stay as the model wrote them, for a client that takes a string.
#[test]
fn f54_arguments_that_are_no_json_stay_visible() {
    let call =
        json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{\"a\": oops"}});
    let out = rewritten(&[delta(&tool(&call), Some("tool_calls"))], UsageChunk::NotAsked);
    assert_eq!(calls_of(&out), [triple("a", "f", "{\"a\": oops")]);
}

/// An exchange between a Responses client and a Chat server.
fn crossing() -> BackendExchange {
    let body = Bytes::from_static(br#"{"model":"m","input":"hi","stream":true}"#);
    let request = ClientRequest::parse(ApiSurface::OpenAiResponses, body).expect("a request");
    BackendExchange::new(&request, &target(&[], TranslationMode::Strict), "e", 7)
        .expect("it crosses")
}

/// What that client receives for a stream in chunks of `size` bytes.
fn crossed(stream: &str, size: usize) -> (Vec<u8>, StreamEnd) {
    let mut answer = crossing().answer_stream();
    let mut out = Vec::new();
    for piece in stream.as_bytes().chunks(size.max(1)) {
        out.extend_from_slice(&answer.feed(piece).relay);
    }
    let end = answer.finish();
    if let StreamEnd::Complete { append } = &end {
        out.extend_from_slice(append);
    }
    (out, end)
}

fn is_whole(end: &StreamEnd) -> bool {
    matches!(end, StreamEnd::Complete { .. })
}

proptest! {
    /// F16: the client gets the same, however the bytes are split.
    #[test]
    fn f16_the_split_of_the_bytes_changes_nothing(
        words in prop::collection::vec("[a-zé😀\\n\\r\"]{0,6}", 1..6),
        size in 1_usize..40,
    ) {
        let mut chunks: Vec<Value> =
            words.iter().map(|word| delta(&json!({"content": word}), None)).collect();
        chunks.push(delta(&json!({}), Some("stop")));
        let text = stream(&chunks);
        prop_assert_eq!(crossed(&text, size), crossed(&text, text.len()));
    }

    /// A conversation parsed from Chat is written to a Chat server turn by turn as it was.
    #[test]
    fn a_conversation_survives_reading_and_writing(
        turns in prop::collection::vec((prop::bool::ANY, "[a-z]{1,8}"), 1..8),
    ) {
        let messages: Vec<Value> = turns
            .iter()
            .map(|(is_user, text)| {
                json!({"role": if *is_user { "user" } else { "assistant" }, "content": text})
            })
            .collect();
        let body = written(&read(&json!({"messages": messages})));
        prop_assert_eq!(&body["messages"], &Value::from(messages));
    }
}
