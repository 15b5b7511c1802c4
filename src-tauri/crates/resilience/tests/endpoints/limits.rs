//! Memory is bounded.

use resilience::{
    Availability, CallOutcome, ENDPOINTS_MAX, EVIDENCE_MAX, SAMPLES_MIN, TRANSITIONS_QUEUED_MAX,
};

use crate::world::{BAD, GOOD, MODEL, World, endpoint, rejected, request, secs};

#[test]
fn at_the_limit_one_without_a_past_makes_room() {
    let mut world = World::new();
    for number in 0..ENDPOINTS_MAX {
        let one = endpoint(&format!("b{number}"));
        let permit = world.endpoints.admit(&one, MODEL, world.now).unwrap();
        world.end(permit, if number == 7 { GOOD } else { rejected() });
    }
    let further = endpoint("further");
    let permit = world.endpoints.admit(&further, MODEL, world.now).unwrap();
    world.end(permit, rejected());
    let closed = world.endpoints.availability(&further, MODEL, world.now);
    assert!(matches!(closed, Availability::Closed { .. }), "b7 made room");

    let beyond = endpoint("beyond");
    let permit = world.endpoints.admit(&beyond, MODEL, world.now).unwrap();
    world.end(permit, rejected());
    let unknown = world.endpoints.availability(&beyond, MODEL, world.now);
    assert_eq!(unknown, Availability::Ready, "nothing is forgotten for it");
    assert_eq!(world.endpoints.save(world.now).len(), ENDPOINTS_MAX);
}

#[test]
fn what_is_no_longer_configured_is_forgotten() {
    let mut world = World::new();
    world.call(rejected());
    world.endpoints.retain(|endpoint| endpoint.backend.as_str() != "one");
    assert_eq!(world.look(), Availability::Ready);
    assert!(world.endpoints.save(world.now).is_empty());
}

#[test]
fn evidence_is_at_most_ten_the_last_ones() {
    let rules = resilience::BreakerRules { failures_in_a_row: 12, ..Default::default() };
    let mut world = World::with(resilience::BreakerRules { calls_min: 99, ..rules });
    world.calls(12, BAD);
    let evidence = &world.log[0].evidence;
    assert_eq!(evidence.len(), EVIDENCE_MAX);
    assert_eq!(*evidence, (3..=12).map(request).collect::<Vec<_>>());
}

#[test]
fn transitions_nobody_fetches_are_bounded() {
    let mut world = World::new();
    world.calls(3, BAD);
    let open = world.endpoints.save(world.now);
    for _ in 0..TRANSITIONS_QUEUED_MAX + 5 {
        world.endpoints.restore(open.clone(), secs(0), world.now);
        world.pass(secs(5));
        let permit = world.begin();
        world.endpoints.release(permit, world.now);
    }
    assert_eq!(world.endpoints.apply_elapsed_time(world.now).len(), TRANSITIONS_QUEUED_MAX);
}

#[test]
fn what_is_usual_is_not_said_of_few_calls() {
    let mut world = World::new();
    let took = CallOutcome::Success { first_token: Some(secs(9)) };
    world.calls(SAMPLES_MIN as usize - 1, took);
    assert_eq!(world.endpoints.status(&world.one, world.now).slow_after, secs(10));
    world.call(took);
    assert!(world.endpoints.status(&world.one, world.now).slow_after > secs(27));
}
