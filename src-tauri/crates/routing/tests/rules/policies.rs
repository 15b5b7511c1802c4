//! Each policy, in situations that distinguish it from the others.

use domain::RoutePolicy;
use routing::{BalanceWeights, CandidateAvailability, Route, RouteTable};

use crate::scene::{
    FakeSignals, ask, backend, check, check_shares, firsts, order, route, sticky, table, talk,
};

const THREE: &[(&str, u16)] = &[("a", 1), ("b", 1), ("c", 1)];

#[test]
fn ordered_takes_the_first_that_is_ready_and_keeps_the_others_behind_it() {
    let table = table(route(RoutePolicy::Ordered, THREE));
    check(&ask(&table, &FakeSignals::default()), "a, b, c", "a is the first of 3 in the route r.");
    check(
        &ask(&table, &FakeSignals::default().closed("a")),
        "b, c, a",
        "b is the first of 3 in the route r; a is not ready: its breaker is tripped.",
    );
    check(
        &ask(&table, &FakeSignals::default().closed("a").closed("b")),
        "c, a, b",
        "c is the first of 3 in the route r; a is not ready: its breaker is tripped and 1 more.",
    );
    let all = FakeSignals::default().closed("a").closed("b").closed("c");
    check(
        &ask(&table, &all),
        "a, b, c",
        "a is the first of 3 in the route r, even though it is not ready: its breaker is tripped.",
    );
}

#[test]
fn a_recovering_candidate_is_first_in_its_percent_of_the_draws_and_else_behind_the_ready_ones() {
    let table = table(route(RoutePolicy::Ordered, THREE));
    for percent in [10, 25, 50, 100] {
        let scene = FakeSignals::default().available_as("a", CandidateAvailability::Ramp(percent));
        let rest = 100 - u32::from(percent);
        check_shares(&firsts(&table, &scene), &[("a", percent.into()), ("b", rest), ("c", 0)]);
    }
    let scene =
        FakeSignals::default().available_as("a", CandidateAvailability::Ramp(10)).closed("c");
    check(
        &ask(&table, &scene),
        "b, a, c",
        "b is the first of 3 in the route r; a is not ready: recovering with 10 % of its requests and 1 more.",
    );
}

#[test]
fn a_trial_takes_a_tenth_while_somebody_is_ready_and_comes_first_when_nobody_is() {
    let table = table(route(RoutePolicy::Ordered, THREE));
    let scene = FakeSignals::default().available_as("a", CandidateAvailability::Trial);
    check_shares(&firsts(&table, &scene), &[("a", 10), ("b", 90)]);
    let alone = scene.closed("b").closed("c");
    check_shares(&firsts(&table, &alone), &[("a", 100)]);
    let beside_a_ramp = alone.available_as("b", CandidateAvailability::Ramp(10));
    assert_eq!(order(&ask(&table, &beside_a_ramp)), "b, a, c");
}

#[test]
fn weighted_draws_in_proportion_and_a_reserve_comes_last() {
    let table = table(route(RoutePolicy::Weighted, &[("a", 70), ("b", 20), ("c", 10), ("d", 0)]));
    let calm = FakeSignals::default();
    check_shares(&firsts(&table, &calm), &[("a", 70), ("b", 20), ("c", 10), ("d", 0)]);
    let without_a = FakeSignals::default().closed("a");
    check_shares(&firsts(&table, &without_a), &[("a", 0), ("b", 67), ("c", 33), ("d", 0)]);
    let decision = ask(&table, &calm);
    assert_eq!(decision.candidates[3].endpoint.to_string(), "d");
    assert_eq!(
        decision.explanation,
        "a was picked at random with weight 70 of 100, from 4 in the route r."
    );
    let only_reserve = FakeSignals::default().closed("a").closed("b").closed("c");
    assert_eq!(order(&ask(&table, &only_reserve)).split(',').next(), Some("d"));
}

