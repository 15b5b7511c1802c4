//! The result of routing: ordered candidates, each with the reason for its position. Reasons are
//! values that are formatted on demand. Only the explanation stored with each request is formatted
//! at once.

use std::fmt;
use std::time::Duration;

use domain::{BackendId, CacheMode, Endpoint, MicroUsd, RoutePolicy, TranslationMode};

use crate::{BalanceWeights, CandidateAvailability, Capability, RoutingRequest, explanation};

/// Where a request may be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Name of the rule that decided, for the ledger: a route's id, `pinned`, the model's name, or
    /// `*`.
    pub route: String,
    /// How the candidates were ordered.
    pub policy: RoutePolicy,
    /// In the order of the attempts, one for each key; never empty. Candidates that are closed at
    /// this moment come last.
    pub candidates: Vec<Candidate>,
    /// Candidates that were left out, with the reason.
    pub excluded: Vec<ExcludedCandidate>,
    /// Why the first candidate is first, in one sentence.
    pub explanation: String,
    /// How to treat fields that a backend's dialect cannot express; `None` for the backend's
    /// setting.
    pub crossing: Option<TranslationMode>,
    /// Cache mode of the route; `None` for the client's setting.
    pub cache: Option<CacheMode>,
    /// How long the conversation stays with the backend that answers; `None` if it does not.
    pub sticky: Option<Duration>,
    /// Fingerprint of the rule's definition, stable over restarts.
    pub fingerprint: u64,
}

impl Decision {
    /// Leaves out the backends that the asking client may not use; `None` if nobody is left.
    #[must_use]
    pub fn only(
        mut self,
        asking: &RoutingRequest<'_>,
        may_use: impl Fn(&BackendId) -> bool,
    ) -> Option<Self> {
        let is_kept = |candidate: &Candidate| may_use(&candidate.access.backend);
        if self.candidates.iter().all(is_kept) {
            return Some(self);
        }
        let (kept, left_out): (Vec<_>, Vec<_>) = self.candidates.into_iter().partition(is_kept);
        self.candidates = kept;
        let mut skipped: Vec<ExcludedCandidate> = Vec::new();
        for Candidate { access: Endpoint { backend, .. }, model, .. } in left_out {
            let one = ExcludedCandidate { backend, model, reason: ExclusionReason::NotForClient };
            // A backend is a candidate once for each of its keys.
            if !skipped.contains(&one) {
                skipped.push(one);
            }
        }
        self.explanation = explanation::of_client(asking, self.candidates.first()?, &skipped);
        self.excluded.extend(skipped);
        Some(self)
    }
}

/// One endpoint with the model name used there.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Backend and key.
    pub access: Endpoint,
    /// Model name sent to the backend.
    pub model: String,
    pub ranking: Ranking,
}

/// Why a candidate has its position.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// What the policy compared.
    pub factor: RankingFactor,
    /// Availability at the moment of the decision.
    pub available: CandidateAvailability,
    /// True if it answered this conversation last and the conversation stays with it.
    pub is_sticky: bool,
}

/// The property of a candidate that a policy looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum RankingFactor {
    /// The request named the backend.
    Pinned,
    /// Position in the route or in the list of backends, from 1.
    Position(usize),
    /// Drawn at random by weight.
    Drawn {
        /// The candidate's weight.
        weight: u16,
        /// Sum of the weights in the draw.
        of: u32,
    },
    /// Has a fixed share of the conversations.
    Share {
        /// The candidate's weight.
        weight: u16,
        /// Sum of all weights.
        of: u32,
    },
    /// Price of this request in millionths of a dollar; `None` if unknown.
    Price(Option<u64>),
    /// Recent time to the first token in milliseconds; `None` if unknown.
    FirstToken(Option<u32>),
    /// Requests in flight at the backend.
    InFlight(u32),
    /// Score under the policy `balanced`.
    Score(Score),
    /// Maximum input or output tokens of the candidate. No candidate is known to take this request,
    /// and this one has the highest limit.
    Largest(u64),
}

/// A candidate's score relative to the others. Each part is between 0 and 1, the best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Weighted average of the parts.
    pub total: f64,
    /// Shortest time to the first token of all candidates, divided by this one's.
    pub latency: f64,
    /// Lowest price of all candidates, divided by this one's.
    pub cost: f64,
    /// Unused part of its limits.
    pub headroom: f64,
    pub weights: BalanceWeights,
    /// The figures behind the parts.
    pub measurements: Measurements,
}

/// Figures of a candidate at the moment of the decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measurements {
    /// Recent time to the first token in milliseconds.
    pub first_token_ms: Option<u32>,
    /// Price of this request in millionths of a dollar.
    pub cost_micros: Option<u64>,
    /// Unused part of its limits, in percent.
    pub headroom_percent: Option<u8>,
}

impl Score {
    pub(crate) fn new(
        weights: BalanceWeights,
        measured: Measurements,
        latency: f64,
        cost: f64,
        headroom: f64,
    ) -> Self {
        let weight = f64::from;
        let sum = weight(weights.latency) + weight(weights.cost) + weight(weights.headroom);
        let parts = weight(weights.latency) * latency
            + weight(weights.cost) * cost
            + weight(weights.headroom) * headroom;
        let total = if sum > 0.0 { parts / sum } else { 0.0 };
        Self { total, latency, cost, headroom, weights, measurements: measured }
    }
}

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
    /// Switched off by the user.
    Disabled,
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
                | Self::Disabled
                | Self::Unusable(_)
                | Self::Repeated
                | Self::NotForClient
        )
    }
}

impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sticky {
            f.write_str("serves this conversation, ")?;
        }
        write!(f, "{}, {}", self.factor, self.available)
    }
}

impl fmt::Display for RankingFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned => f.write_str("pinned by the request"),
            Self::Position(place) => write!(f, "position {place}"),
            Self::Drawn { weight, of } => {
                write!(f, "picked at random with weight {weight} of {of}")
            }
            Self::Share { weight, of } => write!(f, "gets {weight} of {of} conversations"),
            Self::Price(Some(micros)) => {
                write!(f, "about ${}", MicroUsd::new(i64::try_from(*micros).unwrap_or(i64::MAX)))
            }
            Self::Price(None) => f.write_str("unknown price"),
            Self::FirstToken(Some(ms)) => write!(f, "{ms} ms to the first token"),
            Self::FirstToken(None) => f.write_str("not measured recently"),
            Self::InFlight(count) => write!(f, "{count} in flight"),
            Self::Score(score) => write!(f, "{score}"),
            Self::Largest(tokens) => write!(f, "at most {tokens} tokens"),
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, latency, cost, headroom, weights, .. } = self;
        write!(
            f,
            "score {total:.2} (latency {latency:.2} × {}, cost {cost:.2} × {}, headroom {headroom:.2} × {})",
            weights.latency, weights.cost, weights.headroom
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
            Self::Disabled => f.write_str("is switched off"),
            Self::Unusable(reason) => f.write_str(reason),
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
