//! End-to-end tests of Messages against the strict provider of `test-support`.

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::TranslationMode;
use serde_json::{Value, json};
use test_support::{PROVIDER_CACHED_TOKENS, PROVIDER_INPUT_TOKENS, PROVIDER_OUTPUT_TOKENS};

use crate::test_provider::provider_answer;
use crate::{
    ApiSurface, BackendExchange, ClientRequest, Delivery, SseDecoder, SsePayload, StreamEnd,
    Target, TargetKind,
};

const BACKENDS: [TargetKind; 5] =
    [TargetKind::Anthropic, TargetKind::OpenAi, TargetKind::Gemini, TargetKind::Ollama, CHAT];

const CHAT: TargetKind =
    TargetKind::OpenAiCompatible { lacks: BTreeSet::new(), offers: BTreeSet::new() };

fn exchange(body: &Value, kind: TargetKind) -> BackendExchange {
    let body = Bytes::from(body.to_string());
    let request = ClientRequest::parse(ApiSurface::AnthropicMessages, body).expect("a request");
    let (model, crossing) = (request.model().to_owned(), TranslationMode::Strict);
    let target = Target { kind, model, crossing, output_tokens_max: None };
    BackendExchange::new(&request, &target, "0a1b", 7).expect("it crosses")
}

fn whole_message(body: &Value, kind: TargetKind) -> Value {
    let exchange = exchange(body, kind);
    let answer = provider_answer(&exchange);
    let bytes = answer.pieces.concat();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&bytes));
    let (answer, _) = exchange.translate_answer(&Bytes::from(bytes)).expect("an answer");
    serde_json::from_slice(&answer).expect("JSON")
}

/// The message that an SDK assembles from the stream.
fn streamed_message(body: &Value, kind: TargetKind) -> Value {
    let mut body = body.clone();
    body["stream"] = json!(true);
    let exchange = exchange(&body, kind);
    assert!(matches!(exchange.delivery(), Delivery::Stream(_)));
    let answer = provider_answer(&exchange);
    let mut stream = exchange.answer_stream();
    let mut relayed = Vec::new();
    for piece in &answer.pieces {
        relayed.extend_from_slice(&stream.feed(piece).relay);
    }
    match stream.finish() {
        StreamEnd::Complete { append } => relayed.extend_from_slice(&append),
        end => panic!("{end:?} after {}", String::from_utf8_lossy(&relayed)),
    }
    accumulate_message(&relayed)
}

fn accumulate_message(stream: &[u8]) -> Value {
    let mut decoder = SseDecoder::new();
    decoder.push(stream);
    let (mut message, mut arguments) = (Value::Null, String::new());
    let mut is_whole = false;
    while let Some(event) = decoder.next_event().expect("small") {
        let SsePayload::Data(data) = &event.payload else { continue };
        let event: Value = serde_json::from_slice(data).expect("JSON");
        let index = usize::try_from(event["index"].as_u64().unwrap_or(0)).expect("an index");
        match event["type"].as_str().expect("a type") {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                arguments.clear();
                let content = message["content"].as_array_mut().expect("content");
                assert_eq!(content.len(), index);
                content.push(event["content_block"].clone());
            }
            "content_block_delta" => {
                let block = &mut message["content"][index];
                for key in ["text", "thinking", "signature"] {
                    if let Some(more) = event["delta"][key].as_str() {
                        let before = block[key].as_str().unwrap_or_default().to_owned();
                        block[key] = json!(before + more);
                    }
                }
                arguments.push_str(event["delta"]["partial_json"].as_str().unwrap_or_default());
            }
            "content_block_stop" if message["content"][index]["type"] == "tool_use" => {
                message["content"][index]["input"] =
                    serde_json::from_str(&arguments).expect("arguments");
            }
            "message_delta" => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                for (key, count) in event["usage"].as_object().expect("usage") {
                    message["usage"][key] = count.clone();
                }
            }
            "message_stop" => is_whole = true,
            _ => {}
        }
    }
    assert!(is_whole);
    message
}

