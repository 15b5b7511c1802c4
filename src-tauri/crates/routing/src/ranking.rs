//! A candidate and what its position in the order follows from.

use std::fmt;

use domain::{Endpoint, NanoUsd};

use crate::route::BalanceWeights;
use crate::signals::CandidateAvailability;

/// One endpoint with the model name used there.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub endpoint: Endpoint,
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
        weight: u16,
        /// Sum of the weights in the draw.
        of: u32,
    },
    /// Has a fixed share of the conversations.
    Share {
        weight: u16,
        /// Sum of all weights.
        of: u32,
    },
    /// Price of this request in billionths of a dollar; `None` if unknown.
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
    /// Price of this request in billionths of a dollar.
    pub cost_nanos: Option<u64>,
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
                write!(f, "about ${}", NanoUsd::new(i64::try_from(*micros).unwrap_or(i64::MAX)))
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
