//! A client's request as written for a backend, and the fields reported to the client.

use domain::{TranslationMode, UnsupportedFeature};
use serde_json::{Value, json};

use super::*;
use crate::{ApiSurface, TargetKind};

fn target(kind: TargetKind) -> Target {
    Target {
        kind,
        model: "m".to_owned(),
        crossing: TranslationMode::Strict,
        output_tokens_max: Some(64),
    }
}

fn client_request(client: Dialect, body: &Value) -> ClientRequest {
    let surface = match client {
        Dialect::OpenAiChat | Dialect::OllamaChat => ApiSurface::OpenAiChat,
        Dialect::OpenAiResponses => ApiSurface::OpenAiResponses,
        Dialect::AnthropicMessages => ApiSurface::AnthropicMessages,
        Dialect::Gemini => ApiSurface::Gemini { model: "m", delivery: Delivery::Whole },
    };
    ClientRequest::parse(surface, Bytes::from(body.to_string())).expect("a request")
}

fn exchange(
    client: Dialect,
    body: &Value,
    kind: TargetKind,
) -> Result<BackendExchange, RequestError> {
    BackendExchange::new(&client_request(client, body), &target(kind), "req1", 7)
}

/// A plain question in the dialect of `client`, with the members of `more` added.
fn question(client: Dialect, more: &Value) -> Value {
    let turn = json!([{"role": "user", "content": "hi, in JSON"}]);
    let mut body = match client {
        Dialect::OpenAiChat | Dialect::OllamaChat => json!({"model": "m", "messages": turn}),
        Dialect::OpenAiResponses => json!({"model": "m", "input": turn}),
        Dialect::AnthropicMessages => json!({"model": "m", "max_tokens": 9, "messages": turn}),
        Dialect::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
    };
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    body
}

fn poor_server() -> TargetKind {
    TargetKind::OpenAiCompatible {
        lacks: [UnsupportedFeature::JsonSchema].into(),
        offers: [].into(),
    }
}

#[test]
fn stop_texts_go_to_openai_in_chat_and_all_else_in_responses() {
    let cases = [
        (Dialect::AnthropicMessages, json!({"stop_sequences": ["X"]})),
        (Dialect::Gemini, json!({"generationConfig": {"stopSequences": ["X"]}})),
    ];
    for (client, stop) in cases {
        let sent = |more: &Value| {
            let exchange = exchange(client, &question(client, more), TargetKind::OpenAi);
            exchange.expect("crosses").outgoing().clone()
        };
        let outgoing = sent(&stop);
        assert_eq!(outgoing.dialect, Dialect::OpenAiChat, "{client:?}");
        assert_eq!(outgoing.path, ["chat", "completions"], "{client:?}");
        let body: Value = serde_json::from_slice(&outgoing.body).expect("JSON");
        assert_eq!((&body["stop"], &body["model"]), (&json!(["X"]), &json!("m")), "{client:?}");
        assert_eq!(outgoing.dropped, Vec::<String>::new(), "{client:?}");
        assert_eq!(sent(&json!({})).dialect, Dialect::OpenAiResponses, "{client:?}");
    }
    let chat = json!({"id": "c", "object": "chat.completion", "model": "m", "choices": [{"index": 0,
        "finish_reason": "stop", "message": {"role": "assistant", "content": "ho"}}]});
    let stop = question(Dialect::AnthropicMessages, &json!({"stop_sequences": ["X"]}));
    let exchange =
        exchange(Dialect::AnthropicMessages, &stop, TargetKind::OpenAi).expect("crosses");
    let (answer, _) = exchange.translate_answer(&Bytes::from(chat.to_string())).expect("an answer");
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    assert_eq!(answer["content"], json!([{"type": "text", "text": "ho"}]));
}

/// OpenAI's own Chat API rejects the reasoning members of other servers.
#[test]
fn openai_gets_no_reasoning_of_others_in_chat() {
    let contents = json!([{"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [{"text": "hm", "thought": true},
            {"functionCall": {"name": "f", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"a": 1}}}]}]);
    let body = json!({"contents": contents, "generationConfig": {"stopSequences": ["X"]},
        "tools": [{"functionDeclarations": [{"name": "f"}]}]});
    let sent = |kind| {
        let exchange = exchange(Dialect::Gemini, &body, kind).expect("crosses");
        String::from_utf8_lossy(&exchange.outgoing().body).into_owned()
    };
    assert!(!sent(TargetKind::OpenAi).contains("reasoning"), "{}", sent(TargetKind::OpenAi));
    assert!(sent(poor_server()).contains("reasoning_content"), "others want it back");
}

#[test]
fn json_mode_and_switched_off_filters_are_left_out_and_named() {
    let any = json!({"type": "json_object"});
    let off = json!([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"},
        {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_NONE"}]);
    let cases = [
        (Dialect::OpenAiChat, json!({"response_format": any}), "response_format"),
        (Dialect::OpenAiResponses, json!({"text": {"format": any}}), "text.format"),
        (
            Dialect::Gemini,
            json!({"generationConfig": {"responseMimeType": "application/json"}}),
            "generationConfig.responseMimeType",
        ),
        (Dialect::Gemini, json!({"safetySettings": off}), "safetySettings"),
        (Dialect::Gemini, json!({"safety_settings": off}), "safety_settings"),
    ];
    for (client, more, path) in cases {
        let exchange = exchange(client, &question(client, &more), TargetKind::Anthropic);
        assert_eq!(exchange.expect("crosses").outgoing().dropped, [path], "{client:?}");
    }
    let filter = json!({"safetySettings": [
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"}]});
    let filtered = question(Dialect::Gemini, &filter);
    let refused = exchange(Dialect::Gemini, &filtered, TargetKind::Anthropic).expect_err("refused");
    assert_eq!(refused.param(), Some("safetySettings"));
}

#[test]
fn a_refusal_names_the_field_as_the_client_wrote_it() {
    let schema = json!({"type": "json_schema", "name": "n", "schema": {"type": "object"}});
    let blank = json!({"generation_config": {"stop_sequences": ["\n"]}});
    let two = json!({"generationConfig": {"candidateCount": 2}});
    let choice = json!({"tools": [{"functionDeclarations": [{"name": "f"}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}});
    let cases = [
        (
            Dialect::OpenAiResponses,
            json!({"text": {"format": schema}}),
            poor_server(),
            "text.format",
        ),
        (Dialect::Gemini, blank, TargetKind::Anthropic, "generation_config.stop_sequences"),
        (Dialect::Gemini, two, TargetKind::Anthropic, "generationConfig.candidateCount"),
        (Dialect::Gemini, choice, TargetKind::Ollama, "toolConfig.functionCallingConfig"),
        (
            Dialect::AnthropicMessages,
            json!({"output_format": {"type": "json_schema", "schema": {"type": "object"}}}),
            poor_server(),
            "output_format",
        ),
    ];
    for (client, more, kind, path) in cases {
        let refused = exchange(client, &question(client, &more), kind).expect_err(path);
        assert_eq!(refused.param(), Some(path), "{client:?}");
        assert!(refused.to_string().starts_with(&format!("'{path}' cannot be sent")), "{refused}");
    }
}
