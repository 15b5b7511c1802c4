//! Checks what OpenAI's clients get over every backend against OpenAI's published schema. The
//! answers come from the strict provider of `test-support`, so they are translated like real ones.

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::{Dialect, TranslationMode};
use serde_json::{Value, json};

use crate::test_provider::provider_answer;
use crate::test_schema::PublishedSchema;
use crate::{
    ApiSurface, BackendExchange, ClientRequest, Delivery, EmbeddingBatch, EmbeddingRequest,
    EmbeddingSurface, StreamEnd, Target, TargetKind, mock,
};

/// Models of the mock and of the strict provider with different answers: text, thinking, text and calls.
const MODELS: [&str; 3] = ["echo", "think", "text-and-tool"];

/// Thinking, text and two calls, as Claude streams them.
const CLAUDE: [&str; 14] = [
    r#"{"type":"message_start","message":{"id":"msg_1","model":"claude-x","role":"assistant","content":[],"usage":{"input_tokens":9,"cache_read_input_tokens":4,"output_tokens":1}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"I look."}}"#,
    r#"{"type":"content_block_stop","index":1}"#,
    r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"weather","input":{}}}"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"Paris\"}"}}"#,
    r#"{"type":"content_block_stop","index":2}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":7}}"#,
    r#"{"type":"message_stop"}"#,
];

/// The mock speaks to its client directly; the others are translated.
fn backends() -> [TargetKind; 3] {
    let (lacks, offers) = (BTreeSet::new(), BTreeSet::new());
    [TargetKind::Mock, TargetKind::OpenAiCompatible { lacks, offers }, TargetKind::Anthropic]
}

fn chat(is_streamed: bool) -> Value {
    let mut body = json!({"model": "route", "stream": is_streamed,
        "messages": [{"role": "user", "content": "Hello, Paris"}],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]});
    if is_streamed {
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

fn responses(is_streamed: bool) -> Value {
    json!({"model": "route", "stream": is_streamed, "input": "Hello, Paris",
        "tools": [{"type": "function", "name": "weather", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]})
}

/// The body that a client gets from a backend of `kind`.
fn relayed(surface: ApiSurface<'_>, body: &Value, kind: &TargetKind, model: &str) -> Vec<u8> {
    let exchange = exchange(surface, body, kind, model);
    let answer = if *kind == TargetKind::Mock {
        let request = ClientRequest::parse(surface, exchange.outgoing().body.clone());
        let answer = mock::answer(&request.expect("our own request"), 1);
        answer.body.into_iter().flat_map(|piece| piece.bytes).collect()
    } else {
        Bytes::from(provider_answer(&exchange).pieces.concat())
    };
    if exchange.delivery() == Delivery::Whole {
        return exchange.translate_answer(&answer).expect("an answer").0.to_vec();
    }
    streamed(&exchange, &answer)
}

fn exchange(
    surface: ApiSurface<'_>,
    body: &Value,
    kind: &TargetKind,
    model: &str,
) -> BackendExchange {
    let request = ClientRequest::parse(surface, Bytes::from(body.to_string())).expect("a request");
    let (kind, model) = (kind.clone(), model.to_owned());
    let crossing = TranslationMode::Strict;
    let target = Target { kind, model, crossing, output_tokens_max: Some(1_000) };
    BackendExchange::new(&request, &target, "abc", 1_700_000_000).expect("crosses")
}

fn streamed(exchange: &BackendExchange, answer: &[u8]) -> Vec<u8> {
    let mut stream = exchange.answer_stream();
    let mut relay = stream.feed(answer).relay.to_vec();
    match stream.finish() {
        StreamEnd::Complete { append } => relay.extend(append),
        other => panic!("not whole: {other:?}"),
    }
    relay
}

fn events(stream: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stream).expect("text");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let data = data.filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

#[test]
fn chat_clients_get_what_is_published() {
    let Some(published) = PublishedSchema::find() else { return };
    for kind in &backends() {
        for model in MODELS {
            let whole = relayed(ApiSurface::OpenAiChat, &chat(false), kind, model);
            let whole = serde_json::from_slice(&whole).expect("JSON");
            published.check("CreateChatCompletionResponse", &whole);
            let stream = relayed(ApiSurface::OpenAiChat, &chat(true), kind, model);
            for chunk in events(&stream) {
                published.check_chunk(&chunk);
            }
        }
    }
}

#[test]
fn responses_clients_get_what_is_published() {
    let Some(published) = PublishedSchema::find() else { return };
    for kind in &backends() {
        for model in MODELS {
            let whole = relayed(ApiSurface::OpenAiResponses, &responses(false), kind, model);
            published.check("Response", &serde_json::from_slice(&whole).expect("JSON"));
            let stream = relayed(ApiSurface::OpenAiResponses, &responses(true), kind, model);
            for (number, event) in events(&stream).iter().enumerate() {
                assert_eq!(event["sequence_number"], number);
                published.check_event(event);
            }
        }
    }
}

#[test]
fn both_get_what_is_published_over_claude() {
    let Some(published) = PublishedSchema::find() else { return };
    let claude: String = CLAUDE.iter().map(|event| format!("data: {event}\n\n")).collect();
    let anthropic = &TargetKind::Anthropic;
    let to_chat = exchange(ApiSurface::OpenAiChat, &chat(true), anthropic, "claude");
    let chunks = events(&streamed(&to_chat, claude.as_bytes()));
    assert!(chunks.len() > 5, "{chunks:?}");
    chunks.iter().for_each(|chunk| published.check_chunk(chunk));
    let (whole, _) = to_chat.answer_from_stream(claude.as_bytes()).expect("an answer");
    let whole = serde_json::from_slice(&whole).expect("JSON");
    published.check("CreateChatCompletionResponse", &whole);
    assert_eq!(whole["choices"][0]["message"]["tool_calls"][0]["id"], "toolu_1");
    assert_eq!(whole["usage"]["total_tokens"], 20);
    let to_responses = exchange(ApiSurface::OpenAiResponses, &responses(true), anthropic, "claude");
    let family = events(&streamed(&to_responses, claude.as_bytes()));
    family.iter().for_each(|event| published.check_event(event));
    let (whole, _) = to_responses.answer_from_stream(claude.as_bytes()).expect("an answer");
    let whole: Value = serde_json::from_slice(&whole).expect("JSON");
    assert_eq!(family.last().map(|event| &event["response"]), Some(&whole));
}

#[test]
fn the_list_of_models_is_as_published() {
    let Some(published) = PublishedSchema::find() else { return };
    let list = serde_json::from_slice(&mock::model_list(1)).expect("JSON");
    published.check("ListModelsResponse", &list);
}

/// Vectors as numbers: the schema has no other form, although OpenAI sends base64 on request.
#[test]
fn embeddings_over_gemini_are_as_published() {
    let Some(published) = PublishedSchema::find() else { return };
    let body = json!({"model": "route", "input": ["a", "b"], "encoding_format": "float"});
    let body = Bytes::from(body.to_string());
    let request = EmbeddingRequest::parse(EmbeddingSurface::OpenAi, body).expect("a request");
    let vectors =
        Bytes::from_static(br#"{"embeddings":[{"values":[0.5,-1]},{"values":[1,2.25]}]}"#);
    let batch = EmbeddingBatch::read(Dialect::Gemini, &vectors, 2).expect("vectors");
    let list = serde_json::from_slice(&request.write_answer(&[batch])).expect("JSON");
    published.check("CreateEmbeddingResponse", &list);
}
