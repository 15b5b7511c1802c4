//! Tests of the health rules, from observations one second apart.

use domain::SeededEntropy;

use super::*;

const INTERVAL: Duration = Duration::from_secs(30);

fn at(secs: u64) -> ClockReading {
    let ms = i64::try_from(secs * 1_000).expect("a small number");
    ClockReading { now: Moment::from_secs(secs), wall: WallTime::from_unix_ms(ms) }
}

fn result(source: ObservationSource, finding: HealthFinding) -> Observation {
    let reason = match finding {
        HealthFinding::Answered => "",
        _ => "connection refused",
    };
    Observation { source, finding, reason: reason.to_owned(), duration: Duration::from_millis(7) }
}

/// Plays probe results one second apart, from second 1 on: `+` answered, `-` failed, `k` key
/// rejected, `l` rate limited. Returns the state machine and its transitions as `second:state`.
fn play(findings: &str) -> (Health, Vec<String>) {
    let mut health = Health::new(INTERVAL, Moment::default());
    let entropy = SeededEntropy::new(1);
    let mut told = Vec::new();
    for (second, letter) in (1..).zip(findings.chars()) {
        let finding = match letter {
            '+' => HealthFinding::Answered,
            '-' => HealthFinding::Failed,
            'k' => HealthFinding::KeyRejected,
            'l' => HealthFinding::RateLimited,
            other => panic!("no such finding: {other}"),
        };
        let change =
            health.observe(result(ObservationSource::Probe, finding), at(second), &entropy);
        told.extend(change.map(|change| format!("{second}:{}", change.to.word())));
    }
    (health, told)
}

#[track_caller]
fn check(findings: &str, transitions: &[&str]) {
    assert_eq!(play(findings).1, transitions, "{findings}");
}

#[test]
fn two_successes_in_a_row_make_it_up_and_three_failures_in_a_row_make_it_down() {
    check("+", &[]);
    check("++", &["2:up"]);
    check("+-+", &[]);
    check("--", &[]);
    check("---", &["3:down"]);
    check("--+---", &["6:down"]);
    check("++--+--", &["2:up"]);
    check("++---", &["2:up", "5:down"]);
    check("---+", &["3:down"]);
    check("---+-+", &["3:down"]);
    check("---++", &["3:down", "5:up"]);
}

#[test]
fn until_the_results_settle_the_reason_says_how_far_they_are() {
    let told = |findings: &str| {
        let view = play(findings).0.view(at(findings.len() as u64));
        (view.state.word(), view.reason)
    };
    for (findings, state, reason) in [
        ("", "unknown", "not checked yet"),
        ("+", "unknown", "1 of 2 answers in a row"),
        ("-", "unknown", "1 of 3 failures in a row: connection refused"),
        ("--", "unknown", "2 of 3 failures in a row: connection refused"),
        ("-+", "unknown", "1 of 2 answers in a row"),
        ("++", "up", "answers"),
        ("++-", "up", "1 of 3 failures in a row: connection refused"),
        ("++-+", "up", "answers"),
        ("---", "down", "connection refused"),
        ("---+", "down", "connection refused"),
    ] {
        assert_eq!(told(findings), (state, reason.to_owned()), "{findings}");
    }
}

#[test]
fn a_rejected_key_is_down_at_once_with_its_own_cause() {
    let (health, told) = play("++k");
    assert_eq!(told, ["2:up", "3:down"]);
    let view = health.view(at(3));
    assert_eq!((view.state, view.cause), (HealthState::Down, HealthCause::KeyRejected));
    assert_eq!(view.reason, "the key was rejected: connection refused");
    check("k++", &["1:down", "3:up"]);
    check("kk", &["1:down"]);
}

#[test]
fn a_rejected_key_is_no_failure_and_a_later_failure_is_a_transition() {
    check("--k--", &["3:down"]);
    let (health, told) = play("k---");
    assert_eq!(told, ["1:down", "4:down"], "the same state by another cause is news");
    assert_eq!(health.view(at(4)).cause, HealthCause::Failing);
}

#[test]
fn a_rate_limit_is_neither_a_failure_nor_a_proof() {
    check("++lll", &["2:up"]);
    check("lll", &[]);
    check("--l--", &[]);
    check("l---", &["4:down"]);
    check("kl", &["1:down"]);
    assert_eq!(play("++l").0.view(at(3)).cause, HealthCause::RateLimited);
    assert_eq!(play("++l+").0.view(at(4)).cause, HealthCause::Answering);
}

