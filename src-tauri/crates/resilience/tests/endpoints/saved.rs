//! A restart resumes with the remaining time.

use std::time::Duration;

use domain::Moment;
use resilience::{Availability, BreakerOverride, BreakerRules, Endpoints, SavedEndpoint};

use crate::world::{BAD, GOOD, MODEL, World, failed_with_wait, rate_limited, rejected, secs};

impl World {
    /// Stops, stays off for `off`, and restarts with a clock near zero, through the serialised
    /// text.
    fn restart(&mut self, off: Duration) {
        let stored = serde_json::to_string(&self.endpoints.save(self.now)).unwrap();
        let saved: Vec<SavedEndpoint> = serde_json::from_str(&stored).unwrap();
        self.now = Moment::from_secs(1);
        let rules = *self.endpoints.rules();
        self.endpoints = Endpoints::new(rules);
        self.endpoints.restore(saved, off, self.now);
    }
}

#[test]
fn an_open_one_stays_open_for_the_rest_of_its_time() {
    let mut world = World::new();
    world.calls(3, BAD);
    world.pass(secs(1));
    world.restart(secs(1));
    assert_eq!(world.open_for(), secs(3));
    world.pass(secs(3));
    world.call(BAD);
    assert_eq!(world.open_for(), secs(10), "and the steps go on");
    world.restart(secs(100));
    assert_eq!(world.look(), Availability::Trial);
}

#[test]
fn half_open_keeps_its_successes_and_frees_what_was_out() {
    let mut world = World::new();
    world.half_open();
    world.call(GOOD);
    let (_lost, _too) = (world.begin(), world.begin());
    world.restart(secs(31));
    assert_eq!(world.endpoints.endpoints_due_for_probe(world.now), [world.one.clone()]);
    world.calls(2, GOOD);
    assert_eq!(world.look(), Availability::Ramp { percent: 10 });
}

#[test]
fn the_ramp_goes_on_where_it_was() {
    let mut world = World::new();
    world.recovering();
    world.calls(3, GOOD);
    world.pass(secs(4));
    world.restart(secs(5));
    assert_eq!(world.look(), Availability::Ramp { percent: 10 });
    world.pass(secs(1));
    assert_eq!(world.look(), Availability::Ramp { percent: 25 }, "4 + 5 + 1 s");
    world.restart(secs(15));
    assert_eq!(world.look(), Availability::Ramp { percent: 50 }, "and 5 s of the next");
    world.pass(secs(5));
    assert_eq!(world.look(), Availability::Ready);
    world.calls(3, BAD);
    assert_eq!(world.open_for(), secs(10), "it was not closed for ten minutes");
}

#[test]
fn ten_minutes_closed_may_have_a_restart_in_them() {
    let mut world = World::new();
    world.recovering();
    world.calls(15, GOOD);
    world.pass(secs(300));
    world.restart(secs(299));
    let mut other = World::new();
    (other.endpoints, other.now) = (world.endpoints.clone(), world.now);
    world.calls(3, BAD);
    assert_eq!(world.open_for(), secs(10));
    other.pass(secs(1));
    other.calls(3, BAD);
    assert_eq!(other.open_for(), secs(5));
}

#[test]
fn failures_in_a_row_may_have_a_restart_between_them() {
    let mut world = World::new();
    world.calls(2, BAD);
    world.restart(secs(1));
    world.call(BAD);
    assert_eq!(world.open_for(), secs(5));
}

#[test]
fn waits_blocks_and_settings_by_hand_are_kept() {
    let mut world = World::new();
    world.call(rate_limited(Some(secs(60))));
    world.restart(secs(20));
    assert_eq!(
        world.endpoints.status(&world.one, world.now).cooldown.unwrap().at,
        world.now + secs(40)
    );
    world.restart(secs(40));
    assert_eq!(world.look(), Availability::Ready);
    assert!(
        world.endpoints.apply_elapsed_time(world.now).is_empty(),
        "what ended while it was off is not told"
    );

    let until = Some(world.now + secs(900));
    world.endpoints.force(&world.one, BreakerOverride::Open, until, world.now);
    world.restart(secs(300));
    let set = world.endpoints.status(&world.one, world.now).override_.unwrap();
    assert_eq!((set.forced, set.until), (BreakerOverride::Open, Some(world.now + secs(600))));
    world.restart(secs(600));
    world.call(rejected());
    world.restart(secs(86_400));
    assert!(matches!(world.look(), Availability::Closed { until: None, .. }));
}

