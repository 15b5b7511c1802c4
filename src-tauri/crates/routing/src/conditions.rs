//! The inputs to routing that change from moment to moment: availability, speed, price and load.

use std::borrow::Cow;
use std::fmt;

use domain::{Access, BackendId};

use crate::Needs;

/// Current routing inputs. Each method is called for every candidate of every request, so it must
/// be cheap. It must not change anything, because explanations call it too.
pub trait Conditions {
    /// Availability of `model` through `access`.
    fn availability(&self, access: &Access, model: &str) -> Available;

    /// Recent time to the first token in milliseconds; `None` without recent measurements.
    fn first_token_ms(&self, backend: &BackendId, model: &str) -> Option<u32>;

    /// Estimated price of this request in millionths of a dollar; `None` if the price is unknown.
    fn cost_micros(&self, backend: &BackendId, model: &str, needs: &Needs) -> Option<u64>;

    /// Like [`Self::cost_micros`], but with the conversation in the provider's prompt cache. The
    /// difference is the cost of moving to another backend. `None` if that price is unknown.
    fn warm_cost_micros(&self, _backend: &BackendId, _model: &str, _needs: &Needs) -> Option<u64> {
        None
    }

    /// Requests in flight at the backend.
    fn in_flight(&self, backend: &BackendId) -> u32;

    /// Unused part of the endpoint's limits, in percent; `None` if it has no known limit.
    fn headroom_percent(&self, access: &Access) -> Option<u8>;

    /// The backend and model that answered the conversation last, until that expires.
    fn stays_with(&self, conversation: u64) -> Option<(BackendId, String)>;
}

/// Availability of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Available {
    Ready,
    /// Recovering: takes this share of its requests, in percent.
    Ramp(u8),
    /// Half-open: a single request may test whether it works again.
    Trial,
    /// Not available.
    Closed {
        /// Completes "skipped because …", for example "its breaker is tripped".
        why: Cow<'static, str>,
    },
}

impl fmt::Display for Available {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Ramp(percent) => write!(f, "recovering with {percent} % of its requests"),
            Self::Trial => f.write_str("testing recovery with single requests"),
            // Without the remaining time: the sentence is stored, so the time would soon be wrong.
            Self::Closed { why } => f.write_str(why),
        }
    }
}

/// Every candidate is ready and nothing else is known. For model lists and tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Calm;

impl Conditions for Calm {
    fn availability(&self, _access: &Access, _model: &str) -> Available {
        Available::Ready
    }

    fn first_token_ms(&self, _backend: &BackendId, _model: &str) -> Option<u32> {
        None
    }

    fn cost_micros(&self, _backend: &BackendId, _model: &str, _needs: &Needs) -> Option<u64> {
        None
    }

    fn in_flight(&self, _backend: &BackendId) -> u32 {
        0
    }

    fn headroom_percent(&self, _access: &Access) -> Option<u8> {
        None
    }

    fn stays_with(&self, _conversation: u64) -> Option<(BackendId, String)> {
        None
    }
}
