//! Tests of the runner on virtual time: order, limits, and that every failure is a result.

#![expect(clippy::expect_used, reason = "a run that cannot be made fails its test")]
#![expect(clippy::panic, reason = "a check that panics is one of the cases")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::{Clock, RunId, SeededEntropy, SystemClock, WallTime};
use proptest::prelude::*;
use proptest::sample::Index;
use readiness::{
    AT_ONCE_DEFAULT, AT_ONCE_MAX, Action, Applies, AtOnce, CHECKS_MAX, Category, Check, CheckId,
    CheckSet, EVIDENCE_CHARS_MAX, EVIDENCE_LINES_MAX, NETWORK_AT_ONCE_DEFAULT, Outcome,
    PROGRESS_EVERY, Plan, PlanError, Report, Run, RunEnd, RunOrder, RunSnapshot, RunState,
    Severity, Status, TIMEOUT_DEFAULT, TIMEOUT_HARD, start,
};

/// Log shared by all checks of a test.
#[derive(Default)]
struct Log {
    ended: Mutex<Vec<usize>>,
    running: AtomicUsize,
    running_most: AtomicUsize,
}

enum Part {
    Passes,
    Fails,
    Panics,
}

/// A check that takes `takes` and then gives its scripted result.
struct Scripted {
    number: usize,
    takes: Duration,
    part: Part,
    log: Arc<Log>,
}

struct Counted<'a>(&'a Log);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Run for Scripted {
    async fn run(&self) -> Outcome {
        let running = self.log.running.fetch_add(1, Ordering::SeqCst) + 1;
        let _counted = Counted(&self.log);
        self.log.running_most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(self.takes).await;
        self.log.ended.lock().expect("a lock").push(self.number);
        match self.part {
            Part::Passes => Outcome::pass().saw("it works"),
            Part::Fails => Outcome::fail("it is broken", "Mend it.").at(Action::OpenSettings),
            Part::Panics => panic!("scripted panic"),
        }
    }
}

fn id(number: usize) -> CheckId {
    CheckId::new(format!("c{number}"))
}

fn check(log: &Arc<Log>, number: usize, takes: Duration, part: Part) -> Check {
    let run = Scripted { number, takes, part, log: Arc::clone(log) };
    let title = format!("check {number}");
    Check::new(id(number), title, Category::Reliability, Severity::Major, Arc::new(run))
}

fn passing(log: &Arc<Log>, number: usize) -> Check {
    check(log, number, Duration::from_secs(1), Part::Passes)
}

fn order() -> RunOrder {
    RunOrder {
        run: RunId::generate(WallTime::from_unix_ms(1), &SeededEntropy::new(1)),
        set: CheckSet::Full,
        previous_score_tenths: Some(46),
        at_once: AtOnce::default(),
    }
}

async fn run_all(checks: Vec<Check>) -> Report {
    let plan = Plan::build(checks).expect("a plan");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    start(plan, order(), clock, std::future::pending()).1.await
}

fn statuses(report: &Report) -> Vec<Status> {
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
        let log = Arc::new(Log::default());
        let mut checks: Vec<Check> = waits.iter().enumerate().map(|(number, waits)| {
            let takes = Duration::from_millis(takes_ms[number]);
            // Depends only on lower numbers, so the graph has no cycle.
            let earlier = waits.iter().filter(|_| number > 0).map(|wait| id(wait.index(number)));
            check(&log, number, takes, Part::Passes).after(earlier)
        }).collect();
        // The position in the list must not matter.
        let middle = shift.index(checks.len());
        checks.rotate_left(middle);
        let wanted = checks.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().expect("a runtime");
        let report = runtime.block_on(run_all(checks));
        prop_assert!(statuses(&report).iter().all(|status| *status == Status::Pass));
        let ended = log.ended.lock().expect("a lock").clone();
        prop_assert_eq!(ended.len(), wanted.len());
        let place = |id: &CheckId| ended.iter().position(|number| self::id(*number) == *id);
        for check in &wanted {
            prop_assert!(place(&check.id).is_some());
            for wait in &check.depends_on {
                prop_assert!(place(wait) < place(&check.id), "{} before {}", wait, check.id);
            }
        }
        prop_assert!(log.running_most.load(Ordering::SeqCst) <= AT_ONCE_DEFAULT);
    }
}

