//! Parses vectors from backends and writes answers for clients.

use bytes::Bytes;
use domain::{Dialect, Meter};
use serde::Serialize;
use serde_json::value::RawValue;

use super::request::{EmbeddingFormat, EmbeddingRequest, VectorEncoding};
use super::{EmbeddingBatch, EmbeddingVector};
use crate::answer::answer_text;
use crate::dialect::{gemini, openai_usage};
use crate::json::{Members, array_items};
use crate::neutral::JsonText;
use crate::usage::UsageBuilder;
use crate::{BadAnswer, UsageReport, dialect};

#[derive(Serialize)]
struct OpenAiAnswer<'a> {
    object: &'static str,
    data: Vec<OpenAiVector>,
    model: &'a str,
    usage: OpenAiUsage,
}

#[derive(Serialize)]
struct OpenAiVector {
    object: &'static str,
    index: usize,
    embedding: JsonText,
}

#[derive(Serialize)]
struct OpenAiUsage {
    prompt_tokens: u64,
    total_tokens: u64,
}

#[derive(Serialize)]
struct GeminiVector {
    values: JsonText,
}

#[derive(Serialize)]
struct GeminiOne {
    embedding: Option<GeminiVector>,
}

#[derive(Serialize)]
struct GeminiBatch {
    embeddings: Vec<GeminiVector>,
}

impl EmbeddingBatch {
    /// Parses a backend's answer to `inputs` inputs. Returns [`BadAnswer::Truncated`] if the number
    /// of vectors differs, because they could not be matched to inputs.
    pub fn read(dialect: Dialect, body: &Bytes, inputs: usize) -> Result<Self, BadAnswer> {
        let text = answer_text(body)?;
        let members = Members::parse(text).map_err(|_| BadAnswer::NotJson)?;
        if members.get("error").is_some() {
            let error = match dialect {
                Dialect::Gemini => gemini::in_band_error(text.as_bytes()),
                _ => dialect::upstream_error(dialect, 500, text.as_bytes()),
            };
            return Err(BadAnswer::UpstreamError(error));
        }
        let vectors = match dialect {
            Dialect::Gemini => read_gemini_vectors(&members),
            Dialect::OllamaChat => {
                members.get("embeddings").and_then(array_items).map(read_vectors)
            }
            _ => members.get("data").and_then(array_items).map(read_openai_vectors),
        };
        let vectors = vectors.ok_or(BadAnswer::NoChoices)?.ok_or(BadAnswer::NotJson)?;
        if vectors.len() != inputs {
            return Err(BadAnswer::Truncated);
        }
        let model = members.string("model");
        Ok(Self { dialect, vectors, usage: read_usage(&members), model, body: body.clone() })
    }
}

impl EmbeddingRequest {
    /// Writes the client's answer: the vectors of all batches in order, in the encoding the client
    /// asked for, with the sum of their usage.
    #[must_use]
    pub fn write_answer(&self, batches: &[EmbeddingBatch]) -> Bytes {
        if let [batch] = batches
            && batch.dialect == self.dialect()
            && !batch.body.is_empty()
        {
            return batch.body.clone();
        }
        let vectors = batches.iter().flat_map(|batch| &batch.vectors);
        let written = match self.shape {
            EmbeddingFormat::OpenAi => {
                let tokens = batches.iter().filter_map(|batch| batch.usage.as_ref());
                let tokens =
                    tokens.fold(0_u64, |sum, usage| sum.saturating_add(usage.tokens().input()));
                let model = batches.iter().find_map(|batch| batch.model.as_deref());
                serde_json::to_vec(&OpenAiAnswer {
                    object: "list",
                    data: vectors
                        .enumerate()
                        .map(|(index, v)| self.openai_vector(index, v))
                        .collect(),
                    model: model.unwrap_or(&self.model),
                    usage: OpenAiUsage { prompt_tokens: tokens, total_tokens: tokens },
                })
            }
            EmbeddingFormat::GeminiOne => serde_json::to_vec(&GeminiOne {
                embedding: vectors.map(|v| GeminiVector { values: v.to_numbers() }).next(),
            }),
            EmbeddingFormat::GeminiBatch => serde_json::to_vec(&GeminiBatch {
                embeddings: vectors.map(|v| GeminiVector { values: v.to_numbers() }).collect(),
            }),
        };
        // Every key is text and every raw value was parsed before, so this cannot fail.
        written.map(Bytes::from).unwrap_or_default()
    }

    /// Writes the client's answer from vectors of any origin, one for each input in order.
    #[must_use]
    pub fn write_vectors(
        &self,
        vectors: Vec<EmbeddingVector>,
        usage: UsageReport,
        model: Option<String>,
    ) -> Bytes {
        let (dialect, usage, body) = (self.dialect(), Some(usage), Bytes::new());
        self.write_answer(&[EmbeddingBatch { dialect, vectors, usage, model, body }])
    }

    fn openai_vector(&self, index: usize, vector: &EmbeddingVector) -> OpenAiVector {
        let embedding = match self.encoding {
            VectorEncoding::Numbers => vector.to_numbers(),
            VectorEncoding::Base64 => {
                JsonText::from_value(&serde_json::Value::from(vector.to_base64()))
            }
        };
        OpenAiVector { object: "embedding", index, embedding }
    }
}

fn read_vectors(list: Vec<&RawValue>) -> Option<Vec<EmbeddingVector>> {
    list.into_iter().map(EmbeddingVector::read).collect()
}

/// Sorts by index: some servers answer in order of completion.
fn read_openai_vectors(list: Vec<&RawValue>) -> Option<Vec<EmbeddingVector>> {
    let mut vectors = Vec::with_capacity(list.len());
    for (place, item) in list.into_iter().enumerate() {
        let item = Members::parse(item.get()).ok()?;
        let told = item.get("index").and_then(|index| index.get().parse::<usize>().ok());
        vectors.push((told.unwrap_or(place), EmbeddingVector::read(item.get("embedding")?)?));
    }
    vectors.sort_by_key(|(index, _)| *index);
    Some(vectors.into_iter().map(|(_, vector)| vector).collect())
}

fn read_gemini_vectors(members: &Members<'_>) -> Option<Option<Vec<EmbeddingVector>>> {
    let one = members.get("embedding").map(|one| vec![one]);
    let list = one.or_else(|| members.get("embeddings").and_then(array_items))?;
    let values =
        |item: &RawValue| EmbeddingVector::read(Members::parse(item.get()).ok()?.get("values")?);
    Some(list.into_iter().map(values).collect())
}

/// Input as OpenAI, Gemini or Ollama reports it.
fn read_usage(members: &Members<'_>) -> Option<UsageReport> {
    if let Some(usage) = members.get("usage") {
        return openai_usage::read_input_usage(usage);
    }
    if let Some(usage) = members.get("usageMetadata") {
        return gemini::read_usage(usage);
    }
    let count = members.get("prompt_eval_count")?;
    let mut usage = UsageBuilder::default();
    let input = usage.read_count(Some(count));
    usage.count(Meter::Input, input);
    Some(usage.into_report(count))
}
