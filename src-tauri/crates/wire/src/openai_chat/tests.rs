//! Chat Completions read, crossed and written: the bug classes and faults that concern it.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use domain::{Crossing, Dialect, Lack};
use serde_json::{Value, json};

use super::*;
use crate::assemble::Assembler;
use crate::dialect::{Echo, StreamReader as _, StreamWriter as _};
use crate::fold::fold;
use crate::names::ToolNames;
use crate::neutral::{
    CallKind, Event, FinishReason, Json, Message, OutputFormat, Part, Reasoning, Request, Role,
    Signature, ToolChoice, ToolResult,
};
use crate::test_requests::{call, message, request, result};
use crate::{
    ClientRequest, Delivery, Exchange, RequestError, SseDecoder, StreamEnd, Surface, Target,
    TargetKind, UsageChunk,
};

fn target(lacks: &[Lack], crossing: Crossing) -> Target {
    let lacks: BTreeSet<_> = lacks.iter().copied().collect();
    let kind = TargetKind::OpenAiCompatible { lacks, offers: BTreeSet::new() };
    Target { kind, model: "m2".to_owned(), crossing, output_tokens_max: None }
}

fn read(body: &Value) -> Request {
    read_request(&body.to_string(), "m", Delivery::Whole).expect("a good request")
}

fn written(request: &Request) -> Value {
    let written = write_request(request, &target(&[], Crossing::Strict)).expect("it crosses");
    serde_json::from_slice(&written.body).expect("JSON")
}

/// The events of a backend's stream.
fn events(stream: &str) -> Vec<Event> {
    let mut decoder = SseDecoder::new();
    decoder.push(stream.as_bytes());
    let mut reader = StreamReader::default();
    let mut assembler = Assembler::new(Arc::new(ToolNames::default()), "seed");
    let mut events = Vec::new();
    while let Some(event) = decoder.next_event().expect("small") {
        for piece in reader.read(&event).expect("the dialect") {
            events.extend(assembler.take(piece).expect("an answer"));
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

/// What a client gets of a backend's stream, chunk by chunk.
fn rewritten(chunks: &[Value], usage: UsageChunk) -> Vec<Value> {
    let mut neutral = request("hi");
    neutral.delivery = Delivery::Stream(usage);
    let echo = Echo { request: Arc::new(neutral), id: "e".to_owned(), created_unix_s: 7 };
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
    let Part::ToolResult(second) = &request.messages[3].parts[1] else { panic!("a result") };
    assert_eq!((second.name.as_deref(), second.kind), (Some("g"), CallKind::Custom));
    assert_eq!(request.messages[5].parts, [Part::Refusal("no".to_owned())]);
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
    let Part::ToolCall(call) = &request.messages[0].parts[0] else { panic!("a call") };
    let Part::ToolResult(result) = &request.messages[1].parts[0] else { panic!("a result") };
    assert_eq!(call.id, result.call_id);
    assert!(matches!(request.tool_choice, Some(ToolChoice::Named { .. })));
}

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

/// litellm#34692: calls must end with `tool_calls`, also where a server says `stop` (Ollama).
#[test]
fn class_5_calls_end_with_tool_calls_and_no_empty_text() {
    let call = json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}});
    let chunks = [
        delta(&json!({"role": "assistant", "content": ""}), None),
        delta(&tool(&call), Some("stop")),
    ];
    let out = rewritten(&chunks, UsageChunk::NotAsked);
    assert_eq!(reason_of(&out), ["tool_calls"]);
    let answer = fold(events(&stream(&chunks)));
    assert_eq!(answer.choices[0].parts.len(), 1);
    assert_eq!(answer.choices[0].finish.as_ref().expect("a reason").word, "stop");
}

/// litellm#25825, #37710, ironclaw#6697: truncation was reported as a normal stop.
#[test]
fn class_6_truncation_stays_truncation() {
    let out = rewritten(&[delta(&json!({"content": "a"}), Some("length"))], UsageChunk::NotAsked);
    assert_eq!(reason_of(&out), ["length"]);
    let reason = |word: &str| {
        let answer = fold(events(&stream(&[delta(&json!({"content": "a"}), Some(word))])));
        answer.choices[0].finish.as_ref().expect("a reason").reason
    };
    assert_eq!(reason("content_filter"), FinishReason::Refusal);
    assert_eq!(reason("model_context_window_exceeded"), FinishReason::ContextWindow);
    assert_eq!(reason("error"), FinishReason::Fault);
    assert_eq!(reason("eos"), FinishReason::EndTurn);
}

