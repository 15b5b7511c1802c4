//! Codex's turns over backends of other dialects, from its request to the events it receives.

use bytes::Bytes;
use domain::TranslationMode;
use serde_json::{Value, json};

use super::request::tests::CODEX;
use crate::test_schema::PublishedSchema;
use crate::{ApiSurface, BackendExchange, ClientRequest, StreamEnd, Target, TargetKind};

fn codex() -> ClientRequest {
    ClientRequest::parse(ApiSurface::OpenAiResponses, Bytes::from_static(CODEX.as_bytes()))
        .expect("a request")
}

fn exchange(
    kind: TargetKind,
    crossing: TranslationMode,
) -> Result<BackendExchange, crate::RequestError> {
    let model = "backend-model".to_owned();
    let target = Target { kind, model, crossing, output_tokens_max: Some(8_000) };
    BackendExchange::new(&codex(), &target, "abc", 1_700_000_000)
}

/// The events that Codex receives for a backend's stream, validated against the published schema.
fn relayed(exchange: &BackendExchange, stream_of_backend: &str) -> Vec<Value> {
    let mut stream = exchange.answer_stream();
    let mut relay = Vec::new();
    // Chunks that ignore event and character boundaries.
    for piece in stream_of_backend.as_bytes().chunks(7) {
        relay.extend(stream.feed(piece).relay);
    }
    match stream.finish() {
        StreamEnd::Complete { append } => relay.extend(append),
        other => panic!("not whole: {other:?}"),
    }
    let text = String::from_utf8(relay).expect("text");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events: Vec<Value> = data.map(|data| serde_json::from_str(data).expect("JSON")).collect();
    let published = PublishedSchema::find();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
        if let Some(published) = &published {
            published.check_event(event);
        }
    }
    events
}

