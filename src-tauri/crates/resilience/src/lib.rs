//! What is done about failure: breaker, cooldown and block, the one plan of attempts, and limits.
//!
//! State machines without IO: time and chance are passed in, and asking for a state never changes it.
//! Invariant: nothing here reads a clock, makes a random number, spawns or locks.

mod attempts;
mod backoff;
mod failure;
mod recent;
mod retry_budget;

pub use attempts::{AttemptRules, Attempts, Circumstances, Step, Stopped};
pub use backoff::full_jitter;
pub use failure::{Advice, Failure, FailureClass, Owner, Reach};
pub use retry_budget::{RETRY_BUDGET_SPAN, RetryBudget, RetryBudgetRules};