/// litellm#39354, #36363, #38842: an object where a word is expected; efforts that servers refuse.
#[test]
fn class_16_effort_is_one_word_that_servers_know() {
    for (said, word) in [("minimal", "low"), ("medium", "medium"), ("xhigh", "high")] {
        let request = read(&json!({"messages": [], "reasoning": {"effort": said}}));
        assert_eq!(written(&request)["reasoning_effort"], word);
    }
    let budget = read(&json!({"messages": [], "reasoning": {"max_tokens": 8000, "exclude": true}}));
    assert_eq!(budget.reasoning, Reasoning::Budget { tokens_max: 8000, visible: false });
    let lacking = target(&[Lack::ReasoningEffort], Crossing::Strict);
    let written = write_request(&budget, &lacking).expect("it crosses");
    assert!(!String::from_utf8_lossy(&written.body).contains("reasoning"));
    assert_eq!(written.dropped, ["reasoning_effort"]);
    assert_eq!(
        read(&json!({"messages": [], "reasoning_effort": "none"})).reasoning,
        Reasoning::Off
    );
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
            Part::Thinking { text: "plain".to_owned(), signature: None },
            Part::Thinking {
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
    history.messages.push(message(Role::User, vec![Part::text("next")]));
    assert!(written(&history)["messages"][1].get("reasoning_content").is_none());
}

fn signature(origin: Dialect, data: &str) -> Signature {
    Signature { origin, data: data.to_owned() }
}

fn call_part() -> Part {
    call("1", "f", "{}")
}

#[test]
fn signatures_come_back_byte_by_byte() {
    let details = [
        json!({"type": "reasoning.text", "text": "a", "format": "f1", "index": 0}),
        json!({"type": "reasoning.text", "text": "b", "index": 0}),
        json!({"type": "reasoning.text", "signature": "SIG==", "format": "f1", "id": null, "index": 0}),
        json!({"type": "reasoning.encrypted", "data": "ENC", "format": "f2", "index": 1}),
    ];
    let mut chunks: Vec<_> =
        details.iter().map(|detail| delta(&json!({"reasoning_details": [detail]}), None)).collect();
    chunks.push(delta(
        &tool(&json!({"index": 0, "id": "1", "extra_content":
        {"google": {"thought_signature": "G="}}, "function": {"name": "f", "arguments": "{}"}})),
        Some("tool_calls"),
    ));
    let answer = fold(events(&stream(&chunks)));
    let mut history = request("go");
    history
        .messages
        .push(Message { role: Role::Assistant, parts: answer.choices[0].parts.clone() });
    let body = written(&history);
    let back = &body["messages"][1];
    assert_eq!(
        back["reasoning_details"][0],
        json!({"type": "reasoning.text", "text": "ab",
        "signature": "SIG==", "format": "f1", "id": null, "index": 0})
    );
    assert_eq!(back["reasoning_details"][1], details[3]);
    assert_eq!(back["tool_calls"][0]["extra_content"]["google"]["thought_signature"], "G=");
}

#[test]
fn signatures_of_others_travel_through_a_chat_client() {
    for (origin, text) in [(Dialect::AnthropicMessages, "I think"), (Dialect::Gemini, "")] {
        let thinking =
            Part::Thinking { text: text.to_owned(), signature: Some(signature(origin, "S/=")) };
        let choice = crate::neutral::AnswerChoice {
            parts: vec![thinking.clone(), call_part()],
            finish: None,
        };
        let answer = crate::neutral::Answer { choices: vec![choice], ..Default::default() };
        let echo = Echo { request: Arc::new(request("x")), id: "e".to_owned(), created_unix_s: 7 };
        let body: Value = serde_json::from_slice(&write_answer(&answer, &echo)).expect("JSON");
        let given = body["choices"][0]["message"].clone();
        let read = read(&json!({"messages": [given]}));
        assert_eq!(read.messages[0].parts, [thinking, call_part()], "{body}");
    }
}

/// litellm#16525, #21464 and kin, for servers that demand results right behind the calls.
#[test]
fn class_12_results_follow_their_calls_complete_and_in_front_of_words() {
    let mut history = request("go");
    history.messages.push(message(Role::Assistant, vec![call("1", "a", "{}"), call("2", "b", "")]));
    history.messages.push(message(Role::User, vec![Part::text("wait"), result("2", "two")]));
    history.messages.push(message(Role::System, vec![Part::text("note")]));
    history.messages.push(message(Role::Assistant, vec![Part::text("so")]));
    history.messages.push(message(Role::User, vec![result("9", "lost")]));
    let body = written(&history);
    let shown: Vec<_> = body["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|message| {
            format!(
                "{} {}",
                message["role"].as_str().unwrap_or_default(),
                message["tool_call_id"]
                    .as_str()
                    .or(message["content"].as_str())
                    .unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "user go",
            "assistant ",
            "tool 2",
            "tool 1",
            "user wait",
            "system note",
            "assistant so",
            "user [result of the tool call 9]\nlost"
        ]
    );
    assert_eq!(body["messages"][1]["tool_calls"][1]["function"]["arguments"], "{}");
}

/// litellm#4738: pictures of results and of several turns all arrive.
#[test]
fn class_22_every_picture_arrives() {
    let picture = |data: &str| {
        Part::Media(crate::neutral::Media {
            kind: crate::neutral::MediaKind::Image,
            source: crate::neutral::MediaSource::Base64(data.to_owned()),
            media_type: Some("image/png".to_owned()),
            detail: None,
            title: None,
        })
    };
    let mut history = request("go");
    history.messages[0].parts.push(picture("AA"));
    history.messages.push(message(Role::Assistant, vec![call_part()]));
    let Part::ToolResult(plain) = result("1", "seen") else { panic!("a result") };
    let content = vec![Part::text("seen"), picture("BB")];
    history.messages.push(message(
        Role::User,
        vec![Part::ToolResult(ToolResult { content, ..plain }), picture("CC")],
    ));
    let body = written(&history).to_string();
    for data in ["AA", "BB", "CC"] {
        assert!(body.contains(&format!("data:image/png;base64,{data}")), "{body}");
    }
    let refused = write_request(&history, &target(&[Lack::Images], Crossing::Strict));
    assert!(matches!(refused, Err(RequestError::CannotCross { .. })));
}

#[test]
fn raw_values_survive_to_the_digit() {
    let text = r#"{"messages":[{"role":"user","content":"x"}],"temperature":0.70,
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"z":1,"a":123456789012345678901.50}}},
        "tools":[{"type":"function","function":{"name":"f","parameters":{"z":1,"a":[1e2]}}}]}"#;
    let request = read_request(text, "m", Delivery::Whole).expect("a good request");
    let body = write_request(&request, &target(&[], Crossing::Strict)).expect("it crosses").body;
    let body = String::from_utf8(body.to_vec()).expect("text");
    for raw in
        [r#""temperature":0.70"#, r#"{"z":1,"a":123456789012345678901.50}"#, r#"{"z":1,"a":[1e2]}"#]
    {
        assert!(body.contains(raw), "{body}");
    }
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

fn adapted(text: &'static str, lacks: &[Lack], crossing: Crossing) -> (String, Vec<String>) {
    let request = ClientRequest::parse(Surface::OpenAiChat, Bytes::from_static(text.as_bytes()))
        .expect("a request");
    let exchange = Exchange::new(&request, &target(lacks, crossing), "e", 0).expect("it passes");
    let body = String::from_utf8(exchange.outgoing().body.to_vec()).expect("text");
    (body, exchange.outgoing().dropped.clone())
}

#[test]
fn a_lacking_server_gets_the_clients_bytes_but_for_what_it_lacks() {
    use Lack::{
        DeveloperRole, JsonSchema, MaxCompletionTokens, ParallelToolCalls, ReasoningEffort,
        StreamUsage, Tools,
    };
    let text = r#"{ "reasoning_effort":"low" , "model":"m","messages":[{"role": "developer","content":"\ud83d\ude00"}], "max_completion_tokens" : 1e1,"parallel_tool_calls":true}"#;
    let (body, dropped) = adapted(
        text,
        &[DeveloperRole, MaxCompletionTokens, ParallelToolCalls, ReasoningEffort],
        Crossing::Strict,
    );
    assert_eq!(
        body,
        r#"{ "model":"m2","messages":[{"role": "system","content":"\ud83d\ude00"}], "max_tokens" : 1e1}"#
    );
    assert_eq!(dropped, ["reasoning_effort", "parallel_tool_calls"]);
    let text =
        r#"{"stream_options":{"include_usage":true},"stream":true,"model":"m","messages":[]}"#;
    assert_eq!(
        adapted(text, &[StreamUsage], Crossing::Strict).0,
        r#"{"stream":true,"model":"m2","messages":[]}"#
    );
    let text = r#"{"model":"m","messages":[],"tools":[{}],"tool_choice":"auto","response_format":{"type":"json_schema"}}"#;
    let (body, dropped) = adapted(text, &[Tools, JsonSchema], Crossing::Lenient);
    assert_eq!(body, r#"{"model":"m2","messages":[],"response_format":{"type":"json_object"}}"#);
    assert_eq!(dropped, ["tools", "response_format"]);
    let request = ClientRequest::parse(Surface::OpenAiChat, Bytes::from_static(text.as_bytes()))
        .expect("a request");
    let refused =
        Exchange::new(&request, &target(&[Tools], Crossing::Strict), "e", 0).expect_err("tools");
    assert_eq!(refused.param(), Some("tools"));
    let text = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"a"}]}]}"#;
    let (body, dropped) = adapted(text, &[Lack::Images], Crossing::Lenient);
    assert!(
        body.contains(r#"[{"type":"text","text":"[image left out]"},{"type":"text","text":"a"}]"#),
        "{body}"
    );
    assert_eq!(dropped, ["messages[0].content[0]"]);
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

#[test]
fn schemas_without_a_server_that_knows_them_are_refused_or_loosened() {
    let mut request = request("x");
    let schema = Json::empty_object();
    request.output =
        OutputFormat::Schema { name: None, description: None, schema, strict: Some(true) };
    assert_eq!(written(&request)["response_format"]["json_schema"]["name"], "answer");
    let lacking = |crossing| write_request(&request, &target(&[Lack::JsonSchema], crossing));
    assert!(lacking(Crossing::Strict).is_err());
    let loose = lacking(Crossing::Lenient).expect("it crosses");
    assert!(String::from_utf8_lossy(&loose.body).contains("json_object"));
}
