//! A/B split: a conversation always belongs to the same candidate.

use std::collections::BTreeMap;

use domain::RoutePolicy;
use routing::{BackendStatus, ExclusionReason, Needs, RoutableBackend, RouteTable};

use crate::scene::{
    FakeSignals, ask_with, backend, check, check_shares, firsts, order, route, talk,
};

fn table(parts: &[(&str, u16)]) -> RouteTable {
    crate::scene::table(route(RoutePolicy::Split, parts))
}

fn part(table: &RouteTable, conversation: u64) -> String {
    let decision =
        ask_with(table, &FakeSignals::default(), Needs::default(), Some(conversation), &mut || 0.5);
    order(&decision.expect("a decision"))
}

#[test]
fn conversations_are_shared_by_weight_and_each_stays_in_its_part() {
    let table = table(&[("a", 50), ("b", 30), ("c", 20), ("d", 0)]);
    let mut counts = BTreeMap::new();
    for conversation in 0..1_000 {
        let first = part(&table, conversation);
        assert_eq!(first, part(&table, conversation));
        *counts.entry(first).or_default() += 1;
    }
    check_shares(&counts, &[("a", 50), ("b", 30), ("c", 20), ("d", 0)]);
    check_shares(&firsts(&table, &FakeSignals::default()), &[("a", 50), ("b", 30), ("c", 20)]);
}

#[test]
fn a_part_that_goes_moves_its_own_conversations_alone() {
    let three = table(&[("a", 1), ("b", 1), ("c", 1)]);
    let parts = route(RoutePolicy::Split, &[("a", 1), ("b", 1), ("c", 1)]);
    let off = RoutableBackend {
        status: BackendStatus::Disabled("is switched off".to_owned()),
        ..backend("b")
    };
    let two = RouteTable::new(vec![parts], vec![backend("a"), off, backend("c")]);
    for conversation in 0..500 {
        let (before, after) = (part(&three, conversation), part(&two, conversation));
        assert!(before == "b" || before == after, "{conversation} moved from {before} to {after}");
        assert_ne!(after, "b");
    }
}

#[test]
fn nothing_fails_over_between_the_parts() {
    let table = table(&[("a", 1), ("b", 1)]);
    let mine = part(&table, 7);
    let other = if mine == "a" { "b" } else { "a" };
    let decision = talk(&table, &FakeSignals::default().closed(&mine));
    let sentence = format!(
        "{mine} gets 1 of 2 conversations of the route r, including this one, even though it is not ready: \
         its breaker is tripped; skipped: {other} serves another share of the split."
    );
    check(&decision, &mine, &sentence);
    assert_eq!(decision.excluded[0].reason, ExclusionReason::OtherSplit);
}
