//! Readiness checks: a dependency graph of checks, run concurrently and judged by fixed rules.
//!
//! [`built_in_checks`] creates the checks over the facts of a [`Ground`]; [`Plan`] validates their
//! order; [`start`] runs them; [`judge`] computes score and verdict. A [`Report`] stores every
//! input of the verdict, so that anybody can compute it again.
//!
//! Invariants: no check costs money; no check leaves a change behind; a check that panics, hangs or
//! cannot run is a result, not an error; nothing here spawns a task.

mod check;
mod checks;
mod ground;
mod plan;
mod report;
mod runner;
mod score;

pub use check::{
    Action, Applies, Category, Check, CheckId, EVIDENCE_CHARS_MAX, EVIDENCE_LINES_MAX, Outcome,
    Reach, Run, Severity, Status, TIMEOUT_DEFAULT, TIMEOUT_HARD,
};
pub use checks::{BackendSubject, CheckScope, FREE_BYTES_MIN, Need, built_in_checks};
pub use ground::{
    Caller, Canary, CredentialFacts, DataFolder, GatewayCall, GatewayReply, Gravity, Ground,
    LedgerFacts, LedgerProblem, ModelFacts, SettingsProblem, VaultFacts,
};
pub use plan::{CHECKS_MAX, Plan, PlanError};
pub use report::{
    CheckRow, CheckSet, REPORT_SCHEMA_VERSION, Report, RunEnd, RunSnapshot, RunState,
};
pub use runner::{
    AT_ONCE_DEFAULT, AT_ONCE_MAX, AtOnce, NETWORK_AT_ONCE_DEFAULT, PROGRESS_EVERY, RunOrder, start,
};
pub use score::{
    BEST_FIXES_MAX, BestFix, CategoryScore, Judgement, READY_FROM_TENTHS, RunVerdict,
    WARNINGS_FROM_TENTHS, judge,
};
