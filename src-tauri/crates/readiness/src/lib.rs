//! Readiness checks: a dependency graph of checks, run concurrently and judged by fixed rules.
//!
//! [`built_in_checks`] creates the checks over the facts of a [`ReadinessEnvironment`]; [`Plan`] validates their
//! order; [`start_run`] runs them; [`judge`] computes score and verdict. A [`ReadinessReport`] stores every
//! input of the verdict, so that anybody can compute it again.
//!
//! Invariants: no check costs money; no check leaves a change behind; a check that panics, hangs or
//! cannot run is a result, not an error; nothing here spawns a task.

mod check;
mod checks;
mod environment;
mod plan;
mod report;
mod runner;
mod score;

pub use check::{
    Applicability, CheckBody, CheckCategory, CheckId, CheckOutcome, CheckSeverity, CheckStatus,
    EVIDENCE_CHARS_MAX, EVIDENCE_LINES_MAX, FixAction, NetworkScope, ReadinessCheck,
    TIMEOUT_DEFAULT, TIMEOUT_HARD,
};
pub use checks::{BackendNeed, BackendTarget, CheckInputs, FREE_BYTES_MIN, built_in_checks};
pub use environment::*;
pub use plan::{CHECKS_MAX, Plan, PlanError};
pub use report::{CheckResult, ReadinessReport, RunEnd, RunSnapshot, RunState};
pub use runner::{
    CONCURRENCY_DEFAULT, CONCURRENCY_MAX, ConcurrencyLimits, NETWORK_CONCURRENCY_DEFAULT,
    PROGRESS_EVERY, RunParameters, start_run,
};
pub use score::{BestFix, CategoryScore, Judgement, judge};
