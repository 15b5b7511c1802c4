//! Rate limits: exactly as the provider says, else a growing guess.

use std::time::Duration;

use domain::CredentialId;
use resilience::{
    Availability, COOLDOWN_MAX, CallOutcome, ClosedReason, GROWTH_RESET_AFTER, LimitKind,
    LimitScope, MODEL_BYTES_MAX, MODEL_COOLDOWNS_MAX,
};

use crate::world::{BAD, GOOD, MODEL, World, rate_limited, request, secs};

fn cooling_for(world: &World, model: &str) -> Option<Duration> {
    match world.endpoints.availability(&world.one, model, world.now) {
        Availability::Closed { reason: ClosedReason::CoolingDown(_), until: Some(until) } => {
            Some(until.since(world.now))
        }
        Availability::Ready => None,
        other => panic!("{other:?}"),
    }
}

fn of_model(wait: Option<Duration>) -> CallOutcome {
    CallOutcome::RateLimited { scope: LimitScope::Model, wait, kind: LimitKind::Rate }
}

fn quota(wait: Option<Duration>) -> CallOutcome {
    CallOutcome::RateLimited { scope: LimitScope::Endpoint, wait, kind: LimitKind::DailyQuota }
}

#[test]
fn seven_seconds_are_seven_seconds() {
    let mut world = World::new();
    world.call(rate_limited(Some(secs(7))));
    assert_eq!(cooling_for(&world, MODEL), Some(secs(7)));
    world.pass(secs(7) - Duration::from_micros(1));
    assert_eq!(cooling_for(&world, MODEL), Some(Duration::from_micros(1)));
    assert!(world.endpoints.admit(&world.one, MODEL, world.now).is_err());
    world.pass(Duration::from_micros(1));
    assert_eq!(cooling_for(&world, MODEL), None);
    let logged = world.logged();
    assert_eq!(logged, ["ready>cooling-down rate-limited", "cooling-down>ready cooldown-over"]);
}

#[test]
fn a_rate_limit_is_no_failure() {
    let mut world = World::new();
    for _ in 0..12 {
        world.call(rate_limited(Some(secs(1))));
        world.pass(secs(1));
    }
    assert_eq!(world.look(), Availability::Ready);
    assert_eq!(world.endpoints.status(&world.one, world.now).recent.calls, 0);
}

#[test]
fn a_guess_grows_until_a_success() {
    let mut world = World::new();
    for expected in [5, 10, 20, 40, 60, 60] {
        world.call(rate_limited(None));
        assert_eq!(cooling_for(&world, MODEL), Some(secs(expected)));
        world.pass(secs(expected));
    }
    world.call(GOOD);
    world.call(rate_limited(None));
    assert_eq!(cooling_for(&world, MODEL), Some(secs(5)));
}

#[test]
fn growth_is_forgotten_after_a_while() {
    for (time, expected) in
        [(GROWTH_RESET_AFTER - Duration::from_micros(1), 10), (GROWTH_RESET_AFTER, 5)]
    {
        let mut world = World::new();
        world.call(rate_limited(None));
        world.pass(secs(5) + time);
        world.call(rate_limited(None));
        assert_eq!(cooling_for(&world, MODEL), Some(secs(expected)));
    }
}

#[test]
fn calls_that_were_out_together_grow_a_guess_once() {
    let mut world = World::new();
    let out = [world.begin(), world.begin(), world.begin(), world.begin()];
    let [first, second, third, fourth] = out;
    world.end(first, rate_limited(None));
    world.pass(secs(1));
    world.end(second, rate_limited(None));
    assert_eq!(cooling_for(&world, MODEL), Some(secs(4)));
    world.end(third, GOOD);
    assert_eq!(cooling_for(&world, MODEL), Some(secs(4)), "a success of before lifts nothing");
    world.end(fourth, rate_limited(Some(secs(2))));
    assert_eq!(cooling_for(&world, MODEL), Some(secs(2)), "to be told outdoes a guess");
    world.pass(secs(2));
    world.call(rate_limited(None));
    assert_eq!(cooling_for(&world, MODEL), Some(secs(10)), "no success since the guess");
}

#[test]
fn of_two_reported_times_the_later_holds() {
    let mut world = World::new();
    let out = [world.begin(), world.begin(), world.begin()];
    for (permit, (wait, expected)) in out.into_iter().zip([(9, 9), (4, 9), (11, 11)]) {
        world.end(permit, rate_limited(Some(secs(wait))));
        assert_eq!(cooling_for(&world, MODEL), Some(secs(expected)));
    }
}

#[test]
fn a_quota_holds_until_its_reset_and_a_rate_limit_does_not_shorten_it() {
    let mut world = World::new();
    let late = world.begin();
    world.call(quota(Some(secs(9 * 3_600))));
    world.end(late, rate_limited(Some(secs(3))));
    assert_eq!(cooling_for(&world, MODEL), Some(secs(9 * 3_600)));
    let logged = world.logged();
    assert_eq!(logged, ["ready>cooling-down daily-quota"]);

    let mut world = World::new();
    for hours in [1, 2, 4, 8, 16, 24, 24] {
        world.call(quota(None));
        assert_eq!(cooling_for(&world, MODEL), Some(secs(hours * 3_600)));
        // The growth of the guess is kept for a while after the limit ends.
        world.pass(secs(hours * 3_600));
    }
}

