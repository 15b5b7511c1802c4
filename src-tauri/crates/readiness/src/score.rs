//! From results to a score and a verdict, in whole numbers.
//!
//! Whole numbers, so that the verdict computed again from a stored report on another machine is the
//! same to the last digit. What was not tried lowers the confidence and not the score: a locked
//! keychain is one fault, not one for each check behind it.

use serde::{Deserialize, Serialize};

use crate::check::{Category, CheckId, Severity, Status};
use crate::report::{CheckRow, RunEnd};

/// Lowest score of "ready", in tenths of a point.
pub const READY_FROM_TENTHS: u32 = 90;
/// Lowest score of "ready with warnings", in tenths of a point.
pub const WARNINGS_FROM_TENTHS: u32 = 70;
/// Most fixes that are proposed.
pub const BEST_FIXES_MAX: usize = 3;

/// What follows from the results of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict; `None` if the run was stopped.
    pub verdict: Option<RunVerdict>,
    /// The verdict in a sentence: "Ready, 9.3 of 10", "1 blocker: the keychain is locked".
    pub sentence: String,
    /// Tenths of a point, 0 to 100; `None` if nothing could be tried.
    pub score_tenths: Option<u32>,
    /// Change since the run before, in tenths of a point.
    pub score_change_tenths: Option<i32>,
    /// Share of what applies here that could be tried, in percent, by weight.
    pub confidence_percent: u32,
    /// The categories that have checks in this run.
    pub categories: Vec<CategoryScore>,
    /// The faults whose repair gains most, best first, at most [`BEST_FIXES_MAX`].
    pub best_fixes: Vec<BestFix>,
}

/// Verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunVerdict {
    /// Go.
    Ready,
    /// Go, with care.
    ReadyWithWarnings,
    /// Do not go.
    NotReady,
}

/// A category's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryScore {
    /// Which.
    pub category: Category,
    /// Tenths of a point, 0 to 100; `None` if nothing in it could be tried.
    pub score_tenths: Option<u32>,
}

/// What a repair would gain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BestFix {
    /// The check that does not hold.
    pub check: CheckId,
    /// Tenths of a point.
    pub gain_tenths: u32,
}

/// Judges the results of a run. `previous_score_tenths` is the score of the run before.
#[must_use]
pub fn judge(checks: &[CheckRow], end: RunEnd, previous_score_tenths: Option<u32>) -> Judgement {
    let score_tenths = overall(checks, None);
    let verdict = match end {
        RunEnd::Finished => Some(verdict(checks, score_tenths)),
        RunEnd::Cancelled => None,
    };
    let change =
        |(score, previous): (u32, u32)| i32::try_from(i64::from(score) - i64::from(previous)).ok();
    Judgement {
        verdict,
        sentence: sentence(checks, verdict, score_tenths),
        score_tenths,
        score_change_tenths: score_tenths.zip(previous_score_tenths).and_then(change),
        confidence_percent: confidence(checks),
        categories: categories(checks),
        best_fixes: best_fixes(checks, score_tenths),
    }
}

fn verdict(checks: &[CheckRow], score_tenths: Option<u32>) -> RunVerdict {
    let failed =
        |severity| checks.iter().any(|row| row.severity == severity && row.status.is_failure());
    let untried_blocker =
        checks.iter().any(|row| row.severity == Severity::Blocker && row.status == Status::Skipped);
    match score_tenths {
        _ if failed(Severity::Blocker) => RunVerdict::NotReady,
        None | Some(..WARNINGS_FROM_TENTHS) => RunVerdict::NotReady,
        Some(READY_FROM_TENTHS..) if !failed(Severity::Major) && !untried_blocker => {
            RunVerdict::Ready
        }
        Some(_) => RunVerdict::ReadyWithWarnings,
    }
}

