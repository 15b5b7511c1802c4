//! Tests of the score table and of the verdict's thresholds.

use crate::check::{CheckBody, CheckOutcome, ReadinessCheck};

use super::*;

struct Nothing;

#[async_trait::async_trait]
impl CheckBody for Nothing {
    async fn run(&self) -> CheckOutcome {
        CheckOutcome::pass()
    }
}

fn row(
    id: &str,
    category: CheckCategory,
    severity: CheckSeverity,
    status: CheckStatus,
) -> CheckResult {
    let run = std::sync::Arc::new(Nothing);
    let mut row = CheckResult::from_check(&ReadinessCheck::new(
        CheckId::new(id),
        id,
        category,
        severity,
        run,
    ));
    row.status = status;
    row.cause = status.is_failure().then(|| format!("{id} is broken"));
    row
}

fn finished(rows: &[CheckResult]) -> Judgement {
    judge(rows, RunEnd::Finished, None)
}

/// Checks score (in tenths) and confidence (in percent) of one category with checks of weight 1.
#[track_caller]
fn check_score(statuses: &[CheckStatus], score: Option<u32>, confidence: u32) {
    let rows: Vec<_> = (0..)
        .zip(statuses)
        .map(|(number, status)| {
            row(&format!("r{number}"), CheckCategory::Cache, CheckSeverity::Info, *status)
        })
        .collect();
    let judgement = finished(&rows);
    assert_eq!(judgement.score_tenths, score, "{statuses:?}");
    assert_eq!(judgement.confidence_percent, confidence, "{statuses:?}");
}

#[test]
fn the_score_table() {
    use CheckStatus::{Cancelled, Crashed, Fail, NotApplicable, Pass, Skipped, Warn};
    check_score(&[], None, 0);
    check_score(&[Pass], Some(100), 100);
    check_score(&[Warn], Some(50), 100);
    check_score(&[Fail], Some(0), 100);
    check_score(&[Crashed], Some(0), 100);
    check_score(&[Pass, Pass, Fail], Some(67), 100);
    check_score(&[Pass, Warn, Crashed, Fail], Some(38), 100);
    check_score(&[Pass, NotApplicable], Some(100), 100);
    check_score(&[Pass, Skipped, Skipped], Some(100), 33);
    check_score(&[Pass, Cancelled], Some(100), 50);
    check_score(&[Skipped], None, 0);
    check_score(&[NotApplicable], None, 0);
}

#[test]
fn a_check_counts_by_its_weight() {
    let rows = [
        row("a", CheckCategory::Security, CheckSeverity::Blocker, CheckStatus::Pass),
        row("b", CheckCategory::Security, CheckSeverity::Minor, CheckStatus::Fail),
    ];
    assert_eq!(finished(&rows).score_tenths, Some(80), "8 of 10");
}

#[test]
fn categories_count_by_their_weights_and_those_without_a_result_are_left_out() {
    assert_eq!(
        CheckCategory::ALL.iter().map(|category| category.weight_percent()).sum::<u32>(),
        100
    );
    let rows = [
        row("a", CheckCategory::Reliability, CheckSeverity::Info, CheckStatus::Pass),
        row("b", CheckCategory::Security, CheckSeverity::Info, CheckStatus::Pass),
        row("c", CheckCategory::Capacity, CheckSeverity::Info, CheckStatus::Fail),
        row("d", CheckCategory::Cache, CheckSeverity::Info, CheckStatus::Skipped),
    ];
    let judgement = finished(&rows);
    assert_eq!(judgement.score_tenths, Some(83), "50 of 60");
    let scores: Vec<_> =
        judgement.categories.iter().map(|score| (score.category, score.score_tenths)).collect();
    assert_eq!(
        scores,
        [
            (CheckCategory::Reliability, Some(100)),
            (CheckCategory::Security, Some(100)),
            (CheckCategory::Capacity, Some(0)),
            (CheckCategory::Cache, None),
        ]
    );
}

/// Checks the verdict on `filler` passed checks of weight 1 plus the named ones, all in one
/// category.
#[track_caller]
fn check_verdict(
    filler: u32,
    named: &[(CheckSeverity, CheckStatus)],
    verdict: ReadinessVerdict,
    sentence: &str,
) {
    let pass = |number| {
        row(&format!("p{number}"), CheckCategory::Cache, CheckSeverity::Info, CheckStatus::Pass)
    };
    let named = (0..).zip(named).map(|(number, (severity, status))| {
        row(&format!("n{number}"), CheckCategory::Cache, *severity, *status)
    });
    let rows: Vec<_> = (0..filler).map(pass).chain(named).collect();
    let judgement = finished(&rows);
    assert_eq!((judgement.verdict, judgement.sentence.as_str()), (Some(verdict), sentence));
}