#[test]
fn a_wait_beyond_a_month_is_cut() {
    let mut world = World::new();
    world.call(quota(Some(COOLDOWN_MAX + secs(1))));
    assert_eq!(cooling_for(&world, MODEL), Some(COOLDOWN_MAX));
}

#[test]
fn a_models_limit_leaves_the_others_alone() {
    let mut world = World::new();
    world.call(of_model(Some(secs(8))));
    assert_eq!(cooling_for(&world, MODEL), Some(secs(8)));
    assert_eq!(cooling_for(&world, "other"), None);
    assert_eq!(world.endpoints.status(&world.one, world.now).cooldown, None);
    let own = world.endpoints.model_cooldowns(&world.one, world.now);
    assert_eq!((own.len(), own[0].model.as_str()), (1, MODEL));
    assert_eq!(world.log[0].model.as_deref(), Some(MODEL));
    world.pass(secs(8));
    assert!(world.endpoints.model_cooldowns(&world.one, world.now).is_empty());
    let logged = world.logged();
    assert_eq!(logged, ["ready>cooling-down rate-limited", "cooling-down>ready cooldown-over"]);
}

#[test]
fn a_models_guess_grows_by_itself_and_ends_with_its_own_success() {
    let mut world = World::new();
    world.call(of_model(None));
    world.pass(secs(5));
    let other = world.endpoints.admit(&world.one, "other", world.now).unwrap();
    world.end(other, GOOD);
    world.call(of_model(None));
    assert_eq!(cooling_for(&world, MODEL), Some(secs(10)), "another model's success says nothing");
    world.pass(secs(10));
    world.call(GOOD);
    world.call(of_model(None));
    assert_eq!(cooling_for(&world, MODEL), Some(secs(5)));
}

#[test]
fn the_later_of_the_accesss_and_the_models_limit_holds() {
    let mut world = World::new();
    let late = world.begin();
    world.call(rate_limited(Some(secs(5))));
    world.end(late, of_model(Some(secs(9))));
    assert_eq!(cooling_for(&world, MODEL), Some(secs(9)));
    assert_eq!(cooling_for(&world, "other"), Some(secs(5)));
}

#[test]
fn of_too_many_models_the_one_that_ends_first_is_forgotten() {
    let mut world = World::new();
    for number in 0..=MODEL_COOLDOWNS_MAX {
        let model = format!("m{number}");
        let permit = world.endpoints.admit(&world.one, &model, world.now).unwrap();
        world.end(permit, of_model(Some(secs(100 + number as u64))));
        let known = world.endpoints.model_cooldowns(&world.one, world.now).len();
        assert_eq!(known, (number + 1).min(MODEL_COOLDOWNS_MAX));
    }
    assert_eq!(cooling_for(&world, "m0"), None);
    assert_eq!(cooling_for(&world, "m1"), Some(secs(101)));
}

#[test]
fn an_invented_model_name_is_not_remembered() {
    for (bytes, known) in [(MODEL_BYTES_MAX, 1), (MODEL_BYTES_MAX + 1, 0)] {
        let mut world = World::new();
        let permit = world.endpoints.admit(&world.one, &"x".repeat(bytes), world.now).unwrap();
        world.end(permit, of_model(None));
        assert_eq!(world.endpoints.model_cooldowns(&world.one, world.now).len(), known);
    }
}

#[test]
fn a_new_key_and_a_reset_lift_it() {
    let mut world = World::new();
    let late = world.begin();
    world.call(rate_limited(Some(secs(50))));
    world.end(late, of_model(Some(secs(50))));
    world.log.clear();
    let key = CredentialId::new("key").unwrap();
    world.log.extend(world.endpoints.lift_after_credential_change(&key, world.now));
    assert_eq!(world.look(), Availability::Ready);
    assert_eq!(world.logged(), ["cooling-down>ready credential-changed"; 2]);
    world.call(rate_limited(Some(secs(50))));
    world.log.clear();
    world.log.extend(world.endpoints.reset(&world.one, world.now));
    assert_eq!(world.look(), Availability::Ready);
    assert_eq!(world.logged(), ["cooling-down>ready reset"]);
}

#[test]
fn breaker_and_cooldown_stand_side_by_side() {
    let mut world = World::new();
    let late = [world.begin(), world.begin()];
    world.calls(3, BAD);
    let [first, second] = late;
    world.end(first, rate_limited(Some(secs(3))));
    assert_eq!(world.open_for(), secs(5), "what lasts longer is shown");
    world.end(second, rate_limited(Some(secs(8))));
    let until = Some(world.now + secs(8));
    let cooling = ClosedReason::CoolingDown(LimitKind::Rate);
    assert_eq!(world.look(), Availability::Closed { reason: cooling, until });
    world.pass(secs(6));
    assert_eq!(world.look(), Availability::Closed { reason: cooling, until });
    world.pass(secs(2));
    assert_eq!(world.look(), Availability::Trial);
    assert_eq!(world.log[0].evidence[0], request(1));
}
