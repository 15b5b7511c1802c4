//! Computes the score and verdict of a run in integer arithmetic, so that a stored report gives the
//! same verdict on any machine.
//!
//! Checks that did not run lower the confidence, not the score: a locked keychain is one fault, not
//! one for each check that depends on it.

use domain::{ReadinessVerdict, capitalize};
use serde::{Deserialize, Serialize};

use crate::check::{CheckCategory, CheckId, CheckSeverity, CheckStatus};
use crate::report::{CheckResult, RunEnd};

/// Lowest score of [`ReadinessVerdict::Ready`], in tenths of a point.
pub(crate) const READY_FROM_TENTHS: u32 = 90;
/// Lowest score of [`ReadinessVerdict::ReadyWithWarnings`], in tenths of a point.
pub(crate) const WARNINGS_FROM_TENTHS: u32 = 70;
/// Maximum number of proposed fixes.
pub(crate) const BEST_FIXES_MAX: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// `None` if the run was cancelled.
    pub verdict: Option<ReadinessVerdict>,
    /// The verdict as text: "Ready, 9.3 of 10", "1 blocker: the keychain is locked".
    pub sentence: String,
    /// Tenths of a point, 0 to 100; `None` if no check could run, and before the setup is done.
    pub score_tenths: Option<u32>,
    /// Change since the previous run, in tenths of a point.
    pub score_change_tenths: Option<i32>,
    /// Share of the applicable checks that ran, in percent by weight.
    pub confidence_percent: u32,
    /// Categories with at least one check in this run.
    pub categories: Vec<CategoryScore>,
    /// The fixes that raise the score most, best first, at most `BEST_FIXES_MAX`.
    pub best_fixes: Vec<BestFix>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryScore {
    pub category: CheckCategory,
    /// Tenths of a point, 0 to 100; `None` if no check of the category could run.
    pub score_tenths: Option<u32>,
}

/// A failed check and the score gained by fixing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BestFix {
    pub check: CheckId,
    /// Tenths of a point.
    pub gain_tenths: u32,
}

/// Computes score and verdict. `previous_score_tenths` is the score of the previous run.
#[must_use]
pub fn judge(checks: &[CheckResult], end: RunEnd, previous_score_tenths: Option<u32>) -> Judgement {
    let score_tenths = overall_tenths(checks, None);
    let verdict = match end {
        RunEnd::Finished => Some(verdict(checks, score_tenths)),
        RunEnd::Cancelled => None,
    };
    let score_tenths = score_tenths.filter(|_| verdict != Some(ReadinessVerdict::NotSetUp));
    let change =
        |(score, previous): (u32, u32)| i32::try_from(i64::from(score) - i64::from(previous)).ok();
    Judgement {
        verdict,
        sentence: sentence(checks, verdict, score_tenths),
        score_tenths,
        score_change_tenths: score_tenths.zip(previous_score_tenths).and_then(change),
        confidence_percent: confidence_percent(checks),
        categories: categories(checks),
        best_fixes: best_fixes(checks, score_tenths),
    }
}

fn verdict(checks: &[CheckResult], score_tenths: Option<u32>) -> ReadinessVerdict {
    let failed =
        |severity| checks.iter().any(|row| row.severity == severity && row.status.is_failure());
    let untried_blocker = checks
        .iter()
        .any(|row| row.severity == CheckSeverity::Blocker && row.status == CheckStatus::Skipped);
    match score_tenths {
        _ if failed(CheckSeverity::Blocker) => ReadinessVerdict::NotReady,
        _ if failed(CheckSeverity::Setup) => ReadinessVerdict::NotSetUp,
        None | Some(..WARNINGS_FROM_TENTHS) => ReadinessVerdict::NotReady,
        Some(READY_FROM_TENTHS..) if !failed(CheckSeverity::Major) && !untried_blocker => {
            ReadinessVerdict::Ready
        }
        Some(_) => ReadinessVerdict::ReadyWithWarnings,
    }
}

