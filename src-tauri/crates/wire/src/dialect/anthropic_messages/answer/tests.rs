//! Tests of complete answers.

use serde_json::{Value, json};

use super::*;
use crate::UpstreamClass;
use crate::neutral::{
    AnswerChoice, Finish, FinishReason, MediaContent, MediaKind, MediaSource, ThoughtSignature,
    ToolCall,
};
use crate::test_requests::{call, request};

fn written(parts: Vec<ContentPart>, reason: FinishReason) -> Value {
    let finish = Some(Finish { reason, word: "x".to_owned(), stop_sequence: None });
    let choices = vec![AnswerChoice { parts, finish }];
    let echo = RequestEcho {
        request: std::sync::Arc::new(request("hi")),
        id: "0a".to_owned(),
        created_unix_s: 7,
    };
    let answer = ModelAnswer { choices, ..ModelAnswer::default() };
    serde_json::from_slice(&write_answer(&answer, &echo)).expect("JSON")
}

#[test]
fn a_whole_answer_reads_like_its_stream() {
    let body = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
        {"type":"thinking","thinking":"hm","signature":"Eq"},{"type":"text","text":"Hi"},
        {"type":"server_tool_use","id":"s","name":"web_search","input":{}},
        {"type":"tool_use","id":"toolu_1","name":"f","input":{"x":1e400}}],
        "stop_reason":"tool_use","stop_sequence":null,
        "usage":{"input_tokens":10,"output_tokens":5}}"#;
    let pieces = read_answer(body).expect("an answer");
    let done = || ProviderEvent::PartDone { choice: 0 };
    let called = ProviderEvent::Call {
        choice: 0,
        key: CallKey::Whole,
        id: Some("toolu_1".to_owned()),
        name: Some("f".to_owned()),
        kind: CallKind::Function,
        arguments: r#"{"x":1e400}"#.to_owned(),
    };
    let head = [
        ProviderEvent::Begin { id: Some("msg_1".to_owned()), model: Some("claude-x".to_owned()) },
        ProviderEvent::Thinking { choice: 0, text: "hm".to_owned() },
        ProviderEvent::Signature { choice: 0, signature: own_signature("Eq".to_owned()) },
        done(),
        ProviderEvent::Text { choice: 0, text: "Hi".to_owned() },
        done(),
        called,
        done(),
    ];
    assert_eq!(pieces[..8], head);
    assert!(matches!(
        &pieces[8..],
        [ProviderEvent::Finish { .. }, ProviderEvent::Usage(_), ProviderEvent::End]
    ));
}

#[test]
fn f44_what_is_no_answer_is_named() {
    let bad = |body: &str| read_answer(body).expect_err("no answer");
    assert_eq!(bad(r#"{"content":[{"type":"te"#), BadAnswer::NotJson);
    assert_eq!(bad(r#"{"object":"list"}"#), BadAnswer::NoChoices);
    let body = r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#;
    let BadAnswer::UpstreamError(error) = bad(body) else { panic!("an error") };
    assert_eq!((error.status, error.class), (429, UpstreamClass::RateLimited));
}

#[test]
fn answers_have_the_shape_of_the_sdk() {
    let signature = |origin| Some(ThoughtSignature { origin, data: "s".to_owned() });
    let media = MediaContent {
        kind: MediaKind::Audio,
        source: MediaSource::Base64("x".to_owned()),
        media_type: None,
        detail: None,
        title: None,
    };
    let thinking =
        |text: &str, signature| ContentPart::Thinking { text: text.to_owned(), signature };
    let message = written(
        vec![
            thinking("hm", signature(Dialect::AnthropicMessages)),
            thinking("", signature(Dialect::Gemini)),
            thinking("", None),
            ContentPart::text(""),
            ContentPart::text("Hi"),
            ContentPart::Refusal("no".to_owned()),
            ContentPart::Media(media),
            call("toolu_1", "f", r#"{"x":1}"#),
        ],
        FinishReason::EndTurn,
    );
    let content = json!([
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "thinking", "thinking": "", "signature": "gh1.gemini.s"},
        {"type": "text", "text": "Hi"},
        {"type": "text", "text": "no"},
        {"type": "text",
         "text": "[The model returned audio (unknown type), which Anthropic Messages does not support.]"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}},
    ]);
    assert_eq!(message["content"], content);
    assert_eq!(message["stop_reason"], "tool_use");
    assert_eq!((&message["type"], &message["role"]), (&json!("message"), &json!("assistant")));
    assert_eq!((&message["id"], &message["model"]), (&json!("msg_0a"), &json!("m")));
    assert_eq!(message["usage"]["output_tokens"], 0);
}

/// maximhq/bifrost#3511: `input` must be an object whatever the model wrote (F54).
#[test]
fn class_19_input_is_always_an_object() {
    let cases = [
        ("", json!({})),
        (" null ", json!({})),
        ("{\"a\":", json!({"_raw": "{\"a\":"})),
        ("7", json!({"_raw": "7"})),
    ];
    for (arguments, input) in cases {
        let message = written(vec![call("a", "f", arguments)], FinishReason::ToolUse);
        assert_eq!(message["content"][0]["input"], input);
    }
    let big = arguments_object("{\"n\":123456789012345678901234567890,\"b\":1,\"a\":2}");
    assert_eq!(big.get(), "{\"n\":123456789012345678901234567890,\"b\":1,\"a\":2}");
    let ContentPart::ToolCall(ToolCall { id, .. }) = call("a", "f", "") else { unreachable!() };
    assert_eq!(id, "a");
}