fn sentence(checks: &[CheckRow], verdict: Option<RunVerdict>, score_tenths: Option<u32>) -> String {
    let Some(verdict) = verdict else {
        let done = checks.iter().filter(|row| row.status != Status::Cancelled).count();
        return format!("Stopped after {done} of {} checks", checks.len());
    };
    let blockers: Vec<&str> = checks
        .iter()
        .filter(|row| row.severity == Severity::Blocker && row.status.is_failure())
        .map(|row| row.cause.as_deref().unwrap_or(&row.title))
        .collect();
    if !blockers.is_empty() {
        let word = if blockers.len() == 1 { "blocker" } else { "blockers" };
        return format!("{} {word}: {}", blockers.len(), blockers.join("; "));
    }
    let words = match verdict {
        RunVerdict::Ready => "Ready",
        RunVerdict::ReadyWithWarnings => "Ready with warnings",
        RunVerdict::NotReady => "Not ready",
    };
    match score_tenths {
        Some(tenths) => format!("{words}, {}.{} of 10", tenths / 10, tenths % 10),
        None => format!("{words}: nothing could be checked"),
    }
}

/// Half points of a result; `None` if it says nothing.
const fn half_points(status: Status) -> Option<u64> {
    match status {
        Status::Pass => Some(2),
        Status::Warn => Some(1),
        Status::Fail | Status::Crashed => Some(0),
        _ => None,
    }
}

/// A category's score in millionths of ten points; `repaired` counts as passed.
fn category_millionths(
    checks: &[CheckRow],
    category: Category,
    repaired: Option<&CheckId>,
) -> Option<u64> {
    let (mut gained, mut possible) = (0_u64, 0_u64);
    for row in checks.iter().filter(|row| row.category == category) {
        let status = if repaired == Some(&row.id) { Status::Pass } else { row.status };
        if let Some(halves) = half_points(status) {
            gained += halves * u64::from(row.weight);
            possible += 2 * u64::from(row.weight);
        }
    }
    rounded_share(gained.saturating_mul(1_000_000), possible)
}

/// The score in tenths of a point: the categories by their weights, those that could not be tried
/// left out of both sums.
fn overall(checks: &[CheckRow], repaired: Option<&CheckId>) -> Option<u32> {
    let (mut gained, mut weights) = (0_u64, 0_u64);
    for category in Category::ALL {
        if let Some(millionths) = category_millionths(checks, category, repaired) {
            gained += millionths * u64::from(category.weight_percent());
            weights += u64::from(category.weight_percent());
        }
    }
    tenths(rounded_share(gained, weights)?)
}

fn categories(checks: &[CheckRow]) -> Vec<CategoryScore> {
    let there = |category: &Category| checks.iter().any(|row| row.category == *category);
    let score = |category| CategoryScore {
        category,
        score_tenths: category_millionths(checks, category, None).and_then(tenths),
    };
    Category::ALL.into_iter().filter(there).map(score).collect()
}

fn confidence(checks: &[CheckRow]) -> u32 {
    let weight = |wanted: fn(Status) -> bool| -> u64 {
        let rows = checks.iter().filter(|row| wanted(row.status));
        rows.map(|row| u64::from(row.weight)).sum()
    };
    let tried = weight(Status::was_tried);
    let applicable = weight(|status| status != Status::NotApplicable);
    // Rounded down: 100 % means that everything was tried.
    let percent = tried.saturating_mul(100).checked_div(applicable).unwrap_or(0);
    u32::try_from(percent).unwrap_or(100)
}

fn best_fixes(checks: &[CheckRow], score_tenths: Option<u32>) -> Vec<BestFix> {
    let Some(now) = score_tenths else { return Vec::new() };
    let mut fixes: Vec<(u32, Severity, &CheckId)> = checks
        .iter()
        .filter(|row| row.status.is_failure() || row.status == Status::Warn)
        .filter_map(|row| {
            let then = overall(checks, Some(&row.id))?;
            Some((then.saturating_sub(now), row.severity, &row.id))
        })
        .collect();
    // Stable: equals stay in the order they are shown.
    fixes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let best = fixes.into_iter().take(BEST_FIXES_MAX);
    best.map(|(gain_tenths, _, check)| BestFix { check: check.clone(), gain_tenths }).collect()
}

fn tenths(millionths: u64) -> Option<u32> {
    u32::try_from(rounded_share(millionths, 10_000)?).ok()
}

fn rounded_share(part: u64, whole: u64) -> Option<u64> {
    part.saturating_add(whole / 2).checked_div(whole)
}

#[cfg(test)]
mod tests;
