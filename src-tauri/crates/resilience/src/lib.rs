//! Failure handling: breaker, cooldown, block, attempt plan, and limits.
//!
//! State machines without IO. Time and random numbers are passed in, and reading a state never
//! changes it. Invariant: nothing here reads a clock, makes a random number, spawns or locks.

mod accesses;
mod adaptive;
mod admission;
mod attempts;
mod availability;
mod backoff;
mod baseline;
mod block;
mod breaker;
mod cooldown;
mod entry;
mod failure;
mod forced;
mod pauses;
mod rate_window;
mod recent;
mod retry_budget;
mod rules;
mod runaway;
mod saved;
mod standing;
mod state;
mod transition;
mod window;

pub use accesses::{
    ACCESSES_MAX, Accesses, FailureWeight, Happened, Permit, ProbeOutcome, TRANSITIONS_WAITING_MAX,
    TRIAL_HINT,
};
pub use adaptive::{AdaptiveLimit, AdaptiveRules};
pub use admission::{
    Admission, Entered, PASSES_MAX, Priority, RETRY_AFTER_MAX, RETRY_AFTER_MIN, Ticket,
};
pub use attempts::{AttemptRules, Attempts, Circumstances, Step, Stopped};
pub use availability::{Availability, ClosedWhy};
pub use backoff::full_jitter;
pub use baseline::{SAMPLES_MAX, SAMPLES_MIN};
pub use block::{Block, BlockReason};
pub use cooldown::{
    GROWTH_FORGOTTEN_AFTER, LimitKind, LimitScope, MODEL_BYTES_MAX, MODEL_COOLDOWNS_MAX, Until,
};
pub use failure::{Advice, Failure, FailureClass, Owner, Reach};
pub use forced::{Forced, Override};
pub use pauses::{PAUSE_GRACE, PAUSE_MIN, PAUSES_KEPT_MAX, Pause, Pauses};
pub use rate_window::{
    RateExceeded, RateKind, RateLimits, RateRules, RateWindow, RatesTaken, Taken,
};
pub use retry_budget::{RETRY_BUDGET_SPAN, RetryBudget, RetryBudgetRules};
pub use rules::{
    BreakerRules, COOLDOWN_MAX, OPEN_TOLD_MAX, RAMP_PERCENTS, SOLE_TRIAL_AFTER, TRIALS_OUT_MAX,
    WINDOW_BUCKETS,
};
pub use runaway::{CONVERSATIONS_MAX, Noticed, Runaway, RunawayGuard, RunawayRules};
pub use saved::SavedAccess;
pub use standing::{ModelCooldown, Standing};
pub use state::AccessState;
pub use transition::{EVIDENCE_MAX, Transition, TransitionRule, TransitionState};
pub use window::Tally;
