//! The breaker, transition by transition.

use resilience::{
    Availability, BreakerRules, CallOutcome, ClosedReason, EndpointState, OPEN_RETRY_AFTER_MAX,
    ProbeOutcome, TransitionCause,
};

use crate::world::{
    BAD, GOOD, HALF, MODEL, SLOW, World, failed_with_wait, rate_limited, request, secs,
};

const BUSY: Availability = Availability::Closed { reason: ClosedReason::HalfOpenBusy, until: None };

#[test]
fn two_failures_in_a_row_do_not_open_it_and_three_do() {
    let mut world = World::new();
    world.calls(2, BAD);
    world.call(GOOD);
    world.calls(2, BAD);
    assert_eq!(world.look(), Availability::Ready);
    world.call(BAD);
    assert_eq!(world.open_for(), secs(5));
    let [opened] = &world.log[..] else { panic!("{:?}", world.log) };
    assert_eq!(opened.rule, TransitionCause::FailuresInARow);
    assert_eq!(opened.evidence, [request(4), request(5), request(6)], "those of the row alone");
    assert_eq!(opened.until, Some(secs(5)));
}

#[test]
fn what_belongs_to_the_caller_neither_breaks_a_row_nor_adds_to_it() {
    let mut world = World::new();
    world.calls(2, BAD);
    world.calls(9, CallOutcome::Neutral);
    assert_eq!(world.look(), Availability::Ready);
    world.call(BAD);
    assert_eq!(world.open_for(), secs(5));
}

#[test]
fn half_failures_count_half() {
    let mut world = World::new();
    world.calls(5, HALF);
    assert_eq!(world.look(), Availability::Ready);
    world.call(HALF);
    assert_eq!(world.open_for(), secs(5));

    // 10 calls, 9 of them half failures: 45 %.
    let mut world = World::with(BreakerRules { failures_in_a_row: 99, ..Default::default() });
    world.call(GOOD);
    world.calls(9, HALF);
    assert_eq!(world.look(), Availability::Ready);
    world.call(BAD);
    assert_eq!(world.log[0].rule, TransitionCause::FailureRate, "11 calls, 5.5 failures");
}

#[test]
fn half_of_ten_calls_failing_opens_it_and_of_nine_does_not() {
    let mut world = World::new();
    for happened in [BAD, GOOD, BAD, GOOD, BAD, GOOD, BAD, GOOD, BAD] {
        world.call(happened);
        assert_eq!(world.look(), Availability::Ready);
    }
    world.call(GOOD);
    assert_eq!(world.open_for(), secs(5));
    assert_eq!(world.log[0].rule, TransitionCause::FailureRate);
    assert_eq!(world.log[0].evidence.len(), 5);
}

#[test]
fn a_call_leaves_the_window_after_a_minute() {
    let mut world = World::new();
    for _ in 0..4 {
        world.call(BAD);
        world.call(GOOD);
    }
    world.pass(secs(55));
    assert_eq!(world.endpoints.status(&world.one, world.now).recent.calls, 8);
    world.pass(secs(5));
    assert_eq!(world.endpoints.status(&world.one, world.now).recent.calls, 0);
    world.calls(2, BAD);
    assert_eq!(world.look(), Availability::Ready, "two calls are too few to judge a share");
}

#[test]
fn eight_of_ten_slow_calls_open_it_and_seven_do_not() {
    let mut world = World::new();
    world.calls(3, GOOD);
    world.calls(7, SLOW);
    assert_eq!(world.look(), Availability::Ready);
    let mut world = World::new();
    world.calls(2, GOOD);
    world.calls(8, SLOW);
    assert_eq!(world.open_for(), secs(5));
    assert_eq!(world.log[0].rule, TransitionCause::SlowRate);
    assert_eq!(world.log[0].evidence, (3..=10).map(request).collect::<Vec<_>>());
}