#[test]
fn a_guess_goes_on_growing_and_what_is_usual_is_kept() {
    let mut world = World::new();
    world.call(rate_limited(None));
    world.restart(secs(10));
    world.call(rate_limited(None));
    world.pass(secs(9));
    assert!(world.endpoints.admit(&world.one, MODEL, world.now).is_err(), "10 s, not 5");
    let mut world = World::new();
    let took = resilience::CallOutcome::Success { first_token: Some(secs(9)) };
    world.calls(20, took);
    let before = world.endpoints.status(&world.one, world.now).slow_after;
    world.restart(secs(1));
    assert_eq!(world.endpoints.status(&world.one, world.now).slow_after, before);
}

#[test]
fn what_is_stored_is_readable_and_names_no_clock() {
    let mut world = World::new();
    world.calls(3, BAD);
    let stored = serde_json::to_value(world.endpoints.save(world.now + secs(2))).unwrap();
    let expected = serde_json::json!([{
        "access": { "backend": "one", "credential": "key" },
        "breaker": {
            "state": { "open": { "left_us": 3_000_000, "trial_us": 0, "told_us": 0 } },
            "rule": "failures-in-a-row",
            "step": 1,
            "run_halves": 0,
            "bad_probes": 0
        },
        "first_tokens": [],
        "cooldown": null,
        "model_cooldowns": [],
        "block": null,
        "forced": null
    }]);
    assert_eq!(stored, expected);
}

/// The format written until 2026-11.
#[test]
fn an_older_text_is_read_and_its_open_time_holds() {
    let text = r#"[{
        "access": { "backend": "one", "credential": "key" },
        "breaker": { "state": { "open": { "left_us": 3000000 } }, "rule": "failures-in-a-row",
            "step": 1, "run_halves": 0, "bad_probes": 0, "cut_short": true }
    }]"#;
    let saved: Vec<SavedEndpoint> = serde_json::from_str(text).unwrap();
    let mut world = World::new();
    world.endpoints.restore(saved, secs(0), world.now);
    assert_eq!(world.open_for(), secs(3));
}

#[test]
fn the_wait_before_a_sole_trial_is_kept() {
    let mut world = World::new();
    world.calls(2, BAD);
    world.call(failed_with_wait(secs(30)));
    world.restart(secs(10));
    let one = world.one.clone();
    assert!(world.endpoints.admit_sole_trial(&[(&one, MODEL)], world.now).is_none());
    let reopens = world.endpoints.time_until_reopen([(&one, MODEL)].into_iter(), world.now);
    assert_eq!(reopens, Some(secs(20)));
}

#[test]
fn stored_nonsense_does_not_break_it() {
    let text = r#"[{
        "access": { "backend": "one", "credential": null },
        "breaker": { "state": { "recovering": { "stage": 200, "left_us": 18446744073709551615,
            "successes": 4294967295, "calls": 4294967295, "failure_halves": 4294967295 } },
            "rule": null, "step": 255, "run_halves": 4294967295, "bad_probes": 4294967295,
            "cut_short": true },
        "first_tokens": [65535, 65535, 65535],
        "cooldown": { "left_us": 18446744073709551615, "forgotten_us": 0, "kind": "rate",
            "guessed": true, "step": 255 }
    }]"#;
    let saved: Vec<SavedEndpoint> = serde_json::from_str(text).unwrap();
    let mut world = World::with(BreakerRules::default());
    world.one.credential = None;
    world.endpoints.restore(saved, secs(0), world.now);
    assert!(matches!(world.look(), Availability::Closed { .. }));
    world.pass(resilience::COOLDOWN_MAX);
    world.call(GOOD);
    world.call(BAD);
    world.call(rate_limited(None));
}