#[test]
fn cheapest_goes_by_the_price_of_this_request_and_an_unknown_price_is_not_low() {
    let table = table(route(RoutePolicy::Cheapest, THREE));
    let scene = FakeSignals::default().costs(&[("b", 1_200), ("c", 300)]);
    check(
        &ask(&table, &scene),
        "c, b, a",
        "c is the cheapest of 3 in the route r: about $0.000300, the next about $0.001200.",
    );
    assert_eq!(order(&ask(&table, &scene.closed("c"))), "b, a, c");
    assert_eq!(order(&ask(&table, &FakeSignals::default())), "a, b, c");
}

#[test]
fn fastest_goes_by_the_first_token_and_measures_whoever_is_not_known() {
    let table = table(route(RoutePolicy::Fastest, THREE));
    let scene = FakeSignals::default().quick(&[("a", 900), ("b", 420), ("c", 500)]);
    check(
        &ask(&table, &scene),
        "b, c, a",
        "b is the fastest of 3 in the route r: 420 ms to the first token, the next 500 ms to the first token.",
    );
    let unknown = FakeSignals::default().quick(&[("a", 900), ("b", 420)]);
    assert_eq!(order(&ask(&table, &unknown)), "c, b, a");
}

#[test]
fn least_busy_counts_requests_in_flight_and_draws_between_equals() {
    let table = table(route(RoutePolicy::LeastBusy, &[("a", 3), ("b", 1), ("c", 0)]));
    let scene = FakeSignals::default().busy(&[("a", 4), ("b", 2)]);
    check(
        &ask(&table, &scene),
        "b, a, c",
        "b is the least busy of 3 in the route r: 2 in flight, the next 4 in flight.",
    );
    check_shares(&firsts(&table, &FakeSignals::default()), &[("a", 75), ("b", 25), ("c", 0)]);
}

#[test]
fn balanced_shows_its_figures_and_obeys_its_weights() {
    let scene =
        FakeSignals::default().quick(&[("a", 300), ("b", 600)]).costs(&[("a", 900), ("b", 300)]);
    let with = |latency, cost, headroom| {
        let weights = BalanceWeights { latency, cost, headroom };
        let two = route(RoutePolicy::Balanced, &[("a", 1), ("b", 1)]);
        table(Route { weights, ..two })
    };
    check(
        &ask(&with(50, 30, 20), &scene),
        "a, b",
        "a is the best balanced of 2 in the route r: score 0.80 (latency 1.00 × 50, cost 0.33 × 30, \
         headroom 1.00 × 20), the next 0.75.",
    );
    assert_eq!(order(&ask(&with(10, 90, 0), &scene)), "b, a");
    let mut full = scene.clone();
    full.headroom_percent.insert("a".to_owned(), 5);
    assert_eq!(order(&ask(&with(50, 30, 20), &full)), "b, a");
    assert_eq!(order(&ask(&with(50, 30, 20), &scene.closed("a"))), "b, a");
}

#[test]
fn balanced_takes_the_less_busy_of_two_alike() {
    let table = table(route(RoutePolicy::Balanced, THREE));
    let alike = FakeSignals::default().quick(&[("a", 400), ("b", 410), ("c", 2_000)]);
    check_shares(&firsts(&table, &alike), &[("a", 50), ("b", 50), ("c", 0)]);
    let busy = alike.busy(&[("a", 3)]);
    check_shares(&firsts(&table, &busy), &[("a", 0), ("b", 100)]);
}

#[test]
fn a_sticky_conversation_stays_while_its_backend_may_be_asked() {
    for policy in [RoutePolicy::Ordered, RoutePolicy::Weighted, RoutePolicy::LeastBusy] {
        let table = table(sticky(route(policy, THREE)));
        let scene = FakeSignals::default().sticky("c");
        let decision = talk(&table, &scene);
        assert!(order(&decision).starts_with("c, "), "{policy}");
        let sentence = "c answered this conversation last and keeps it in the route r.";
        assert_eq!(decision.explanation, sentence, "{policy}");
        assert!(decision.candidates[0].ranking.is_sticky);
        assert!(!order(&talk(&table, &scene.clone().closed("c"))).starts_with("c, "), "{policy}");
        assert!(
            order(&talk(&table, &scene.available_as("c", CandidateAvailability::Ramp(10))))
                .ends_with("c")
        );
    }
    let free = table(route(RoutePolicy::Ordered, THREE));
    assert_eq!(order(&talk(&free, &FakeSignals::default().sticky("c"))), "a, b, c");
    let outside = table(sticky(route(RoutePolicy::Ordered, THREE)));
    assert_eq!(order(&ask(&outside, &FakeSignals::default().sticky("c"))), "a, b, c");
}