fn check_calls(events: &[Value]) {
    let response = &events.last().expect("an event")["response"];
    assert_eq!(response["status"], "completed");
    let output = response["output"].as_array().expect("items");
    let calls: Vec<_> = output
        .iter()
        .filter(|item| item["type"] != "message" && item["type"] != "reasoning")
        .collect();
    let [spawn, patch] = calls.as_slice() else { panic!("two calls: {output:?}") };
    assert_eq!((&spawn["type"], &spawn["name"]), (&json!("function_call"), &json!("spawn_agent")));
    assert_eq!(spawn["namespace"], "multi_agent_v1");
    assert_eq!(spawn["arguments"], r#"{"n":12345678901234567890123}"#);
    assert_eq!(
        (&patch["type"], &patch["name"]),
        (&json!("custom_tool_call"), &json!("apply_patch"))
    );
    assert_eq!(patch["input"], "*** Begin \"x\"\n");
    let told =
        events.iter().filter(|event| event["type"] == "response.custom_tool_call_input.done");
    assert_eq!(told.count(), 1);
}

/// BerriAI/litellm#35878, #31571: namespaces and free-text tools over a backend that only has
/// functions.
#[test]
fn class_15_codex_over_anthropic() {
    let exchange = exchange(TargetKind::Anthropic, TranslationMode::Lenient).expect("crosses");
    let body: Value = serde_json::from_slice(&exchange.outgoing().body).expect("JSON");
    let names: Vec<_> =
        body["tools"].as_array().expect("tools").iter().map(|tool| &tool["name"]).collect();
    assert_eq!(
        names,
        ["exec_command", "multi_agent_v1__spawn_agent", "multi_agent_v1__wait", "apply_patch"]
    );
    let patch = &body["tools"][3]["input_schema"];
    assert_eq!(patch["required"], json!(["input"]));
    assert!(
        exchange.outgoing().dropped.iter().any(|path| path.contains("tools")),
        "web_search is named"
    );
    let turns = body["messages"].as_array().expect("turns");
    let calls: Vec<_> = turns
        .iter()
        .flat_map(|turn| turn["content"].as_array().cloned().unwrap_or_default())
        .filter(|part| part["type"] == "tool_use")
        .collect();
    assert_eq!(calls[0]["name"], "multi_agent_v1__spawn_agent");
    assert_eq!(calls[1]["input"], json!({"input": "*** Begin"}));
    let named = |event: &Value| {
        format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
    };
    let stream: String = anthropic_stream().iter().map(named).collect();
    let events = relayed(&exchange, &stream);
    check_calls(&events);
    let response = &events.last().expect("an event")["response"];
    let reasoning = &response["output"][0];
    assert_eq!(reasoning["encrypted_content"], "gh1.anthropic-messages.c2ln");
    assert_eq!(reasoning["summary"][0]["text"], "hm");
    assert_eq!(response["usage"]["total_tokens"], 16);
}

/// The same over Gemini, where the signature belongs to the call and is returned before it.
#[test]
fn class_9_class_15_codex_over_gemini() {
    let exchange = exchange(TargetKind::Gemini, TranslationMode::Lenient).expect("crosses");
    let body = String::from_utf8(exchange.outgoing().body.to_vec()).expect("text");
    assert!(body.contains(r#""n":12345678901234567890123"#), "{body}");
    let events = relayed(
        &exchange,
        concat!(
            r#"data: {"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"#,
            r#""multi_agent_v1__spawn_agent","args":{"n":12345678901234567890123}},"#,
            r#""thoughtSignature":"c2ln"},{"functionCall":{"name":"apply_patch","#,
            r#""args":{"input":"*** Begin \"x\"\n"}}}]},"finishReason":"STOP"}],"#,
            r#""usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":7},"modelVersion":"g"}"#,
            "\r\n\r\n",
        ),
    );
    check_calls(&events);
    let output = &events.last().expect("an event")["response"]["output"];
    assert_eq!(output[0]["encrypted_content"], "gh1.gemini.c2ln");
    assert_eq!(output[0]["summary"], json!([]));
    assert_eq!(output[1]["type"], "function_call");
}

/// The same over a server that only supports Chat Completions.
#[test]
fn class_15_codex_over_chat() {
    let (lacks, offers) = (Default::default(), Default::default());
    let kind = TargetKind::OpenAiCompatible { lacks, offers };
    let exchange = exchange(kind, TranslationMode::Lenient).expect("crosses");
    let body: Value = serde_json::from_slice(&exchange.outgoing().body).expect("JSON");
    let tools = body["tools"].as_array().expect("tools");
    assert!(tools.iter().all(|tool| tool["type"] == "function"), "{tools:?}");
    assert_eq!(tools[1]["function"]["name"], "multi_agent_v1__spawn_agent");
    assert_eq!(body.get("reasoning_effort"), None, "a summary alone asks for no effort");
    let chunk = |delta: &Value, finish: Option<&str>| {
        let choice = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        format!("data: {}\n\n", json!({"id": "c1", "model": "m", "choices": choice}))
    };
    let call = |index: u64, name: Option<&str>, arguments: &str| {
        let id = name.map(|_| format!("call_{index}"));
        chunk(
            &json!({"tool_calls": [{"index": index, "id": id,
            "function": {"name": name, "arguments": arguments}}]}),
            None,
        )
    };
    // Interleaved, as some servers send parallel calls.
    let stream = [
        chunk(&json!({"role": "assistant", "content": "I do."}), None),
        call(0, Some("multi_agent_v1__spawn_agent"), "{\"n\":123456789012"),
        call(1, Some("apply_patch"), "{\"input\":\"*** Beg"),
        call(0, None, "34567890123}"),
        call(1, None, "in \\\"x\\\"\\n\"}"),
        chunk(&json!({}), Some("tool_calls")),
        "data: [DONE]\n\n".to_owned(),
    ];
    check_calls(&relayed(&exchange, &stream.concat()));
}

/// Claude's answer: thinking, text and two calls.
fn anthropic_stream() -> Vec<Value> {
    let block = |index: u64, start: Value, deltas: &[Value]| {
        let mut events =
            vec![json!({"type": "content_block_start", "index": index, "content_block": start})];
        events.extend(
            deltas.iter().map(
                |delta| json!({"type": "content_block_delta", "index": index, "delta": delta}),
            ),
        );
        events.push(json!({"type": "content_block_stop", "index": index}));
        events
    };
    let call =
        |id: &str, name: &str| json!({"type": "tool_use", "id": id, "name": name, "input": {}});
    let piece = |json: &str| json!({"type": "input_json_delta", "partial_json": json});
    let mut events =
        vec![json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude-x",
        "role": "assistant", "content": [], "usage": {"input_tokens": 9, "output_tokens": 1}}})];
    events.extend(block(
        0,
        json!({"type": "thinking", "thinking": "", "signature": ""}),
        &[
            json!({"type": "thinking_delta", "thinking": "hm"}),
            json!({"type": "signature_delta", "signature": "c2ln"}),
        ],
    ));
    events.extend(block(
        1,
        json!({"type": "text", "text": ""}),
        &[json!({"type": "text_delta", "text": "I do."})],
    ));
    events.extend(block(
        2,
        call("toolu_1", "multi_agent_v1__spawn_agent"),
        &[piece(""), piece("{\"n\":123456789012"), piece("34567890123}")],
    ));
    events.extend(block(
        3,
        call("toolu_2", "apply_patch"),
        &[piece("{\"input\":\"*** Beg"), piece("in \\\"x\\\"\\n\"}")],
    ));
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"},
        "usage": {"output_tokens": 7}}));
    events.push(json!({"type": "message_stop"}));
    events
}

