//! Chooses backends for the model a client asks for, and explains the choice.
//!
//! Invariant: nothing here does IO, reads a clock, makes a random number, holds a lock or sees a
//! credential. A [`RouteTable`] is a snapshot that a request keeps from start to end. Current state
//! comes in through [`RoutingSignals`], randomness through a closure.

mod candidates;
mod capability;
mod choice;
mod decision;
mod error;
mod explanation;
mod model_facts;
mod pattern;
mod policy;
mod request;
mod route;
mod signals;
mod simulation;
mod stable_hash;
mod table;

pub use capability::Capability;
pub use decision::{
    Candidate, Decision, ExcludedCandidate, ExclusionReason, Measurements, Ranking, RankingFactor,
    Score,
};
pub use error::{MODEL_NAME_BYTES_MAX, RoutingError};
pub use model_facts::{ModelFacts, Support, find_model_facts};
pub use request::{Needs, RoutingRequest};
pub use route::{
    BackendCapabilities, BackendRole, BackendStatus, BalanceWeights, KeyPool, PoolKey,
    RoutableBackend, Route, RouteCandidate,
};
pub use signals::{CandidateAvailability, NoSignals, RoutingSignals};
pub use simulation::{
    CandidateShare, FrozenSignals, SIMULATION_DRAWS_MAX, SimulatedFailure, Simulation,
};
pub use table::{ModelEntry, RouteTable};