#[test]
fn slow_is_later_than_ten_seconds_and_than_three_times_the_usual() {
    let took =
        |ms| CallOutcome::Success { first_token: Some(std::time::Duration::from_millis(ms)) };
    let mut world = World::with(BreakerRules { slow_percent: 101, ..Default::default() });
    world.call(took(10_000));
    assert_eq!(world.endpoints.status(&world.one, world.now).recent.slow, 0, "at the limit");
    world.call(took(10_001));
    assert_eq!(world.endpoints.status(&world.one, world.now).recent.slow, 1);

    // A model that always takes 15 s: after twenty calls this is its baseline.
    let mut world = World::with(BreakerRules { slow_percent: 101, ..Default::default() });
    world.calls(19, took(15_000));
    assert_eq!(world.endpoints.status(&world.one, world.now).slow_after, secs(10));
    world.calls(1, took(15_000));
    let after = world.endpoints.status(&world.one, world.now).slow_after;
    assert!(after > secs(45) && after < secs(54), "3 times 15 s, at most 19 % more: {after:?}");
    world.pass(secs(61));
    world.call(took(44_000));
    assert_eq!(world.endpoints.status(&world.one, world.now).recent.slow, 0);
}

#[test]
fn an_answer_without_tokens_is_not_slow() {
    let mut world = World::new();
    world.calls(20, CallOutcome::Success { first_token: None });
    let recent = world.endpoints.status(&world.one, world.now).recent;
    assert_eq!((recent.calls, recent.slow), (20, 0));
}

#[test]
fn three_bad_probes_open_it_unless_something_succeeds_between() {
    use ProbeOutcome::{Failed, Passed};
    let mut world = World::new();
    world.probe(Failed);
    world.probe(Failed);
    world.call(GOOD);
    world.probe(Failed);
    world.probe(Failed);
    world.probe(Passed);
    world.probe(Failed);
    world.probe(Failed);
    assert_eq!(world.look(), Availability::Ready);
    world.probe(Failed);
    assert_eq!(world.open_for(), secs(5));
    assert_eq!(world.logged(), ["closed>open probes-failed"]);
}

#[test]
fn the_open_time_doubles_up_to_a_minute() {
    let mut world = World::new();
    world.calls(3, BAD);
    for expected in [5, 10, 20, 40, 60, 60] {
        assert_eq!(world.open_for(), secs(expected));
        world.pass(secs(expected));
        world.call(BAD);
    }
}

#[test]
fn the_open_time_begins_anew_after_ten_minutes_closed_and_not_before() {
    for (calm, expected) in [(599, 10), (600, 5)] {
        let mut world = World::new();
        world.recovering();
        world.calls(15, GOOD);
        assert_eq!(world.look(), Availability::Ready);
        world.pass(secs(calm));
        world.calls(3, BAD);
        assert_eq!(world.open_for(), secs(expected), "after {calm} s closed");
    }
}

#[test]
fn chance_spreads_the_open_time_by_a_fifth() {
    for (chance, ms) in [(0.0, 4_000), (0.25, 4_500), (1.0, 6_000)] {
        let mut world = World::new();
        world.chance = chance;
        world.calls(3, BAD);
        assert_eq!(world.open_for().as_millis(), ms);
    }
}

#[test]
fn a_longer_wait_of_the_server_wins_up_to_an_hour() {
    for (rate_limited, expected) in [(4, secs(5)), (30, secs(30)), (7_200, OPEN_RETRY_AFTER_MAX)] {
        let mut world = World::new();
        world.calls(2, BAD);
        world.call(failed_with_wait(secs(rate_limited)));
        assert_eq!(world.open_for(), expected);
    }
}

