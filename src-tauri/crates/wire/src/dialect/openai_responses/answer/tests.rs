//! Whole answers of backends.

use super::*;
use crate::UpstreamClass;

fn read(text: &str) -> Vec<ProviderEvent> {
    read_answer(text).expect("an answer")
}

fn finish(pieces: &[ProviderEvent]) -> (FinishReason, &str) {
    let found = pieces.iter().find_map(|piece| match piece {
        ProviderEvent::Finish { finish, .. } => Some((finish.reason, finish.word.as_str())),
        _ => None,
    });
    found.expect("a reason")
}

#[test]
fn a_whole_answer_says_what_a_stream_would() {
    let pieces = read(
        r#"{"id":"resp_1","object":"response","status":"completed","model":"gpt-x","error":null,
        "output":[{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"},
          {"type":"summary_text","text":"b"}],"encrypted_content":"enc"},
         {"type":"reasoning","summary":[],"encrypted_content":"only"},
         {"type":"web_search_call","id":"ws_1","status":"completed"},
         {"type":"message","content":[{"type":"output_text","text":"\ud83dHi","annotations":[]}]},
         {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}"},
         {"type":"custom_tool_call","id":"ctc_1","call_id":"call_2","name":"g","input":"raw"}],
        "usage":{"input_tokens":3,"output_tokens":2}}"#,
    );
    let done = || ProviderEvent::PartDone { choice: 0 };
    let signature =
        |data: &str| ThoughtSignature { origin: Dialect::OpenAiResponses, data: data.to_owned() };
    let call = |id: &str, name: &str, kind, arguments: &str| ProviderEvent::Call {
        choice: 0,
        key: CallKey::Whole,
        id: Some(id.to_owned()),
        name: Some(name.to_owned()),
        kind,
        arguments: arguments.to_owned(),
    };
    assert_eq!(
        pieces[..pieces.len() - 3],
        [
            ProviderEvent::Begin { id: Some("resp_1".to_owned()), model: Some("gpt-x".to_owned()) },
            ProviderEvent::Thinking { choice: 0, text: "a\n\nb".to_owned() },
            ProviderEvent::Signature { choice: 0, signature: signature("enc") },
            done(),
            ProviderEvent::RedactedThinking { choice: 0, signature: signature("only") },
            done(),
            ProviderEvent::Text { choice: 0, text: "\u{fffd}Hi".to_owned() },
            done(),
            call("call_1", "f", CallKind::Function, r#"{"a":1}"#),
            call("call_2", "g", CallKind::Custom, "raw"),
        ]
    );
    assert_eq!(finish(&pieces), (FinishReason::ToolUse, "completed"));
    assert_eq!(pieces.last(), Some(&ProviderEvent::End));
}

#[test]
fn class_6_a_cut_answer_says_so_whatever_its_reason() {
    let cut = |details: &str| {
        read(&format!(
            r#"{{"status":"incomplete","incomplete_details":{details},"output":[
            {{"type":"function_call","call_id":"c","name":"f","arguments":""}}]}}"#
        ))
    };
    let reason = cut(r#"{"reason":"max_output_tokens"}"#);
    assert_eq!(finish(&reason), (FinishReason::MaxTokens, "max_output_tokens"));
    let filtered = cut(r#"{"reason":"content_filter"}"#);
    assert_eq!(finish(&filtered), (FinishReason::Refusal, "content_filter"));
    assert_eq!(finish(&cut("null")), (FinishReason::MaxTokens, "incomplete"));
    let refused = read(
        r#"{"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"no"}]}]}"#,
    );
    assert_eq!(finish(&refused).0, FinishReason::Refusal);
}

#[test]
fn f21_f44_what_is_no_answer_is_named() {
    let bad = |text: &str| read_answer(text).expect_err("no answer");
    assert_eq!(bad("{\"output\":["), BadAnswer::NotJson);
    assert_eq!(bad(r#"{"object":"list"}"#), BadAnswer::NoChoices);
    assert_eq!(bad(r#"{"output":3}"#), BadAnswer::NotJson);
    assert_eq!(bad(r#"{"status":"in_progress","output":[]}"#), BadAnswer::Truncated);
    let failed = bad(
        r#"{"status":"failed","output":[],"error":{"code":"rate_limit_exceeded","message":"slow down"}}"#,
    );
    let BadAnswer::UpstreamError(error) = failed else { panic!("an error: {failed:?}") };
    assert_eq!((error.status, error.class), (429, UpstreamClass::RateLimited));
    assert_eq!(error.message, "slow down");
    assert!(matches!(bad(r#"{"status":"failed"}"#), BadAnswer::UpstreamError(_)));
}
