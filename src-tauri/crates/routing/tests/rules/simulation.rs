//! Many draws over frozen state.

use std::collections::BTreeSet;

use domain::RoutePolicy;
use routing::{Needs, RouteTable, RoutingRequest, SIMULATION_DRAWS_MAX, Simulation};

use crate::scene::{FakeSignals, backend_id, chances, client, route, table};

fn simulate(table: &RouteTable, model: &str, scene: &FakeSignals, closed: &[&str]) -> Simulation {
    let client = client("editor");
    let needs = Needs::default();
    let asking = RoutingRequest {
        model,
        client: &client,
        switched_to: None,
        project: None,
        needs,
        conversation: None,
    };
    let closed: BTreeSet<_> = closed.iter().map(|id| backend_id(id)).collect();
    let frozen = table.freeze_signals(&asking, scene).with_closed(&closed);
    table.simulate(&asking, &frozen, 1_000, &mut chances(3), &Ok)
}

/// Checks the shares (`a 700 of 70 %`), most often first, and the failures.
fn check(simulation: &Simulation, expected: &[(&str, u32, Option<f64>)], failures: u32) {
    let found: Vec<_> = simulation
        .shares
        .iter()
        .map(|share| (share.backend.as_str(), share.draws, share.expected_percent))
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((id, draws, percent), (wanted, near, promised)) in found.iter().zip(expected) {
        assert_eq!((id, percent), (wanted, promised), "{found:?}");
        assert!(draws.abs_diff(*near) <= 50, "{found:?}");
    }
    assert_eq!(simulation.failures, failures);
    assert_eq!(simulation.failure.is_some(), failures > 0);
}

#[test]
fn weights_keep_their_promise_and_what_is_taken_to_be_closed_gives_its_share_away() {
    let table = table(route(RoutePolicy::Weighted, &[("a", 60), ("b", 30), ("c", 10)]));
    let calm = FakeSignals::default();
    let simulation = simulate(&table, "m", &calm, &[]);
    check(
        &simulation,
        &[("a", 600, Some(60.0)), ("b", 300, Some(30.0)), ("c", 100, Some(10.0))],
        0,
    );
    let simulation = simulate(&table, "m", &calm, &["a"]);
    check(&simulation, &[("b", 750, Some(75.0)), ("c", 250, Some(25.0)), ("a", 0, Some(0.0))], 0);
    assert_eq!(simulation, simulate(&table, "m", &calm, &["a"]));
}

#[test]
fn the_moment_is_held_still_and_the_scene_decides_the_rest() {
    let table = table(route(RoutePolicy::Fastest, &[("a", 1), ("b", 1)]));
    let scene = FakeSignals::default().quick(&[("a", 900), ("b", 300)]);
    check(&simulate(&table, "m", &scene, &[]), &[("b", 1_000, None), ("a", 0, None)], 0);
    let closed = scene.clone().closed("b");
    check(&simulate(&table, "m", &closed, &[]), &[("a", 1_000, None), ("b", 0, None)], 0);
    check(&simulate(&table, "b/m", &scene, &[]), &[("b", 1_000, None)], 0);
}

#[test]
fn a_part_of_a_split_that_is_closed_fails_its_share() {
    let table = table(route(RoutePolicy::Split, &[("a", 3), ("b", 1)]));
    let simulation = simulate(&table, "m", &FakeSignals::default(), &["b"]);
    let failures = simulation.failures;
    assert!(failures.abs_diff(250) <= 50, "{failures}");
    check(&simulation, &[("a", 750, Some(75.0)), ("b", 250, Some(25.0))], failures);
    let why = simulation.failure.expect("a reason").to_string();
    assert_eq!(why, "no backend is available; b: it is assumed to be down");
}

#[test]
fn without_a_route_every_draw_fails_for_the_same_reason() {
    let table = table(route(RoutePolicy::Ordered, &[("a", 1), ("b", 1)]));
    let simulation = simulate(&table, "nobody", &FakeSignals::default(), &[]);
    check(&simulation, &[], 1_000);
    let why = simulation.failure.expect("a reason").to_string();
    assert_eq!(why, "no backend lists \"nobody\"; available: m");
}

#[test]
fn draws_stop_at_their_limit() {
    let table = table(route(RoutePolicy::Ordered, &[("a", 1)]));
    let client = client("editor");
    let needs = Needs::default();
    let asking = RoutingRequest {
        model: "m",
        client: &client,
        switched_to: None,
        project: None,
        needs,
        conversation: None,
    };
    let frozen = table.freeze_signals(&asking, &FakeSignals::default());
    let draw = |draws| table.simulate(&asking, &frozen, draws, &mut || 0.5, &Ok).draws;
    assert_eq!(draw(SIMULATION_DRAWS_MAX), 10_000);
    assert_eq!(draw(SIMULATION_DRAWS_MAX + 1), 10_000);
}
