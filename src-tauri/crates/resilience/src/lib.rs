//! Failure handling: breaker, cooldown, block, attempt plan, and limits.
//!
//! State machines without IO. Time and random numbers are passed in, and reading a state never
//! changes it. Invariant: nothing here reads a clock, makes a random number, spawns or locks.

mod adaptive_limit;
mod admission;
mod attempt_plan;
mod availability;
mod backoff;
mod baseline;
mod block;
mod breaker;
mod cooldown;
mod endpoints;
mod failure;
mod manual_override;
mod minute_counter;
mod pause;
mod probe_outcome;
mod rate_window;
mod retry_budget;
mod rules;
mod runaway;
mod saved;
mod state;
mod status;
mod tracked_endpoint;
mod transition;
mod window;

pub use adaptive_limit::{AdaptiveLimit, AdaptiveRules};
pub use admission::{AdmissionOutcome, AdmissionQueue, Priority, Ticket};
pub use attempt_plan::{AttemptContext, AttemptPlan, AttemptRules, AttemptStep, StopReason};
pub use availability::{Availability, ClosedReason};
pub use backoff::full_jitter;
pub use baseline::SAMPLES_MIN;
pub use block::{BlockReason, EndpointBlock};
pub use cooldown::{
    CooldownEnd, GROWTH_RESET_AFTER, LimitKind, LimitScope, MODEL_BYTES_MAX, MODEL_COOLDOWNS_MAX,
};
pub use endpoints::{
    CallOutcome, ENDPOINTS_MAX, Endpoints, FailureWeight, Permit, TRANSITIONS_QUEUED_MAX,
    TRIAL_RETRY_AFTER,
};
pub use failure::{AttemptFailure, FailureClass, FailureOwner, FailureScope, ServerRetryHint};
pub use manual_override::{ActiveOverride, BreakerOverride};
pub use pause::{PAUSE_GRACE, Pause, PauseDetector};
pub use probe_outcome::ProbeOutcome;
pub use rate_window::{
    RateExceeded, RateKind, RateLimits, RateReservation, RateRules, RateWindow, RatesReservation,
};
pub use retry_budget::{RetryBudget, RetryBudgetRules};
pub use rules::{BreakerRules, COOLDOWN_MAX, OPEN_RETRY_AFTER_MAX, SOLE_TRIAL_AFTER};
pub use runaway::{CONVERSATIONS_MAX, LoopDetection, RunawayError, RunawayGuard, RunawayRules};
pub use saved::SavedEndpoint;
pub use state::EndpointState;
pub use status::{EndpointStatus, ModelCooldown};
pub use transition::{EVIDENCE_MAX, EndpointTransition, TransitionCause, TransitionState};
pub use window::CallCounts;
