//! Chooses backends for the model a client asks for, and explains the choice.
//!
//! Invariant: nothing here does IO, reads a clock, makes a random number, holds a lock or sees a
//! credential. A [`RouteTable`] is a snapshot that a request keeps from start to end. Current state
//! comes in through [`Conditions`], randomness through a closure.

mod asking;
mod choice;
mod conditions;
mod decision;
mod digest;
mod facts;
mod fit;
mod part;
mod pattern;
mod policy;
mod refusal;
mod route;
mod sentence;
mod simulation;
mod table;

pub use asking::{Asking, Needs};
pub use conditions::{Available, Calm, Conditions};
pub use decision::{Candidate, Decision, Ground, Measured, PassedOver, Reason, Score, Why};
pub use facts::{Known, ModelFacts, facts};
pub use fit::Ability;
pub use refusal::{MODEL_NAME_BYTES_MAX, NoRoute};
pub use route::{
    BackendModels, BackendRole, BackendTraits, BalanceWeights, Pool, PoolMember, Route,
    RouteCandidate, Standing,
};
pub use simulation::{Frozen, SIMULATION_DRAWS_MAX, Share, Simulation, Unserved};
pub use table::{ModelEntry, RouteTable};
