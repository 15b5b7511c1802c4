//! Where a request may go, in order, with the reason of each place. Reasons are values that become
//! words only when somebody reads them; the one sentence that is stored with every request is made
//! at once.

use std::fmt;
use std::time::Duration;

use domain::{Access, BackendId, CacheWish, Crossing, MicroUsd, RoutePolicy};

use crate::{Ability, Asking, Available, BalanceWeights, sentence};

/// Where a request may go.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The name of the rule for the record: a route's id, `pinned`, the model's name, or `*`.
    pub route: String,
    /// How the candidates were put in order.
    pub policy: RoutePolicy,
    /// In the order in which they are asked, one for each key; never empty. Those that are closed at
    /// this moment are at the end.
    pub candidates: Vec<Candidate>,
    /// Who was left out, and why.
    pub passed_over: Vec<PassedOver>,
    /// Why the first candidate is the first, in one plain sentence.
    pub explanation: String,
    /// What becomes of fields that a backend's dialect has no word for; `None`: as the backend says.
    pub crossing: Option<Crossing>,
    /// Whether answers may come from the cache; `None`: as the client says.
    pub cache: Option<CacheWish>,
    /// How long the conversation stays with whoever answers; `None`: it does not.
    pub sticky: Option<Duration>,
    /// Of the rule's definition; the same over restarts while the definition is the same.
    pub fingerprint: u64,
}

impl Decision {
    /// Leaves out the backends that the asking client may not use; `None` if nobody is left.
    #[must_use]
    pub fn only(
        mut self,
        asking: &Asking<'_>,
        may_use: impl Fn(&BackendId) -> bool,
    ) -> Option<Self> {
        let is_kept = |candidate: &Candidate| may_use(&candidate.access.backend);
        if self.candidates.iter().all(is_kept) {
            return Some(self);
        }
        let (kept, left_out): (Vec<_>, Vec<_>) = self.candidates.into_iter().partition(is_kept);
        self.candidates = kept;
        let mut skipped: Vec<PassedOver> = Vec::new();
        for Candidate { access: Access { backend, .. }, model, .. } in left_out {
            let one = PassedOver { backend, model, reason: Reason::NotForClient };
            // A backend is a candidate once for each of its keys.
            if !skipped.contains(&one) {
                skipped.push(one);
            }
        }
        self.explanation = sentence::of_client(asking, self.candidates.first()?, &skipped);
        self.passed_over.extend(skipped);
        Some(self)
    }
}

/// One backend through one key, and the model's name there.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Where to send the request, and with which key.
    pub access: Access,
    /// What to ask for there.
    pub model: String,
    /// Why it has its place.
    pub why: Why,
}

/// Why a candidate has its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    /// What the policy saw of it.
    pub ground: Ground,
    /// Whether it could be asked at that moment.
    pub available: Available,
    /// It answered this conversation last and keeps it.
    pub stays: bool,
}

/// What a policy saw of a candidate.
#[derive(Debug, Clone, PartialEq)]
pub enum Ground {
    /// The request named the backend.
    Pinned,
    /// It stands at this place, from 1, in the route or in the list of backends.
    Place(usize),
    /// It was drawn.
    Drawn {
        /// Its weight.
        weight: u16,
        /// The sum of the weights that it was drawn from.
        of: u32,
    },
    /// It has a share of the conversations.
    Share {
        /// Its weight.
        weight: u16,
        /// The sum of all weights.
        of: u32,
    },
    /// What this request would cost there, in millionths of a dollar, if that is known.
    Price(Option<u64>),
    /// Its recent milliseconds to the first token, if they are known.
    FirstToken(Option<u32>),
    /// Requests on their way there.
    InFlight(u32),
    /// How it scored.
    Score(Score),
    /// None is known to take a request of this size, and this one takes the most tokens.
    Largest(u64),
}

/// How a candidate scored beside the others, each part from 0 to 1 for the best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The parts by their weights.
    pub total: f64,
    /// The shortest time to the first token of all, divided by its own.
    pub latency: f64,
    /// The lowest price of all, divided by its own.
    pub cost: f64,
    /// How much of its limits is left.
    pub headroom: f64,
    /// What counted how much.
    pub weights: BalanceWeights,
    /// What it was reckoned from.
    pub measured: Measured,
}

/// What is known of a candidate at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// Recent milliseconds to the first token.
    pub first_token_ms: Option<u32>,
    /// What this request would cost, in millionths of a dollar.
    pub cost_micros: Option<u64>,
    /// How much of its limits is left, in percent.
    pub headroom_percent: Option<u8>,
}

impl Score {
    pub(crate) fn new(
        weights: BalanceWeights,
        measured: Measured,
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
        Self { total, latency, cost, headroom, weights, measured }
    }
}

/// A candidate that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Which backend.
    pub backend: BackendId,
    /// The model's name there.
    pub model: String,
    /// Why.
    pub reason: Reason,
}

/// Why a candidate was left out; each completes "the backend …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The settings have no such backend.
    Unknown,
    /// The user switched it off.
    Disabled,
    /// Something is missing.
    Unusable(String),
    /// The backend cannot do what the request needs, whatever the model.
    BackendLacks(Ability),
    /// The model cannot.
    ModelLacks(Ability),
    /// The request is longer than the model takes.
    InputTooLong {
        /// Estimated tokens of the request.
        tokens: u64,
        /// The most that the model takes.
        tokens_max: u64,
    },
    /// The request allows a longer answer than the model writes.
    OutputTooLong {
        /// Tokens that the request allows.
        tokens: u64,
        /// The most that the model writes.
        tokens_max: u64,
    },
    /// The request wants vectors, and the backend makes none.
    NoVectors,
    /// Its vectors are another model's and would not compare with the first candidate's.
    OtherVectors,
    /// The conversation belongs to another part of the split.
    OtherPart,
    /// It stands in the route twice.
    Repeated,
    /// The client that asks may not use it.
    NotForClient,
}

impl Reason {
    /// What the model takes or writes at most, if the reason is the request's size, which is only
    /// estimated.
    pub(crate) const fn size(&self) -> Option<u64> {
        match self {
            Self::InputTooLong { tokens_max, .. } | Self::OutputTooLong { tokens_max, .. } => {
                Some(*tokens_max)
            }
            _ => None,
        }
    }

    /// Whether another request might be served.
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

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stays {
            f.write_str("serves this conversation, ")?;
        }
        write!(f, "{}, {}", self.ground, self.available)
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned => f.write_str("pinned by the request"),
            Self::Place(place) => write!(f, "position {place}"),
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

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.backend, self.reason)
    }
}

impl fmt::Display for Reason {
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
            Self::NoVectors => f.write_str("does not offer embeddings"),
            Self::OtherVectors => f.write_str(
                "produces embeddings that are not comparable with the first candidate's",
            ),
            Self::OtherPart => f.write_str("serves another share of the split"),
            Self::Repeated => f.write_str("is in the route twice"),
            Self::NotForClient => f.write_str("is not allowed for this client"),
        }
    }
}
