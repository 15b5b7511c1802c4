//! Property tests: no bytes cause a panic, and a request that was read can be written.

use bytes::Bytes;
use domain::{Dialect, TranslationMode};
use proptest::prelude::*;

use crate::dialect::gemini::{
    StreamReader, read_answer, read_request, upstream_error, write_request,
};
use crate::dialect::translation::StreamReader as _;
use crate::{
    Delivery, EmbeddingBatch, EmbeddingRequest, EmbeddingSurface, SseEvent, SsePayload, Target,
    TargetKind,
};

/// JSON biased towards the dialect's keywords.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(
        &[
            "null",
            "true",
            "0",
            "-1",
            "1e400",
            "\"\"",
            "\"text\"",
            "\"\\ud800\"",
            "\"STOP\"",
            "[]",
            "{}",
            "\"37s\"",
            "\"models/m\"",
        ][..],
    )
    .prop_map(str::to_owned);
    let keys = &[
        "contents",
        "parts",
        "text",
        "functionCall",
        "function_call",
        "functionResponse",
        "args",
        "name",
        "id",
        "response",
        "candidates",
        "content",
        "finishReason",
        "usageMetadata",
        "promptTokenCount",
        "error",
        "details",
        "code",
        "tools",
        "functionDeclarations",
        "parameters",
        "type",
        "properties",
        "enum",
        "nullable",
        "generationConfig",
        "thinkingConfig",
        "thoughtSignature",
        "thought",
        "inlineData",
        "data",
        "role",
        "requests",
        "embedding",
        "values",
        "input",
        "model",
        "index",
    ][..];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        let member = (prop::sample::select(keys), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..5).prop_map(|members| {
                let shown = members.iter().map(|(key, value)| format!("\"{key}\":{value}"));
                format!("{{{}}}", shown.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(text in json()) {
        let _ = read_answer(&text);
        let _ = upstream_error(429, text.as_bytes());
        let payload = SsePayload::Data(Bytes::from(text.clone()));
        let _ = StreamReader::default().read(&SseEvent { raw: Bytes::new(), name: None, payload });
        let body = Bytes::from(text);
        for surface in [EmbeddingSurface::OpenAi, EmbeddingSurface::GeminiOne { model: "m" }, EmbeddingSurface::GeminiBatch { model: "m" }] {
            if let Ok(request) = EmbeddingRequest::parse(surface, body.clone()) {
                let target = Target { kind: TargetKind::Gemini, model: "n".to_owned(), crossing: TranslationMode::Lenient, output_tokens_max: None };
                if let Ok(sent) = request.batch(0..request.len(), &target) {
                    prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&sent.body).is_ok());
                }
            }
        }
        for dialect in [Dialect::OpenAiChat, Dialect::Gemini, Dialect::OllamaChat] {
            let _ = EmbeddingBatch::read(dialect, &body, 1);
        }
    }

    #[test]
    fn what_was_read_is_written_as_json(contents in json(), rest in json()) {
        let text = format!("{{\"contents\":[{{\"parts\":[{contents}]}}],\"generationConfig\":{rest},\"tools\":[{rest}]}}");
        if let Ok(request) = read_request(&text, "m", Delivery::Whole) {
            let target = Target { kind: TargetKind::Gemini, model: "gemini-3".to_owned(), crossing: TranslationMode::Lenient, output_tokens_max: None };
            if let Ok(written) = write_request(&request, &target) {
                prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&written.body).is_ok());
            }
        }
    }
}
