//! Tool calls as servers really send them, for clients of every other dialect.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use test_support::{RawAnswer, Reply};

use crate::bench::{Bench, Server, TOOLS, Tool, Want, each};

/// A tool call as a client assembles it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    id: Option<String>,
    name: String,
    arguments: String,
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The calls of a stream, in order.
fn calls(tool: Tool, answer: &RawAnswer) -> Vec<Seen> {
    let mut calls: BTreeMap<u64, Seen> = BTreeMap::new();
    for event in tool.values(answer) {
        match tool {
            Tool::Chat => {
                let pieces = event["choices"][0]["delta"]["tool_calls"].as_array().cloned();
                for piece in pieces.unwrap_or_default() {
                    let function = &piece["function"];
                    let call = calls.entry(piece["index"].as_u64().expect("an index"));
                    let call = call.or_insert_with(|| Seen {
                        id: text(&piece["id"]),
                        name: text(&function["name"]).expect("a name"),
                        arguments: String::new(),
                    });
                    call.arguments += function["arguments"].as_str().unwrap_or_default();
                }
            }
            Tool::Responses if event["type"] == "response.output_item.done" => {
                let item = &event["item"];
                if item["type"] == "function_call" {
                    let call = Seen {
                        id: text(&item["call_id"]),
                        name: text(&item["name"]).expect("a name"),
                        arguments: text(&item["arguments"]).expect("arguments"),
                    };
                    calls.insert(event["output_index"].as_u64().expect("an index"), call);
                }
            }
            Tool::Messages => {
                let Some(index) = event["index"].as_u64() else { continue };
                let block = &event["content_block"];
                if block["type"] == "tool_use" {
                    assert_eq!(block["input"], json!({}));
                    let name = text(&block["name"]).expect("a name");
                    let call = Seen { id: text(&block["id"]), name, arguments: String::new() };
                    calls.insert(index, call);
                }
                if let Some(more) = event["delta"]["partial_json"].as_str() {
                    calls.get_mut(&index).expect("begun").arguments += more;
                }
            }
            Tool::Gemini | Tool::GeminiArray => {
                let parts = event["candidates"][0]["content"]["parts"].as_array().cloned();
                for part in parts.unwrap_or_default() {
                    let call = &part["functionCall"];
                    if let Some(name) = text(&call["name"]) {
                        let arguments = call["args"].to_string();
                        let place = u64::try_from(calls.len()).expect("few");
                        calls.insert(place, Seen { id: text(&call["id"]), name, arguments });
                    }
                }
            }
            Tool::Responses => {}
        }
    }
    calls.into_values().collect()
}

/// Content blocks begin, send content and stop, one after the other.
fn assert_sequential(answer: &RawAnswer) {
    let mut open = None;
    let mut next = 0;
    for event in Tool::Messages.values(answer) {
        let index = event["index"].as_u64();
        match event["type"].as_str() {
            Some("content_block_start") => {
                assert_eq!((open, index), (None, Some(next)), "{}", answer.text());
                (open, next) = (index, next + 1);
            }
            Some("content_block_delta") => assert_eq!(open, index, "{}", answer.text()),
            Some("content_block_stop") => {
                assert_eq!(open, index, "{}", answer.text());
                open = None;
            }
            _ => {}
        }
    }
    assert_eq!(open, None, "{}", answer.text());
}

/// A Chat stream of these deltas.
fn stream(deltas: &[Value]) -> Reply {
    let server = Server::Chat;
    let chunk = |delta: &Value, finish_reason: Option<&str>| {
        server.event(&json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
            "model": "gpt",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}))
    };
    let mut pieces = server.begin();
    pieces.extend(deltas.iter().map(|delta| chunk(delta, None)));
    pieces.push(chunk(&json!({}), Some("tool_calls")));
    pieces.extend(server.terminator());
    server.stream(pieces)
}

