//! Embeddings across dialects, in batches and at their limits.

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::{Dialect, TranslationMode};
use serde_json::{Value, json};

use super::*;
use crate::{BadAnswer, UpstreamClass};

fn target(kind: TargetKind, model: &str) -> Target {
    Target {
        kind,
        model: model.to_owned(),
        crossing: TranslationMode::Strict,
        output_tokens_max: None,
    }
}

fn compatible() -> TargetKind {
    TargetKind::OpenAiCompatible { lacks: BTreeSet::new(), offers: BTreeSet::new() }
}

fn openai(body: &str) -> EmbeddingRequest {
    let body = Bytes::copy_from_slice(body.as_bytes());
    EmbeddingRequest::parse(EmbeddingSurface::OpenAi, body).expect("a request")
}

fn gemini(surface: EmbeddingSurface<'_>, body: &str) -> EmbeddingRequest {
    EmbeddingRequest::parse(surface, Bytes::copy_from_slice(body.as_bytes())).expect("a request")
}

fn read(dialect: Dialect, body: &str, inputs: usize) -> Result<EmbeddingBatch, BadAnswer> {
    EmbeddingBatch::read(dialect, &Bytes::copy_from_slice(body.as_bytes()), inputs)
}

fn body(bytes: &Bytes) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn one_batch_of_the_same_dialect_passes_byte_for_byte() {
    // The format that openai-python sends.
    let text = r#"{"input": ["a", "b"], "model": "small", "encoding_format": "base64", "x":1.0}"#;
    let request = openai(text);
    assert_eq!((request.len(), request.model()), (2, "small"));
    let batches = request.batches(&target(compatible(), "small")).expect("batches");
    assert_eq!((batches.len(), batches[0].clone()), (1, 0..2));
    let same = request.batch(0..2, &target(compatible(), "small")).expect("a batch");
    assert_eq!(same.body, text);
    assert_eq!(same.path, ["embeddings"]);
    let renamed = request.batch(0..2, &target(TargetKind::OpenAi, "large \"3\"")).expect("a batch");
    assert_eq!(renamed.body, text.replace("\"small\"", "\"large \\\"3\\\"\""));
    let answer = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPw=="},{"object":"embedding","index":1,"embedding":"AACAPw=="}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2}}"#;
    let batch = read(Dialect::OpenAiChat, answer, 2).expect("vectors");
    assert_eq!(batch.usage.as_ref().map(|usage| usage.tokens().input()), Some(2));
    assert_eq!(request.write_answer(&[batch]), answer);
}

