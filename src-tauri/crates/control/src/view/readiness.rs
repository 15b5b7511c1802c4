//! Request and view types for readiness runs: the verdict and the checks behind it.

use domain::{CheckSet, ReadinessVerdict};
use readiness::{CheckSeverity, CheckStatus};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{PanelActionView, UnixMs};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ReadinessStart {
    #[serde(default = "full_set")]
    #[specta(optional)]
    pub set: CheckSet,
}

const fn full_set() -> CheckSet {
    CheckSet::Full
}

/// A run, in progress or ended.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ReadinessRunView {
    pub id: String,
    pub set: CheckSet,
    pub state: ReadinessRunStateView,
    pub started_at: UnixMs,
    pub ended_at: Option<UnixMs>,
    /// None until the run has ended.
    pub verdict: Option<ReadinessVerdict>,
    /// The verdict as a sentence: "Ready, 9.3 of 10" or "2 blockers: …".
    pub sentence: String,
    /// 0 to 100, in tenths of a point; None until the run has ended.
    pub score_tenths: Option<u32>,
    /// Change since the previous run.
    pub score_change_tenths: Option<i32>,
    /// Percentage of checks that could be run.
    pub confidence_percent: u32,
    pub categories: Vec<CheckCategoryView>,
    /// In display order.
    pub checks: Vec<CheckView>,
    /// Ids of at most three failed checks whose fixes raise the score most.
    pub best_fixes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ReadinessRunStateView {
    Running,
    Finished,
    /// Stopped by the user.
    Cancelled,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CheckCategoryView {
    pub name: String,
    /// 0 to 100, in tenths of a point; None if no check of the category could be run.
    pub score_tenths: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CheckView {
    /// `R-05`. A check that runs once for each backend has a suffix: `R-10/openai`.
    pub id: String,
    /// The question that the check answers.
    pub title: String,
    pub category: String,
    pub severity: CheckSeverity,
    pub state: CheckStatus,
    /// What the check observed.
    pub evidence: Vec<String>,
    /// Why the check failed.
    pub cause: Option<String>,
    pub fix: Option<String>,
    /// Where to make the fix.
    pub action: Option<PanelActionView>,
    /// Ids of the checks that this check waits for.
    pub depends_on: Vec<String>,
    pub duration_ms: Option<u32>,
}

/// Summary of a finished run.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ReadinessRunSummaryView {
    pub id: String,
    pub set: CheckSet,
    pub ended_at: UnixMs,
    pub verdict: ReadinessVerdict,
    pub sentence: String,
    /// 0 to 100, in tenths of a point; `None` before the setup is done.
    pub score_tenths: Option<u32>,
}

/// The newest run in full, and the scores of earlier runs.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ReadinessView {
    /// The run in progress, or else the newest.
    pub run: Option<ReadinessRunView>,
    /// Finished runs, newest first, at most 30.
    pub history: Vec<ReadinessRunSummaryView>,
}
