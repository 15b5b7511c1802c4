//! Tests of the answers of each mock model, read with the crate's own readers.

mod gemini;
mod messages;
mod responses;

use serde_json::{Value, json};

use super::*;
use crate::dialect::openai_chat::{ChatTap, read_chat_answer};
use crate::{ApiSurface, BadAnswer, StreamEnd, StreamFault, UsageChunk};

fn request(body: &Value) -> ClientRequest {
    ClientRequest::parse(ApiSurface::OpenAiChat, Bytes::from(body.to_string()))
        .expect("a good request")
}

fn ask(body: &Value) -> MockAnswer {
    answer(&request(body), 1)
}

fn chat(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": text}]})
}

fn streamed(model: &str, text: &str) -> Value {
    let mut body = chat(model, text);
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    body
}

fn bytes(answer: &MockAnswer) -> Vec<u8> {
    answer.body.iter().flat_map(|piece| piece.bytes.to_vec()).collect()
}

fn whole(body: &Value) -> Value {
    let answer = ask(body);
    assert_eq!((answer.status, answer.end), (200, MockEnd::Done));
    serde_json::from_slice(&bytes(&answer)).expect("JSON")
}

fn chunks(body: &Value) -> Vec<Value> {
    let all = String::from_utf8(bytes(&ask(body))).expect("text");
    let data = all.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).expect("JSON"))
        .collect()
}

fn end(body: &Value) -> StreamEnd {
    let mut tap = ChatTap::new(UsageChunk::Asked);
    tap.feed(&bytes(&ask(body)));
    tap.finish()
}

