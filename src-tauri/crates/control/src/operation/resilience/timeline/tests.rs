//! Tests of the spans built from the log of transitions.

use domain::{BackendId, Endpoint};

use super::*;

const HOUR: i64 = HOUR_MS / 1_000;

fn at(secs: i64) -> WallTime {
    WallTime::from_unix_ms(1_795_248_000_000 + secs * 1_000)
}

fn step(
    secs: i64,
    from: &str,
    to: &str,
    rule: TransitionCause,
    lasts: Option<u64>,
) -> TimelineStep {
    TimelineStep {
        at: at(secs),
        credential: None,
        model: None,
        from: from.parse().expect("a state"),
        to: to.parse().expect("a state"),
        rule,
        evidence: Vec::new(),
        lasts: lasts.map(Duration::from_secs),
    }
}

fn unrestricted() -> EndpointRestrictions {
    use TransitionState as State;
    EndpointRestrictions {
        breaker: (State::Closed, None),
        cooldown: (State::Ready, None),
        block: (State::Ready, None),
        manual_override: (State::Automatic, None),
    }
}

/// Compares the spans of an hour, in seconds since its start.
fn check(
    steps: &[TimelineStep],
    now: EndpointRestrictions,
    expected: &[(i64, i64, AvailabilityState)],
) {
    let steps: Vec<&TimelineStep> = steps.iter().collect();
    let spans = build_spans(&steps, now, at(0), at(HOUR));
    let begin = at(0).unix_ms();
    let found: Vec<_> = spans
        .iter()
        .map(|span| ((span.from.0 - begin) / 1_000, (span.to.0 - begin) / 1_000, span.state))
        .collect();
    assert_eq!(found, expected);
}

use AvailabilityState::{Blocked, CoolingDown, Held, Open, Ready, Recovering, Trial};

#[test]
fn without_changes_the_current_state_fills_the_strip() {
    check(&[], unrestricted(), &[(0, HOUR, Ready)]);
    let blocked =
        EndpointRestrictions { block: (TransitionState::Blocked, None), ..unrestricted() };
    check(&[], blocked, &[(0, HOUR, Blocked)]);
}

#[test]
fn an_outage_is_drawn_from_its_beginning_to_its_end() {
    let steps = [
        step(100, "closed", "open", TransitionCause::FailuresInARow, Some(5)),
        step(105, "open", "half-open", TransitionCause::OpenTimeOver, None),
        step(110, "half-open", "recovering", TransitionCause::TrialsPassed, Some(10)),
        step(140, "recovering", "closed", TransitionCause::RampPassed, None),
    ];
    let drawn = [
        (0, 100, Ready),
        (100, 105, Open),
        (105, 110, Trial),
        (110, 140, Recovering),
        (140, HOUR, Ready),
    ];
    check(&steps, unrestricted(), &drawn);
    // The hour may begin during the outage.
    check(
        &steps[2..],
        unrestricted(),
        &[(0, 110, Trial), (110, 140, Recovering), (140, HOUR, Ready)],
    );
}

#[test]
fn the_most_restrictive_state_is_drawn_and_the_others_continue() {
    let steps = [
        step(100, "closed", "open", TransitionCause::FailureRate, Some(900)),
        step(200, "ready", "cooling-down", TransitionCause::RateLimited, Some(100)),
        step(300, "cooling-down", "ready", TransitionCause::CooldownOver, None),
        step(400, "automatic", "forced-open", TransitionCause::Forced, None),
        step(500, "ready", "blocked", TransitionCause::KeyRejected, None),
        step(600, "blocked", "ready", TransitionCause::CredentialChanged, None),
        step(700, "forced-open", "automatic", TransitionCause::Reset, None),
        step(700, "open", "closed", TransitionCause::Reset, None),
    ];
    let drawn = [
        (0, 100, Ready),
        (100, 200, Open),
        (200, 300, CoolingDown),
        (300, 400, Open),
        (400, 500, Held),
        (500, 600, Blocked),
        (600, 700, Held),
        (700, HOUR, Ready),
    ];
    check(&steps, unrestricted(), &drawn);
}