#[test]
fn a_backends_own_search_is_left_out_and_named() {
    let exchange = exchange(TargetKind::Anthropic, TranslationMode::Strict).expect("it crosses");
    let dropped = &exchange.outgoing().dropped;
    assert!(dropped.iter().any(|path| path.starts_with("tools")), "{dropped:?}");
}

fn pass_through() -> BackendExchange {
    let exchange = exchange(TargetKind::OpenAi, TranslationMode::Strict).expect("the same dialect");
    assert!(exchange.passes_through());
    exchange
}

/// The same dialect passes through unchanged, except for the model name.
#[test]
fn codex_over_openai_passes_untouched() {
    let exchange = pass_through();
    let renamed = CODEX.replace("\"model\":\"gpt-x\"", "\"model\":\"backend-model\"");
    assert_eq!(exchange.outgoing().body, renamed);
    let answer = json!({"model": "gpt-x-1", "status": "completed", "output": [], "odd": 1.00});
    let body = Bytes::from(answer.to_string());
    let (relayed, facts) = exchange.translate_answer(&body).expect("an answer");
    assert_eq!((relayed, facts.model.as_deref()), (body, Some("gpt-x-1")));
}

/// A stream without its last event is truncated, whatever came before; a failed one reports its
/// error, and the client gets it with the next sequence number.
#[test]
fn f8_f9_f46_a_stream_that_passes_ends_truthfully() {
    let event = |event: &Value| format!("event: x\ndata: {event}\n\n");
    let begun = event(
        &json!({"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "model": "m"}}),
    );
    let text =
        event(&json!({"type": "response.output_text.delta", "sequence_number": 1, "delta": "Hi"}));
    let usage = json!({"input_tokens": 3, "output_tokens": 1});
    let whole = event(
        &json!({"type": "response.completed", "response": {"status": "completed", "usage": usage}}),
    );
    let failed = event(&json!({"type": "response.failed", "response": {"status": "failed",
        "error": {"code": "server_error", "message": "broke"}}}));
    let play = |events: &[&String]| {
        let mut stream = pass_through().answer_stream();
        let relay: Vec<u8> =
            events.iter().flat_map(|event| stream.feed(event.as_bytes()).relay).collect();
        let end = stream.finish();
        (stream, String::from_utf8(relay).expect("text"), end)
    };
    let (stream, relay, end) = play(&[&begun, &text, &whole]);
    assert_eq!(
        (relay, end),
        (format!("{begun}{text}{whole}"), StreamEnd::Complete { append: Bytes::new() })
    );
    assert_eq!(stream.facts().usage.as_ref().map(|usage| usage.tokens().total()), Some(4));
    assert_eq!(stream.facts().finish_reason.as_deref(), Some("completed"));
    let (stream, relay, end) = play(&[&begun, &text]);
    assert_eq!((relay, end), (format!("{begun}{text}"), StreamEnd::Truncated));
    let kind = crate::ErrorKind::Api;
    let error = crate::ErrorAnswer { status: 502, kind, code: None, message: "cut", param: None };
    let told = String::from_utf8(stream.error_event(&error).to_vec()).expect("text");
    assert!(told.starts_with("event: response.failed\n"), "{told}");
    assert!(told.contains("\"sequence_number\":2"), "{told}");
    assert!(told.contains("\n\nevent: error\ndata: {"), "{told}");
    // The SDKs' accumulators reject an event of another answer.
    assert!(told.contains("\"id\":\"resp_1\""), "{told}");
    let (_, relay, end) = play(&[&begun, &text, &failed]);
    assert_eq!(relay, format!("{begun}{text}"), "a backend's words are not relayed");
    assert!(matches!(end, StreamEnd::UpstreamError(error) if error.message == "broke"));
}
