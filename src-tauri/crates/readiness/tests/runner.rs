//! Tests of the runner on virtual time: order, limits, and that every failure is a result.

#![expect(clippy::expect_used, reason = "a run that cannot be made fails its test")]
#![expect(clippy::panic, reason = "a check that panics is one of the cases")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::{CheckSet, Clock, RunId, SeededEntropy, SystemClock, WallTime};
use proptest::prelude::*;
use proptest::sample::Index;
use readiness::{
    Applicability, CHECKS_MAX, CONCURRENCY_DEFAULT, CONCURRENCY_MAX, CheckBody, CheckCategory,
    CheckId, CheckOutcome, CheckSeverity, CheckStatus, ConcurrencyLimits, EVIDENCE_CHARS_MAX,
    EVIDENCE_LINES_MAX, FixAction, NETWORK_CONCURRENCY_DEFAULT, PROGRESS_EVERY, Plan, PlanError,
    ReadinessCheck, ReadinessReport, RunEnd, RunParameters, RunSnapshot, RunState, TIMEOUT_DEFAULT,
    TIMEOUT_HARD, start_run,
};

/// Log shared by all checks of a test.
#[derive(Default)]
struct RunLog {
    ended: Mutex<Vec<usize>>,
    running: AtomicUsize,
    running_most: AtomicUsize,
}

enum ScriptedResult {
    Passes,
    Fails,
    Panics,
}

/// A check that takes `takes` and then gives its scripted result.
struct ScriptedCheck {
    number: usize,
    takes: Duration,
    part: ScriptedResult,
    log: Arc<RunLog>,
}

struct RunningCount<'a>(&'a RunLog);

impl Drop for RunningCount<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl CheckBody for ScriptedCheck {
    async fn run(&self) -> CheckOutcome {
        let running = self.log.running.fetch_add(1, Ordering::SeqCst) + 1;
        let _counted = RunningCount(&self.log);
        self.log.running_most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(self.takes).await;
        self.log.ended.lock().expect("a lock").push(self.number);
        match self.part {
            ScriptedResult::Passes => CheckOutcome::pass().with_evidence("it works"),
            ScriptedResult::Fails => {
                CheckOutcome::fail("it is broken", "Mend it.").with_action(FixAction::OpenSettings)
            }
            ScriptedResult::Panics => panic!("scripted panic"),
        }
    }
}

fn id(number: usize) -> CheckId {
    CheckId::new(format!("c{number}"))
}

fn check(
    log: &Arc<RunLog>,
    number: usize,
    takes: Duration,
    part: ScriptedResult,
) -> ReadinessCheck {
    let run = ScriptedCheck { number, takes, part, log: Arc::clone(log) };
    let title = format!("check {number}");
    ReadinessCheck::new(
        id(number),
        title,
        CheckCategory::Reliability,
        CheckSeverity::Major,
        Arc::new(run),
    )
}

fn passing(log: &Arc<RunLog>, number: usize) -> ReadinessCheck {
    check(log, number, Duration::from_secs(1), ScriptedResult::Passes)
}

fn order() -> RunParameters {
    RunParameters {
        run: RunId::generate(WallTime::from_unix_ms(1), &SeededEntropy::new(1)),
        set: CheckSet::Full,
        previous_score_tenths: Some(46),
        concurrency: ConcurrencyLimits::default(),
    }
}

async fn run_all(checks: Vec<ReadinessCheck>) -> ReadinessReport {
    let plan = Plan::build(checks).expect("a plan");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    start_run(plan, order(), clock, std::future::pending()).1.await
}

