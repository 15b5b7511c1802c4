//! Tests of the probe schedule on virtual time: order, timing and the limit on concurrent probes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{HealthState, SeededEntropy, SystemClock};

use crate::ObservationSource;

use super::*;

const INTERVAL: Duration = Duration::from_secs(30);

/// Probe that takes `takes` and returns a changeable result. Counts its calls and the concurrent
/// ones.
struct ScriptedProbe {
    takes: Duration,
    finding: Mutex<HealthFinding>,
    begun: AtomicUsize,
    running: AtomicUsize,
    running_most: AtomicUsize,
}

impl ScriptedProbe {
    fn new(takes: Duration, finding: HealthFinding) -> Self {
        Self {
            takes,
            finding: Mutex::new(finding),
            begun: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            running_most: AtomicUsize::new(0),
        }
    }
}

#[async_trait]
impl Probe for ScriptedProbe {
    async fn probe(&self, _backend: &BackendId) -> ProbeReport {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.running_most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(self.takes).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        let finding = *self.finding.lock().expect("a lock");
        ProbeReport::new(finding, "scripted", self.takes)
    }
}

fn id(name: &str) -> BackendId {
    BackendId::new(name).expect("a good id")
}

fn monitor(names: &[&str], clock: &SystemClock) -> Monitor {
    let monitor = Monitor::new(INTERVAL, Box::new(SeededEntropy::new(1)));
    monitor.set_watched(names.iter().map(|name| (id(name), None)).collect(), clock.now());
    monitor
}

/// Drives the monitor for `secs` of virtual time.
async fn drive(monitor: &Monitor, probe: &ScriptedProbe, clock: &SystemClock, secs: u64) {
    let stop = tokio::time::sleep(Duration::from_secs(secs));
    monitor.drive(probe, clock, stop).await;
}

fn state(monitor: &Monitor, clock: &SystemClock, name: &str) -> HealthState {
    monitor.view(&id(name), ClockReading::read(clock)).expect("watched").state
}

#[tokio::test(start_paused = true)]
async fn a_fresh_start_is_settled_within_three_seconds() {
    let clock = SystemClock::new();
    for (finding, wanted) in
        [(HealthFinding::Answered, HealthState::Up), (HealthFinding::Failed, HealthState::Down)]
    {
        let monitor = monitor(&["a", "b", "c", "d"], &clock);
        let mut told = monitor.subscribe();
        drive(&monitor, &ScriptedProbe::new(Duration::from_millis(50), finding), &clock, 3).await;
        for name in ["a", "b", "c", "d"] {
            assert_eq!(state(&monitor, &clock, name), wanted);
            let change = told.try_recv().expect("one change each");
            assert_eq!((change.id, change.transition.to), (id(name), wanted));
        }
        assert!(told.try_recv().is_err(), "no more than one change each");
    }
}

/// A sleeping or offline machine learns nothing about its backends, and does not retry constantly.
#[tokio::test(start_paused = true)]
async fn what_this_machine_could_not_ask_changes_no_state() {
    let clock = SystemClock::new();
    for begin in [HealthFinding::Answered, HealthFinding::LocalFault] {
        let monitor = monitor(&["a"], &clock);
        let probe = ScriptedProbe::new(Duration::ZERO, begin);
        drive(&monitor, &probe, &clock, 5).await;
        let before = state(&monitor, &clock, "a");
        let expected =
            if begin == HealthFinding::Answered { HealthState::Up } else { HealthState::Unknown };
        assert_eq!(before, expected);
        *probe.finding.lock().expect("a lock") = HealthFinding::LocalFault;
        let asked = probe.begun.load(Ordering::SeqCst);
        drive(&monitor, &probe, &clock, 60).await;
        assert_eq!(state(&monitor, &clock, "a"), expected);
        let more = probe.begun.load(Ordering::SeqCst) - asked;
        assert!((1..=3).contains(&more), "{more} probes in two intervals");
        drive(&monitor, &probe, &clock, 120).await;
        assert_eq!(state(&monitor, &clock, "a"), HealthState::Unknown, "what is known grows old");
    }
}

/// Probe that fails because the machine slept through it.
struct PausedProbe(ScriptedProbe);

#[async_trait]
impl Probe for PausedProbe {
    async fn probe(&self, backend: &BackendId) -> ProbeReport {
        self.0.probe(backend).await
    }

