//! Several keys of one backend.

use domain::{PoolOrder, RoutePolicy};
use routing::{CandidateAvailability, Needs, RouteTable};

use crate::scene::{
    FakeSignals, ask, ask_with, backend, check_shares, firsts, order, route, with_keys,
};

fn table(order: PoolOrder, keys: &[(&str, u16)]) -> RouteTable {
    let two = route(RoutePolicy::Ordered, &[("a", 1), ("b", 1)]);
    RouteTable::new(vec![two], vec![with_keys("a", order, keys), backend("b")])
}

#[test]
fn keys_are_laid_out_in_their_order_and_a_closed_one_waits_behind_the_next_backend() {
    let table = table(PoolOrder::Ordered, &[("one", 1), ("two", 1)]);
    assert_eq!(order(&ask(&table, &FakeSignals::default())), "a (one), a (two), b");
    let scene = FakeSignals::default().closed("a (one)");
    assert_eq!(order(&ask(&table, &scene)), "a (two), b, a (one)");
    let scene = scene.available_as("a (two)", CandidateAvailability::Ramp(10));
    assert_eq!(order(&ask(&table, &scene)), "b, a (two), a (one)");
}

#[test]
fn weighted_keys_share_by_weight_and_a_conversation_keeps_its_key() {
    let table = table(PoolOrder::Weighted, &[("one", 3), ("two", 1), ("spare", 0)]);
    let shares = firsts(&table, &FakeSignals::default());
    check_shares(&shares, &[("a (one)", 75), ("a (two)", 25), ("a (spare)", 0), ("b", 0)]);
    let mut counts = std::collections::BTreeMap::new();
    for conversation in 0..1_000 {
        let ask = |chance: f64| {
            let conversation = Some(conversation);
            ask_with(&table, &FakeSignals::default(), Needs::default(), conversation, &mut || {
                chance
            })
            .map(|decision| order(&decision))
        };
        assert_eq!(ask(0.1), ask(0.9));
        let first = ask(0.5).expect("a decision");
        let first = first.split(", ").next().expect("a candidate").to_owned();
        *counts.entry(first).or_default() += 1;
    }
    check_shares(&counts, &[("a (one)", 75), ("a (two)", 25)]);
}

#[test]
fn a_pin_uses_the_pool_too() {
    let table = table(PoolOrder::Ordered, &[("one", 1), ("two", 1)]);
    let client = crate::scene::client("editor");
    let needs = Needs::default();
    let model = "a/x";
    let asking = routing::RoutingRequest {
        model,
        client: &client,
        switched_to: None,
        project: None,
        needs,
        conversation: None,
    };
    let scene = FakeSignals::default().closed("a (one)");
    let decision = table.choose(&asking, &scene, &mut || 0.5).expect("a decision");
    assert_eq!(order(&decision), "a (two), a (one)");
}
