//! The inputs to routing that change from moment to moment: availability, speed, price and load.

use std::borrow::Cow;
use std::fmt;

use domain::{BackendId, Endpoint};

use crate::request::Needs;

/// Current routing inputs. Each method is called for every candidate of every request, so it must
/// be cheap. It must not change anything, because explanations call it too.
pub trait RoutingSignals {
    /// Availability of `model` through `endpoint`.
    fn availability(&self, endpoint: &Endpoint, model: &str) -> CandidateAvailability;

    /// Recent time to the first token in milliseconds; `None` without recent measurements.
    fn first_token_ms(&self, backend: &BackendId, model: &str) -> Option<u32>;

    /// Estimated price of this request in billionths of a dollar; `None` if the price is unknown.
    fn cost_nanos(&self, backend: &BackendId, model: &str, needs: &Needs) -> Option<u64>;

    /// Like [`Self::cost_nanos`], but with the conversation in the provider's prompt cache. The
    /// difference is the cost of moving to another backend. `None` if that price is unknown.
    fn warm_cost_nanos(&self, _backend: &BackendId, _model: &str, _needs: &Needs) -> Option<u64> {
        None
    }

    /// Requests in flight at the backend.
    fn in_flight(&self, backend: &BackendId) -> u32;

    /// Unused part of the endpoint's limits, in percent; `None` if it has no known limit.
    fn headroom_percent(&self, endpoint: &Endpoint) -> Option<u8>;

    /// The backend and model that answered the conversation last, until that expires.
    fn last_answered_by(&self, conversation: u64) -> Option<(BackendId, String)>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CandidateAvailability {
    Ready,
    /// Recovering: takes this share of its requests, in percent.
    Ramp(u8),
    /// Half-open: a single request may test whether it works again.
    Trial,
    /// Not available.
    Closed {
        /// Completes "skipped because …", for example "its breaker is tripped".
        reason: Cow<'static, str>,
    },
}

impl fmt::Display for CandidateAvailability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Ramp(percent) => write!(f, "recovering with {percent} % of its requests"),
            Self::Trial => f.write_str("testing recovery with single requests"),
            // Without the remaining time: the sentence is stored, so the time would soon be wrong.
            Self::Closed { reason: why } => f.write_str(why),
        }
    }
}

/// Every candidate is ready and nothing else is known. For model lists and tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSignals;

impl RoutingSignals for NoSignals {
    fn availability(&self, _access: &Endpoint, _model: &str) -> CandidateAvailability {
        CandidateAvailability::Ready
    }

    fn first_token_ms(&self, _backend: &BackendId, _model: &str) -> Option<u32> {
        None
    }

    fn cost_nanos(&self, _backend: &BackendId, _model: &str, _needs: &Needs) -> Option<u64> {
        None
    }

    fn in_flight(&self, _backend: &BackendId) -> u32 {
        0
    }

    fn headroom_percent(&self, _access: &Endpoint) -> Option<u8> {
        None
    }

    fn last_answered_by(&self, _conversation: u64) -> Option<(BackendId, String)> {
        None
    }
}