    fn was_paused_since(&self, _since: Moment) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_a_pause_cut_off_is_no_failure() {
    let clock = SystemClock::new();
    for takes in [Duration::from_secs(1), PROBE_LIMIT * 2] {
        let monitor = monitor(&["a"], &clock);
        let sleeper = PausedProbe(ScriptedProbe::new(takes, HealthFinding::Failed));
        let stop = tokio::time::sleep(Duration::from_secs(90));
        monitor.drive(&sleeper, &clock, stop).await;
        assert_eq!(state(&monitor, &clock, "a"), HealthState::Unknown);
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_three_probes_run_at_once_and_all_get_their_turn() {
    let clock = SystemClock::new();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let monitor = monitor(&names, &clock);
    let probe = ScriptedProbe::new(Duration::from_secs(1), HealthFinding::Answered);
    drive(&monitor, &probe, &clock, 8).await;
    assert_eq!(probe.running_most.load(Ordering::SeqCst), PROBES_AT_ONCE_MAX);
    for name in names {
        assert_eq!(state(&monitor, &clock, name), HealthState::Up, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_settled_backend_is_probed_once_an_interval() {
    let clock = SystemClock::new();
    let monitor = monitor(&["a"], &clock);
    let probe = ScriptedProbe::new(Duration::ZERO, HealthFinding::Answered);
    drive(&monitor, &probe, &clock, 5).await;
    let settled = probe.begun.load(Ordering::SeqCst);
    assert_eq!(settled, 2);
    drive(&monitor, &probe, &clock, 300).await;
    let more = probe.begun.load(Ordering::SeqCst) - settled;
    assert!((9..=11).contains(&more), "{more} probes in ten intervals");
}

#[tokio::test(start_paused = true)]
async fn traffic_makes_probes_unnecessary_and_being_asked_makes_one_anyway() {
    let clock = SystemClock::new();
    let monitor = monitor(&["a"], &clock);
    let probe = ScriptedProbe::new(Duration::ZERO, HealthFinding::Answered);
    drive(&monitor, &probe, &clock, 5).await;
    for _ in 0..6 {
        let call = Observation {
            source: ObservationSource::Passive,
            finding: HealthFinding::Answered,
            reason: String::new(),
            duration: Duration::ZERO,
        };
        monitor.observe(&id("a"), call, ClockReading::read(&clock));
        drive(&monitor, &probe, &clock, 50).await;
    }
    assert_eq!(probe.begun.load(Ordering::SeqCst), 2, "only those of the start");
    monitor.request_probe(&id("a"));
    drive(&monitor, &probe, &clock, 1).await;
    assert_eq!(probe.begun.load(Ordering::SeqCst), 3);
    drive(&monitor, &probe, &clock, 1).await;
    assert_eq!(probe.begun.load(Ordering::SeqCst), 3, "asked once, probed once");
}

#[tokio::test(start_paused = true)]
async fn being_asked_wakes_a_sleeping_schedule() {
    let clock = SystemClock::new();
    let monitor = Arc::new(monitor(&["a"], &clock));
    let probe = ScriptedProbe::new(Duration::ZERO, HealthFinding::Answered);
    let ask = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        *probe.finding.lock().expect("a lock") = HealthFinding::KeyRejected;
        monitor.request_probe(&id("a"));
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    monitor.drive(&probe, &clock, ask).await;
    let view = monitor.view(&id("a"), ClockReading::read(&clock)).expect("watched");
    assert_eq!(view.state, HealthState::Down);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_has_failed_after_its_limit() {
    let clock = SystemClock::new();
    let monitor = monitor(&["a"], &clock);
    let probe = ScriptedProbe::new(Duration::from_secs(3_600), HealthFinding::Answered);
    drive(&monitor, &probe, &clock, 33).await;
    let view = monitor.view(&id("a"), ClockReading::read(&clock)).expect("watched");
    assert_eq!((view.state, view.reason.as_str()), (HealthState::Down, "no answer within 10 s"));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_schedule_can_be_driven_again() {
    let clock = SystemClock::new();
    let monitor = monitor(&["a", "b", "c"], &clock);
    let slow = ScriptedProbe::new(Duration::from_secs(5), HealthFinding::Answered);
    drive(&monitor, &slow, &clock, 1).await;
    let quick = ScriptedProbe::new(Duration::ZERO, HealthFinding::Answered);
    drive(&monitor, &quick, &clock, 2).await;
    assert_eq!(state(&monitor, &clock, "c"), HealthState::Up);
}

#[tokio::test(start_paused = true)]
async fn stale_states_expire_when_the_schedule_runs_again() {
    let clock = SystemClock::new();
    let monitor = monitor(&["a"], &clock);
    let probe = ScriptedProbe::new(Duration::ZERO, HealthFinding::Answered);
    drive(&monitor, &probe, &clock, 5).await;
    tokio::time::advance(Duration::from_secs(600)).await;
    let mut told = monitor.subscribe();
    drive(&monitor, &probe, &clock, 5).await;
    let mut next = || told.try_recv().map(|change| change.transition.to).ok();
    assert_eq!([next(), next(), next()], [Some(HealthState::Unknown), Some(HealthState::Up), None]);
}

#[tokio::test(start_paused = true)]
async fn what_is_watched_can_change_and_what_stays_is_kept() {
    let clock = SystemClock::new();
    let monitor = monitor(&["a", "b"], &clock);
    let probe = ScriptedProbe::new(Duration::ZERO, HealthFinding::Answered);
    drive(&monitor, &probe, &clock, 3).await;
    monitor.set_watched(vec![(id("a"), None), (id("new"), None)], clock.now());
    assert_eq!(state(&monitor, &clock, "a"), HealthState::Up);
    assert_eq!(state(&monitor, &clock, "new"), HealthState::Unknown);
    assert_eq!(monitor.view(&id("b"), ClockReading::read(&clock)), None);
    assert_eq!(monitor.due(clock.now()), [id("new")]);
    monitor.forget(&id("a"), clock.now());
    assert_eq!(state(&monitor, &clock, "a"), HealthState::Unknown);
    assert_eq!(monitor.last_known(), []);
}

#[tokio::test(start_paused = true)]
async fn a_schedule_with_nothing_to_do_sleeps_until_something_is_added() {
    let clock = SystemClock::new();
    let monitor = monitor(&[], &clock);
    assert_eq!((monitor.next_wake(), monitor.due(clock.now())), (None, Vec::new()));
    let probe = ScriptedProbe::new(Duration::ZERO, HealthFinding::Answered);
    let add = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        monitor.set_watched(vec![(id("a"), None)], clock.now());
        tokio::time::sleep(Duration::from_secs(2)).await;
    };
    monitor.drive(&probe, &clock, add).await;
    assert_eq!(state(&monitor, &clock, "a"), HealthState::Up);
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_probe_with_the_old_key_does_not_count_for_the_new_one() {
    let clock = SystemClock::new();
    let monitor = monitor(&["a"], &clock);
    let probe = ScriptedProbe::new(Duration::from_secs(2), HealthFinding::KeyRejected);
    let replace_key = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        monitor.forget(&id("a"), clock.now());
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    };
    monitor.drive(&probe, &clock, replace_key).await;
    assert_eq!(state(&monitor, &clock, "a"), HealthState::Unknown);
    drive(&monitor, &probe, &clock, 3).await;
    assert_eq!(state(&monitor, &clock, "a"), HealthState::Down, "the next answer counts");
}

#[tokio::test(start_paused = true)]
async fn asking_for_an_unwatched_backend_leaves_no_trace() {
    let clock = SystemClock::new();
    let monitor = monitor(&[], &clock);
    monitor.request_probe(&id("a"));
    assert_eq!(monitor.due(clock.now()), []);
    assert!(monitor.lock().requested.is_empty());
}

#[test]
fn the_loop_may_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    let clock = SystemClock::new();
    let monitor = Monitor::new(INTERVAL, Box::new(SeededEntropy::new(1)));
    let probe = ScriptedProbe::new(Duration::ZERO, HealthFinding::Answered);
    is_send(monitor.drive(&probe, &clock, async {}));
}

/// Polling every 30 s would be 2,400 calls.
#[tokio::test(start_paused = true)]
async fn an_hour_of_steady_traffic_saves_four_of_five_probes_of_twenty_backends() {
    const BACKENDS: u64 = 20;
    const HOUR_SECS: u64 = 3_600;
    /// Between two requests to the same backend.
    const REQUEST_EVERY_SECS: u64 = 40;
    let clock = SystemClock::new();
    let names: Vec<String> = (0..BACKENDS).map(|number| format!("backend-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let monitor = monitor(&names, &clock);
    let probe = ScriptedProbe::new(Duration::from_millis(200), HealthFinding::Answered);
    let answered = || Observation {
        source: ObservationSource::Passive,
        finding: HealthFinding::Answered,
        reason: String::new(),
        duration: Duration::from_millis(900),
    };
    let traffic = async {
        for second in 0.. {
            for (name, place) in names.iter().zip(0_u64..) {
                if (second + 2 * place).is_multiple_of(REQUEST_EVERY_SECS) {
                    monitor.observe(&id(name), answered(), ClockReading::read(&clock));
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = drive(&monitor, &probe, &clock, HOUR_SECS) => {}
        () = traffic => {}
    }
    let polled = BACKENDS * HOUR_SECS / INTERVAL.as_secs();
    let probed = u64::try_from(probe.begun.load(Ordering::SeqCst)).expect("a small number");
    assert!(probed >= BACKENDS, "each is probed at the start: {probed}");
    assert!(probed <= polled / 5, "{probed} of {polled}");
    for name in names {
        assert_eq!(state(&monitor, &clock, name), HealthState::Up);
    }
}
