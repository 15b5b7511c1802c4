//! The destination of a request: its dialect and the server's capabilities.

use std::collections::BTreeSet;

use domain::{Dialect, ExtraDialect, TranslationMode, UnsupportedFeature};

use crate::neutral::ModelRequest;

/// A backend and one of its models, as far as a writer needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub kind: TargetKind,
    /// The backend's name for the model.
    pub model: String,
    /// How to treat fields that cannot be translated.
    pub crossing: TranslationMode,
    /// The model's maximum output in tokens, for dialects that require a limit when the client gave
    /// none (Anthropic). From the price and model table; see [`OUTPUT_TOKENS_UNKNOWN_MODEL`].
    pub output_tokens_max: Option<u64>,
}

/// The limit sent to Anthropic for a model that is in no table, in tokens. Every model since Claude
/// Sonnet 3.7 accepts it (<https://docs.anthropic.com/en/docs/about-claude/models/overview>).
pub const OUTPUT_TOKENS_UNKNOWN_MODEL: u64 = 32_000;

/// A backend's type, as far as dialects are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetKind {
    /// OpenAI itself: Chat, Responses and Embeddings.
    OpenAi,
    /// Another server that supports Chat Completions.
    OpenAiCompatible {
        /// Features of Chat Completions that it lacks.
        lacks: BTreeSet<UnsupportedFeature>,
        /// Other dialects that it supports.
        offers: BTreeSet<ExtraDialect>,
    },
    Anthropic,
    Gemini,
    Ollama,
    /// The built-in mock, which answers in any dialect.
    Mock,
}

impl Target {
    /// The dialect for sending a request of `client`'s dialect to the backend: the same one if the
    /// backend supports it, else its richest.
    #[must_use]
    pub(crate) fn dialect_for(&self, client: Dialect) -> Dialect {
        match &self.kind {
            TargetKind::OpenAi if client == Dialect::OpenAiChat => Dialect::OpenAiChat,
            TargetKind::OpenAi => Dialect::OpenAiResponses,
            TargetKind::OpenAiCompatible { offers, .. } => match client {
                Dialect::OpenAiResponses if offers.contains(&ExtraDialect::Responses) => client,
                Dialect::AnthropicMessages if offers.contains(&ExtraDialect::Messages) => client,
                _ => Dialect::OpenAiChat,
            },
            TargetKind::Anthropic => Dialect::AnthropicMessages,
            TargetKind::Gemini => Dialect::Gemini,
            TargetKind::Ollama => Dialect::OllamaChat,
            TargetKind::Mock => client,
        }
    }

    /// The dialect for `request` at a backend whose dialect is otherwise `usual`: OpenAI has stop
    /// sequences in Chat Completions only.
    pub(crate) fn dialect_for_request(&self, request: &ModelRequest, usual: Dialect) -> Dialect {
        match (&self.kind, usual) {
            (TargetKind::OpenAi, Dialect::OpenAiResponses) if !request.stop.is_empty() => {
                Dialect::OpenAiChat
            }
            _ => usual,
        }
    }

    /// Path of Messages under the backend's root: the roots of compatible servers include the
    /// version.
    pub(crate) fn messages_path(&self) -> Vec<String> {
        let path: &[&str] = match self.kind {
            TargetKind::OpenAiCompatible { .. } => &["messages"],
            _ => &["v1", "messages"],
        };
        path.iter().map(|segment| (*segment).to_owned()).collect()
    }

    /// True if the server lacks this feature of Chat Completions.
    #[must_use]
    pub fn lacks(&self, lack: UnsupportedFeature) -> bool {
        matches!(&self.kind, TargetKind::OpenAiCompatible { lacks, .. } if lacks.contains(&lack))
    }
}
