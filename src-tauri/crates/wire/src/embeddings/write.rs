//! Writes batches for backends.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use domain::Dialect;
use serde::Serialize;

use super::embedding_dialect;
use super::request::{EmbeddingFormat, EmbeddingInput, EmbeddingRequest, VectorEncoding};
use crate::dialect::field_filter::{FieldFilter, FieldKind};
use crate::exchange::BackendRequest;
use crate::json::{Members, quote};
use crate::neutral::JsonText;
use crate::{RequestError, Target};

/// OpenAI's request, and Ollama's, which has no encoding.
#[derive(Serialize)]
struct ListBody<'a> {
    model: &'a str,
    input: Vec<&'a JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
}

#[derive(Serialize)]
struct GeminiBody<'a> {
    requests: Vec<GeminiItem<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiItem<'a> {
    model: &'a str,
    content: GeminiContent<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u64>,
}

#[derive(Serialize)]
struct GeminiContent<'a> {
    parts: [GeminiText<'a>; 1],
}

#[derive(Serialize)]
struct GeminiText<'a> {
    text: &'a str,
}

impl EmbeddingRequest {
    /// Writes the inputs in `range` for a backend. All inputs at once, in the client's own dialect,
    /// pass through unchanged except for the model name. Rejects tokens and non-text parts for a
    /// backend of another dialect, and backends without embeddings.
    pub fn batch(
        &self,
        range: Range<usize>,
        target: &Target,
    ) -> Result<BackendRequest, RequestError> {
        let dialect = embedding_dialect(target, self.dialect())?;
        let mut crossings = FieldFilter::for_dialect(dialect, target.crossing);
        let inputs = self.inputs.get(range).unwrap_or_default();
        let body = if dialect != self.dialect() {
            for (path, _) in &self.others {
                // None of these change the vectors that another provider's model makes.
                crossings.check(FieldKind::Unknown, path)?;
            }
            self.translated_body(inputs, dialect, &target.model)?
        } else if inputs.len() == self.len() && !self.is_subset {
            self.body_with_model(&target.model)
        } else {
            self.body_with_inputs(inputs, &target.model)
        };
        let one = dialect == self.dialect() && self.shape == EmbeddingFormat::GeminiOne;
        let path = embedding_path(dialect, &target.model, one);
        Ok(BackendRequest { dialect, path, query: None, body, dropped: crossings.into_dropped() })
    }

    /// The body as received, with the backend's model name.
    fn body_with_model(&self, model: &str) -> Bytes {
        if model == self.model {
            return self.body.clone();
        }
        let name = quote(&self.model_name_in_body(model));
        let mut out = BytesMut::with_capacity(self.body.len());
        let mut copied = 0;
        for at in &self.model_ranges {
            out.extend_from_slice(self.body.get(copied..at.start).unwrap_or_default());
            out.extend_from_slice(name.as_bytes());
            copied = at.end;
        }
        out.extend_from_slice(self.body.get(copied..).unwrap_or_default());
        out.freeze()
    }

    /// Gemini prefixes model names with their collection.
    fn model_name_in_body(&self, model: &str) -> String {
        match self.shape {
            EmbeddingFormat::OpenAi => model.to_owned(),
            EmbeddingFormat::GeminiOne | EmbeddingFormat::GeminiBatch => format!("models/{model}"),
        }
    }

    /// Some of the inputs, everything else as received.
    fn body_with_inputs(&self, inputs: &[EmbeddingInput], model: &str) -> Bytes {
        let name = quote(&self.model_name_in_body(model));
        let mut list = Vec::with_capacity(inputs.len());
        for input in inputs {
            list.push(match self.shape {
                EmbeddingFormat::OpenAi => input.raw.get().to_owned(),
                EmbeddingFormat::GeminiOne | EmbeddingFormat::GeminiBatch => {
                    replace_members(input.raw.get(), |key, _| {
                        (key == "model").then(|| name.clone())
                    })
                }
            });
        }
        let list = format!("[{}]", list.join(","));
        let text = std::str::from_utf8(&self.body).unwrap_or_default();
        Bytes::from(replace_members(text, |key, _| match (key, self.shape) {
            ("input", EmbeddingFormat::OpenAi) | ("requests", EmbeddingFormat::GeminiBatch) => {
                Some(list.clone())
            }
            ("model", EmbeddingFormat::OpenAi) => Some(name.clone()),
            _ => None,
        }))
    }

    fn translated_body(
        &self,
        inputs: &[EmbeddingInput],
        dialect: Dialect,
        model: &str,
    ) -> Result<Bytes, RequestError> {
        let mut texts = Vec::with_capacity(inputs.len());
        for input in inputs {
            let refused = || RequestError::Untranslatable { param: input.path.clone(), dialect };
            texts.push(input.text.as_deref().ok_or_else(refused)?);
        }
        let written = if dialect == Dialect::Gemini {
            let name = format!("models/{model}");
            let requests = texts.iter().map(|text| GeminiItem {
                model: &name,
                content: GeminiContent { parts: [GeminiText { text }] },
                output_dimensionality: self.dimensions,
            });
            serde_json::to_vec(&GeminiBody { requests: requests.collect() })
        } else {
            let quoted: Vec<JsonText> = texts
                .iter()
                .map(|text| JsonText::from_value(&serde_json::Value::from(*text)))
                .collect();
            let wants_numbers =
                dialect == Dialect::OpenAiChat && self.encoding == VectorEncoding::Numbers;
            serde_json::to_vec(&ListBody {
                model,
                input: quoted.iter().collect(),
                encoding_format: wants_numbers.then_some("float"),
                dimensions: self.dimensions,
            })
        };
        // Every key is text and every raw value was parsed before, so this cannot fail.
        Ok(written.map(Bytes::from).unwrap_or_default())
    }
}

/// Returns the object `text` with the values replaced for which `put` returns one.
fn replace_members(text: &str, put: impl Fn(&str, &str) -> Option<String>) -> String {
    let Ok(members) = Members::parse(text) else { return text.to_owned() };
    let shown = members.entries().map(|(key, value)| {
        let value = put(key, value.get()).unwrap_or_else(|| value.get().to_owned());
        format!("{}:{value}", quote(key))
    });
    format!("{{{}}}", shown.collect::<Vec<_>>().join(","))
}

/// Path of the request under the backend's root.
fn embedding_path(dialect: Dialect, model: &str, one: bool) -> Vec<String> {
    match dialect {
        Dialect::Gemini => {
            let method = if one { "embedContent" } else { "batchEmbedContents" };
            vec!["v1beta".to_owned(), "models".to_owned(), format!("{model}:{method}")]
        }
        Dialect::OllamaChat => vec!["api".to_owned(), "embed".to_owned()],
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::AnthropicMessages => {
            vec!["embeddings".to_owned()]
        }
    }
}
