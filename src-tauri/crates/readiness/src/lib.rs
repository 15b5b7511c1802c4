//! Am I ready to work? Checks as a graph, run side by side, judged by fixed rules.
//!
//! [`built_in_checks`] makes the checks over the facts that a [`Ground`] gives; [`Plan`] puts them in
//! order; [`start`] runs them; [`judge`] turns the results into a score and a verdict. A [`Report`]
//! keeps all that the verdict was made from, so anybody can compute it again.
//!
//! Invariants: no check costs money; no check changes anything that outlives it; a check that breaks,
//! hangs or cannot be tried is a result and never an error; nothing here spawns a task.

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