fn sentence(
    checks: &[CheckResult],
    verdict: Option<ReadinessVerdict>,
    score_tenths: Option<u32>,
) -> String {
    let Some(verdict) = verdict else {
        let done = checks.iter().filter(|row| row.status != CheckStatus::Cancelled).count();
        return format!("Stopped after {done} of {} checks", checks.len());
    };
    let blockers = failed_causes(checks, CheckSeverity::Blocker);
    if !blockers.is_empty() {
        let word = if blockers.len() == 1 { "blocker" } else { "blockers" };
        return format!("{} {word}: {}", blockers.len(), blockers.join("; "));
    }
    let words = capitalize(verdict.label());
    if verdict == ReadinessVerdict::NotSetUp {
        return format!("{words}: {}", failed_causes(checks, CheckSeverity::Setup).join("; "));
    }
    match score_tenths {
        Some(tenths) => format!("{words}, {}.{} of 10", tenths / 10, tenths % 10),
        None => format!("{words}: nothing could be checked"),
    }
}

fn failed_causes(checks: &[CheckResult], severity: CheckSeverity) -> Vec<&str> {
    let failed = checks.iter().filter(|row| row.severity == severity && row.status.is_failure());
    failed.map(|row| row.cause.as_deref().unwrap_or(&row.title)).collect()
}

/// Half points of a status; `None` if it does not count.
const fn half_points(status: CheckStatus) -> Option<u64> {
    match status {
        CheckStatus::Pass => Some(2),
        CheckStatus::Warn => Some(1),
        CheckStatus::Fail | CheckStatus::Crashed => Some(0),
        _ => None,
    }
}

/// A category's score in millionths of ten points. `repaired` counts as passed.
fn category_millionths(
    checks: &[CheckResult],
    category: CheckCategory,
    repaired: Option<&CheckId>,
) -> Option<u64> {
    let (mut gained, mut possible) = (0_u64, 0_u64);
    for row in checks.iter().filter(|row| row.category == category) {
        let status = if repaired == Some(&row.id) { CheckStatus::Pass } else { row.status };
        if let Some(halves) = half_points(status) {
            gained += halves * u64::from(row.weight);
            possible += 2 * u64::from(row.weight);
        }
    }
    rounded_share(gained.saturating_mul(1_000_000), possible)
}

/// Weighted average of the category scores in tenths of a point. A category in which no check ran
/// counts in neither sum.
fn overall_tenths(checks: &[CheckResult], repaired: Option<&CheckId>) -> Option<u32> {
    let (mut gained, mut weights) = (0_u64, 0_u64);
    for &category in CheckCategory::ALL {
        if let Some(millionths) = category_millionths(checks, category, repaired) {
            gained += millionths * u64::from(category.weight_percent());
            weights += u64::from(category.weight_percent());
        }
    }
    tenths(rounded_share(gained, weights)?)
}

fn categories(checks: &[CheckResult]) -> Vec<CategoryScore> {
    let there = |category: &CheckCategory| checks.iter().any(|row| row.category == *category);
    let score = |category| CategoryScore {
        category,
        score_tenths: category_millionths(checks, category, None).and_then(tenths),
    };
    CheckCategory::ALL.iter().copied().filter(there).map(score).collect()
}

fn confidence_percent(checks: &[CheckResult]) -> u32 {
    let weight = |wanted: fn(CheckStatus) -> bool| -> u64 {
        let rows = checks.iter().filter(|row| wanted(row.status));
        rows.map(|row| u64::from(row.weight)).sum()
    };
    let tried = weight(CheckStatus::was_tried);
    let applicable = weight(|status| status != CheckStatus::NotApplicable);
    // Rounded down: 100 % means that every applicable check ran.
    let percent = tried.saturating_mul(100).checked_div(applicable).unwrap_or(0);
    u32::try_from(percent).unwrap_or(100)
}

fn best_fixes(checks: &[CheckResult], score_tenths: Option<u32>) -> Vec<BestFix> {
    let Some(now) = score_tenths else { return Vec::new() };
    let mut fixes: Vec<(u32, CheckSeverity, &CheckId)> = checks
        .iter()
        .filter(|row| row.status.is_failure() || row.status == CheckStatus::Warn)
        .filter_map(|row| {
            let then = overall_tenths(checks, Some(&row.id))?;
            Some((then.saturating_sub(now), row.severity, &row.id))
        })
        .collect();
    // The sort is stable: equal fixes stay in display order.
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
