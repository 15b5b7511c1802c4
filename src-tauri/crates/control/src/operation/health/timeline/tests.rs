//! Lanes of made-up pasts, in minutes since midnight.

use super::*;
use crate::view::UnixMs;
use domain::MINUTE_MS;

use DependencyState::{Degraded, Down, NotObserved, Offline, Unknown, Up};

const DAY: Range = Range { from: at(0), to: at(1_440) };

const fn at(minute: i64) -> WallTime {
    WallTime::from_unix_ms(1_795_219_200_000 + minute * MINUTE_MS)
}

fn watched(from: i64, until: i64, begun_by: WatchStart, is_online: bool) -> WatchSpan {
    WatchSpan { from: at(from), until: at(until), begun_by, is_online, is_listening: true }
}

fn all_day() -> Vec<WatchSpan> {
    vec![watched(-600, 1_440, WatchStart::Started, true)]
}

fn change(minute: i64, from: HealthState, to: HealthState) -> HealthChange {
    HealthChange {
        backend: BackendId::new("home").expect("a name"),
        from: Some(from),
        to,
        at: at(minute),
        reason: "connection refused".to_owned(),
    }
}

fn past(changes: Vec<HealthChange>, now: HealthState) -> BackendPast {
    BackendPast {
        changes,
        now,
        degraded: Vec::new(),
        strips: Vec::new(),
        restrictions_from: DAY.from,
        is_local: false,
        forgotten: Vec::new(),
    }
}

fn minutes(lane: &[LaneSpan]) -> Vec<(i64, i64, DependencyState)> {
    let minute = |time: WallTime| (time.unix_ms() - at(0).unix_ms()) / MINUTE_MS;
    lane.iter().map(|span| (minute(span.from), minute(span.to), span.state)).collect()
}

fn check(facts: &BackendPast, watched: &[WatchSpan], expected: &[(i64, i64, DependencyState)]) {
    assert_eq!(minutes(&backend_lane(facts, watched, DAY)), expected);
}

#[test]
fn an_outage_lies_between_two_changes_of_the_log() {
    use HealthState as State;
    let facts = past(
        vec![
            change(-300, State::Unknown, State::Up),
            change(600, State::Up, State::Down),
            change(660, State::Down, State::Up),
        ],
        State::Up,
    );
    check(&facts, &all_day(), &[(0, 600, Up), (600, 660, Down), (660, 1_440, Up)]);
    let view = [lane_view(backend_lane(&facts, &all_day(), DAY))];
    assert_eq!(view[0].summary, "down for 60 min of 24 h observed");
    assert_eq!(view[0].spans[1].why, "Connection refused.");
    assert_eq!(finding(&view, 24), "Home was down for 60 min in the last 24 hours");
}

fn lane_view(spans: Vec<LaneSpan>) -> HealthLaneView {
    lane(DependencyKind::Backend, "backend/home", "Home", spans)
}

#[test]
fn nothing_is_up_while_nobody_watched() {
    use HealthState as State;
    let facts = past(vec![change(-300, State::Unknown, State::Up)], State::Up);
    let slept = [
        watched(-600, 300, WatchStart::Started, true),
        watched(700, 1_440, WatchStart::Resumed, true),
    ];
    check(&facts, &slept, &[(0, 300, Up), (300, 700, NotObserved), (700, 1_440, Up)]);
    assert_eq!(backend_lane(&facts, &slept, DAY)[1].why, "The machine slept.");
    check(&facts, &[], &[(0, 1_440, NotObserved)]);
    let nothing = lane_view(backend_lane(&facts, &[], DAY));
    assert_eq!(nothing.summary, "not observed");
    assert_eq!(finding(&[nothing], 24), "No backend was observed in the last 24 hours");
}

/// A program that did not run for a while, and a backend that was up before and soon after.
fn restarted_while_up() -> ([WatchSpan; 2], BackendPast) {
    use HealthState as State;
    let restarted = [
        watched(-600, 300, WatchStart::Started, true),
        watched(400, 1_440, WatchStart::Started, true),
    ];
    let mut facts = past(
        vec![change(-300, State::Unknown, State::Up), change(405, State::Unknown, State::Up)],
        State::Up,
    );
    facts.forgotten = forgotten(&restarted, &[], &BackendId::new("home").expect("a name"));
    (restarted, facts)
}

#[test]
fn after_a_restart_it_is_unknown_until_a_result() {
    use HealthState as State;
    let (restarted, mut facts) = restarted_while_up();
    let lane = backend_lane(&facts, &restarted, DAY);
    let expected = [(0, 300, Up), (300, 400, NotObserved), (400, 405, Unknown), (405, 1_440, Up)];
    assert_eq!(minutes(&lane), expected);
    assert_eq!(lane[1].why, "Gatehouse was not running.");
    // A change that nothing explains: it may have been forgotten at any time.
    facts.forgotten.clear();
    let silent =
        [(0, 300, Unknown), (300, 400, NotObserved), (400, 405, Unknown), (405, 1_440, Up)];
    check(&facts, &restarted, &silent);
    // Switched off since: the last entry of the log says up, the present does not.
    facts.now = State::Unknown;
    facts.forgotten = vec![at(-600), at(400), at(900)];
    let expected = [
        (0, 300, Up),
        (300, 400, NotObserved),
        (400, 405, Unknown),
        (405, 900, Up),
        (900, 1_440, Unknown),
    ];
    check(&facts, &restarted, &expected);
}