/// A piece of a call.
fn piece(index: i64, id: impl Into<Value>, name: &str, arguments: impl Into<Value>) -> Value {
    let (id, arguments) = (id.into(), arguments.into());
    json!({"index": index, "id": id, "type": "function",
        "function": {"name": name, "arguments": arguments}})
}

fn delta(calls: Vec<Value>) -> Value {
    Value::Object([("tool_calls".to_owned(), calls.into())].into_iter().collect())
}

/// Tools that do not speak Chat.
const CROSSED: [Tool; 4] = [TOOLS[1], TOOLS[2], TOOLS[3], TOOLS[4]];

/// Checks what every client of another dialect receives for these deltas: names and arguments.
async fn check(deltas: &[Value], expected: &[(&str, Value)]) {
    let bench = Bench::new().await;
    each(CROSSED, async |tool, name| {
        let answer = bench.ask(tool, Want::Stream, Server::Chat, stream(deltas)).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let seen = calls(tool, &answer);
        let read = |call: &Seen| {
            let arguments = serde_json::from_str::<Value>(&call.arguments);
            (call.name.clone(), arguments.unwrap_or_else(|_| call.arguments.clone().into()))
        };
        let got: Vec<_> = seen.iter().map(read).collect();
        let wanted: Vec<_> = expected.iter().map(|(n, a)| ((*n).to_owned(), a.clone())).collect();
        assert_eq!(got, wanted, "{name}: {}", answer.text());
        let mut ids: Vec<_> = seen.iter().map(|call| call.id.clone()).collect();
        if !matches!(tool, Tool::Gemini | Tool::GeminiArray) {
            assert!(ids.iter().all(Option::is_some), "{name}: {ids:?}");
        }
        ids.retain(Option::is_some);
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: ids are unique");
        if tool == Tool::Messages {
            assert_sequential(&answer);
            assert!(answer.text().contains("\"stop_reason\":\"tool_use\""), "{}", answer.text());
        }
    })
    .await;
}

fn one(arguments: impl Into<Value>) -> Vec<Value> {
    vec![delta(vec![piece(0, "call_1", "look", arguments)])]
}

#[tokio::test]
async fn f51_arguments_come_in_every_shape() {
    let look = |arguments: Value| [("look", arguments)];
    for nothing in [json!(""), Value::Null, json!("null"), json!({}), json!("{}")] {
        check(&one(nothing), &look(json!({}))).await;
    }
    check(&one(json!({"a": 1})), &look(json!({"a": 1}))).await;
    check(&one(json!("\"{\\\"a\\\":1}\"")), &look(json!({"a": 1}))).await;
    let mut bytewise = one(json!(""));
    bytewise.extend(
        "{\"a\":\"b\\\"}{\"}"
            .chars()
            .map(|c| delta(vec![json!({"index": 0, "function": {"arguments": c.to_string()}})])),
    );
    check(&bytewise, &look(json!({"a": "b\"}{"}))).await;
    let repeated: Vec<_> = ["{\"a\"", ":", "1}"]
        .into_iter()
        .map(|part| delta(vec![piece(0, "call_1", "look", part)]))
        .collect();
    check(&repeated, &look(json!({"a": 1}))).await;
}

#[tokio::test]
async fn f51_ids_and_indexes_are_made_whole() {
    let a = || json!("{\"a\":1}");
    let b = || json!("{\"b\":2}");
    let both = [("look", json!({"a": 1})), ("find", json!({"b": 2}))];
    let pair = |first: (i64, Value), second: (i64, Value)| {
        vec![delta(vec![
            piece(first.0, first.1, "look", a()),
            piece(second.0, second.1, "find", b()),
        ])]
    };
    check(&pair((0, Value::Null), (1, Value::Null)), &both).await;
    check(&pair((0, "".into()), (1, "".into())), &both).await;
    check(&pair((0, "same".into()), (1, "same".into())), &both).await;
    check(&pair((0, "x".into()), (0, "y".into())), &both).await;
    check(&pair((-1, "x".into()), (-1, "y".into())), &both).await;
    let mut unnumbered = pair((0, "x".into()), (1, "y".into()));
    for call in unnumbered[0]["tool_calls"].as_array_mut().expect("calls") {
        call.as_object_mut().expect("an object").remove("index");
    }
    check(&unnumbered, &both).await;
}

