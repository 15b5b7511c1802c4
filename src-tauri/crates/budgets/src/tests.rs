//! What the book of budgets refuses, counts and forgets, on fixed times.

use domain::{BudgetSchedule, DAY_MS};
use proptest::prelude::*;

use super::*;

const START: WallTime = WallTime::from_unix_ms(1_795_219_200_000); // 2026-11-21T00:00Z

fn at(ms: i64) -> WallTime {
    START.plus_ms(ms)
}

fn id(name: &str) -> BudgetId {
    BudgetId::new(name).expect("a name")
}

fn budget(limit: i64, scope: Option<(BudgetDimension, &str)>) -> Budget {
    Budget {
        schedule: BudgetSchedule::Day,
        scope: scope.map(|(dimension, name)| (dimension, name.to_owned())),
        ..Budget::new(NanoUsd::new(limit))
    }
}

fn exactly(amount: i64) -> Reservation {
    Reservation { amount: NanoUsd::new(amount), at_most: Some(NanoUsd::new(amount)) }
}

fn spend(book: &mut BudgetBook, charge: &Charge<'_>, amount: i64, at: WallTime) -> bool {
    let covering = book.covering(charge).map(|id| (id.clone(), NanoUsd::new(amount)));
    let spent: Vec<_> = covering.collect();
    book.spend(&spent, at).0
}

/// The first budget that does not have `estimate` left.
fn stops(
    book: &mut BudgetBook,
    charge: &Charge<'_>,
    estimate: Option<i64>,
    at: WallTime,
) -> Option<BudgetId> {
    book.exceeded(charge, estimate.map(NanoUsd::new), at).next().map(|it| it.id.clone())
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
        models: ["m", "m", "m"],
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
        assert_eq!(stops(&mut book, charge, Some(10), START), None);
        assert_eq!(stops(&mut book, charge, Some(11), START), Some(id("editor")));
        assert_eq!(stops(&mut book, charge, None, START), None);
        spend(&mut book, charge, 10, START);
        // A request of unknown price does not pass a used-up budget, a free one does.
        assert_eq!(stops(&mut book, charge, None, START), Some(id("editor")));
        assert_eq!(stops(&mut book, charge, Some(0), START), None);
    });
    with("agent", "openai", |charge| {
        assert_eq!(stops(&mut book, charge, Some(90), START), None);
        assert_eq!(stops(&mut book, charge, Some(91), START), Some(id("all")));
    });
}

#[test]
fn a_new_period_begins_with_nothing_spent_and_keeps_what_is_reserved() {
    let mut book = book(&[("all", budget(10, None))]);
    with("a", "b", |charge| {
        spend(&mut book, charge, 9, at(DAY_MS - 1));
        let reserved = book.reserve(&[*charge], exactly(1));
        assert!(stops(&mut book, charge, None, at(DAY_MS - 1)).is_some());
        assert!(stops(&mut book, charge, Some(9), at(DAY_MS)).is_none());
        assert!(stops(&mut book, charge, Some(10), at(DAY_MS)).is_some());
        book.release(&reserved, exactly(1));
        assert!(stops(&mut book, charge, Some(10), at(DAY_MS)).is_none());
    });
}

fn loaded(spent: i64) -> LoadedSpending {
    LoadedSpending { spent: NanoUsd::new(spent), ..LoadedSpending::default() }
}

#[test]
fn a_correction_keeps_what_was_spent_meanwhile_and_another_period_is_left_alone() {
    let mut book = book(&[("all", budget(100, None))]);
    with("a", "b", |charge| spend(&mut book, charge, 5, START));
    book.correct(&id("all"), START, NanoUsd::ZERO, loaded(40));
    assert_eq!(book.statuses(START)[0].spent, NanoUsd::new(45));
    book.correct(&id("all"), at(-DAY_MS), NanoUsd::ZERO, loaded(1));
    assert_eq!(book.statuses(START)[0].spent, NanoUsd::new(45));
}

