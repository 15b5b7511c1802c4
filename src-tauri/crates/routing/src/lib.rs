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
mod exclusion;
mod explanation;
mod known;
mod model_facts;
mod pattern;
mod policy;
mod ranking;
mod request;
mod route;
mod signals;
mod simulation;
mod stable_hash;
mod switched;
mod table;

pub use capability::Capability;
pub use decision::Decision;
pub use error::{MODEL_NAME_BYTES_MAX, RoutingError, SwitchFailure};
pub use exclusion::{ExcludedCandidate, ExclusionReason};
pub use model_facts::{ModelFacts, Support, find_model_facts};
pub use ranking::{Candidate, Measurements, Ranking, RankingFactor, Score};
pub use request::{Needs, RoutingRequest};
pub use route::{
    BackendCapabilities, BackendRole, BackendStatus, BalanceWeights, KeyPool, PoolKey,
    RoutableBackend, Route, RouteCandidate,
};
pub use signals::{CandidateAvailability, NoSignals, RoutingSignals};
pub use simulation::{
    CandidateShare, FrozenSignals, SIMULATION_DRAWS_MAX, SimulatedFailure, Simulation,
};
pub use table::{ModelEntry, ModelSet, RouteTable, ServedModels};