#[test]
fn a_conversation_moves_to_a_price_that_is_lower_by_more_than_15_percent_of_a_warm_one() {
    let table = table(sticky(route(RoutePolicy::Cheapest, &[("a", 1), ("b", 1)])));
    let price = |b: u64| FakeSignals::default().costs(&[("a", 1_000), ("b", b)]).sticky("a");
    assert_eq!(order(&talk(&table, &price(850))), "a, b");
    assert_eq!(order(&talk(&table, &price(849))), "b, a");
    // With a warm prompt cache, a costs a third of its price, so b is expensive in comparison.
    let mut warm = price(400);
    warm.warm_cost_nanos.insert("a".to_owned(), 333_000);
    check(
        &talk(&table, &warm),
        "a, b",
        "a answered this conversation last and keeps it in the route r: about $0.000333, the next \
         about $0.000400.",
    );
    warm.cost_nanos.insert("b".to_owned(), 250_000);
    assert_eq!(order(&talk(&table, &warm)), "b, a");
    assert!(!talk(&table, &warm).candidates.iter().any(|candidate| candidate.ranking.is_sticky));
}

#[test]
fn a_conversation_moves_to_a_backend_that_is_faster_by_more_than_15_percent() {
    let table = table(sticky(route(RoutePolicy::Fastest, &[("a", 1), ("b", 1)])));
    let times = |b: u32| FakeSignals::default().quick(&[("a", 1_000), ("b", b)]).sticky("a");
    assert_eq!(order(&talk(&table, &times(850))), "a, b");
    assert_eq!(order(&talk(&table, &times(849))), "b, a");
    let unmeasured = FakeSignals::default().quick(&[("a", 1_000)]).sticky("a");
    assert_eq!(order(&talk(&table, &unmeasured)), "a, b");
}

#[test]
fn a_balanced_conversation_stays_within_the_hysteresis_and_is_not_drawn_away() {
    let table = table(sticky(route(RoutePolicy::Balanced, &[("a", 1), ("b", 1)])));
    let times = |b: u32| FakeSignals::default().quick(&[("a", 1_000), ("b", b)]).sticky("a");
    let busy = times(1_000).busy(&[("a", 9)]);
    assert_eq!(order(&talk(&table, &busy)), "a, b");
    // The scores are 1 for b and 0.5 × b / 1,000 + 0.5 for a.
    assert_eq!(order(&talk(&table, &times(750))), "a, b");
    assert_eq!(order(&talk(&table, &times(730))), "b, a");
}

#[test]
fn a_route_that_nobody_can_serve_names_every_reason() {
    let two = route(RoutePolicy::Ordered, &[("a", 1), ("gone", 1), ("b", 1)]);
    let off = |id: &str, standing| routing::RoutableBackend { status: standing, ..backend(id) };
    let keyless = routing::BackendStatus::Unusable("has no key".to_owned());
    let one = RouteTable::new(
        vec![two.clone()],
        vec![
            backend("a"),
            off("b", routing::BackendStatus::Disabled("is switched off".to_owned())),
        ],
    );
    check(
        &ask(&one, &FakeSignals::default()),
        "a",
        "a is the only candidate in the route r that can answer; skipped: gone no longer exists \
         and 1 more.",
    );
    let none = RouteTable::new(
        vec![two],
        vec![
            off("a", keyless),
            off("b", routing::BackendStatus::Disabled("is switched off".to_owned())),
        ],
    );
    let needs = routing::Needs::default();
    let refusal = crate::scene::ask_with(&none, &FakeSignals::default(), needs, None, &mut || 0.5);
    assert_eq!(
        refusal.expect_err("nobody is left").to_string(),
        "no backend of the route r is available: a has no key, gone no longer exists, b is switched off; fix one of them"
    );
}