#[test]
fn another_limit_keeps_what_was_spent_and_another_scope_does_not() {
    let mut book = book(&[("x", budget(100, None))]);
    with("a", "b", |charge| spend(&mut book, charge, 5, START));
    book.configure([(id("x"), budget(50, None))], TimeZone::UTC, START);
    assert_eq!(book.statuses(START)[0].spent, NanoUsd::new(5));
    let scope = Some((BudgetDimension::Model, "m"));
    book.configure([(id("x"), budget(50, scope))], TimeZone::UTC, START);
    assert_eq!(book.statuses(START)[0].spent, NanoUsd::ZERO);
}

#[test]
fn a_mark_is_reached_once_and_in_order() {
    let mut book = book(&[("all", budget(100, None))]);
    let marks = |book: &mut BudgetBook, at| -> Vec<String> {
        book.statuses(at)[0].marks(at).iter().map(BudgetMark::to_string).collect()
    };
    with("a", "b", |charge| {
        assert!(!spend(&mut book, charge, 49, START));
        assert_eq!(marks(&mut book, START), [""; 0]);
        assert!(spend(&mut book, charge, 1, START));
        assert!(!spend(&mut book, charge, 1, START));
        assert_eq!(marks(&mut book, START), ["50"]);
        // Two at once.
        assert!(spend(&mut book, charge, 44, START));
        assert_eq!(marks(&mut book, START), ["50", "80", "95"]);
        assert!(book.refuse(&id("all"), START).0 && !book.refuse(&id("all"), START).0);
        assert_eq!(marks(&mut book, START), ["50", "80", "95", "refused"]);
        assert_eq!(marks(&mut book, at(DAY_MS)), [""; 0]);
    });
}

#[test]
fn a_budget_that_only_tells_refuses_nothing() {
    let tells = Budget { action: BudgetAction::Tell, ..budget(10, None) };
    let mut book = book(&[("all", tells)]);
    with("a", "b", |charge| {
        assert!(spend(&mut book, charge, 10, START));
        assert_eq!(stops(&mut book, charge, Some(5), START), None);
    });
}

#[test]
fn what_is_allowed_more_counts_until_it_ends_and_is_asked_for_again() {
    let mut book = book(&[("all", budget(10, None))]);
    let more = BudgetAllowance { amount: NanoUsd::new(5), at: START, until: at(1_000) };
    with("a", "b", |charge| {
        spend(&mut book, charge, 10, START);
        assert!(book.refuse(&id("all"), START).0);
        let allowed = LoadedSpending { allowances: vec![more], ..loaded(10) };
        book.correct(&id("all"), START, NanoUsd::new(10), allowed);
        assert_eq!(stops(&mut book, charge, Some(5), at(999)), None);
        assert!(!book.statuses(START)[0].marks(START).contains(&BudgetMark::Refused));
        assert!(stops(&mut book, charge, Some(6), at(999)).is_some());
        assert!(book.refuse(&id("all"), START).0);
        assert!(stops(&mut book, charge, Some(1), at(1_000)).is_some());
    });
}

#[test]
fn a_budget_may_refuse_what_it_cannot_count() {
    let strict = Budget { refuse_unpriced: true, ..budget(10, None) };
    let tells = Budget { action: BudgetAction::Tell, ..strict.clone() };
    let (mut strict, mut tells) = (book(&[("strict", strict)]), book(&[("tells", tells)]));
    with("editor", "up", |charge| {
        assert_eq!(stops(&mut strict, charge, None, START), Some(id("strict")));
        assert_eq!(stops(&mut strict, charge, Some(0), START), None);
        assert_eq!(stops(&mut strict, charge, Some(10), START), None);
        assert_eq!(stops(&mut tells, charge, None, START), None);
    });
}

#[test]
fn the_forecast_waits_for_a_fifth_of_the_period() {
    let mut book = book(&[("all", budget(100, None))]);
    with("a", "b", |charge| spend(&mut book, charge, 50, START));
    let mut used_up = |ms: i64| book.statuses(at(ms))[0].used_up_at(at(ms));
    assert_eq!(used_up(DAY_MS / 5 - 1), None);
    assert_eq!(used_up(DAY_MS / 5), Some(at(DAY_MS / 5 * 2)));
    assert_eq!(used_up(DAY_MS / 2 - 1), Some(at(DAY_MS - 2)));
    // The rest is enough for the rest of the day.
    assert_eq!(used_up(DAY_MS / 2), None);
    with("a", "b", |charge| spend(&mut book, charge, 50, at(DAY_MS / 2)));
    // Used up already.
    assert_eq!(book.statuses(at(DAY_MS / 2))[0].used_up_at(at(DAY_MS / 2)), None);
}