#[test]
fn half_open_lets_out_one_then_two_then_four() {
    let mut world = World::new();
    world.half_open();
    let first = world.begin();
    assert_eq!(world.look(), BUSY);
    assert_eq!(world.endpoints.admit(&world.one, MODEL, world.now), Err(BUSY));
    world.end(first, GOOD);
    let pair = [world.begin(), world.begin()];
    assert_eq!(world.look(), BUSY);
    let [second, third] = pair;
    world.end(second, GOOD);
    let more = [world.begin(), world.begin(), world.begin()];
    assert_eq!(world.look(), BUSY, "one of before and three new ones");
    world.end(third, GOOD);
    assert_eq!(world.look(), Availability::Ramp { percent: 10 });
    let passed = world.log.last().unwrap();
    assert_eq!(passed.rule, TransitionCause::TrialsPassed);
    assert_eq!(passed.evidence, [request(4), request(5), request(6)]);
    more.into_iter().for_each(|permit| world.end(permit, GOOD));
    assert_eq!(world.look(), Availability::Ramp { percent: 10 }, "they count in the ramp: 3 of 5");
}

#[test]
fn one_failed_trial_opens_it_at_the_next_step() {
    let mut world = World::new();
    world.half_open();
    world.calls(2, GOOD);
    let late = world.begin();
    world.call(BAD);
    assert_eq!(world.open_for(), secs(10));
    world.end(late, GOOD);
    assert_eq!(world.open_for(), secs(10), "what began before the opening says nothing");
    world.pass(secs(10));
    let trial = world.begin();
    assert_eq!(world.look(), BUSY, "three successes are asked for anew, so one trial at a time");
    world.end(trial, GOOD);
    assert_eq!(world.look(), Availability::Trial);
}

#[test]
fn a_result_from_before_the_opening_does_not_count_in_half_open() {
    let mut world = World::new();
    let (early_good, early_bad) = (world.begin(), world.begin());
    world.half_open();
    let trial = world.begin();
    world.end(early_good, GOOD);
    world.end(early_bad, BAD);
    assert_eq!(world.look(), BUSY, "the trial is still out, and nothing else happened");
    world.end(trial, GOOD);
    assert_eq!(world.look(), Availability::Trial);
}

#[test]
fn a_trial_that_says_nothing_gives_its_place_back() {
    let mut world = World::new();
    world.half_open();
    let trial = world.begin();
    world.end(trial, CallOutcome::Neutral);
    assert_eq!(world.look(), Availability::Trial);
    let trial = world.begin();
    world.endpoints.release(trial, world.now);
    assert_eq!(world.look(), Availability::Trial);
    let trial = world.begin();
    world.end(trial, rate_limited(Some(secs(1))));
    world.pass(secs(1));
    assert_eq!(world.look(), Availability::Trial, "a rate limit is not a failed trial");
}

#[test]
fn a_lost_trial_is_given_up_after_its_lease() {
    let mut world = World::new();
    world.half_open();
    let lost = world.begin();
    world.pass(secs(600) - std::time::Duration::from_micros(1));
    assert_eq!(world.look(), BUSY);
    world.pass(std::time::Duration::from_micros(1));
    assert_eq!(world.look(), Availability::Trial);
    let next = world.begin();
    world.end(lost, GOOD);
    assert_eq!(world.look(), BUSY, "what comes back after all does not free another's place");
    world.end(next, GOOD);
}

#[test]
fn silence_in_half_open_asks_for_a_probe_and_never_closes_it() {
    let mut world = World::new();
    world.half_open();
    world.pass(secs(29));
    assert!(world.endpoints.endpoints_due_for_probe(world.now).is_empty());
    world.pass(secs(1));
    assert_eq!(world.endpoints.endpoints_due_for_probe(world.now), [world.one.clone()]);
    world.pass(secs(86_400));
    assert_eq!(world.look(), Availability::Trial);
    world.probe(ProbeOutcome::Passed);
    assert!(world.endpoints.endpoints_due_for_probe(world.now).is_empty(), "asked again in 30 s");
    world.pass(secs(30));
    assert_eq!(world.endpoints.endpoints_due_for_probe(world.now).len(), 1);
    let trial = world.begin();
    world.pass(secs(31));
    assert!(world.endpoints.endpoints_due_for_probe(world.now).is_empty(), "a call is out");
    world.end(trial, GOOD);
    world.probe(ProbeOutcome::Passed);
    assert_eq!(world.look(), Availability::Ramp { percent: 10 }, "good probes count as successes");
}