#[test]
fn what_was_down_and_is_rate_limited_answers_and_is_down_no_more() {
    let (health, told) = play("---l");
    assert_eq!(told, ["3:down", "4:unknown"]);
    let view = health.view(at(4));
    assert_eq!((view.state, view.cause), (HealthState::Unknown, HealthCause::RateLimited));
    assert_eq!(
        (view.reason.as_str(), view.since),
        ("answers, but is rate limited", Some(at(4).wall))
    );
    assert_eq!(view.last_known, None, "that it was down is no longer so");
    check("---l++", &["3:down", "4:unknown", "6:up"]);
    check("---l---", &["3:down", "4:unknown", "7:down"]);
    // A key that was rejected is not accepted by that.
    let view = play("kl").0.view(at(2));
    assert_eq!((view.state, view.cause), (HealthState::Down, HealthCause::KeyRejected));
}

#[test]
fn while_results_leave_it_open_the_next_probe_is_a_second_away() {
    let soon = |findings: &str| {
        let health = play(findings).0;
        let last = at(u64::try_from(findings.len()).expect("small")).now;
        health.next_probe_at() == last + RECHECK_AFTER
    };
    for open in ["+", "-", "--", "++-", "++--", "---+", "k-"] {
        assert!(soon(open), "{open}");
    }
    for settled in ["++", "---", "----", "++--+", "k", "l", "++l", "---+-"] {
        assert!(!soon(settled), "{settled}");
    }
}

#[test]
fn a_fresh_start_is_due_at_once_and_settled_within_two_seconds() {
    for (finding, wanted) in
        [(HealthFinding::Answered, HealthState::Up), (HealthFinding::Failed, HealthState::Down)]
    {
        let mut health = Health::new(INTERVAL, at(5).now);
        let entropy = SeededEntropy::new(1);
        let mut now = at(5);
        while health.view(now).state == HealthState::Unknown {
            now.now = now.now.max(health.next_probe_at());
            health.observe(result(ObservationSource::Probe, finding), now, &entropy);
        }
        assert_eq!(health.view(now).state, wanted);
        assert!(now.now.since(at(5).now) <= Duration::from_secs(2), "{finding:?}");
    }
}

#[test]
fn the_interval_is_spread_by_a_tenth_and_not_always_alike() {
    let mut spread = Vec::new();
    for seed in 0..200 {
        let mut health = Health::new(INTERVAL, Moment::default());
        let entropy = SeededEntropy::new(seed);
        for second in [1, 2] {
            health.observe(
                result(ObservationSource::Probe, HealthFinding::Answered),
                at(second),
                &entropy,
            );
        }
        spread.push(health.next_probe_at().since(at(2).now));
    }
    let (least, most) = (spread.iter().min().expect("some"), spread.iter().max().expect("some"));
    assert!(*least >= Duration::from_secs(27) && *least < Duration::from_secs(28), "{least:?}");
    assert!(*most <= Duration::from_secs(33) && *most > Duration::from_secs(32), "{most:?}");
}

#[test]
fn real_traffic_counts_and_makes_probes_unnecessary_while_it_is_fresh() {
    let mut health = Health::new(INTERVAL, Moment::default());
    let entropy = SeededEntropy::new(1);
    let passive = |finding| result(ObservationSource::Passive, finding);
    health.observe(passive(HealthFinding::Answered), at(10), &entropy);
    let change = health.observe(passive(HealthFinding::Answered), at(40), &entropy);
    assert_eq!(change.map(|change| change.to), Some(HealthState::Up));
    assert_eq!(health.next_probe_at(), at(100).now, "60 s after the last good call");
    health.observe(passive(HealthFinding::Failed), at(50), &entropy);
    assert_eq!(health.next_probe_at(), at(51).now, "a failed call asks for a probe");
    for second in [51, 52] {
        health.observe(passive(HealthFinding::Failed), at(second), &entropy);
    }
    assert_eq!(health.view(at(52)).state, HealthState::Down);
    assert!(health.next_probe_at() < at(100).now, "old good calls do not put off its probes");
}

#[test]
fn nothing_for_twice_the_ttl_is_unknown_and_asking_does_not_change_that() {
    let (mut health, _) = play("++");
    let last = at(2).now;
    let reading = |now| ClockReading { now, wall: at(2).wall };
    let just_before = reading(last + PASSIVE_TTL * 2 - Duration::from_micros(1));
    assert_eq!(health.view(just_before).state, HealthState::Up);
    let then = reading(last + PASSIVE_TTL * 2);
    let view = health.view(then);
    assert_eq!((view.state, view.cause), (HealthState::Unknown, HealthCause::NoRecentResult));
    assert_eq!(view.reason, "no result for 2 min");
    assert_eq!(health.view(just_before).state, HealthState::Up, "asking changes nothing");
    let change = health.expire_if_stale(then).expect("a change");
    assert_eq!((change.from, change.to), (HealthState::Up, HealthState::Unknown));
    assert_eq!(health.expire_if_stale(then), None);
}

#[test]
fn a_long_interval_does_not_make_a_good_backend_unknown_between_two_probes() {
    let (mut health, _) = play("++");
    health.set_interval(Duration::from_secs(300));
    assert_eq!(health.view(at(2 + 599)).state, HealthState::Up);
    assert_eq!(health.view(at(2 + 600)).state, HealthState::Unknown);
}

