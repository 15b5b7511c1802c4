//! Budgets in force: what is spent, what was told, and what a budget would have done.

pub(crate) mod back_test;
pub(crate) mod notice;
pub(crate) mod watch;