#[test]
fn echo_repeats_the_last_user_text_and_counts_tokens() {
    let body = json!({"model": "echo", "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "second"},
        {"role": "user", "content": [{"type": "text", "text": "Hi, you!"}, {"type": "image_url",
            "image_url": {"url": "https://example.com/a.png"}}]},
    ]});
    let answer = whole(&body);
    assert_eq!(answer["choices"][0]["message"]["content"], "Hi, you!");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let usage = json!({"prompt_tokens": 8, "completion_tokens": 4, "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0}});
    assert_eq!(answer["usage"], usage);
    assert_eq!((&answer["model"], &answer["created"]), (&json!("echo"), &json!(1)));
}

#[test]
fn a_stream_says_the_same_as_the_whole_answer() {
    for model in ["echo", "chat", "slow"] {
        let answer = whole(&chat(model, "Tell me about Rust."));
        let chunks = chunks(&streamed(model, "Tell me about Rust."));
        let text: String = chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(text, answer["choices"][0]["message"]["content"]);
        assert_eq!(chunks.last().expect("usage")["usage"], answer["usage"]);
        let end = end(&streamed(model, "Tell me about Rust."));
        assert_eq!(end, StreamEnd::Complete { append: Bytes::new() });
    }
}

#[test]
fn answers_depend_on_the_prompt_alone_and_pace_on_the_model() {
    assert_eq!(ask(&streamed("chat", "a")), ask(&streamed("chat", "a")));
    assert_ne!(bytes(&ask(&chat("chat", "a"))), bytes(&ask(&chat("chat", "b"))));
    let delay = |model: &str| ask(&streamed(model, "x")).body[1].delay_ms;
    assert_eq!((delay("echo"), delay("chat")), (0, CHAT_TOKEN_DELAY_MS));
    assert_eq!(delay("slow"), SLOW_TOKEN_DELAY_MS);
    let unasked = chat("chat", "a");
    let stream = json!({"model": "chat", "messages": unasked["messages"], "stream": true});
    assert!(chunks(&stream).iter().all(|chunk| chunk.get("usage").is_none()));
}

#[test]
fn max_tokens_cuts_with_length() {
    for field in ["max_tokens", "max_completion_tokens"] {
        let mut body = chat("echo", "one two three");
        body[field] = json!(2);
        let answer = whole(&body);
        assert_eq!(answer["choices"][0]["message"]["content"], "one two");
        assert_eq!(answer["choices"][0]["finish_reason"], "length");
        assert_eq!(answer["usage"]["completion_tokens"], 2);
    }
    let words = |count: usize| {
        whole(&chat("echo", &"w ".repeat(count)))["choices"][0]["finish_reason"].clone()
    };
    assert_eq!(words(ANSWER_TOKENS_MAX - 1), "stop");
    assert_eq!(words(ANSWER_TOKENS_MAX + 1), "length");
}

fn with_tools(text: &str, more: &Value) -> Value {
    let tool = |name: &str| {
        json!({"type": "function", "function": {"name": name, "parameters": {
        "type": "object", "required": ["city"],
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}}})
    };
    let mut body = chat("chat", text);
    body["tools"] = json!([tool("get_weather"), tool("get_time")]);
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    body
}

fn called(body: &Value) -> Vec<(String, String)> {
    let answer = whole(body);
    let choice = &answer["choices"][0];
    let calls = choice["message"]["tool_calls"].as_array().cloned().unwrap_or_default();
    assert_eq!(choice["finish_reason"] == "tool_calls", !calls.is_empty());
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let call =
        |call: &Value| (text(&call["function"]["name"]), text(&call["function"]["arguments"]));
    calls.iter().map(call).collect()
}

#[test]
fn tools_are_called_when_asked_for() {
    let none = json!({});
    let paris = |name: &str| (name.to_owned(), r#"{"city":"Paris"}"#.to_owned());
    assert_eq!(called(&with_tools("Hello Paris", &none)), []);
    assert_eq!(called(&with_tools("Use a tool for Paris", &none)), [paris("get_weather")]);
    assert_eq!(called(&with_tools("run get_time for Paris", &none)), [paris("get_time")]);
    let both = "get_weather and get_time in Paris";
    assert_eq!(called(&with_tools(both, &none)), [paris("get_weather"), paris("get_time")]);
    let twice = [paris("get_weather"), paris("get_weather")];
    assert_eq!(called(&with_tools("call in parallel for Paris", &none)), twice);
    let serial = json!({"parallel_tool_calls": false});
    assert_eq!(called(&with_tools(both, &serial)), [paris("get_weather")]);
    let required = json!({"tool_choice": "required"});
    assert_eq!(called(&with_tools("Hello Paris", &required)), [paris("get_weather")]);
    let named = json!({"tool_choice": {"type": "function", "function": {"name": "get_time"}}});
    assert_eq!(called(&with_tools("Hello Paris", &named)), [paris("get_time")]);
    assert_eq!(called(&with_tools("Use a tool", &json!({"tool_choice": "none"}))), []);
}

#[test]
fn the_result_of_a_tool_is_answered_in_words() {
    let mut body = with_tools("Use a tool for Paris", &json!({}));
    let messages = body["messages"].as_array_mut().expect("messages");
    messages.push(json!({"role": "assistant", "tool_calls": [
        {"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]}));
    messages.push(json!({"role": "tool", "tool_call_id": "1", "content": "18 degrees"}));
    let answer = whole(&body);
    let text = answer["choices"][0]["message"]["content"].as_str().expect("text");
    assert!(text.starts_with("The tool says: 18 degrees."), "{text}");
}

#[test]
fn streamed_calls_fold_to_the_whole_ones() {
    let body = with_tools("get_weather and get_time in Paris", &json!({}));
    let mut stream = body.clone();
    stream["stream"] = json!(true);
    let mut folded = vec![(String::new(), String::new()); 2];
    let mut ids = std::collections::HashSet::new();
    for chunk in chunks(&stream) {
        for delta in chunk["choices"][0]["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let place = usize::try_from(delta["index"].as_u64().expect("index")).expect("small");
            ids.extend(delta["id"].as_str().map(str::to_owned));
            folded[place].0 += delta["function"]["name"].as_str().unwrap_or_default();
            folded[place].1 += delta["function"]["arguments"].as_str().unwrap_or_default();
        }
    }
    assert_eq!((folded, ids.len()), (called(&body), 2));
}

#[test]
fn structured_output_is_valid() {
    let content = |format: Value| {
        let mut body = chat("chat", "Who? Ada");
        body["response_format"] = format;
        let answer = whole(&body);
        let text = answer["choices"][0]["message"]["content"].as_str().expect("text").to_owned();
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let schema = json!({"type": "object", "required": ["name", "age"], "properties": {
        "name": {"type": "string"}, "age": {"type": "integer", "minimum": 18}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "p", "schema": schema}});
    assert_eq!(content(format), json!({"name": "Ada", "age": 18}));
    assert!(content(json!({"type": "json_object"}))["answer"].is_string());
}

#[test]
fn faults_by_status_have_the_dialects_shape() {
    for status in [400_u16, 401, 402, 403, 404, 429, 500, 503, 529] {
        let answer = ask(&streamed(&format!("fault-{status}"), "x"));
        assert_eq!((answer.status, answer.end), (status, MockEnd::Done));
        let body: Value = serde_json::from_slice(&bytes(&answer)).expect("JSON");
        assert!(body["error"]["message"].is_string() && body["error"]["type"].is_string());
        assert_eq!(answer.retry_after_s, (status == 429).then_some(1));
    }
    let unknown = ask(&chat("gpt-4", "x"));
    assert_eq!(unknown.status, 404);
    assert!(String::from_utf8_lossy(&bytes(&unknown)).contains("fault-no-usage"));
    let unreadable = ClientRequest::parse(
        ApiSurface::OpenAiChat,
        Bytes::from_static(br#"{"model":"chat","messages":["\ud800"]}"#),
    );
    assert_eq!(answer(&unreadable.expect("passes through"), 1).status, 400);
}

#[test]
fn faults_in_the_stream_are_what_the_tap_calls_them() {
    let fault = |name: &str| streamed(&format!("fault-{name}"), "x");
    assert_eq!((end(&fault("cut")), ask(&fault("cut")).end), (StreamEnd::Truncated, MockEnd::Cut));
    assert_eq!(chunks(&fault("cut")).len(), 1 + TOKENS_BEFORE_FAULT);
    assert_eq!(ask(&fault("stall")).end, MockEnd::Stall);
    assert_eq!(chunks(&fault("stall")).len(), 1 + TOKENS_BEFORE_FAULT);
    assert_eq!(ask(&fault("html")).content_type, "text/html; charset=utf-8");
    assert_eq!(ask(&fault("empty")).body, []);
    assert_eq!(end(&fault("truncated-json")), StreamEnd::Truncated);
    assert!(matches!(end(&fault("error-event")), StreamEnd::UpstreamError(_)));
    let done = Bytes::from_static(b"data: [DONE]\n\n");
    assert_eq!(end(&fault("no-done")), StreamEnd::Complete { append: done });
    assert!(chunks(&fault("no-usage")).iter().all(|chunk| chunk.get("usage").is_none()));
    assert_ne!(end(&fault("html")), StreamEnd::Broken(StreamFault::NotJson), "nothing to relay");
}

#[test]
fn faults_in_whole_answers_are_what_the_reader_calls_them() {
    let read = |name: &str| read_chat_answer(&bytes(&ask(&chat(&format!("fault-{name}"), "x"))));
    assert_eq!(read("html"), Err(BadAnswer::Html));
    assert_eq!(read("empty"), Err(BadAnswer::Empty));
    assert_eq!(read("truncated-json"), Err(BadAnswer::NotJson));
    assert_eq!(read("cut"), Err(BadAnswer::NotJson));
    assert_eq!(ask(&chat("fault-cut", "x")).end, MockEnd::Cut);
    assert_eq!(ask(&chat("fault-stall", "x")).end, MockEnd::Stall);
    assert!(matches!(read("error-event"), Err(BadAnswer::UpstreamError(_))));
    assert_eq!(read("no-usage").expect("an answer").usage, None);
    assert!(read("no-done").expect("an answer").usage.is_some());
}

#[test]
fn every_model_listed_is_known() {
    assert_eq!(
        crate::read_model_list(Dialect::OpenAiChat, &model_list(1)).expect("a list"),
        MODELS
    );
    for model in MODELS {
        let answer = String::from_utf8_lossy(&bytes(&ask(&chat(model, "x")))).into_owned();
        assert!(!answer.contains("does not exist"), "{model}: {answer}");
    }
}

#[test]
fn think_thinks_before_it_repeats() {
    let answer = whole(&chat("think", "Hi, you!"));
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["content"], "Hi, you!");
    assert_eq!(message["reasoning_content"], "The user says: Hi, you!. I repeat it.");
    assert_eq!(answer["usage"]["completion_tokens_details"]["reasoning_tokens"], 12);
    assert_eq!(answer["usage"]["completion_tokens"], 16);
    let thought: String = chunks(&streamed("think", "Hi, you!"))
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["reasoning_content"].as_str())
        .collect();
    assert_eq!(thought, message["reasoning_content"]);
}

#[test]
fn text_and_tool_says_and_calls_in_one_turn() {
    let mut body = with_tools("Hello Paris", &json!({}));
    body["model"] = json!("text-and-tool");
    let answer = whole(&body);
    let message = &answer["choices"][0]["message"];
    assert!(message["content"].as_str().is_some_and(|text| text.starts_with("You asked about")));
    assert_eq!(message["tool_calls"].as_array().map(Vec::len), Some(1));
    assert_eq!(called(&body).len(), 1);
    body["tool_choice"] = json!("none");
    assert_eq!(whole(&body)["choices"][0]["finish_reason"], "stop");
}
