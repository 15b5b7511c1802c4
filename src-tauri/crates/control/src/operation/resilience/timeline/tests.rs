//! Tests of the spans built from the log of transitions.

use domain::BackendId;

use super::*;

const HOUR: i64 = HOUR_MS / 1_000;

fn at(secs: i64) -> WallTime {
    WallTime::from_unix_ms(1_795_248_000_000 + secs * 1_000)
}

fn step(secs: i64, from: &str, to: &str, rule: TransitionRule, lasts: Option<u64>) -> Step {
    Step {
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

fn calm() -> Holds {
    use TransitionState as State;
    Holds {
        breaker: (State::Closed, None),
        cooldown: (State::Ready, None),
        block: (State::Ready, None),
        hand: (State::Automatic, None),
    }
}

/// Compares the spans of an hour, in seconds since its start.
fn check(steps: &[Step], now: Holds, expected: &[(i64, i64, AvailabilityState)]) {
    let steps: Vec<&Step> = steps.iter().collect();
    let spans = spans(&steps, now, at(0), at(HOUR));
    let begin = at(0).unix_ms();
    let found: Vec<_> = spans
        .iter()
        .map(|span| ((span.from.0 - begin) / 1_000, (span.to.0 - begin) / 1_000, span.state))
        .collect();
    assert_eq!(found, expected);
}

use AvailabilityState::{Blocked, CoolingDown, Held, Open, Ready, Recovering, Trial};

#[test]
fn without_a_change_it_was_all_the_time_what_it_is_now() {
    check(&[], calm(), &[(0, HOUR, Ready)]);
    let blocked = Holds { block: (TransitionState::Blocked, None), ..calm() };
    check(&[], blocked, &[(0, HOUR, Blocked)]);
}

#[test]
fn an_outage_is_drawn_from_its_beginning_to_its_end() {
    let steps = [
        step(100, "closed", "open", TransitionRule::FailuresInARow, Some(5)),
        step(105, "open", "half-open", TransitionRule::OpenTimeOver, None),
        step(110, "half-open", "recovering", TransitionRule::TrialsPassed, Some(10)),
        step(140, "recovering", "closed", TransitionRule::RampPassed, None),
    ];
    let drawn = [
        (0, 100, Ready),
        (100, 105, Open),
        (105, 110, Trial),
        (110, 140, Recovering),
        (140, HOUR, Ready),
    ];
    check(&steps, calm(), &drawn);
    // The hour may begin during the outage.
    check(&steps[2..], calm(), &[(0, 110, Trial), (110, 140, Recovering), (140, HOUR, Ready)]);
}

#[test]
fn what_holds_back_most_is_drawn_and_the_rest_goes_on_behind_it() {
    let steps = [
        step(100, "closed", "open", TransitionRule::FailureRate, Some(900)),
        step(200, "ready", "cooling-down", TransitionRule::RateLimited, Some(100)),
        step(300, "cooling-down", "ready", TransitionRule::CooldownOver, None),
        step(400, "automatic", "forced-open", TransitionRule::Forced, None),
        step(500, "ready", "blocked", TransitionRule::KeyRejected, None),
        step(600, "blocked", "ready", TransitionRule::CredentialChanged, None),
        step(700, "forced-open", "automatic", TransitionRule::Reset, None),
        step(700, "open", "closed", TransitionRule::Reset, None),
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
    check(&steps, calm(), &drawn);
}

#[test]
fn held_closed_or_only_watched_it_gets_requests_whatever_the_breaker_says() {
    let steps = [
        step(100, "automatic", "monitor-only", TransitionRule::Forced, None),
        step(200, "closed", "open", TransitionRule::FailureRate, None),
        step(300, "monitor-only", "automatic", TransitionRule::ForceExpired, None),
    ];
    let now = Holds { breaker: (TransitionState::Open, None), ..calm() };
    check(&steps, now, &[(0, 300, Ready), (300, HOUR, Open)]);
}

#[test]
fn a_wait_that_ended_while_nobody_looked_ends_in_time() {
    let cooling = [step(100, "ready", "cooling-down", TransitionRule::RateLimited, Some(60))];
    check(&cooling, calm(), &[(0, 100, Ready), (100, 160, CoolingDown), (160, HOUR, Ready)]);
    let lasting = [step(100, "ready", "cooling-down", TransitionRule::DailyQuota, Some(9_000))];
    let now = Holds { cooldown: (TransitionState::CoolingDown, None), ..calm() };
    check(&lasting, now, &[(0, 100, Ready), (100, HOUR, CoolingDown)]);
}

#[test]
fn the_title_is_the_finding() {
    let strip = |steps: &[Step]| {
        let steps: Vec<&Step> = steps.iter().collect();
        vec![BreakerStripView { credential: None, spans: spans(&steps, calm(), at(0), at(HOUR)) }]
    };
    assert_eq!(finding(0, 0, &strip(&[]), 1), "Healthy for the last hour");
    assert_eq!(finding(0, 0, &strip(&[]), 24), "Healthy for the last 24 hours");
    let outage = [
        step(0, "closed", "open", TransitionRule::FailureRate, None),
        step(240, "open", "closed", TransitionRule::Reset, None),
        step(300, "ready", "cooling-down", TransitionRule::RateLimited, Some(42)),
    ];
    let found = finding(2, 0, &strip(&outage), 1);
    assert_eq!(found, "Tripped twice, 4 min in total; cooling down for 42 s");
    let again = finding(1, 5, &strip(&outage), 1);
    let sentence = "Tripped once, and 5 trials failed, 4 min in total; cooling down for 42 s";
    assert_eq!(again, sentence);
    assert_eq!(lasting(7_500_000), "2 h 5 min");
}

#[test]
fn trips_are_counted_once_each_and_words_of_a_newer_program_are_left_out() {
    use TransitionState as State;
    let steps = [
        (State::Closed, State::Open),
        (State::HalfOpen, State::Open),
        (State::Recovering, State::Open),
        (State::Open, State::HalfOpen),
    ];
    assert_eq!((trips(steps.into_iter()), failed_trials(steps.into_iter())), (2, 1));
    assert_eq!(["0 times", "once", "twice", "3 times"].map(str::to_owned), [0, 1, 2, 3].map(times));
    let transition = |to: &str| Transition {
        at: at(0),
        access: Access { backend: BackendId::new("b").expect("a name"), credential: None },
        model: Some("m".to_owned()),
        from: "ready".to_owned(),
        to: to.to_owned(),
        rule: "rate-limited".to_owned(),
        evidence: Vec::new(),
        lasts: Some(Duration::from_secs(7)),
    };
    assert!(Step::read(transition("dreaming")).is_none());
    let view = Step::read(transition("cooling-down")).expect("understood").view();
    assert_eq!(view.rule, "m: the provider's rate limit was reached");
    assert_eq!((view.from, view.to, view.for_secs), (Ready, CoolingDown, Some(7)));
}