fn ask(model: &str, text: &str) -> Value {
    json!({"model": model, "max_tokens": 2_000, "messages": [{"role": "user", "content": text}]})
}

fn with_tools(model: &str, text: &str) -> Value {
    let mut body = ask(model, text);
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}},
        "required": ["city"], "additionalProperties": false});
    body["tools"] = json!([
        {"name": "weather", "description": "d", "input_schema": schema},
        {"type": "custom", "name": "time", "input_schema": schema},
    ]);
    body
}

/// Blocks and stop reason of a message, without ids and thinking (Gemini signs its calls).
fn comparable_blocks(message: &Value) -> Value {
    let blocks: Vec<Value> = message["content"]
        .as_array()
        .expect("content")
        .iter()
        .filter(|block| block["type"] != "thinking")
        .map(|block| json!([block["type"], block["text"], block["name"], block["input"]]))
        .collect();
    json!([blocks, message["stop_reason"]])
}

/// litellm#25836, #21331, #17425, #34692: text and parallel calls, streamed or not, are the same
/// from every backend.
#[test]
fn class_1_to_5_calls_come_the_same_from_every_backend() {
    for (model, text) in
        [("echo", "call weather and time in Paris"), ("text-and-tool", "call weather in Rome")]
    {
        let body = with_tools(model, text);
        let native = comparable_blocks(&whole_message(&body, TargetKind::Anthropic));
        assert_eq!(native[1], "tool_use");
        for kind in BACKENDS {
            let (one, other) =
                (whole_message(&body, kind.clone()), streamed_message(&body, kind.clone()));
            assert_eq!(comparable_blocks(&one), native, "{kind:?}");
            assert_eq!(comparable_blocks(&other), native, "{kind:?}");
            let ids = |message: &Value| -> std::collections::HashSet<String> {
                let blocks = message["content"].as_array().expect("content").iter();
                blocks.filter_map(|block| Some(block["id"].as_str()?.to_owned())).collect()
            };
            let calls = native[0].as_array().expect("blocks").iter();
            let calls = calls.filter(|block| block[0] == "tool_use").count();
            assert_eq!((ids(&one).len(), ids(&other).len()), (calls, calls), "{kind:?}");
        }
    }
}

#[test]
fn text_limits_and_usage_come_the_same_from_every_backend() {
    // OpenAI's lowest limit is 16.
    let words: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    let mut short = ask("echo", &words.join(" "));
    short["max_tokens"] = json!(16);
    for kind in BACKENDS {
        let full = whole_message(&ask("echo", "one two three four"), kind.clone());
        assert_eq!(full["content"], json!([{"type": "text", "text": "one two three four"}]));
        assert_eq!(full["stop_reason"], "end_turn");
        for message in [whole_message(&short, kind.clone()), streamed_message(&short, kind.clone())]
        {
            assert_eq!(message["stop_reason"], "max_tokens", "{kind:?}");
            assert_eq!(message["content"][0]["text"], words[..16].join(" "), "{kind:?}");
            let usage = &message["usage"];
            assert_eq!(usage["output_tokens"], PROVIDER_OUTPUT_TOKENS, "{kind:?}");
            let read = usage["cache_read_input_tokens"].as_u64().expect("a count");
            let reports_reads = kind != TargetKind::Ollama;
            assert_eq!(read, if reports_reads { PROVIDER_CACHED_TOKENS } else { 0 }, "{kind:?}");
            assert_eq!(usage["input_tokens"], PROVIDER_INPUT_TOKENS - read, "{kind:?}");
        }
    }
}