fn statuses(report: &ReadinessReport) -> Vec<CheckStatus> {
    report.checks.iter().map(|check| check.status).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_check_of_any_graph_runs_once_and_after_those_it_waits_for(
        waits in prop::collection::vec(prop::collection::vec(any::<Index>(), 0..4), 1..30),
        takes_ms in prop::collection::vec(0_u64..2_000, 30),
        shift in any::<Index>(),
    ) {
        let log = Arc::new(RunLog::default());
        let mut checks: Vec<ReadinessCheck> = waits.iter().enumerate().map(|(number, waits)| {
            let takes = Duration::from_millis(takes_ms[number]);
            // Depends only on lower numbers, so the graph has no cycle.
            let earlier = waits.iter().filter(|_| number > 0).map(|wait| id(wait.index(number)));
            check(&log, number, takes, ScriptedResult::Passes).with_dependencies(earlier)
        }).collect();
        // The position in the list must not matter.
        let middle = shift.index(checks.len());
        checks.rotate_left(middle);
        let wanted = checks.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().expect("a runtime");
        let report = runtime.block_on(run_all(checks));
        prop_assert!(statuses(&report).iter().all(|status| *status == CheckStatus::Pass));
        let ended = log.ended.lock().expect("a lock").clone();
        prop_assert_eq!(ended.len(), wanted.len());
        let place = |id: &CheckId| ended.iter().position(|number| self::id(*number) == *id);
        for check in &wanted {
            prop_assert!(place(&check.id).is_some());
            for wait in &check.depends_on {
                prop_assert!(place(wait) < place(&check.id), "{} before {}", wait, check.id);
            }
        }
        prop_assert!(log.running_most.load(Ordering::SeqCst) <= CONCURRENCY_DEFAULT);
    }
}

#[test]
fn a_cycle_is_refused_and_named() {
    let log = Arc::new(RunLog::default());
    let after = |number, waits: &[usize]| {
        passing(&log, number).with_dependencies(waits.iter().copied().map(id))
    };
    let refused = |checks| Plan::build(checks).expect_err("refused");
    // The first check leads into the cycle but is not part of it.
    let cycle = refused(vec![
        after(4, &[3]),
        after(0, &[]),
        after(1, &[0, 3]),
        after(2, &[1]),
        after(3, &[2]),
    ]);
    let PlanError::Cycle(ids) = &cycle else { panic!("{cycle:?}") };
    assert_eq!(*ids, [id(3), id(2), id(1)]);
    let text = "checks wait for each other: c3 → c2 → c1 → c3; drop one of these waits";
    assert_eq!(cycle.to_string(), text);
    assert_eq!(refused(vec![after(0, &[0])]), PlanError::Cycle(vec![id(0)]));
    assert_eq!(refused(vec![after(0, &[]), after(0, &[])]), PlanError::DuplicateId(id(0)));
    let missing = PlanError::UnknownDependency { check: id(0), missing: id(9) };
    assert_eq!(refused(vec![after(0, &[9])]), missing);
    let many = |count| (0..count).map(|number| after(number, &[])).collect();
    assert!(Plan::build(many(CHECKS_MAX)).is_ok());
    assert_eq!(refused(many(CHECKS_MAX + 1)), PlanError::TooMany(CHECKS_MAX + 1));
}

#[tokio::test(start_paused = true)]
async fn sixteen_checks_take_an_eighth_of_their_time() {
    let log = Arc::new(RunLog::default());
    let clock = SystemClock::new();
    run_all((0..16).map(|number| passing(&log, number)).collect()).await;
    assert_eq!(log.running_most.load(Ordering::SeqCst), CONCURRENCY_DEFAULT);
    assert_eq!(clock.now().as_micros() / 1_000_000, 2, "seconds for 16 seconds of work");
}

#[tokio::test(start_paused = true)]
async fn network_checks_have_a_limit_of_their_own_and_do_not_hold_up_local_ones() {
    let (near, far) = (Arc::new(RunLog::default()), Arc::new(RunLog::default()));
    let checks = (0..9).map(|number| passing(&far, number).with_network_timeout(TIMEOUT_DEFAULT));
    let report =
        run_all(checks.chain((9..12).map(|number| passing(&near, number))).collect()).await;
    assert!(statuses(&report).iter().all(|status| *status == CheckStatus::Pass));
    assert_eq!(far.running_most.load(Ordering::SeqCst), NETWORK_CONCURRENCY_DEFAULT);
    assert_eq!(near.running_most.load(Ordering::SeqCst), 3, "behind nine network checks");
}