#[test]
fn a_result_after_a_silence_restarts_the_count_with_one_transition() {
    let (mut health, _) = play("++");
    let entropy = SeededEntropy::new(1);
    let change = health.observe(
        result(ObservationSource::Probe, HealthFinding::Answered),
        at(500),
        &entropy,
    );
    assert_eq!(change.map(|change| change.to), Some(HealthState::Unknown));
    let change = health.observe(
        result(ObservationSource::Probe, HealthFinding::Answered),
        at(501),
        &entropy,
    );
    assert_eq!(
        change.map(|change| (change.from, change.to)),
        Some((HealthState::Unknown, HealthState::Up))
    );
    let (mut health, _) = play("++");
    let change = health.observe(
        result(ObservationSource::Probe, HealthFinding::KeyRejected),
        at(500),
        &entropy,
    );
    assert_eq!(
        change.map(|change| (change.from, change.to)),
        Some((HealthState::Up, HealthState::Down))
    );
}

#[test]
fn a_restored_state_is_unknown_until_confirmed_and_says_what_it_was() {
    let (health, _) = play("++");
    let stored = health.last_known().expect("a settled state").clone();
    let mut health = Health::restored(stored, INTERVAL, Moment::default());
    let three_hours_later =
        |secs| ClockReading { now: Moment::from_secs(secs), ..at(2 + 3 * 3_600) };
    let view = health.view(three_hours_later(0));
    assert_eq!((view.state, view.cause), (HealthState::Unknown, HealthCause::LastKnown));
    assert_eq!(view.reason, "last known: up, 3 h ago");
    assert_eq!(view.observed, Some(at(2).wall));
    assert_eq!(view.last_known.map(|known| known.state), Some(HealthState::Up));
    assert_eq!(health.next_probe_at(), Moment::default(), "due at once");
    let entropy = SeededEntropy::new(1);
    for second in [1, 2] {
        let now = three_hours_later(second);
        health.observe(result(ObservationSource::Probe, HealthFinding::Answered), now, &entropy);
    }
    let view = health.view(three_hours_later(2));
    assert_eq!((view.state, view.reason.as_str()), (HealthState::Up, "answers"));
    assert_eq!(view.last_known, None, "what is known now is not the last known state");
}

#[test]
fn a_restored_state_whose_last_result_was_not_kept_has_no_age() {
    let (health, _) = play("---");
    let stored =
        LastKnownHealth { observed: None, ..health.last_known().expect("settled").clone() };
    let health = Health::restored(stored, INTERVAL, Moment::default());
    let view = health.view(at(9_000));
    assert_eq!((view.reason.as_str(), view.observed), ("last known: down", None));
}

#[test]
fn a_state_remembers_since_when_and_a_change_how_long_it_lasted() {
    let (mut health, _) = play("++++");
    assert_eq!(health.view(at(4)).since, Some(at(2).wall));
    let entropy = SeededEntropy::new(1);
    let last = (10..13)
        .filter_map(|second| {
            health.observe(
                result(ObservationSource::Probe, HealthFinding::Failed),
                at(second),
                &entropy,
            )
        })
        .last()
        .expect("down");
    assert_eq!(last.lasted, Some(Duration::from_secs(10)));
    assert_eq!(health.view(at(12)).since, Some(at(12).wall));
}

#[test]
fn a_reason_is_one_line_of_limited_length() {
    let mut health = Health::new(INTERVAL, Moment::default());
    let long = Observation {
        reason: format!("a\r\n{}", "x".repeat(900)),
        ..result(ObservationSource::Probe, HealthFinding::KeyRejected)
    };
    health.observe(long, at(1), &SeededEntropy::new(1));
    let reason = health.view(at(1)).reason;
    assert_eq!(reason.chars().count(), REASON_CHARS_MAX);
    assert!(reason.starts_with("the key was rejected: a xxx"), "{reason}");
}

#[test]
fn a_shorter_interval_does_not_make_the_last_result_stale() {
    let mut health = Health::new(Duration::from_secs(300), Moment::default());
    let entropy = SeededEntropy::new(1);
    let result = || Observation {
        source: ObservationSource::Probe,
        finding: HealthFinding::Answered,
        reason: String::new(),
        duration: Duration::ZERO,
    };
    let at = |secs| ClockReading { now: Moment::from_secs(secs), wall: WallTime::default() };
    health.observe(result(), at(0), &entropy);
    health.observe(result(), at(1), &entropy);
    health.set_interval(Duration::from_secs(30));
    assert_eq!(health.view(at(600)).state, HealthState::Up);
    assert_eq!(health.view(at(601)).state, HealthState::Unknown);
    health.observe(result(), at(200), &entropy);
    assert_eq!(health.view(at(319)).state, HealthState::Up);
    assert_eq!(health.view(at(320)).state, HealthState::Unknown, "twice a minute later");
}
