//! The mock's vectors: of length one and made from the text alone, so equal texts have equal
//! vectors.

use domain::TokenUsage;

use super::fault::MockFault;
use super::frames::AnswerFrames;
use super::{MockAnswer, MockEnd, text};
use crate::{EmbeddingRequest, EmbeddingVector, UsageReading, UsageReport};

/// Dimensions of a vector if the request sets none.
const DIMENSIONS: usize = 64;

const DIMENSIONS_MAX: usize = 4_096;

pub(super) fn answer_embeddings(request: &EmbeddingRequest) -> MockAnswer {
    let vector = |input| {
        let numbers = serde_json::json!(make_vector(input, request.dimensions())).to_string();
        EmbeddingVector::from_text(&numbers)
    };
    let vectors = request.texts().filter_map(vector).collect();
    let tokens = TokenUsage {
        input_uncached: request.texts().map(text::count_tokens).sum(),
        ..TokenUsage::default()
    };
    let usage = UsageReport::of_text(tokens, UsageReading::AsReported);
    let body = request.write_vectors(vectors, usage, None);
    let good = AnswerFrames::whole(request.dialect(), body, 0);
    match MockFault::from_model_name(request.model()) {
        Some(fault) => fault.apply(good),
        None => good.into_answer(MockEnd::Done),
    }
}

fn make_vector(input: &str, dimensions: Option<u64>) -> Vec<f32> {
    let wanted = dimensions.and_then(|count| usize::try_from(count).ok());
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use domain::Dialect;
    use serde_json::{Value, json};

    use super::*;
    use crate::{EmbeddingBatch, EmbeddingSurface};

    fn ask(surface: EmbeddingSurface<'_>, body: &Value) -> MockAnswer {
        let body = Bytes::from(body.to_string());
        answer_embeddings(&EmbeddingRequest::parse(surface, body).expect("a request"))
    }

    #[test]
    fn vectors_depend_on_the_text_alone_and_have_length_one() {
        let values = make_vector("a text", Some(1_000));
        assert_eq!(values, make_vector("a text", Some(1_000)));
        assert_ne!(values, make_vector("another", Some(1_000)));
        let length: f32 = values.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-4, "{length}");
        assert_eq!((make_vector("", None).len(), make_vector("", Some(0)).len()), (DIMENSIONS, 1));
    }

    #[test]
    fn the_same_text_has_the_same_vector_in_every_shape() {
        let packed = json!({"model": "m", "input": ["x", "y"], "encoding_format": "base64"});
        let numbers = json!({"model": "m", "input": ["x", "y"]});
        let gemini = json!({"requests": [{"content": {"parts": [{"text": "x"}]}}, {"content": {"parts": [{"text": "y"}]}}]});
        let pack = |text| {
            let bytes = make_vector(text, None).into_iter().flat_map(f32::to_le_bytes);
            STANDARD.encode(bytes.collect::<Vec<u8>>())
        };
        for (surface, body) in [
            (EmbeddingSurface::OpenAi, &packed),
            (EmbeddingSurface::OpenAi, &numbers),
            (EmbeddingSurface::GeminiBatch { model: "m" }, &gemini),
        ] {
            let answer = ask(surface, body);
            assert_eq!(answer.status, 200);
            let (dialect, bytes) = match surface {
                EmbeddingSurface::OpenAi => (Dialect::OpenAiChat, &answer.body[0].bytes),
                _ => (Dialect::Gemini, &answer.body[0].bytes),
            };
            let batch = EmbeddingBatch::read(dialect, bytes, 2).expect("vectors");
            let vectors: Vec<_> = batch.vectors.iter().map(EmbeddingVector::to_base64).collect();
            assert_eq!(vectors, [pack("x"), pack("y")]);
            if dialect == Dialect::OpenAiChat {
                assert_eq!(batch.usage.expect("usage").tokens().input(), 2);
            }
        }
    }

    #[test]
    fn faults_are_answered() {
        let surface = EmbeddingSurface::GeminiOne { model: "fault-429" };
        assert_eq!(ask(surface, &json!({"content": {"parts": [{"text": "x"}]}})).status, 429);
    }
}