#[tokio::test(start_paused = true)]
async fn the_number_at_once_is_kept_within_its_limits() {
    for (asked, wanted) in [(0, 1), (1, 1), (CONCURRENCY_MAX + 1, CONCURRENCY_MAX)] {
        let log = Arc::new(RunLog::default());
        let checks = (0..20).map(|number| passing(&log, number)).collect();
        let plan = Plan::build(checks).expect("a plan");
        let order = RunParameters {
            concurrency: ConcurrencyLimits { checks: asked, network: 0 },
            ..order()
        };
        start_run(plan, order, Arc::new(SystemClock::new()), std::future::pending()).1.await;
        assert_eq!(log.running_most.load(Ordering::SeqCst), wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_failure_is_skipped_and_says_because_of_what() {
    let log = Arc::new(RunLog::default());
    let report = run_all(vec![
        passing(&log, 3).with_dependencies([id(2)]),
        check(&log, 1, Duration::ZERO, ScriptedResult::Fails),
        passing(&log, 2).with_dependencies([id(1)]),
        passing(&log, 4),
    ])
    .await;
    let wanted = [CheckStatus::Skipped, CheckStatus::Fail, CheckStatus::Skipped, CheckStatus::Pass];
    assert_eq!(statuses(&report), wanted);
    for place in [0, 2] {
        let cause = report.checks[place].cause.as_deref();
        assert_eq!(cause, Some("because c1 (check 1) did not pass"));
        assert_eq!(report.checks[place].duration_ms, None);
    }
    let failed = &report.checks[1];
    assert_eq!(failed.cause.as_deref(), Some("it is broken"));
    assert_eq!(
        (failed.fix.as_deref(), &failed.action),
        (Some("Mend it."), &Some(FixAction::OpenSettings))
    );
    assert_eq!(*log.ended.lock().expect("a lock"), [1, 4]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_apply_holds_nothing_up() {
    let log = Arc::new(RunLog::default());
    let mut absent = check(&log, 1, Duration::ZERO, ScriptedResult::Fails);
    absent.applies = Applicability::No("there is none here".to_owned());
    let report = run_all(vec![absent, passing(&log, 2).with_dependencies([id(1)])]).await;
    assert_eq!(statuses(&report), [CheckStatus::NotApplicable, CheckStatus::Pass]);
    assert_eq!(report.checks[0].cause.as_deref(), Some("there is none here"));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_is_a_result() {
    let log = Arc::new(RunLog::default());
    let report = run_all(vec![
        check(&log, 1, Duration::ZERO, ScriptedResult::Panics),
        passing(&log, 2),
        passing(&log, 3).with_dependencies([id(1)]),
    ])
    .await;
    assert_eq!(statuses(&report), [CheckStatus::Crashed, CheckStatus::Pass, CheckStatus::Skipped]);
    assert_eq!(report.checks[0].cause.as_deref(), Some("the check crashed"));
    assert_eq!(report.checks[0].evidence, ["scripted panic"]);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_takes_too_long_is_a_result_and_is_dropped() {
    let log = Arc::new(RunLog::default());
    let hour = Duration::from_secs(3_600);
    let mut patient = check(&log, 2, hour, ScriptedResult::Passes);
    patient.timeout = hour;
    let mut just =
        check(&log, 3, TIMEOUT_DEFAULT - Duration::from_millis(1), ScriptedResult::Passes);
    just.timeout = TIMEOUT_DEFAULT;
    let report = run_all(vec![check(&log, 1, hour, ScriptedResult::Passes), patient, just]).await;
    assert_eq!(statuses(&report), [CheckStatus::Fail, CheckStatus::Fail, CheckStatus::Pass]);
    let took: Vec<_> = report.checks.iter().map(|check| check.duration_ms).collect();
    let ms = |time: Duration| u32::try_from(time.as_millis()).ok();
    assert_eq!(took[..2], [ms(TIMEOUT_DEFAULT), ms(TIMEOUT_HARD)]);
    let cause = report.checks[1].cause.as_deref();
    assert_eq!(cause, Some("no response within 30 s"));
    assert_eq!(log.running.load(Ordering::SeqCst), 0, "nothing goes on behind the report");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_ends_at_once_and_drops_what_runs() {
    let log = Arc::new(RunLog::default());
    let mut checks = vec![check(&log, 0, Duration::ZERO, ScriptedResult::Passes)];
    checks.extend((1..20).map(|number| passing(&log, number)));
    let plan = Plan::build(checks).expect("a plan");
    let clock = Arc::new(SystemClock::new());
    let shared: Arc<dyn Clock> = Arc::<SystemClock>::clone(&clock);
    let cancel = tokio::time::sleep(Duration::from_millis(500));
    let (snapshots, run) = start_run(plan, order(), shared, cancel);
    let report = run.await;
    assert_eq!(clock.now().as_micros() / 1_000, 500);
    assert_eq!((report.end, report.judgement.verdict), (RunEnd::Cancelled, None));
    assert_eq!(report.judgement.sentence, "Stopped after 1 of 20 checks");
    assert_eq!(statuses(&report)[0], CheckStatus::Pass);
    assert!(statuses(&report)[1..].iter().all(|status| *status == CheckStatus::Cancelled));
    assert_eq!(log.running.load(Ordering::SeqCst), 0);
    assert_eq!(snapshots.borrow().state, RunState::Ended(RunEnd::Cancelled));
}

#[tokio::test(start_paused = true)]
async fn progress_is_published_at_every_change_and_every_quarter_second() {
    let log = Arc::new(RunLog::default());
    let plan = Plan::build(vec![passing(&log, 1), passing(&log, 2).with_dependencies([id(1)])])
        .expect("a plan");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (mut snapshots, run) = start_run(plan, order(), Arc::clone(&clock), std::future::pending());
    assert_eq!(snapshots.borrow_and_update().done_count(), 0);
    let watch = async {
        let mut seen: Vec<(u64, RunSnapshot)> = Vec::new();
        while snapshots.changed().await.is_ok() {
            let snapshot = snapshots.borrow_and_update().clone();
            seen.push((clock.now().as_micros() / 1_000, snapshot));
        }
        seen
    };
    let (report, seen) = tokio::join!(run, watch);
    let steps: Vec<_> = seen
        .iter()
        .map(|(_, snapshot)| (snapshot.checks[0].status, snapshot.checks[1].status))
        .collect();
    for step in [
        (CheckStatus::Running, CheckStatus::Waiting),
        (CheckStatus::Pass, CheckStatus::Running),
        (CheckStatus::Pass, CheckStatus::Pass),
    ] {
        assert!(steps.contains(&step), "{step:?} in {steps:?}");
    }
    let longest = seen.windows(2).map(|pair| pair[1].0 - pair[0].0).max().expect("several");
    assert!(u128::from(longest) <= PROGRESS_EVERY.as_millis(), "{longest} ms");
    assert_eq!(seen[1].1.checks[0].duration_ms, Some(250), "a running check shows its time");
    let last = &seen.last().expect("several").1;
    assert_eq!((last.state, &last.checks), (RunState::Ended(RunEnd::Finished), &report.checks));
}

struct Talkative;

#[async_trait]
impl CheckBody for Talkative {
    async fn run(&self) -> CheckOutcome {
        let line = "ä".repeat(EVIDENCE_CHARS_MAX + 1);
        (0..=EVIDENCE_LINES_MAX)
            .fold(CheckOutcome::warn(&line, "x"), |outcome, _| outcome.with_evidence(&line))
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_check_says_has_a_limit() {
    let run = Arc::new(Talkative);
    let check = ReadinessCheck::new(id(1), "t", CheckCategory::Cache, CheckSeverity::Info, run);
    let report = run_all(vec![check]).await;
    assert_eq!(report.checks[0].evidence.len(), EVIDENCE_LINES_MAX);
    for text in report.checks[0].evidence.iter().chain(&report.checks[0].cause) {
        assert_eq!(text.chars().count(), EVIDENCE_CHARS_MAX);
        assert!(text.ends_with('…'));
    }
}

#[tokio::test(start_paused = true)]
async fn the_verdict_can_be_computed_again_from_the_stored_report() {
    let log = Arc::new(RunLog::default());
    let report = run_all(vec![
        passing(&log, 1),
        check(&log, 2, Duration::ZERO, ScriptedResult::Fails),
        check(&log, 3, Duration::ZERO, ScriptedResult::Panics),
        passing(&log, 4).with_dependencies([id(3)]),
    ])
    .await;
    let stored = serde_json::to_string(&report).expect("written");
    let read: ReadinessReport = serde_json::from_str(&stored).expect("read");
    assert_eq!(read, report);
    assert_eq!(read.rejudge(), report.judgement);
    assert_eq!(report.judgement.score_tenths, Some(33));
    assert_eq!(report.judgement.score_change_tenths, Some(-13));
    assert!(stored.contains(&format!(r#""run":"{}""#, report.run)), "{stored}");
}

#[tokio::test(start_paused = true)]
async fn a_run_without_checks_ends() {
    let report = run_all(Vec::new()).await;
    assert_eq!(report.judgement.sentence, "Not ready: nothing could be checked");
}

#[test]
fn a_run_may_move_to_a_task() {
    fn is_task<T: Send + 'static>(_: T) {}
    let plan = Plan::build(Vec::new()).expect("a plan");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let _inside = runtime.enter();
    is_task(start_run(plan, order(), Arc::new(SystemClock::new()), std::future::pending()).1);
}
