//! Candidates that were left out of a decision, each with the reason.

use std::fmt;

use domain::BackendId;

use crate::capability::Capability;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcludedCandidate {
    pub backend: BackendId,
    /// Model name at that backend.
    pub model: String,
    pub reason: ExclusionReason,
}

/// Why a candidate was left out. The text of each completes "the backend …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExclusionReason {
    Unknown,
    /// Switched off by the user, or by the profile in use. The text says which.
    Disabled(String),
    /// A required setting is missing. The text names it.
    Unusable(String),
    /// The backend does not support something that the request needs, with any model.
    BackendLacks(Capability),
    /// The model does not support something that the request needs.
    ModelLacks(Capability),
    /// The request is longer than the model's input limit.
    InputTooLong {
        /// Estimated tokens of the request.
        tokens: u64,
        /// The model's input limit.
        tokens_max: u64,
    },
    /// The request allows a longer answer than the model's output limit.
    OutputTooLong {
        /// Output tokens that the request allows.
        tokens: u64,
        /// The model's output limit.
        tokens_max: u64,
    },
    /// The request asks for embeddings, which the backend does not offer.
    NoEmbeddings,
    /// Its embeddings come from another model and cannot be compared with the first candidate's.
    OtherEmbeddings,
    /// The conversation belongs to another candidate of the split.
    OtherSplit,
    /// The route contains the same backend and model before.
    Repeated,
    /// The client that asks may not use it.
    NotForClient,
}

impl ExclusionReason {
    /// The model's limit, if the reason is the size of the request, which is only an estimate.
    pub(crate) const fn size_limit(&self) -> Option<u64> {
        match self {
            Self::InputTooLong { tokens_max, .. } | Self::OutputTooLong { tokens_max, .. } => {
                Some(*tokens_max)
            }
            _ => None,
        }
    }

    /// True if another request could be served.
    pub(crate) const fn is_about_needs(&self) -> bool {
        !matches!(
            self,
            Self::Unknown
                | Self::Disabled(_)
                | Self::Unusable(_)
                | Self::Repeated
                | Self::NotForClient
        )
    }
}

impl fmt::Display for ExcludedCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.backend, self.reason)
    }
}

impl fmt::Display for ExclusionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("no longer exists"),
            Self::Disabled(reason) | Self::Unusable(reason) => f.write_str(reason),
            Self::BackendLacks(ability) => write!(f, "{ability}"),
            Self::ModelLacks(ability) => write!(f, "{ability} with this model"),
            Self::InputTooLong { tokens, tokens_max } => write!(
                f,
                "accepts {tokens_max} input tokens with this model, but the request has about \
                 {tokens}"
            ),
            Self::OutputTooLong { tokens, tokens_max } => write!(
                f,
                "generates at most {tokens_max} tokens with this model, but the request allows \
                 {tokens}"
            ),
            Self::NoEmbeddings => f.write_str("does not offer embeddings"),
            Self::OtherEmbeddings => f.write_str(
                "produces embeddings that are not comparable with the first candidate's",
            ),
            Self::OtherSplit => f.write_str("serves another share of the split"),
            Self::Repeated => f.write_str("is in the route twice"),
            Self::NotForClient => f.write_str("is not allowed for this client"),
        }
    }
}
