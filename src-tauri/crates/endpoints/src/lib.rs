//! The live state of endpoints (a backend through one of its keys): breakers and cooldowns, load, latency,
//! conversations, the retry budget, and pauses of this machine.
//!
//! Invariants: it knows no HTTP and does no IO; no lock is held across an `await`.

mod backend_load;
mod cut_off;
mod latency;
mod quotas;
mod registry;
mod routing_inputs;
mod rules;
mod verdict;

pub use backend_load::{BackendBusy, BackendTraffic, IN_FLIGHT_MAX};
pub use quotas::{QuotaKind, QuotaLeft};
pub use registry::{
    AdmittedAttempt, CONVERSATIONS_MAX, EndpointRegistry, KeyGeneration, NotAdmitted, RequestLoad,
    TransitionSink,
};
pub use routing_inputs::{PriceFn, RoutingInputs};
pub use rules::{ResilienceRules, TrafficRules};
pub use verdict::{FailureReason, Verdict};
