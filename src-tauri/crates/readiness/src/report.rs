//! What a run leaves behind: enough to judge it again.

use domain::{RunId, WallTime};
use serde::{Deserialize, Serialize};

use crate::check::{Action, Category, Check, CheckId, Severity, Status};
use crate::score::{Judgement, judge};

/// Version of [`Report`] as it is stored. Raised when a field changes its meaning.
pub const REPORT_SCHEMA_VERSION: u32 = 1;

/// A run that has ended. Stored as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`REPORT_SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// Which run.
    #[serde(with = "run_id_text")]
    pub run: RunId,
    /// Which checks.
    pub set: CheckSet,
    /// When it began.
    pub started: WallTime,
    /// When it ended.
    pub ended: WallTime,
    /// How it ended.
    pub end: RunEnd,
    /// Score of the run before, in tenths of a point.
    pub previous_score_tenths: Option<u32>,
    /// Every check, in the order they are shown.
    pub checks: Vec<CheckRow>,
    /// What follows from the checks.
    pub judgement: Judgement,
}

/// A run while it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSnapshot {
    /// Which run.
    pub run: RunId,
    /// Which checks.
    pub set: CheckSet,
    /// When it began.
    pub started: WallTime,
    /// Whether it still goes.
    pub state: RunState,
    /// Every check, in the order they are shown. The duration of one that runs is what it took so
    /// far.
    pub checks: Vec<CheckRow>,
}

/// One check of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRow {
    /// Its id.
    pub id: CheckId,
    /// The question.
    pub title: String,
    /// Its category.
    pub category: Category,
    /// How much it matters.
    pub severity: Severity,
    /// Its share within its category.
    pub weight: u32,
    /// Checks it waits for.
    pub depends_on: Vec<CheckId>,
    /// How it went.
    pub status: Status,
    /// What was seen.
    pub evidence: Vec<String>,
    /// Why it did not hold.
    pub cause: Option<String>,
    /// What to do.
    pub fix: Option<String>,
    /// Where the fix is made.
    pub action: Option<Action>,
    /// How long it took, in milliseconds; `None` if it was not tried.
    pub duration_ms: Option<u32>,
}

/// Sets of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckSet {
    /// This machine only; under three seconds.
    Quick,
    /// Everything.
    Full,
}

/// Whether a run still goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Yes.
    Running,
    /// No.
    Ended(RunEnd),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// Every check was done with.
    Finished,
    /// Stopped by the user.
    Cancelled,
}

impl Report {
    /// The judgement made again from the checks alone; equal to the one that is stored.
    #[must_use]
    pub fn judged_again(&self) -> Judgement {
        judge(&self.checks, self.end, self.previous_score_tenths)
    }
}

impl RunSnapshot {
    /// How many checks are done with.
    #[must_use]
    pub fn done(&self) -> usize {
        self.checks.iter().filter(|check| check.status.is_final()).count()
    }
}

impl CheckRow {
    pub(crate) fn waiting(check: &Check) -> Self {
        Self {
            id: check.id.clone(),
            title: check.title.clone(),
            category: check.category,
            severity: check.severity,
            weight: check.weight,
            depends_on: check.depends_on.clone(),
            status: Status::Waiting,
            evidence: Vec::new(),
            cause: None,
            fix: None,
            action: None,
            duration_ms: None,
        }
    }
}

/// A run's id as the text people know it by.
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