#[test]
fn without_a_network_only_local_backends_have_a_state() {
    use HealthState as State;
    let lost = [
        watched(-600, 100, WatchStart::Started, true),
        watched(100, 160, WatchStart::Changed, false),
        watched(160, 1_440, WatchStart::Changed, true),
    ];
    let mut facts = past(vec![change(-300, State::Unknown, State::Up)], State::Up);
    check(&facts, &lost, &[(0, 100, Up), (100, 160, Offline), (160, 1_440, Up)]);
    facts.is_local = true;
    check(&facts, &lost, &[(0, 1_440, Up)]);
    let network = network_lane(&lost, DAY);
    assert_eq!(minutes(&network), [(0, 100, Up), (100, 160, Offline), (160, 1_440, Up)]);
    let view = lane(DependencyKind::Network, "network", "Network", network);
    assert_eq!(view.summary, "offline for 60 min of 24 h observed");
    assert_eq!(finding(&[view], 24), "No backend is in use");
}

#[test]
fn a_breaker_that_is_open_is_an_outage_unless_another_key_answers() {
    use HealthState as State;
    let strip = |spans: &[(i64, i64, AvailabilityState)]| BreakerStripView {
        credential: None,
        spans: spans
            .iter()
            .map(|(from, to, state)| BreakerSpanView {
                from: UnixMs(at(*from).unix_ms()),
                to: UnixMs(at(*to).unix_ms()),
                state: *state,
                why: "3 failures in a row.".to_owned(),
            })
            .collect(),
    };
    let tripped = strip(&[
        (0, 200, AvailabilityState::Ready),
        (200, 210, AvailabilityState::Open),
        (210, 220, AvailabilityState::Recovering),
        (220, 1_440, AvailabilityState::Ready),
    ]);
    let mut facts = past(vec![change(-300, State::Unknown, State::Up)], State::Up);
    facts.strips = vec![tripped.clone()];
    let expected = [(0, 200, Up), (200, 210, Down), (210, 220, Degraded), (220, 1_440, Up)];
    check(&facts, &all_day(), &expected);
    facts.strips = vec![tripped.clone(), strip(&[(0, 1_440, AvailabilityState::Ready)])];
    check(&facts, &all_day(), &[(0, 1_440, Up)]);
    // What the log no longer has is not taken for well, but the probes still say something.
    facts.strips = vec![tripped];
    facts.restrictions_from = at(205);
    let expected = [(0, 205, Up), (205, 210, Down), (210, 220, Degraded), (220, 1_440, Up)];
    check(&facts, &all_day(), &expected);
}

#[test]
fn what_was_slow_is_degraded_and_counts_as_up_while_it_was_up() {
    use HealthState as State;
    let mut facts = past(
        vec![
            change(-300, State::Unknown, State::Up),
            change(600, State::Up, State::Down),
            change(660, State::Down, State::Up),
        ],
        State::Up,
    );
    let plain = lane_view(backend_lane(&facts, &all_day(), DAY));
    let slow = |from: i64, until: i64, reason: &str| DegradedSpan {
        backend: BackendId::new("home").expect("a name"),
        from: at(from),
        until: at(until),
        reason: reason.to_owned(),
    };
    facts.degraded = vec![
        slow(-30, 20, "3 of 13 requests failed"),
        slow(590, 601, "first token 4.2 s, usually 0.9 s"),
        slow(1_430, 1_500, "first token 2.5 s, usually 0.9 s"),
    ];
    let lane = backend_lane(&facts, &all_day(), DAY);
    let expected = [
        (0, 20, Degraded),
        (20, 590, Up),
        (590, 600, Degraded),
        (600, 660, Down),
        (660, 1_430, Up),
        (1_430, 1_440, Degraded),
    ];
    assert_eq!(minutes(&lane), expected);
    assert_eq!(lane[2].why, "First token 4.2 s, usually 0.9 s.");
    let view = lane_view(lane);
    assert_eq!(view.summary, plain.summary, "what is slow is available");
    assert_eq!((view.down_secs, view.observed_secs), (plain.down_secs, plain.observed_secs));

    // Degraded when the program stopped; what it is afterwards is unknown until a result.
    let (restarted, mut facts) = restarted_while_up();
    facts.degraded = vec![slow(250, 300, "first token 4.2 s, usually 0.9 s")];
    let expected = [
        (0, 250, Up),
        (250, 300, Degraded),
        (300, 400, NotObserved),
        (400, 405, Unknown),
        (405, 1_440, Up),
    ];
    check(&facts, &restarted, &expected);
}

#[test]
fn the_step_of_the_observer_that_is_due_is_no_gap() {
    let until = |secs: i64| {
        let mut spans = all_day();
        spans[0].until = DAY.to.minus_ms(secs * 1_000);
        gaps(&bridge(spans, DAY.to), DAY).len()
    };
    assert_eq!((until(60), until(61)), (0, 1));
}