#[test]
fn a_cycle_is_refused_and_named() {
    let log = Arc::new(Log::default());
    let after =
        |number, waits: &[usize]| passing(&log, number).after(waits.iter().copied().map(id));
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
    assert_eq!(refused(vec![after(0, &[]), after(0, &[])]), PlanError::Twice(id(0)));
    let missing = PlanError::Missing { check: id(0), missing: id(9) };
    assert_eq!(refused(vec![after(0, &[9])]), missing);
    let many = |count| (0..count).map(|number| after(number, &[])).collect();
    assert!(Plan::build(many(CHECKS_MAX)).is_ok());
    assert_eq!(refused(many(CHECKS_MAX + 1)), PlanError::TooMany(CHECKS_MAX + 1));
}

#[tokio::test(start_paused = true)]
async fn sixteen_checks_take_an_eighth_of_their_time() {
    let log = Arc::new(Log::default());
    let clock = SystemClock::new();
    run_all((0..16).map(|number| passing(&log, number)).collect()).await;
    assert_eq!(log.running_most.load(Ordering::SeqCst), AT_ONCE_DEFAULT);
    assert_eq!(clock.now().as_micros() / 1_000_000, 2, "seconds for 16 seconds of work");
}

#[tokio::test(start_paused = true)]
async fn network_checks_have_a_limit_of_their_own_and_do_not_hold_up_local_ones() {
    let (near, far) = (Arc::new(Log::default()), Arc::new(Log::default()));
    let checks = (0..9).map(|number| passing(&far, number).over_network(TIMEOUT_DEFAULT));
    let report =
        run_all(checks.chain((9..12).map(|number| passing(&near, number))).collect()).await;
    assert!(statuses(&report).iter().all(|status| *status == Status::Pass));
    assert_eq!(far.running_most.load(Ordering::SeqCst), NETWORK_AT_ONCE_DEFAULT);
    assert_eq!(near.running_most.load(Ordering::SeqCst), 3, "behind nine network checks");
}

