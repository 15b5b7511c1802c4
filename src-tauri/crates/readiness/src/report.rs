//! The report of a run. It holds enough to compute the verdict again.

use domain::{CheckSet, RunId, WallTime};
use serde::{Deserialize, Serialize};

use crate::check::{CheckCategory, CheckId, CheckSeverity, CheckStatus, FixAction, ReadinessCheck};
use crate::score::{Judgement, judge};

/// Version of the stored [`ReadinessReport`]. Raised when a field changes its meaning.
pub(crate) const REPORT_SCHEMA_VERSION: u32 = 1;

/// A finished or cancelled run, stored as JSON in this shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadinessReport {
    /// `REPORT_SCHEMA_VERSION` of the program that wrote it.
    pub schema_version: u32,
    #[serde(with = "run_id_text")]
    pub run: RunId,
    pub set: CheckSet,
    pub started: WallTime,
    pub ended: WallTime,
    pub end: RunEnd,
    /// Score of the previous run, in tenths of a point.
    pub previous_score_tenths: Option<u32>,
    /// All checks in display order.
    pub checks: Vec<CheckResult>,
    pub judgement: Judgement,
}

/// State of a run in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSnapshot {
    pub run: RunId,
    pub set: CheckSet,
    pub started: WallTime,
    pub state: RunState,
    /// All checks in display order. A running check has the duration so far.
    pub checks: Vec<CheckResult>,
}

/// A check and its result within a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    pub id: CheckId,
    pub title: String,
    pub category: CheckCategory,
    pub severity: CheckSeverity,
    /// Weight within its category's score.
    pub weight: u32,
    pub depends_on: Vec<CheckId>,
    pub status: CheckStatus,
    pub evidence: Vec<String>,
    /// Why it failed, warned, was skipped or does not apply.
    pub cause: Option<String>,
    pub fix: Option<String>,
    pub action: Option<FixAction>,
    /// In milliseconds; `None` if the check did not run.
    pub duration_ms: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    Running,
    Ended(RunEnd),
}

domain::words! {
    RunEnd {
        /// Every check has a final status.
        Finished = "finished",
        /// Cancelled by the user.
        Cancelled = "cancelled",
    }
}

impl ReadinessReport {
    /// Computes the judgement again from the checks. It equals the stored one.
    #[must_use]
    pub fn rejudge(&self) -> Judgement {
        judge(&self.checks, self.end, self.previous_score_tenths)
    }
}

impl RunSnapshot {
    /// Number of checks with a final status.
    #[must_use]
    pub fn done_count(&self) -> usize {
        self.checks.iter().filter(|check| check.status.is_final()).count()
    }
}

impl CheckResult {
    pub(crate) fn from_check(check: &ReadinessCheck) -> Self {
        Self {
            id: check.id.clone(),
            title: check.title.clone(),
            category: check.category,
            severity: check.severity,
            weight: check.weight,
            depends_on: check.depends_on.clone(),
            status: CheckStatus::Waiting,
            evidence: Vec::new(),
            cause: None,
            fix: None,
            action: None,
            duration_ms: None,
        }
    }
}

/// Serialises a run id as its display text.
mod run_id_text {
    use domain::RunId;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(run: &RunId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(run)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<RunId, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}
