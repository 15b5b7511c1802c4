//! What changes from moment to moment: who may be called, how fast and how dear they are.

use std::borrow::Cow;
use std::fmt;

use domain::{Access, BackendId};

use crate::Needs;

/// What is known at this moment. Every method is called for each candidate of each request, so it
/// must be cheap, and it must not change anything: an explanation asks the same questions.
pub trait Conditions {
    /// Whether `model` may be asked for through `access`.
    fn availability(&self, access: &Access, model: &str) -> Available;

    /// Recent milliseconds to the first token; `None`: not measured lately.
    fn first_token_ms(&self, backend: &BackendId, model: &str) -> Option<u32>;

    /// Estimated price of this request in millionths of a dollar; `None`: no price is known.
    fn cost_micros(&self, backend: &BackendId, model: &str, needs: &Needs) -> Option<u64>;

    /// As [`Self::cost_micros`], if the provider has the conversation in its prompt cache. The
    /// difference is what a move to another backend loses. `None`: no such price is known.
    fn warm_cost_micros(&self, _backend: &BackendId, _model: &str, _needs: &Needs) -> Option<u64> {
        None
    }

    /// Requests on their way there.
    fn in_flight(&self, backend: &BackendId) -> u32;

    /// How much of its limits is left, in percent; `None`: no limit is known.
    fn headroom_percent(&self, access: &Access) -> Option<u8>;

    /// Where the last answer of a conversation came from, while that still matters.
    fn stays_with(&self, conversation: u64) -> Option<(BackendId, String)>;
}

/// Whether a candidate may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Available {
    /// Yes.
    Ready,
    /// It recovers and takes this share of its requests, in percent.
    Ramp(u8),
    /// It was shut, and one request may try whether it answers again.
    Trial,
    /// No.
    Closed {
        /// Completes "it is passed by because …", such as "its breaker is tripped".
        why: Cow<'static, str>,
    },
}

impl fmt::Display for Available {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Ramp(percent) => write!(f, "recovering with {percent} % of its requests"),
            Self::Trial => f.write_str("testing recovery with single requests"),
            // Without the time left: the sentence is stored, and would be wrong a second later.
            Self::Closed { why } => f.write_str(why),
        }
    }
}

/// Everything is ready and nothing is known: for lists and tests.
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