#[tokio::test]
async fn f52_interleaved_calls_come_one_after_the_other() {
    let deltas = [
        delta(vec![piece(0, "a", "look", "")]),
        delta(vec![piece(1, "b", "find", "")]),
        delta(vec![json!({"index": 0, "function": {"arguments": "{\"a\""}})]),
        delta(vec![json!({"index": 1, "function": {"arguments": "{\"b\""}})]),
        delta(vec![json!({"index": 0, "function": {"arguments": ":1}"}})]),
        delta(vec![json!({"index": 1, "function": {"arguments": ":2}"}})]),
    ];
    check(&deltas, &[("look", json!({"a": 1})), ("find", json!({"b": 2}))]).await;
}

#[tokio::test]
async fn f53_text_and_a_call_in_one_delta_are_both_there() {
    let mut both = one(json!("{\"a\":1}"));
    both[0]["content"] = "Let me look.".into();
    check(&both, &[("look", json!({"a": 1}))]).await;
    let bench = Bench::new().await;
    for tool in CROSSED {
        let answer = bench.ask(tool, Want::Stream, Server::Chat, stream(&both)).await;
        assert_eq!(tool.text(&answer), "Let me look.", "{tool:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn f54_arguments_that_are_no_json_are_visible() {
    let bench = Bench::new().await;
    each(CROSSED, async |tool, name| {
        let answer =
            bench.ask(tool, Want::Stream, Server::Chat, stream(&one(json!("{\"a\": oops")))).await;
        let shown = answer.text();
        assert!(shown.contains("oops"), "{name}: {shown}");
        let seen = calls(tool, &answer);
        assert_eq!((seen.len(), seen[0].name.as_str()), (1, "look"), "{name}: {shown}");
        if matches!(tool, Tool::Gemini | Tool::GeminiArray) {
            let arguments: Value = serde_json::from_str(&seen[0].arguments).expect("JSON");
            assert!(arguments.is_object(), "{name}: {shown}");
        }
    })
    .await;
}

#[tokio::test]
async fn f13_the_first_finish_stands_and_a_late_call_breaks() {
    let bench = Bench::new().await;
    let finished = || {
        let mut pieces = Server::Chat.begun();
        pieces.push(Server::Chat.text("lo"));
        pieces.push(Server::Chat.finish().swap_remove(0));
        pieces
    };
    let event = |delta: Value, reason: Value| {
        Server::Chat.event(&json!({"choices": [{"index": 0, "delta": delta,
            "finish_reason": reason}]}))
    };
    each(TOOLS, async |tool, name| {
        let mut pieces = finished();
        pieces.push(event(json!({"content": "late"}), Value::Null));
        pieces.push(event(json!({}), "length".into()));
        pieces.extend(Server::Chat.terminator());
        let reply = Server::Chat.stream(pieces);
        let answer = bench.ask(tool, Want::Stream, Server::Chat, reply).await;
        tool.assert_whole(&answer, name);
        assert_eq!(tool.text(&answer), "Hello", "{name}: {}", answer.text());

        let mut pieces = finished();
        pieces.push(event(delta(vec![piece(0, "x", "look", "{}")]), Value::Null));
        pieces.extend(Server::Chat.terminator());
        let reply = Server::Chat.stream(pieces);
        let answer = bench.ask(tool, Want::Stream, Server::Chat, reply).await;
        assert!(calls(tool, &answer).is_empty(), "{name}: {}", answer.text());
        assert!(answer.text().contains("error"), "{name}: {}", answer.text());
    })
    .await;
}
