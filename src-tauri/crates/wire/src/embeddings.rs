//! Embeddings: vectors for texts, asked for in OpenAI's or Gemini's words and made by a backend of
//! OpenAI's, Gemini's or Ollama's.
//!
//! They have a small neutral form of their own: inputs, dimensions, vectors. A request may have more
//! inputs than a backend takes at once, so it is cut into batches ([`EmbeddingRequest::batches`]) that
//! may be sent side by side, and their vectors are joined in the order of the inputs. A request of one
//! batch whose backend speaks its dialect passes as it came, but for the model's name, and so does its
//! answer.
//!
//! If a batch fails, the whole request fails, with an error that names the inputs and the reason
//! ([`EmbeddingFailure::summary`]): no client of these dialects can be told of a vector that is
//! missing, and a list with a hole in it would shift all vectors behind it.

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

/// Most inputs of one request: OpenAI's own limit
/// (<https://platform.openai.com/docs/api-reference/embeddings/create>).
pub const EMBEDDING_INPUTS_MAX: usize = 2_048;

/// Most inputs of one `:batchEmbedContents` (<https://ai.google.dev/api/embeddings>).
pub const GEMINI_EMBEDDING_BATCH_MAX: usize = 100;

/// Most inputs sent to Ollama at once. It has no limit and works through them one after the other;
/// more than this would keep one connection silent for minutes.
pub const OLLAMA_EMBEDDING_BATCH_MAX: usize = 256;

/// Where a client knocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingSurface<'a> {
    /// `POST /v1/embeddings`.
    OpenAi,
    /// `POST /v1beta/models/{model}:embedContent`.
    GeminiOne {
        /// The model in the path, percent signs resolved.
        model: &'a str,
    },
    /// `POST /v1beta/models/{model}:batchEmbedContents`.
    GeminiBatch {
        /// The model in the path.
        model: &'a str,
    },
}

/// The vectors of one batch, in the order of its inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingBatch {
    /// The dialect of the backend that made them.
    pub dialect: Dialect,
    /// One for each input.
    pub vectors: Vec<EmbeddingVector>,
    /// Tokens of the inputs as the backend counted them. Put an estimate in if it did not.
    pub usage: Option<UsageReport>,
    /// The model it says it used.
    pub model: Option<String>,
    /// The backend's body, for an answer that passes.
    pub(crate) body: Bytes,
}

/// A batch that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingFailure {
    /// Which inputs of the request, from zero.
    pub items: Range<usize>,
    /// Why.
    pub error: UpstreamError,
}

impl EmbeddingFailure {
    /// The message of the error with which the whole request of `inputs` inputs fails: which inputs
    /// could not be embedded, each with its reason.
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

/// The dialect in which embeddings are asked of a backend: the client's own if it speaks it.
pub(crate) fn dialect_at(target: &Target, client: Dialect) -> Result<Dialect, RequestError> {
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

/// Most inputs of one batch.
const fn batch_max(dialect: Dialect) -> usize {
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
