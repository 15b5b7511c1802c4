//! The mock's vectors: of length one and made from the text alone, so equal texts have equal
//! vectors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::Dialect;
use serde_json::{Value, json};

use super::fault::{self, MockFault};
use super::mock_dialect::{AnswerFrame, mock_dialect};
use super::timed_answer::AnswerFrames;
use super::{MockAnswer, MockEnd, text};
use crate::Delivery;

/// Dimensions of a vector if the request sets none.
const DIMENSIONS: usize = 64;

const DIMENSIONS_MAX: usize = 4_096;

pub(super) fn answer_embeddings(dialect: Dialect, model: &str, body: &[u8]) -> MockAnswer {
    let voice = mock_dialect(dialect);
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(answer) = answer_body(dialect, model, &body) else {
        return fault::unreadable_request_answer(voice);
    };
    let beats = vec![AnswerFrame::token(Bytes::from(answer.to_string()))];
    let good =
        AnswerFrames { dialect: voice, delivery: Delivery::Whole, delay_ms: 0, frames: beats };
    match MockFault::from_model_name(model) {
        Some(fault) => fault.apply(good),
        None => good.into_answer(MockEnd::Done),
    }
}

fn answer_body(dialect: Dialect, model: &str, body: &Value) -> Option<Value> {
    if dialect == Dialect::Gemini {
        let vector = |request: &Value| {
            let wanted = request
                .get("outputDimensionality")
                .or_else(|| request.get("output_dimensionality"));
            let parts = request.pointer("/content/parts")?.as_array()?;
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            let values = make_vector(&texts.collect::<Vec<_>>().join("\n"), wanted);
            Some(json!({ "values": values }))
        };
        return Some(match body.get("requests").and_then(Value::as_array) {
            Some(requests) => {
                let vectors: Option<Vec<_>> = requests.iter().map(vector).collect();
                json!({"embeddings": vectors?})
            }
            None => json!({"embedding": vector(body)?}),
        });
    }
    let inputs = read_inputs(body.get("input")?);
    let vectors = inputs.iter().map(|input| make_vector(input, body.get("dimensions")));
    let tokens: u64 = inputs.iter().map(|input| text::count_tokens(input)).sum();
    if dialect == Dialect::OllamaChat {
        let vectors: Vec<_> = vectors.collect();
        return Some(json!({"model": model, "embeddings": vectors, "total_duration": 1,
            "load_duration": 1, "prompt_eval_count": tokens}));
    }
    let is_packed = body.get("encoding_format").is_some_and(|format| format == "base64");
    let shown =
        |values: Vec<f32>| if is_packed { json!(pack_base64(&values)) } else { json!(values) };
    let data: Vec<_> = vectors
        .enumerate()
        .map(|(index, values)| {
            json!({"object": "embedding", "index": index, "embedding": shown(values)})
        })
        .collect();
    Some(json!({"object": "list", "data": data, "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}))
}

/// Input texts; token numbers count as their text.
fn read_inputs(input: &Value) -> Vec<String> {
    let shown = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
    match input {
        Value::Array(items) if !items.first().is_some_and(Value::is_number) => {
            items.iter().map(shown).collect()
        }
        one => vec![shown(one)],
    }
}

fn make_vector(input: &str, wanted: Option<&Value>) -> Vec<f32> {
    let wanted = wanted.and_then(Value::as_u64).and_then(|wanted| usize::try_from(wanted).ok());
    let mut state = text::hash_text(input) | 1;
    let mut next = || {
        // Xorshift: any distribution will do if it is the same everywhere.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f32::from(u16::try_from(state >> 48).unwrap_or_default()) / 32_767.5 - 1.0
    };
    let count = wanted.unwrap_or(DIMENSIONS).clamp(1, DIMENSIONS_MAX);
    let values: Vec<f32> = (0..count).map(|_| next()).collect();
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    let length = if length > 0.0 { length } else { 1.0 };
    values.into_iter().map(|value| value / length).collect()
}

fn pack_base64(values: &[f32]) -> String {
    STANDARD.encode(values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EmbeddingBatch, EmbeddingRequest, EmbeddingSurface};

    fn ask(dialect: Dialect, body: &Value) -> Bytes {
        let answer = answer_embeddings(dialect, "m", body.to_string().as_bytes());
        assert_eq!(answer.status, 200);
        answer.body.iter().flat_map(|piece| piece.bytes.to_vec()).collect::<Vec<_>>().into()
    }

    #[test]
    fn vectors_depend_on_the_text_alone_and_have_length_one() {
        let values = make_vector("a text", Some(&json!(1_000)));
        assert_eq!(values, make_vector("a text", Some(&json!(1_000))));
        assert_ne!(values, make_vector("another", Some(&json!(1_000))));
        let length: f32 = values.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-4, "{length}");
        assert_eq!(
            (make_vector("", None).len(), make_vector("", Some(&json!(0))).len()),
            (DIMENSIONS, 1)
        );
    }

    #[test]
    fn the_same_text_has_the_same_vector_in_every_shape() {
        let openai = json!({"model": "m", "input": ["x", "y"], "encoding_format": "base64"});
        let numbers = json!({"model": "m", "input": ["x", "y"]});
        let gemini = json!({"requests": [{"content": {"parts": [{"text": "x"}]}}, {"content": {"parts": [{"text": "y"}]}}]});
        let read = |dialect, body: &Value| {
            let batch = EmbeddingBatch::read(dialect, &ask(dialect, body), 2).expect("vectors");
            batch.vectors.iter().map(crate::EmbeddingVector::to_base64).collect::<Vec<_>>()
        };
        let expected = read(Dialect::OpenAiChat, &openai);
        assert_eq!(read(Dialect::OpenAiChat, &numbers), expected);
        assert_eq!(read(Dialect::OllamaChat, &numbers), expected);
        assert_eq!(read(Dialect::Gemini, &gemini), expected);
        let body = Bytes::from(openai.to_string());
        let request = EmbeddingRequest::parse(EmbeddingSurface::OpenAi, body).expect("a request");
        let answer = ask(Dialect::OllamaChat, &numbers);
        let batch = EmbeddingBatch::read(Dialect::OllamaChat, &answer, 2).expect("vectors");
        let written: Value = serde_json::from_slice(&request.write_answer(&[batch])).expect("JSON");
        assert_eq!(written["data"][1]["embedding"], json!(expected[1]));
        assert_eq!(written["usage"]["prompt_tokens"], 2);
    }

    #[test]
    fn faults_and_nonsense_are_answered() {
        assert_eq!(
            answer_embeddings(Dialect::Gemini, "fault-429", b"{\"content\":{\"parts\":[]}}").status,
            429
        );
        assert_eq!(answer_embeddings(Dialect::OpenAiChat, "m", b"{}").status, 400);
    }
}