#[test]
fn tokens_pass_to_openai_and_cannot_cross() {
    for (text, inputs) in
        [(r#"{"model":"m","input":[1,2,3]}"#, 1), (r#"{"model":"m","input":[[1,2],[3]]}"#, 2)]
    {
        let request = openai(text);
        assert_eq!(request.len(), inputs);
        assert!(request.batch(0..inputs, &target(TargetKind::OpenAi, "m")).is_ok());
        let refused = request.batch(0..inputs, &target(TargetKind::Ollama, "m"));
        let param = refused.expect_err("refused").param().map(str::to_owned);
        assert_eq!(param.as_deref(), Some(if inputs == 1 { "input" } else { "input[0]" }));
    }
    let request = openai(r#"{"model":"m","input":"a"}"#);
    assert!(request.batch(0..1, &target(TargetKind::Anthropic, "m")).is_err());
}

#[test]
fn limits_hold_at_their_edge() {
    let many = |count: usize| {
        let inputs = vec!["\"a\""; count].join(",");
        let body = Bytes::from(format!(r#"{{"model":"m","input":[{inputs}]}}"#));
        EmbeddingRequest::parse(EmbeddingSurface::OpenAi, body)
    };
    assert!(many(0).is_err());
    assert!(many(EMBEDDING_INPUTS_MAX + 1).is_err());
    let request = many(EMBEDDING_INPUTS_MAX).expect("a request");
    let sizes = |kind| {
        let batches = request.batches(&target(kind, "m")).expect("batches");
        (batches.len(), batches.first().map(ExactSizeIterator::len), batches.last().cloned())
    };
    assert_eq!(sizes(TargetKind::OpenAi), (1, Some(2_048), Some(0..2_048)));
    assert_eq!(sizes(TargetKind::Gemini), (21, Some(100), Some(2_000..2_048)));
    assert_eq!(sizes(TargetKind::Ollama), (8, Some(256), Some(1_792..2_048)));
}

#[test]
fn openai_crosses_to_gemini_in_batches_and_back_in_base64() {
    let inputs: Vec<String> = (0..150).map(|n| format!("t{n}")).collect();
    let text = json!({"model": "m", "input": inputs, "dimensions": 2, "encoding_format": "base64", "user": "u"});
    let request = openai(&text.to_string());
    let target = target(TargetKind::Gemini, "gemini-embedding-001");
    let batches = request.batches(&target).expect("batches");
    assert_eq!(batches, [0..100, 100..150]);
    let second = request.batch(batches[1].clone(), &target).expect("a batch");
    assert_eq!(second.path, ["v1beta", "models", "gemini-embedding-001:batchEmbedContents"]);
    assert_eq!(second.dropped, ["user"]);
    let item = json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "t100"}]}, "outputDimensionality": 2});
    assert_eq!(body(&second.body)["requests"][0], item);
    assert_eq!(body(&second.body)["requests"].as_array().map(Vec::len), Some(50));
    let vector = r#"{"values":[1.0,-0.5]}"#;
    let answer = |count: usize| format!(r#"{{"embeddings":[{}]}}"#, vec![vector; count].join(","));
    let read: Vec<_> =
        [100, 50].map(|n| read(Dialect::Gemini, &answer(n), n).expect("vectors")).into();
    let written = body(&request.write_answer(&read));
    assert_eq!(written["data"].as_array().map(Vec::len), Some(150));
    assert_eq!(
        written["data"][149],
        json!({"object": "embedding", "index": 149, "embedding": "AACAPwAAAL8="})
    );
    assert_eq!(written["usage"], json!({"prompt_tokens": 0, "total_tokens": 0}));
}

#[test]
fn gemini_crosses_to_openai_and_ollama() {
    // google-genai sends a batch even for one text; snake_case is accepted too.
    let text = r#"{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"},{"text":"b"}]},"taskType":"RETRIEVAL_QUERY","output_dimensionality":3}]}"#;
    let request = gemini(EmbeddingSurface::GeminiBatch { model: "m" }, text);
    let sent = request
        .batch(0..1, &target(TargetKind::OpenAi, "text-embedding-3-small"))
        .expect("a batch");
    assert_eq!(
        sent.body,
        r#"{"model":"text-embedding-3-small","input":["a\nb"],"encoding_format":"float","dimensions":3}"#
    );
    assert_eq!(sent.dropped, ["requests[0].taskType"]);
    let answer = r#"{"data":[{"index":0,"embedding":[0.10,1e-7,3]}],"usage":{"prompt_tokens":2}}"#;
    let batch = read(Dialect::OpenAiChat, answer, 1).expect("vectors");
    assert_eq!(request.write_answer(&[batch]), r#"{"embeddings":[{"values":[0.10,1e-7,3]}]}"#);
    let sent = request.batch(0..1, &target(TargetKind::Ollama, "nomic")).expect("a batch");
    assert_eq!(sent.path, ["api", "embed"]);
    assert_eq!(sent.body, r#"{"model":"nomic","input":["a\nb"],"dimensions":3}"#);
    let one = gemini(
        EmbeddingSurface::GeminiOne { model: "m" },
        r#"{"content":{"parts":[{"text":"a"}]}}"#,
    );
    let answer = r#"{"model":"nomic","embeddings":[[0.5]],"prompt_eval_count":4}"#;
    let batch = read(Dialect::OllamaChat, answer, 1).expect("vectors");
    assert_eq!(batch.usage.as_ref().map(|usage| usage.tokens().input()), Some(4));
    assert_eq!(one.write_answer(&[batch]), r#"{"embedding":{"values":[0.5]}}"#);
}

#[test]
fn gemini_passes_with_its_models_renamed() {
    let text = r#"{"requests": [{"model": "models/m", "content": {"parts": [{"text": "a"}]}}, {"content": {"parts": [{"text": "b"}]}, "model": "models/m", "title": "t"}]}"#;
    let request = gemini(EmbeddingSurface::GeminiBatch { model: "m" }, text);
    let same = request.batch(0..2, &target(TargetKind::Gemini, "m")).expect("a batch");
    assert_eq!(same.body, text);
    let renamed = request.batch(0..2, &target(TargetKind::Gemini, "n")).expect("a batch");
    assert_eq!(renamed.body, text.replace("models/m", "models/n"));
    let part = request.batch(1..2, &target(TargetKind::Gemini, "n")).expect("a batch");
    assert_eq!(
        part.body,
        r#"{"requests":[{"content":{"parts": [{"text": "b"}]},"model":"models/n","title":"t"}]}"#
    );
    let one = gemini(
        EmbeddingSurface::GeminiOne { model: "m" },
        r#"{"content":{"parts":[{"text":"a"}]}}"#,
    );
    let sent = one.batch(0..1, &target(TargetKind::Gemini, "n")).expect("a batch");
    assert_eq!(sent.path[2], "n:embedContent");
}

#[test]
fn vectors_change_their_form_without_loss() {
    let values = [0.1_f32, -1.5e-8, 3.402_823_5e38, f32::MIN_POSITIVE, 0.333_333_34, -0.0];
    let numbers = values.map(|value| value.to_string()).join(",");
    let json = crate::neutral::JsonText::parse(&format!("[{numbers}]")).expect("JSON");
    let vector = EmbeddingVector::Numbers(json.clone());
    let back = EmbeddingVector::Base64(vector.to_base64());
    assert_eq!(back.to_numbers(), json);
    assert_eq!(EmbeddingVector::Base64(vector.to_base64()).to_base64(), vector.to_base64());
}

#[test]
fn bad_answers_are_reported() {
    let dialect = Dialect::OpenAiChat;
    assert_eq!(read(dialect, r#"{"data":[]}"#, 1), Err(BadAnswer::Truncated));
    assert_eq!(read(dialect, "{}", 1), Err(BadAnswer::NoChoices));
    assert_eq!(read(dialect, r#"{"data":[{"embedding":["x"]}]}"#, 1), Err(BadAnswer::NotJson));
    assert_eq!(read(dialect, "<html>", 1), Err(BadAnswer::Html));
    assert!(matches!(read(dialect, r#"{"error":"no"}"#, 1), Err(BadAnswer::UpstreamError(_))));
    let swapped = r#"{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}"#;
    let batch = read(dialect, swapped, 2).expect("vectors");
    assert_eq!(batch.vectors[0].to_numbers().get(), "[1]");
}

#[test]
fn a_failure_names_its_inputs() {
    let failure = |items, message: &str| EmbeddingFailure {
        items,
        error: UpstreamError {
            status: 503,
            class: UpstreamClass::Overloaded,
            message: message.to_owned(),
            kind: None,
            code: None,
            param: None,
            retry_after: None,
        },
    };
    let failures = [failure(100..200, "overloaded."), failure(200..201, "cut")];
    assert_eq!(
        EmbeddingFailure::summary(&failures, 250),
        "101 of 250 inputs could not be embedded, so no vectors are returned: inputs 100 to 199: overloaded; input 200: cut."
    );
}

#[test]
fn a_part_of_a_request_asks_for_those_inputs_only_and_joins_with_kept_vectors() {
    let body = Bytes::from_static(br#"{"input":["a","b","c"],"model":"m","user":"u"}"#);
    let request = EmbeddingRequest::parse(EmbeddingSurface::OpenAi, body).expect("a request");
    let part = request.select_inputs(&[0, 2]);
    assert_eq!(part.len(), 2);
    let target = target(TargetKind::OpenAi, "m2");
    let sent = part.batch(0..2, &target).expect("written").body;
    let sent: Value = serde_json::from_slice(&sent).expect("JSON");
    assert_eq!(sent, serde_json::json!({"input": ["a", "c"], "model": "m2", "user": "u"}));
    for text in ["[1,2.50]", "AACAPwAAAEA="] {
        let vector = EmbeddingVector::from_text(text).expect("a vector");
        assert_eq!(vector.as_text(), text);
        let tokens = domain::TokenUsage { input_uncached: 3, ..Default::default() };
        let usage = UsageReport::of_text(tokens, crate::UsageReading::Estimated);
        let written = request.write_vectors(vec![vector; 3], usage, Some("m2".to_owned()));
        let written: Value = serde_json::from_slice(&written).expect("JSON");
        assert_eq!(written["data"].as_array().map(Vec::len), Some(3));
        assert_eq!(written["data"][2]["embedding"][0].as_f64(), Some(1.0));
        assert_eq!(
            (&written["usage"]["prompt_tokens"], &written["model"]),
            (&3.into(), &"m2".into())
        );
    }
    assert_eq!(EmbeddingVector::from_text("no vector!"), None);
}