#[test]
fn a_closed_or_monitor_only_override_is_drawn_as_ready() {
    let steps = [
        step(100, "automatic", "monitor-only", TransitionCause::Forced, None),
        step(200, "closed", "open", TransitionCause::FailureRate, None),
        step(300, "monitor-only", "automatic", TransitionCause::ForceExpired, None),
    ];
    let now = EndpointRestrictions { breaker: (TransitionState::Open, None), ..unrestricted() };
    check(&steps, now, &[(0, 300, Ready), (300, HOUR, Open)]);
}

#[test]
fn a_timed_state_without_an_end_in_the_log_ends_on_time() {
    let cooling = [step(100, "ready", "cooling-down", TransitionCause::RateLimited, Some(60))];
    check(
        &cooling,
        unrestricted(),
        &[(0, 100, Ready), (100, 160, CoolingDown), (160, HOUR, Ready)],
    );
    let lasting = [step(100, "ready", "cooling-down", TransitionCause::DailyQuota, Some(9_000))];
    let now =
        EndpointRestrictions { cooldown: (TransitionState::CoolingDown, None), ..unrestricted() };
    check(&lasting, now, &[(0, 100, Ready), (100, HOUR, CoolingDown)]);
}

#[test]
fn the_title_is_the_finding() {
    let strip = |steps: &[TimelineStep]| {
        let steps: Vec<&TimelineStep> = steps.iter().collect();
        vec![BreakerStripView {
            credential: None,
            spans: build_spans(&steps, unrestricted(), at(0), at(HOUR)),
        }]
    };
    assert_eq!(timeline_finding(0, 0, &strip(&[]), 1), "Healthy for the last hour");
    assert_eq!(timeline_finding(0, 0, &strip(&[]), 24), "Healthy for the last 24 hours");
    let outage = [
        step(0, "closed", "open", TransitionCause::FailureRate, None),
        step(240, "open", "closed", TransitionCause::Reset, None),
        step(300, "ready", "cooling-down", TransitionCause::RateLimited, Some(42)),
    ];
    let found = timeline_finding(2, 0, &strip(&outage), 1);
    assert_eq!(found, "Tripped twice, 4 min in total; cooling down for 42 s");
    let again = timeline_finding(1, 5, &strip(&outage), 1);
    let sentence = "Tripped once, and 5 trials failed, 4 min in total; cooling down for 42 s";
    assert_eq!(again, sentence);
    assert_eq!(duration_text(7_530_000), "2 h 5 min");
    assert_eq!(duration_text(330_000), "5 min");
}

#[test]
fn trips_are_counted_once_and_unknown_words_are_skipped() {
    use TransitionState as State;
    let steps = [
        (State::Closed, State::Open),
        (State::HalfOpen, State::Open),
        (State::Recovering, State::Open),
        (State::Open, State::HalfOpen),
    ];
    assert_eq!((count_trips(steps.into_iter()), count_failed_trials(steps.into_iter())), (2, 1));
    assert_eq!(
        ["0 times", "once", "twice", "3 times"].map(str::to_owned),
        [0, 1, 2, 3].map(times_text)
    );
    let transition = |to: &str| TransitionRecord {
        at: at(0),
        endpoint: Endpoint { backend: BackendId::new("b").expect("a name"), credential: None },
        model: Some("m".to_owned()),
        from: "ready".to_owned(),
        to: to.to_owned(),
        rule: "rate-limited".to_owned(),
        evidence: Vec::new(),
        lasts: Some(Duration::from_secs(7)),
    };
    assert!(TimelineStep::parse(transition("dreaming")).is_none());
    let view = TimelineStep::parse(transition("cooling-down")).expect("understood").view();
    assert_eq!(view.rule, "m: the provider's rate limit was reached");
    assert_eq!((view.from, view.to, view.for_secs), (Ready, CoolingDown, Some(7)));
}