#[tokio::test(start_paused = true)]
async fn the_number_at_once_is_kept_within_its_limits() {
    for (asked, wanted) in [(0, 1), (1, 1), (AT_ONCE_MAX + 1, AT_ONCE_MAX)] {
        let log = Arc::new(Log::default());
        let checks = (0..20).map(|number| passing(&log, number)).collect();
        let plan = Plan::build(checks).expect("a plan");
        let order = RunOrder { at_once: AtOnce { checks: asked, network: 0 }, ..order() };
        start(plan, order, Arc::new(SystemClock::new()), std::future::pending()).1.await;
        assert_eq!(log.running_most.load(Ordering::SeqCst), wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_failure_is_skipped_and_says_because_of_what() {
    let log = Arc::new(Log::default());
    let report = run_all(vec![
        passing(&log, 3).after([id(2)]),
        check(&log, 1, Duration::ZERO, Part::Fails),
        passing(&log, 2).after([id(1)]),
        passing(&log, 4),
    ])
    .await;
    let wanted = [Status::Skipped, Status::Fail, Status::Skipped, Status::Pass];
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
        (Some("Mend it."), &Some(Action::OpenSettings))
    );
    assert_eq!(*log.ended.lock().expect("a lock"), [1, 4]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_apply_holds_nothing_up() {
    let log = Arc::new(Log::default());
    let mut absent = check(&log, 1, Duration::ZERO, Part::Fails);
    absent.applies = Applies::No("there is none here".to_owned());
    let report = run_all(vec![absent, passing(&log, 2).after([id(1)])]).await;
    assert_eq!(statuses(&report), [Status::NotApplicable, Status::Pass]);
    assert_eq!(report.checks[0].cause.as_deref(), Some("there is none here"));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_is_a_result() {
    let log = Arc::new(Log::default());
    let report = run_all(vec![
        check(&log, 1, Duration::ZERO, Part::Panics),
        passing(&log, 2),
        passing(&log, 3).after([id(1)]),
    ])
    .await;
    assert_eq!(statuses(&report), [Status::Crashed, Status::Pass, Status::Skipped]);
    assert_eq!(report.checks[0].cause.as_deref(), Some("the check crashed"));
    assert_eq!(report.checks[0].evidence, ["scripted panic"]);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_takes_too_long_is_a_result_and_is_dropped() {
    let log = Arc::new(Log::default());
    let hour = Duration::from_secs(3_600);
    let mut patient = check(&log, 2, hour, Part::Passes);
    patient.timeout = hour;
    let mut just = check(&log, 3, TIMEOUT_DEFAULT - Duration::from_millis(1), Part::Passes);
    just.timeout = TIMEOUT_DEFAULT;
    let report = run_all(vec![check(&log, 1, hour, Part::Passes), patient, just]).await;
    assert_eq!(statuses(&report), [Status::Fail, Status::Fail, Status::Pass]);
    let took: Vec<_> = report.checks.iter().map(|check| check.duration_ms).collect();
    let ms = |time: Duration| u32::try_from(time.as_millis()).ok();
    assert_eq!(took[..2], [ms(TIMEOUT_DEFAULT), ms(TIMEOUT_HARD)]);
    let cause = report.checks[1].cause.as_deref();
    assert_eq!(cause, Some("no response within 30 s"));
    assert_eq!(log.running.load(Ordering::SeqCst), 0, "nothing goes on behind the report");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_ends_at_once_and_drops_what_runs() {
    let log = Arc::new(Log::default());
    let mut checks = vec![check(&log, 0, Duration::ZERO, Part::Passes)];
    checks.extend((1..20).map(|number| passing(&log, number)));
    let plan = Plan::build(checks).expect("a plan");
    let clock = Arc::new(SystemClock::new());
    let shared: Arc<dyn Clock> = Arc::<SystemClock>::clone(&clock);
    let cancel = tokio::time::sleep(Duration::from_millis(500));
    let (snapshots, run) = start(plan, order(), shared, cancel);
    let report = run.await;
    assert_eq!(clock.now().as_micros() / 1_000, 500);
    assert_eq!((report.end, report.judgement.verdict), (RunEnd::Cancelled, None));
    assert_eq!(report.judgement.sentence, "Stopped after 1 of 20 checks");
    assert_eq!(statuses(&report)[0], Status::Pass);
    assert!(statuses(&report)[1..].iter().all(|status| *status == Status::Cancelled));
    assert_eq!(log.running.load(Ordering::SeqCst), 0);
    assert_eq!(snapshots.borrow().state, RunState::Ended(RunEnd::Cancelled));
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_at_every_change_and_every_quarter_of_a_second() {
    let log = Arc::new(Log::default());
    let plan =
        Plan::build(vec![passing(&log, 1), passing(&log, 2).after([id(1)])]).expect("a plan");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (mut snapshots, run) = start(plan, order(), Arc::clone(&clock), std::future::pending());
    assert_eq!(snapshots.borrow_and_update().done(), 0);
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
        (Status::Running, Status::Waiting),
        (Status::Pass, Status::Running),
        (Status::Pass, Status::Pass),
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
impl Run for Talkative {
    async fn run(&self) -> Outcome {
        let line = "ä".repeat(EVIDENCE_CHARS_MAX + 1);
        (0..=EVIDENCE_LINES_MAX).fold(Outcome::warn(&line, "x"), |outcome, _| outcome.saw(&line))
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_check_says_has_a_limit() {
    let run = Arc::new(Talkative);
    let check = Check::new(id(1), "t", Category::Cache, Severity::Info, run);
    let report = run_all(vec![check]).await;
    assert_eq!(report.checks[0].evidence.len(), EVIDENCE_LINES_MAX);
    for text in report.checks[0].evidence.iter().chain(&report.checks[0].cause) {
        assert_eq!(text.chars().count(), EVIDENCE_CHARS_MAX);
        assert!(text.ends_with('…'));
    }
}

#[tokio::test(start_paused = true)]
async fn the_verdict_can_be_computed_again_from_the_stored_report() {
    let log = Arc::new(Log::default());
    let report = run_all(vec![
        passing(&log, 1),
        check(&log, 2, Duration::ZERO, Part::Fails),
        check(&log, 3, Duration::ZERO, Part::Panics),
        passing(&log, 4).after([id(3)]),
    ])
    .await;
    let stored = serde_json::to_string(&report).expect("written");
    let read: Report = serde_json::from_str(&stored).expect("read");
    assert_eq!(read, report);
    assert_eq!(read.judged_again(), report.judgement);
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
    is_task(start(plan, order(), Arc::new(SystemClock::new()), std::future::pending()).1);
}
