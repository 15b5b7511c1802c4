//! Where a request may go, in order, with the reason of each place. Reasons are values that become
//! words only when somebody reads them; the one sentence that is stored with every request is made
//! at once.

use std::fmt;
use std::time::Duration;

use domain::{Access, BackendId, CacheWish, Crossing, RoutePolicy};

use crate::Available;

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
}

/// What a policy saw of a candidate.
#[derive(Debug, Clone, PartialEq)]
pub enum Ground {
    /// The request named the backend.
    Pinned,
    /// It stands at this place, from 1, in the route or in the list of backends.
    Place(usize),
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
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.ground, self.available)
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned => f.write_str("pinned by the request"),
            Self::Place(place) => write!(f, "place {place}"),
        }
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
            Self::Unknown => f.write_str("is not among the backends"),
            Self::Disabled => f.write_str("is switched off"),
            Self::Unusable(reason) => f.write_str(reason),
        }
    }
}