#[test]
fn a_rolling_window_keeps_what_it_spent_until_the_ledger_says_what_has_left_it() {
    let rolling = Budget { schedule: BudgetSchedule::Rolling { days: 1 }, ..budget(10, None) };
    let mut book = book(&[("all", rolling)]);
    with("a", "b", |charge| {
        spend(&mut book, charge, 10, START);
        let later = at(DAY_MS + 900_000);
        assert!(stops(&mut book, charge, Some(1), later).is_some());
        let from = book.statuses(later)[0].from;
        assert_eq!((from, book.statuses(later)[0].used_up_at(later)), (at(900_000), None));
        book.correct(&id("all"), from, NanoUsd::new(10), loaded(0));
        assert_eq!(stops(&mut book, charge, Some(10), later), None);
    });
}

#[test]
fn what_a_kill_cut_off_counts_until_the_period_ends() {
    let mut book = book(&[("all", budget(100, None))]);
    let interrupted = Interrupted { requests: 3, amount: NanoUsd::new(60) };
    let loaded = LoadedSpending { interrupted, ..loaded(30) };
    book.correct(&id("all"), START, NanoUsd::ZERO, loaded);
    with("a", "b", |charge| {
        assert_eq!(stops(&mut book, charge, Some(10), START), None);
        assert_eq!(stops(&mut book, charge, Some(11), START), Some(id("all")));
        assert_eq!(book.statuses(START)[0].marks(START), [50, 80].map(BudgetMark::Spent));
        assert_eq!(stops(&mut book, charge, Some(100), at(DAY_MS)), None);
    });
}

#[test]
fn a_request_without_a_known_longest_answer_is_counted_as_such() {
    let mut book = book(&[("all", budget(100, None))]);
    let open = Reservation { amount: NanoUsd::new(5), at_most: None };
    let budgets = with("a", "b", |charge| book.reserve(&[*charge], open));
    let reserved = book.statuses(START)[0].reserved;
    let expected =
        Reserved { amount: NanoUsd::new(5), slack: NanoUsd::ZERO, unbounded_requests: 1 };
    assert_eq!(reserved, expected);
    book.release(&budgets, open);
    assert_eq!(book.statuses(START)[0].reserved, Reserved::default());
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
                    let (budgets, reserved): (Vec<BudgetId>, Reservation) = open.remove(0);
                    book.release(&budgets, reserved);
                    spend(&mut book, charge, reserved.amount.nanos(), START);
                } else if stops(&mut book, charge, Some(amount), START).is_none() {
                    open.push((book.reserve(&[*charge], exactly(amount)), exactly(amount)));
                }
                let status = &book.statuses(START)[0];
                assert!(status.taken() <= status.budget.limit);
            }
        });
    }

    /// Whatever answers cost up to what they may, the limit is passed by no more than the slack
    /// that was shown when the last of them was admitted.
    #[test]
    fn a_limit_is_passed_by_no_more_than_the_slack(
        requests in prop::collection::vec((0_i64..40, 0_i64..200, 0_i64..=100), 1..40),
    ) {
        let mut book = book(&[("all", budget(100, None))]);
        let mut open = Vec::new();
        with("a", "b", |charge| {
            for (amount, more, percent) in requests {
                if stops(&mut book, charge, Some(amount), START).is_some() {
                    continue;
                }
                let at_most = Some(NanoUsd::new(amount + more));
                let reservation = Reservation { amount: NanoUsd::new(amount), at_most };
                let budgets = book.reserve(&[*charge], reservation);
                open.push((budgets, reservation, amount + more * percent / 100));
            }
            let slack = book.statuses(START)[0].reserved.slack;
            for (budgets, reservation, cost) in open {
                book.release(&budgets, reservation);
                spend(&mut book, charge, cost, START);
            }
            let status = &book.statuses(START)[0];
            assert!(status.spent <= status.budget.limit + slack);
            assert_eq!(status.reserved, Reserved::default());
        });
    }
}
