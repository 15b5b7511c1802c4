//! Tests of requests for Ollama and of its answers.

use bytes::Bytes;
use domain::TranslationMode;
use serde_json::{Value, json};

use super::*;
use crate::neutral::{
    ContentPart, MediaContent, MediaKind, MediaSource, Reasoning, Role, ThinkingEffort, ToolChoice,
};
use crate::test_requests::{call, message, request, result};
use crate::{
    ApiSurface, BackendExchange, ClientRequest, RequestError, SSE_EVENT_BYTES_MAX, StreamEnd,
    Target, TargetKind,
};

fn target(model: &str) -> Target {
    let (model, crossing) = (model.to_owned(), TranslationMode::Strict);
    Target { kind: TargetKind::Ollama, model, crossing, output_tokens_max: None }
}

fn written(request: &crate::neutral::ModelRequest, model: &str) -> Value {
    let written = write_request(request, &target(model)).expect("it crosses");
    serde_json::from_slice(&written.body).expect("JSON")
}

#[test]
fn a_request_is_in_ollamas_words() {
    let mut asked = request("look");
    asked.messages.insert(0, message(Role::System, vec![ContentPart::text("be brief")]));
    asked.messages[1].parts.push(ContentPart::Media(MediaContent {
        kind: MediaKind::Image,
        source: MediaSource::Base64("AAAA".to_owned()),
        media_type: None,
        detail: None,
        title: None,
    }));
    asked.messages.push(message(
        Role::Assistant,
        vec![call("1", "f", "{\"n\":1.50}"), call("2", "g", "no JSON")],
    ));
    asked.messages.push(message(Role::User, vec![result("2", "two"), result("1", "")]));
    asked.output_tokens_max = Some(9);
    asked.stop = vec!["END".to_owned()];
    let body = written(&asked, "llama");
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "look", "images": ["AAAA"]},
            {"role": "assistant", "content": "", "tool_calls": [
                {"function": {"name": "f", "arguments": {"n": 1.50}}},
                {"function": {"name": "g", "arguments": {"_raw": "no JSON"}}}]},
            {"role": "tool", "content": "", "tool_name": "f"},
            {"role": "tool", "content": "two", "tool_name": "g"},
        ])
    );
    assert_eq!(body["options"], json!({"num_predict": 9, "stop": ["END"]}));
    assert_eq!(body["stream"], false);
}

/// litellm#39354 and similar: models that cannot think refuse a thinking option.
#[test]
fn class_16_only_models_with_levels_get_one() {
    let mut asked = request("x");
    asked.reasoning = Reasoning::Effort { effort: ThinkingEffort::Max, visible: true };
    assert_eq!(written(&asked, "gpt-oss:20b")["think"], "high");
    assert!(written(&asked, "llama3").get("think").is_none());
    asked.reasoning = Reasoning::Off;
    assert_eq!(written(&asked, "llama3")["think"], false);
}

#[test]
fn what_it_has_no_word_for_is_refused_by_name() {
    let mut asked = request("x");
    asked.tool_choice = Some(ToolChoice::Required);
    let refused = write_request(&asked, &target("m")).expect_err("no such word");
    assert!(
        matches!(&refused, RequestError::Untranslatable { param, .. } if param == "tool_choice")
    );
}

fn exchange() -> BackendExchange {
    let body = json!({"model": "r", "stream": true, "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": "hi"}]});
    let request = ClientRequest::parse(ApiSurface::OpenAiChat, Bytes::from(body.to_string()));
    BackendExchange::new(&request.expect("a request"), &target("m"), "e", 7).expect("it crosses")
}

/// litellm#25605, #34692: calls come complete, without ids, and end with `stop`.
#[test]
fn class_5_lines_become_a_chat_stream_whose_calls_end_with_tool_calls() {
    let lines = "{\"model\":\"m\",\"message\":{\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n\
        {\"message\":{\"content\":\"so\"},\"done\":false}\r\n\n\
        {\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"n\":1.50}}},{\"function\":{\"name\":\"f\",\"arguments\":{}}}]},\"done\":false}\n\
        {\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":5,\"eval_count\":3}";
    for size in [1, 7, lines.len()] {
        let mut stream = exchange().answer_stream();
        let mut out = Vec::new();
        for chunk in lines.as_bytes().chunks(size) {
            out.extend_from_slice(&stream.feed(chunk).relay);
        }
        let StreamEnd::Complete { append } = stream.finish() else { panic!("it is whole") };
        out.extend_from_slice(&append);
        let text = String::from_utf8(out).expect("text");
        for expected in [
            "\"reasoning_content\":\"hm\"",
            "\"content\":\"so\"",
            "\\\"n\\\":1.50",
            "\"finish_reason\":\"tool_calls\"",
            "\"prompt_tokens\":5",
            "data: [DONE]",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
        assert_eq!(text.matches("\"id\":\"call_").count(), 2, "{text}");
        let usage = stream.facts().usage.clone().expect("usage");
        assert_eq!(usage.raw.as_deref(), Some("{\"prompt_eval_count\":5,\"eval_count\":3}"));
    }
}

#[test]
fn class_6_length_is_length_and_class_7_errors_are_errors() {
    let end = |lines: &str| {
        let mut stream = exchange().answer_stream();
        stream.feed(lines.as_bytes());
        let end = stream.finish();
        (end, stream.facts().finish_reason.clone())
    };
    let (whole, word) =
        end("{\"message\":{\"content\":\"a\"},\"done\":true,\"done_reason\":\"length\"}\n");
    assert!(matches!(whole, StreamEnd::Complete { .. }));
    assert_eq!(word.as_deref(), Some("length"));
    let (cut, _) = end("{\"message\":{\"content\":\"a\"},\"done\":false}\n");
    assert_eq!(cut, StreamEnd::Truncated);
    let (failed, _) = end("{\"message\":{\"content\":\"a\"}}\n{\"error\":\"the runner died\"}\n");
    assert!(
        matches!(failed, StreamEnd::UpstreamError(error) if error.message == "the runner died")
    );
    assert!(read_answer("{\"error\":\"no such model\"}").is_err());
}

#[test]
fn f17_a_line_has_the_limit_of_an_event() {
    let decoded = |bytes: usize| {
        let mut decoder = JsonLineDecoder::default();
        decoder.push(&vec![b'x'; bytes - 1]);
        assert_eq!(decoder.next_event(), Ok(None));
        decoder.push(b"\n");
        decoder.next_event().map(|event| event.is_some())
    };
    assert_eq!(decoded(SSE_EVENT_BYTES_MAX), Ok(true));
    assert!(decoded(SSE_EVENT_BYTES_MAX + 1).is_err());
}
