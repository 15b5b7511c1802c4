//! Readiness runs: one answer, and the evidence behind it.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{ActionView, UnixMs};

/// Starts a run.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ReadinessStart {
    /// Which checks.
    pub set: CheckSetView,
}

/// Sets of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CheckSetView {
    /// Local parts only; under three seconds.
    Quick,
    /// Everything that is free.
    Full,
}

/// A run, while it goes and after.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RunView {
    /// Its id.
    pub id: String,
    /// Which checks.
    pub set: CheckSetView,
    /// Whether it still goes.
    pub state: RunStateView,
    /// When it began.
    pub started_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
    /// The verdict, once it has ended.
    pub verdict: Option<RunVerdictView>,
    /// The verdict in a sentence: "Ready, 9.3 of 10" or "2 blockers: …".
    pub sentence: String,
    /// Tenths of a point, 0 to 100, once it has ended.
    pub score_tenths: Option<u32>,
    /// Change of the score since the run before, in tenths.
    pub score_change_tenths: Option<i32>,
    /// Share of the checks that could be tried, in percent.
    pub confidence_percent: u32,
    /// Score by category.
    pub categories: Vec<CategoryView>,
    /// The checks in the order they are shown.
    pub checks: Vec<CheckView>,
    /// Ids of the (at most three) failed checks whose repair gains most.
    pub best_fixes: Vec<String>,
}

/// Whether a run still goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum RunStateView {
    /// Going.
    Running,
    /// Ended.
    Finished,
    /// Stopped by the user.
    Cancelled,
}

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum RunVerdictView {
    /// Go.
    Ready,
    /// Go, with care.
    ReadyWithWarnings,
    /// Do not go.
    NotReady,
}

/// A category's score.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CategoryView {
    /// Its name.
    pub name: String,
    /// Tenths of a point, 0 to 100; none when nothing in it could be tried.
    pub score_tenths: Option<u32>,
}

/// One check of a run.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CheckView {
    /// `R-05`, with a suffix for a check made once for each backend: `R-10/openai`.
    pub id: String,
    /// The question.
    pub title: String,
    /// Its category.
    pub category: String,
    /// How much it matters.
    pub severity: SeverityView,
    /// How it went.
    pub state: CheckStateView,
    /// What was seen.
    pub evidence: Vec<String>,
    /// Why it failed.
    pub cause: Option<String>,
    /// What to do.
    pub fix: Option<String>,
    /// Where the fix is made.
    pub action: Option<ActionView>,
    /// Checks it waits for.
    pub depends_on: Vec<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u32>,
}

/// How much a check matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SeverityView {
    /// Nothing works without it.
    Blocker,
    /// Something does not work.
    Major,
    /// Could be better.
    Minor,
    /// Good to know.
    Info,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CheckStateView {
    /// Waits for others.
    Waiting,
    /// Goes.
    Running,
    /// Good.
    Pass,
    /// Works, not well.
    Warn,
    /// Bad.
    Fail,
    /// Not tried, because a check it depends on failed.
    Skipped,
    /// Does not apply here.
    NotApplicable,
    /// The check itself broke.
    Crashed,
    /// Stopped by the user.
    Cancelled,
}

/// A finished run in a line.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RunSummaryView {
    /// Its id.
    pub id: String,
    /// Which checks.
    pub set: CheckSetView,
    /// When it ended.
    pub ended_at: UnixMs,
    /// The verdict.
    pub verdict: RunVerdictView,
    /// The verdict in a sentence.
    pub sentence: String,
    /// Tenths of a point, 0 to 100.
    pub score_tenths: u32,
}

/// The newest run in full and the scores of those before.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ReadinessView {
    /// The run that goes, or else the newest.
    pub run: Option<RunView>,
    /// Finished runs, newest first, at most 30.
    pub history: Vec<RunSummaryView>,
}
