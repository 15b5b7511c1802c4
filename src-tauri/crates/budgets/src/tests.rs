//! What the book of budgets refuses, counts and forgets, on fixed times.

use domain::BudgetPeriod;
use proptest::prelude::*;

use super::*;

const START: WallTime = WallTime::from_unix_ms(1_795_219_200_000); // 2026-11-21T00:00Z
const DAY_MS: i64 = 86_400_000;

fn at(ms: i64) -> WallTime {
    WallTime::from_unix_ms(START.unix_ms() + ms)
}

fn id(name: &str) -> BudgetId {
    BudgetId::new(name).expect("a name")
}

fn budget(limit: i64, scope: Option<(BudgetDimension, &str)>) -> Budget {
    Budget {
        limit: NanoUsd::new(limit),
        period: BudgetPeriod::Day,
        scope: scope.map(|(dimension, name)| (dimension, name.to_owned())),
    }
}

fn book(budgets: &[(&str, Budget)]) -> BudgetBook {
    let mut book = BudgetBook::default();
    let named = budgets.iter().map(|(name, budget)| (id(name), budget.clone()));
    book.configure(named, TimeZone::UTC, START);
    book
}

/// Calls `use_it` with a charge of this client at this backend.
fn with<T>(client: &str, backend: &str, use_it: impl FnOnce(&Charge<'_>) -> T) -> T {
    let (client, backend) =
        (ClientId::new(client).expect("a name"), BackendId::new(backend).expect("a name"));
    let charge = Charge {
        client: &client,
        project: Some("site"),
        backend: &backend,
        credential: None,
        model: "m",
    };
    use_it(&charge)
}

#[test]
fn a_budget_stops_what_would_exceed_it_and_only_in_its_scope() {
    let mut book = book(&[
        ("all", budget(100, None)),
        ("editor", budget(10, Some((BudgetDimension::Client, "editor")))),
    ]);
    with("editor", "openai", |charge| {
        assert!(book.exceeded(charge, NanoUsd::new(10), START).is_none());
        let stopped = book.exceeded(charge, NanoUsd::new(11), START).map(|it| it.id.clone());
        assert_eq!(stopped, Some(id("editor")));
        book.spend(charge, NanoUsd::new(10), START);
        // A request of unknown price does not pass a used-up budget.
        assert!(book.exceeded(charge, NanoUsd::ZERO, START).is_some());
    });
    with("agent", "openai", |charge| {
        assert!(book.exceeded(charge, NanoUsd::new(90), START).is_none());
        assert!(book.exceeded(charge, NanoUsd::new(91), START).is_some());
    });
}

#[test]
fn a_new_period_begins_with_nothing_spent_and_keeps_what_is_reserved() {
    let mut book = book(&[("all", budget(10, None))]);
    with("a", "b", |charge| {
        book.spend(charge, NanoUsd::new(9), at(DAY_MS - 1));
        let reserved = book.reserve(&[*charge], NanoUsd::new(1));
        assert!(book.exceeded(charge, NanoUsd::ZERO, at(DAY_MS - 1)).is_some());
        assert!(book.exceeded(charge, NanoUsd::new(9), at(DAY_MS)).is_none());
        assert!(book.exceeded(charge, NanoUsd::new(10), at(DAY_MS)).is_some());
        book.release(&reserved, NanoUsd::new(1));
        assert!(book.exceeded(charge, NanoUsd::new(10), at(DAY_MS)).is_none());
    });
}

#[test]
fn a_correction_keeps_what_was_spent_meanwhile_and_another_period_is_left_alone() {
    let mut book = book(&[("all", budget(100, None))]);
    with("a", "b", |charge| book.spend(charge, NanoUsd::new(5), START));
    book.correct(&id("all"), START, NanoUsd::ZERO, NanoUsd::new(40));
    assert_eq!(book.statuses(START)[0].spent, NanoUsd::new(45));
    book.correct(&id("all"), at(-DAY_MS), NanoUsd::ZERO, NanoUsd::new(1));
    assert_eq!(book.statuses(START)[0].spent, NanoUsd::new(45));
}

#[test]
fn another_limit_keeps_what_was_spent_and_another_scope_does_not() {
    let mut book = book(&[("x", budget(100, None))]);
    with("a", "b", |charge| book.spend(charge, NanoUsd::new(5), START));
    book.configure([(id("x"), budget(50, None))], TimeZone::UTC, START);
    assert_eq!(book.statuses(START)[0].spent, NanoUsd::new(5));
    let scope = Some((BudgetDimension::Model, "m"));
    book.configure([(id("x"), budget(50, scope))], TimeZone::UTC, START);
    assert_eq!(book.statuses(START)[0].spent, NanoUsd::ZERO);
}

proptest! {
    /// However requests overlap, no more is ever admitted than the limit.
    #[test]
    fn admitted_requests_never_exceed_the_limit(
        steps in prop::collection::vec((any::<bool>(), 0_i64..40), 1..60),
    ) {
        let mut book = book(&[("all", budget(100, None))]);
        let mut open = Vec::new();
        with("a", "b", |charge| {
            for (ends, amount) in steps {
                if ends && !open.is_empty() {
                    let (reserved, amount): (Vec<BudgetId>, NanoUsd) = open.remove(0);
                    book.release(&reserved, amount);
                    book.spend(charge, amount, START);
                } else if book.exceeded(charge, NanoUsd::new(amount), START).is_none() {
                    open.push((book.reserve(&[*charge], NanoUsd::new(amount)), NanoUsd::new(amount)));
                }
                let status = &book.statuses(START)[0];
                assert!(status.spent + status.reserved <= status.budget.limit);
            }
        });
    }
}
