//! What is known of accesses, beyond this process: kept over a restart, written down, and tried on the
//! past.

mod backtest;
mod rules;

pub use backtest::{BackTest, back_test};
pub use rules::{attempt_rules, breaker_rules, retry_budget_rules};