#[test]
fn a_bad_probe_in_half_open_opens_it_at_the_next_step() {
    let mut world = World::new();
    world.half_open();
    world.probe(ProbeOutcome::Failed);
    assert_eq!(world.open_for(), secs(10));
    world.probe(ProbeOutcome::Passed);
    assert_eq!(world.open_for(), secs(10), "a probe does not shorten the open time");
}

#[test]
fn the_ramp_steps_after_five_successes() {
    let mut world = World::new();
    world.recovering();
    for percent in [10, 25, 50] {
        assert_eq!(world.look(), Availability::Ramp { percent });
        world.calls(4, GOOD);
        assert_eq!(world.look(), Availability::Ramp { percent });
        world.call(GOOD);
    }
    assert_eq!(world.look(), Availability::Ready);
    let logged = world.logged();
    assert_eq!(
        logged,
        [
            "closed>open failures-in-a-row",
            "open>half-open open-time-over",
            "half-open>recovering trials-passed",
            "recovering>closed ramp-passed"
        ]
    );
}

#[test]
fn the_ramp_steps_after_ten_seconds() {
    let mut world = World::new();
    world.recovering();
    world.call(GOOD);
    for percent in [10, 25, 50] {
        assert_eq!(world.look(), Availability::Ramp { percent });
        world.pass(secs(9));
        assert_eq!(world.look(), Availability::Ramp { percent });
        world.pass(secs(1));
    }
    assert_eq!(world.look(), Availability::Ready);
    assert_eq!(world.endpoints.status(&world.one, world.now).breaker, EndpointState::Closed);
}

#[test]
fn more_than_a_fifth_failing_in_the_ramp_opens_it_at_the_next_step() {
    let mut world = World::new();
    world.recovering();
    world.calls(4, GOOD);
    world.call(BAD);
    assert_eq!(world.look(), Availability::Ramp { percent: 10 }, "1 of 5 is a fifth, not more");
    world.call(BAD);
    assert_eq!(world.open_for(), secs(10));
    assert_eq!(world.log.last().unwrap().rule, TransitionCause::RampFailed);
    assert_eq!(world.log.last().unwrap().evidence.len(), 2);

    let mut world = World::new();
    world.recovering();
    world.call(HALF);
    assert_eq!(world.open_for(), secs(10), "half a failure in one call is more than a fifth");
}

#[test]
fn three_failures_in_a_row_open_it_in_the_ramp_too() {
    let mut world = World::new();
    world.recovering();
    world.calls(14, GOOD);
    world.calls(2, BAD);
    assert_eq!(world.look(), Availability::Ramp { percent: 50 });
    world.call(BAD);
    assert_eq!(world.open_for(), secs(10), "3 of 17 are less than a fifth");
    assert_eq!(world.log.last().unwrap().rule, TransitionCause::FailuresInARow);
}

#[test]
fn time_changes_the_log_at_the_moment_it_was_due() {
    let mut world = World::new();
    world.calls(3, BAD);
    let half_open = world.now + secs(5);
    world.pass(secs(3_600));
    let log = world.endpoints.apply_elapsed_time(world.now);
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].rule, log[0].at), (TransitionCause::OpenTimeOver, half_open));
    assert!(world.endpoints.apply_elapsed_time(world.now).is_empty());
}

#[test]
fn new_rules_hold_from_now_on() {
    let mut world = World::new();
    world.calls(2, BAD);
    world.endpoints.set_rules(BreakerRules { failures_in_a_row: 5, ..Default::default() });
    world.calls(2, BAD);
    assert_eq!(world.look(), Availability::Ready);
    world.call(BAD);
    assert_eq!(world.open_for(), secs(5));

    let mut world = World::new();
    world.calls(2, BAD);
    world.endpoints.set_rules(BreakerRules { window: secs(120), ..Default::default() });
    let recent = world.endpoints.status(&world.one, world.now).recent;
    assert_eq!(recent.calls, 0, "counts of parts of another length are no counts");
}