#[test]
fn the_gates_of_the_verdict() {
    use CheckSeverity::{Blocker, Info, Major};
    use CheckStatus::{Crashed, Fail, Skipped, Warn};
    use ReadinessVerdict::{NotReady, Ready, ReadyWithWarnings};
    check_verdict(1, &[], Ready, "Ready, 10.0 of 10");
    check_verdict(9, &[(Info, Fail)], Ready, "Ready, 9.0 of 10");
    check_verdict(8, &[(Info, Fail)], ReadyWithWarnings, "Ready with warnings, 8.9 of 10");
    check_verdict(7, &[(Info, Fail); 3], ReadyWithWarnings, "Ready with warnings, 7.0 of 10");
    check_verdict(69, &[(Info, Fail); 31], NotReady, "Not ready, 6.9 of 10");
    check_verdict(96, &[(Major, Fail)], ReadyWithWarnings, "Ready with warnings, 9.6 of 10");
    check_verdict(96, &[(Major, Crashed)], ReadyWithWarnings, "Ready with warnings, 9.6 of 10");
    check_verdict(96, &[(Major, Warn)], Ready, "Ready, 9.8 of 10");
    check_verdict(500, &[(Blocker, Fail)], NotReady, "1 blocker: n0 is broken");
    check_verdict(
        500,
        &[(Blocker, Crashed), (Blocker, Fail)],
        NotReady,
        "2 blockers: n0 is broken; n1 is broken",
    );
    check_verdict(9, &[(Blocker, Skipped)], ReadyWithWarnings, "Ready with warnings, 10.0 of 10");
    check_verdict(0, &[(Info, Skipped)], NotReady, "Not ready: nothing could be checked");
}

#[test]
fn a_stopped_run_has_no_verdict_and_says_how_far_it_came() {
    let rows = [
        row("a", CheckCategory::Cache, CheckSeverity::Info, CheckStatus::Pass),
        row("b", CheckCategory::Cache, CheckSeverity::Info, CheckStatus::Cancelled),
    ];
    let judgement = judge(&rows, RunEnd::Cancelled, None);
    assert_eq!(judgement.verdict, None);
    assert_eq!(judgement.sentence, "Stopped after 1 of 2 checks");
}

#[test]
fn the_best_fixes_are_those_that_gain_most() {
    let rows = [
        row("warned", CheckCategory::Security, CheckSeverity::Major, CheckStatus::Warn),
        row("small", CheckCategory::Cache, CheckSeverity::Info, CheckStatus::Fail),
        row("failed", CheckCategory::Security, CheckSeverity::Major, CheckStatus::Fail),
        row("good", CheckCategory::Security, CheckSeverity::Major, CheckStatus::Pass),
        row("skipped", CheckCategory::Security, CheckSeverity::Blocker, CheckStatus::Skipped),
        row("other", CheckCategory::Capacity, CheckSeverity::Info, CheckStatus::Fail),
    ];
    let judgement = finished(&rows);
    // Security 25 × 1/2, cache 5 × 0, capacity 10 × 0, of 40.
    assert_eq!(judgement.score_tenths, Some(31));
    let fixes: Vec<_> =
        judgement.best_fixes.iter().map(|fix| (fix.check.as_str(), fix.gain_tenths)).collect();
    assert_eq!(fixes, [("other", 25), ("failed", 21), ("small", 13)]);
}

#[test]
fn the_change_is_counted_from_the_run_before() {
    let rows = [row("a", CheckCategory::Cache, CheckSeverity::Info, CheckStatus::Warn)];
    let change = |previous| judge(&rows, RunEnd::Finished, previous).score_change_tenths;
    assert_eq!((change(None), change(Some(46)), change(Some(100))), (None, Some(4), Some(-50)));
}

#[test]
fn a_missing_step_of_the_setup_has_a_verdict_of_its_own_and_no_score() {
    use CheckStatus::{Fail, Pass, Warn};
    let rows = |setup, blocker| {
        [
            row("backend", CheckCategory::Guidance, CheckSeverity::Setup, setup),
            row("gateway", CheckCategory::Reliability, CheckSeverity::Blocker, blocker),
            row("client", CheckCategory::Guidance, CheckSeverity::Info, Warn),
        ]
    };
    let new = finished(&rows(Fail, Pass));
    assert_eq!(new.verdict, Some(ReadinessVerdict::NotSetUp));
    assert_eq!(new.sentence, "Not set up yet: backend is broken");
    assert_eq!(new.score_tenths, None, "a score would look like a result");
    let broken = finished(&rows(Fail, Fail));
    assert_eq!(broken.verdict, Some(ReadinessVerdict::NotReady));
    assert_eq!(broken.sentence, "1 blocker: gateway is broken");
    assert_ne!(finished(&rows(Pass, Pass)).verdict, new.verdict);
}