/// litellm#16525, vercel/ai#13013, openai-agents-python#2331: the second turn of a tool loop.
#[test]
fn class_12_and_13_a_loop_of_tools_goes_on_at_every_backend() {
    for kind in BACKENDS {
        let mut body = with_tools("chat", "call weather and time in Paris");
        let first = streamed_message(&body, kind.clone());
        let results: Vec<Value> = first["content"]
            .as_array()
            .expect("content")
            .iter()
            .filter(|block| block["type"] == "tool_use")
            .rev()
            .map(|call| {
                json!({"type": "tool_result", "tool_use_id": call["id"],
                    "content": format!("{} is fine", call["name"].as_str().expect("a name"))})
            })
            .collect();
        let turns = body["messages"].as_array_mut().expect("turns");
        turns.push(json!({"role": "assistant", "content": first["content"]}));
        turns.push(json!({"role": "user", "content": results}));
        let second = streamed_message(&body, kind.clone());
        let text = second["content"][0]["text"].as_str().expect("text");
        assert!(
            text.contains("weather is fine") && text.contains("time is fine"),
            "{kind:?} {text}"
        );
        assert_eq!(second["stop_reason"], "end_turn");
    }
}

/// litellm#25322 and UncommonRoute#19: thinking is sent back, and another provider's thinking is
/// not an error.
#[test]
fn class_9_and_10_thinking_survives_a_change_of_backends() {
    let mut body = ask("think", "hello there");
    body["max_tokens"] = json!(2_000);
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 1_024});
    for kind in BACKENDS {
        let (one, other) =
            (whole_message(&body, kind.clone()), streamed_message(&body, kind.clone()));
        for message in [&one, &other] {
            let text = message["content"].as_array().expect("content").iter();
            let text: Vec<&Value> = text.filter(|block| block["type"] == "text").collect();
            assert_eq!(text, [&json!({"type": "text", "text": "hello there"})], "{kind:?}");
        }
        // The provider signs a whole answer of Gemini, but not a stream.
        let without_signatures = |message: &Value| -> Vec<Value> {
            let blocks = message["content"].as_array().expect("content").iter();
            blocks.filter(|block| block["thinking"] != "").cloned().collect()
        };
        assert_eq!(without_signatures(&one), without_signatures(&other), "{kind:?}");
        assert_eq!(one["content"][0]["type"], "thinking", "{kind:?}");
        for next in BACKENDS {
            let mut body = ask("echo", "hello there");
            let turns = body["messages"].as_array_mut().expect("turns");
            turns.push(json!({"role": "assistant", "content": one["content"]}));
            turns.push(json!({"role": "user", "content": "and now"}));
            if next == TargetKind::Anthropic && kind != next {
                // Only Claude checks signatures; to other models thinking passes as it came.
                let sent = exchange(&body, next.clone());
                let sent = String::from_utf8_lossy(&sent.outgoing().body).into_owned();
                assert!(sent.contains(r#""thinking":"#), "{kind:?}");
                body["model"] = json!("claude-echo");
            }
            let message = streamed_message(&body, next.clone());
            assert_eq!(message["content"][0]["text"], "and now", "{kind:?} {next:?}");
        }
    }
}

#[test]
fn f9_a_stream_that_breaks_off_is_never_whole() {
    for model in ["fault-cut", "fault-truncated-json", "fault-error-event"] {
        for kind in BACKENDS {
            let mut body = ask(model, "one two three four five six seven eight");
            body["stream"] = json!(true);
            let exchange = exchange(&body, kind.clone());
            let mut stream = exchange.answer_stream();
            let mut relayed = Vec::new();
            for piece in &provider_answer(&exchange).pieces {
                relayed.extend_from_slice(&stream.feed(piece).relay);
            }
            let end = stream.finish();
            assert!(!matches!(end, StreamEnd::Complete { .. }), "{model} {kind:?}");
            let text = String::from_utf8(relayed).expect("text");
            assert!(!text.contains("message_stop") && !text.contains("event: error"), "{text}");
        }
    }
}

#[test]
fn f10_a_missing_terminator_after_the_reason_is_made_good() {
    for kind in BACKENDS {
        let message = streamed_message(&ask("fault-no-done", "hello"), kind.clone());
        assert_eq!(message["stop_reason"], "end_turn", "{kind:?}");
    }
}
