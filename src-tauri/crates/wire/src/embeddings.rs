//! Embeddings: requests in OpenAI's or Gemini's dialect, answered by OpenAI, Gemini or Ollama
//! backends.
//!
//! They have a small neutral form of their own: inputs, dimensions, vectors. A request may have
//! more inputs than a backend accepts at once, so it is split into batches
//! ([`EmbeddingRequest::batches`]) that may be sent concurrently; their vectors are joined in input
//! order. A request of one batch to a backend of the same dialect passes through unchanged except
//! for the model name, and so does its answer.
//!
//! If a batch fails, the whole request fails with an error that names the inputs and the reason
//! ([`EmbeddingFailure::render_summary`]): these dialects cannot report a missing vector, and leaving one
//! out would shift all later vectors.

mod answer;
mod request;
mod vector;
mod write;

use std::ops::Range;

use bytes::Bytes;
use domain::Dialect;

use crate::{RequestError, Target, TargetKind, UpstreamError, UsageReport};

pub use request::EmbeddingRequest;
pub use vector::EmbeddingVector;

/// Maximum number of inputs in one request: OpenAI's own limit
/// (<https://platform.openai.com/docs/api-reference/embeddings/create>).
pub(crate) const EMBEDDING_INPUTS_MAX: usize = 2_048;

/// Maximum number of inputs in one `:batchEmbedContents` (<https://ai.google.dev/api/embeddings>).
pub(crate) const GEMINI_EMBEDDING_BATCH_MAX: usize = 100;

/// Maximum number of inputs sent to Ollama at once. Ollama has no limit and processes them one
/// after the other; more would leave a connection silent for minutes.
pub(crate) const OLLAMA_EMBEDDING_BATCH_MAX: usize = 256;

/// The API endpoint a client called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingSurface<'a> {
    /// `POST /v1/embeddings`.
    OpenAi,
    /// `POST /v1beta/models/{model}:embedContent`.
    GeminiOne {
        /// The model in the path, percent-decoded.
        model: &'a str,
    },
    /// `POST /v1beta/models/{model}:batchEmbedContents`.
    GeminiBatch {
        /// The model in the path, percent-decoded.
        model: &'a str,
    },
}

/// The vectors of one batch, in input order.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingBatch {
    /// The dialect of the backend that made them.
    pub dialect: Dialect,
    /// One for each input.
    pub vectors: Vec<EmbeddingVector>,
    /// Input tokens as the backend counted them. The caller sets an estimate if the backend gave
    /// none.
    pub usage: Option<UsageReport>,
    /// The model that the backend reports.
    pub model: Option<String>,
    /// The backend's body, for an answer that passes through.
    pub(crate) body: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingFailure {
    /// Indexes of the batch's inputs in the request, from zero.
    pub items: Range<usize>,
    pub error: UpstreamError,
}

impl EmbeddingFailure {
    /// The error message for a failed request of `inputs` inputs: which inputs could not be
    /// embedded, each with its reason.
    #[must_use]
    pub fn summary(failures: &[Self], inputs: usize) -> String {
        let shown = |failure: &Self| {
            let Range { start, end } = failure.items;
            let last = end.saturating_sub(1);
            let which = if start == last {
                format!("input {start}")
            } else {
                format!("inputs {start} to {last}")
            };
            format!("{which}: {}", failure.error.message.trim_end_matches('.'))
        };
        let reasons: Vec<_> = failures.iter().map(shown).collect();
        let count: usize = failures.iter().map(|failure| failure.items.len()).sum();
        format!(
            "{count} of {inputs} inputs could not be embedded, so no vectors are returned: {}.",
            reasons.join("; ")
        )
    }
}

/// The dialect in which to ask a backend for embeddings: the client's own if the backend speaks it.
pub(crate) fn embedding_dialect(target: &Target, client: Dialect) -> Result<Dialect, RequestError> {
    match &target.kind {
        TargetKind::OpenAi | TargetKind::OpenAiCompatible { .. } => Ok(Dialect::OpenAiChat),
        TargetKind::Gemini => Ok(Dialect::Gemini),
        TargetKind::Ollama => Ok(Dialect::OllamaChat),
        TargetKind::Mock => Ok(client),
        TargetKind::Anthropic => Err(RequestError::BadValue {
            param: "model".to_owned(),
            why: "its backend is Anthropic, which does not offer embeddings; choose another model",
        }),
    }
}

/// Maximum number of inputs in one batch.
const fn batch_inputs_max(dialect: Dialect) -> usize {
    match dialect {
        Dialect::Gemini => GEMINI_EMBEDDING_BATCH_MAX,
        Dialect::OllamaChat => OLLAMA_EMBEDDING_BATCH_MAX,
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::AnthropicMessages => {
            EMBEDDING_INPUTS_MAX
        }
    }
}

#[cfg(test)]
mod tests;
