//! What is known of accesses, beyond this process: kept over a restart, written down, and tried on the
//! past.

mod backtest;

pub use backtest::{BackTest, back_test};
