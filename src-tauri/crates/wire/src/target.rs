//! Where a request goes: the dialect spoken there and what is known of the server.

use std::collections::BTreeSet;

use domain::{Crossing, Dialect, Lack, Offer};

use crate::neutral::Request;

/// A backend and a model at it, as a writer has to know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What the backend is.
    pub kind: TargetKind,
    /// The model's name there.
    pub model: String,
    /// What becomes of fields that cannot cross.
    pub crossing: Crossing,
    /// Most output tokens of the model, for dialects that demand a limit when the client gave none
    /// (Anthropic). From the price and model table; see [`OUTPUT_TOKENS_UNKNOWN_MODEL`].
    pub output_tokens_max: Option<u64>,
}

/// The limit sent to Anthropic for a model that no table knows, in tokens. Every model since Claude
/// Sonnet 3.7 takes it (<https://docs.anthropic.com/en/docs/about-claude/models/overview>).
pub const OUTPUT_TOKENS_UNKNOWN_MODEL: u64 = 32_000;

/// What a backend is, as far as a dialect is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetKind {
    /// OpenAI itself: Chat, Responses and Embeddings.
    OpenAi,
    /// Another server that speaks Chat Completions.
    OpenAiCompatible {
        /// What it lacks of it.
        lacks: BTreeSet<Lack>,
        /// What it speaks beside it.
        offers: BTreeSet<Offer>,
    },
    /// Anthropic Messages.
    Anthropic,
    /// Gemini.
    Gemini,
    /// Ollama's own API.
    Ollama,
    /// The built-in mock, which answers in whatever dialect it is asked.
    Mock,
}

impl Target {
    /// The dialect in which a client's request of `client`'s dialect is sent there: the same one if
    /// the backend speaks it, else the backend's richest.
    #[must_use]
    pub fn dialect_for(&self, client: Dialect) -> Dialect {
        match &self.kind {
            TargetKind::OpenAi if client == Dialect::OpenAiChat => Dialect::OpenAiChat,
            TargetKind::OpenAi => Dialect::OpenAiResponses,
            TargetKind::OpenAiCompatible { offers, .. } => match client {
                Dialect::OpenAiResponses if offers.contains(&Offer::Responses) => client,
                Dialect::AnthropicMessages if offers.contains(&Offer::Messages) => client,
                _ => Dialect::OpenAiChat,
            },
            TargetKind::Anthropic => Dialect::AnthropicMessages,
            TargetKind::Gemini => Dialect::Gemini,
            TargetKind::Ollama => Dialect::OllamaChat,
            TargetKind::Mock => client,
        }
    }

    /// The dialect in which `request` is sent to a backend that is asked in `usual`: OpenAI has stop
    /// texts in Chat Completions only.
    pub(crate) fn dialect_of(&self, request: &Request, usual: Dialect) -> Dialect {
        match (&self.kind, usual) {
            (TargetKind::OpenAi, Dialect::OpenAiResponses) if !request.stop.is_empty() => {
                Dialect::OpenAiChat
            }
            _ => usual,
        }
    }

    /// Where Messages lie under the backend's root: compatible servers' roots hold the version.
    pub(crate) fn messages_path(&self) -> Vec<String> {
        let path: &[&str] = match self.kind {
            TargetKind::OpenAiCompatible { .. } => &["messages"],
            _ => &["v1", "messages"],
        };
        path.iter().map(|segment| (*segment).to_owned()).collect()
    }

    /// Whether the server lacks something of Chat Completions.
    #[must_use]
    pub fn lacks(&self, lack: Lack) -> bool {
        matches!(&self.kind, TargetKind::OpenAiCompatible { lacks, .. } if lacks.contains(&lack))
    }
}
