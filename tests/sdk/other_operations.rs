//! Requests other than text generation: models, token counts and embeddings, through every SDK that
//! has them.

use serde_json::{Value, json};
use test_support::PROVIDER_INPUT_TOKENS;

use super::fixture::{KINDS, SdkFixture};
use super::runner::{SdkLanguage, SdkRequest};

/// Surfaces with a call for embeddings.
const EMBED: [&str; 5] = ["openai-chat", "gemini", "ai-openai-chat", "ai-google", "ai-compatible"];

/// Kinds of backends with embeddings.
const EMBEDDERS: [&str; 4] = ["openai", "openai-compatible", "gemini", "ollama"];

fn of(language: SdkLanguage, surfaces: &[&'static str]) -> Vec<&'static str> {
    language.surfaces().iter().filter(|name| surfaces.contains(name)).copied().collect()
}

pub(crate) async fn each_sdk_lists_the_same_models(language: SdkLanguage) {
    let bench = SdkFixture::new(&KINDS).await;
    let surfaces = of(language, &["openai-chat", "anthropic-messages", "gemini"]);
    let ask = |surface: &&str| SdkRequest::new(surface, "models", "all", &json!({}));
    let questions: Vec<SdkRequest> = surfaces.iter().map(ask).collect();
    let Some(seen) = bench.ask(language, &questions).await else { return };
    for (question, seen) in questions.iter().zip(&seen) {
        let listed = seen.at("/models");
        let prefix = if question.name.starts_with("gemini") { "models/" } else { "" };
        for name in ["mock/echo", "openai/echo", "anthropic/think", "gemini/echo", "ollama/echo"] {
            let name = json!(format!("{prefix}{name}"));
            let there = listed.as_array().is_some_and(|names| names.contains(&name));
            assert!(there, "{}: {name} in {}", question.name, seen.0);
        }
    }
}

/// Token counts come from the backend if it speaks the client's dialect, else from an estimate.
pub(crate) async fn each_sdk_counts_tokens(language: SdkLanguage) {
    let bench = SdkFixture::new(&KINDS).await;
    let mut questions = Vec::new();
    for surface in of(language, &["anthropic-messages", "gemini"]) {
        for backend in KINDS.into_iter().chain(["mock"]) {
            let asks = json!({"model": format!("{backend}/echo"),
                "turns": [{"role": "user", "text": "How many tokens has this sentence?"}]});
            questions.push((backend, SdkRequest::new(surface, "count", backend, &asks)));
        }
    }
    let asked: Vec<SdkRequest> = questions.iter().map(|(_, question)| question.clone()).collect();
    let Some(seen) = bench.ask(language, &asked).await else { return };
    for ((backend, question), seen) in questions.iter().zip(&seen) {
        let count = seen.at("/count").as_u64();
        if question.name.starts_with(backend) {
            assert_eq!(count, Some(PROVIDER_INPUT_TOKENS), "{}: {}", question.name, seen.0);
        } else {
            assert!(count > Some(3) && count < Some(30), "{}: {}", question.name, seen.0);
        }
    }
}

/// The provider's embedding of a text: its length and bytes, divided by 256.
fn vector(text: &str, dimensions: usize) -> Vec<f64> {
    let numbers = [text.len()].into_iter().chain(text.bytes().map(usize::from));
    let padded = numbers.chain(std::iter::repeat(0)).take(dimensions);
    padded.map(|number| f64::from(u32::try_from(number).expect("small")) / 256.0).collect()
}

/// The numbers are exact binary fractions, so that no encoding may round them.
pub(crate) async fn each_sdk_gets_the_same_embeddings(language: SdkLanguage) {
    let bench = SdkFixture::new(&EMBEDDERS).await;
    let texts = ["first", "a second one", "third"];
    let variants = [
        ("plain", json!({}), 4),
        ("float", json!({"encoding_format": "float"}), 4),
        ("short", json!({"dimensions": 2}), 2),
    ];
    let mut wanted: Vec<(SdkRequest, Value)> = Vec::new();
    for surface in of(language, &EMBED) {
        for backend in EMBEDDERS {
            for (name, more, dimensions) in &variants {
                if surface.starts_with("ai-") && *name != "plain" {
                    continue;
                }
                let mut asks = json!({"model": format!("{backend}/echo"), "texts": texts});
                let members = asks.as_object_mut().expect("an object");
                members.extend(more.as_object().cloned().expect("an object"));
                let name = format!("{backend} {name}");
                let vectors = texts.map(|text| vector(text, *dimensions));
                wanted.push((SdkRequest::new(surface, "embed", &name, &asks), json!(vectors)));
            }
        }
    }
    let asked: Vec<SdkRequest> = wanted.iter().map(|(question, _)| question.clone()).collect();
    let Some(seen) = bench.ask(language, &asked).await else { return };
    let wrong: Vec<String> = wanted
        .iter()
        .zip(&seen)
        .filter(|((_, vectors), seen)| seen.at("/vectors") != *vectors)
        .map(|((question, _), seen)| format!("{}: {}", question.name, seen.0))
        .collect();
    let refusals = bench.provider.refusals();
    assert!(wrong.is_empty() && refusals.is_empty(), "{}\n{refusals:?}", wrong.join("\n"));
}

/// The mock computes its own vectors, the same through every surface.
pub(crate) async fn each_sdk_gets_the_mocks_embeddings(language: SdkLanguage) {
    let bench = SdkFixture::new(&[]).await;
    let asks = json!({"model": "mock/echo", "texts": ["first", "second"]});
    let ask = |surface: &'static str| SdkRequest::new(surface, "embed", "mock", &asks);
    let questions: Vec<SdkRequest> = of(language, &EMBED).into_iter().map(ask).collect();
    let Some(seen) = bench.ask(language, &questions).await else { return };
    let vectors: Vec<Value> = seen.iter().map(|seen| seen.at("/vectors")).collect();
    let first = vectors.first().and_then(Value::as_array).cloned().unwrap_or_default();
    let [one, two] = first.as_slice() else { panic!("{seen:?}") };
    assert_ne!(one, two, "different texts");
    let numbers = |value: &Value| -> Vec<f64> {
        let flat = value.as_array().into_iter().flatten().filter_map(Value::as_array).flatten();
        flat.filter_map(Value::as_f64).collect()
    };
    let known = numbers(vectors.first().expect("one"));
    for (question, vectors) in questions.iter().zip(&vectors) {
        let numbers = numbers(vectors);
        let near = numbers.iter().zip(&known).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near && numbers.len() == known.len(), "{}: {vectors}", question.name);
    }
}
