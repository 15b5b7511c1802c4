//! What is done about failure: breaker, cooldown and block, the one plan of attempts, and limits.
//!
//! State machines without IO: time and chance are passed in, and asking for a state never changes it.
//! Invariant: nothing here reads a clock, makes a random number, spawns or locks.

mod adaptive;
mod admission;
mod attempts;
mod backoff;
mod failure;
mod rate_window;
mod recent;
mod retry_budget;
mod runaway;

pub use adaptive::{AdaptiveLimit, AdaptiveRules};
pub use admission::{
    Admission, Entered, PASSES_MAX, Priority, RETRY_AFTER_MAX, RETRY_AFTER_MIN, Ticket,
};
pub use attempts::{AttemptRules, Attempts, Circumstances, Step, Stopped};
pub use backoff::full_jitter;
pub use failure::{Advice, Failure, FailureClass, Owner, Reach};
pub use rate_window::{
    RateExceeded, RateKind, RateLimits, RateRules, RateWindow, RatesTaken, Taken,
};
pub use retry_budget::{RETRY_BUDGET_SPAN, RetryBudget, RetryBudgetRules};
pub use runaway::{CONVERSATIONS_MAX, Noticed, Runaway, RunawayGuard, RunawayRules};
