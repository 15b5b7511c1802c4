//! Totals of what was stated alone and of what is computed alone.

use domain::{CostBasis, Meter, NanoUsd};
use pricing::{Cost, LineItem, Rate};

use super::rollups::{DIMENSIONS, check_against_recount, query};
use super::{
    LedgerFixture, answered_attempt, attempt, back_to_version_36, backend, request, settlement,
};
use crate::file::database;
use crate::{AttemptRecord, GroupBy, Ledger, LedgerLimits, Settlement, UsageKey, UsageSummary};

fn reported(nanos: i64) -> Cost {
    Cost::Reported(NanoUsd::new(nanos))
}

fn computed(nanos: i64) -> Cost {
    Cost::Computed { amount: NanoUsd::new(nanos), price_id: "p".to_owned() }
}

/// What the price list computes; `None` for a meter that it has no rate of.
fn line(amount: Option<i64>) -> LineItem {
    let rate = amount.map(|_| Rate::new(1_000));
    LineItem { meter: Meter::Input, quantity: 1, rate, amount: amount.map(NanoUsd::new) }
}

/// Failed at `a`, then answered by `b`.
fn failed_over(
    number: u32,
    first: (Cost, Vec<LineItem>),
    second: (Cost, Vec<LineItem>),
) -> Settlement {
    let mut failed = attempt("a", Some("bad_answer"));
    let mut answer = AttemptRecord { usage: answered_attempt().usage, ..attempt("b", None) };
    (failed.cost, failed.lines) = first;
    (answer.cost, answer.lines) = second;
    let mut ended = settlement(number);
    (ended.backend, ended.credential) = (Some(backend("b")), None);
    ended.model_billed = Some("gpt-4.1".to_owned());
    ended.cost = Cost::total([&failed.cost, &answer.cost]);
    ended.attempts = vec![failed, answer];
    ended
}

async fn by_backend(ledger: &Ledger, basis: CostBasis) -> Vec<(String, i64, u64, u64)> {
    let groups = ledger.usage(query(GroupBy::Backend).basis(basis)).await.expect("read").groups;
    let name = |key: UsageKey| match key {
        UsageKey::Named(name) => name,
        other => format!("{other:?}"),
    };
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|(key, sum)| (name(key), sum.cost.nanos(), sum.requests, sum.unpriced_requests))
        .collect();
    groups.sort();
    groups
}

#[tokio::test]
async fn each_attempt_counts_on_each_basis_where_it_was_made() {
    let named = |name: &str, cost, requests, unknown| (name.to_owned(), cost, requests, unknown);
    for (ended, on_reported, on_computed) in [
        (
            failed_over(1, (reported(100), vec![line(Some(70))]), (computed(200), vec![])),
            [named("a", 100, 0, 0), named("b", 0, 1, 1)],
            [named("a", 70, 0, 0), named("b", 200, 1, 0)],
        ),
        (
            failed_over(1, (computed(100), vec![]), (reported(200), vec![line(None)])),
            [named("a", 0, 0, 1), named("b", 200, 1, 0)],
            [named("a", 100, 0, 0), named("b", 0, 1, 1)],
        ),
        // Two of unknown cost: the request counts once, at the later one.
        (
            failed_over(1, (reported(100), vec![]), (Cost::Unpriced, vec![line(Some(9))])),
            [named("a", 100, 0, 0), named("b", 0, 1, 1)],
            [named("a", 0, 0, 0), named("b", 0, 1, 1)],
        ),
    ] {
        let place = LedgerFixture::new();
        let ledger = place.open();
        ledger.settle(ended).await.expect("settled");
        assert_eq!(by_backend(&ledger, CostBasis::Reported).await, on_reported);
        assert_eq!(by_backend(&ledger, CostBasis::Computed).await, on_computed);
        for group_by in DIMENSIONS {
            check_against_recount(&ledger, group_by).await;
        }
    }
}

#[tokio::test]
async fn what_nothing_was_billed_for_is_known_on_every_basis() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut cached = settlement(1);
    (cached.cost, cached.attempts) = (Cost::NotBilled, Vec::new());
    ledger.settle(cached).await.expect("settled");
    for basis in CostBasis::ALL {
        let totals = ledger.usage(query(GroupBy::Model).basis(*basis)).await.expect("read").totals;
        let told = (totals.cost, totals.requests, totals.unpriced_requests);
        assert_eq!(told, (NanoUsd::ZERO, 1, 0), "{basis}");
    }
}

/// All sums of a ledger with requests of every kind over some hours.
async fn sums(ledger: &Ledger) -> Vec<UsageSummary> {
    let mut all = Vec::new();
    for group_by in DIMENSIONS {
        for basis in CostBasis::ALL {
            all.push(ledger.usage(query(group_by).basis(*basis)).await.expect("read"));
        }
    }
    all
}

async fn fill(ledger: &Ledger) {
    let second = |hour: u32| hour * 3_600;
    for ended in [
        settlement(second(0)),
        failed_over(second(1), (reported(100), vec![line(Some(70))]), (computed(200), vec![])),
        failed_over(second(2), (computed(100), vec![]), (reported(200), vec![line(None)])),
        failed_over(second(2) + 1, (Cost::Unpriced, vec![]), (computed(5), vec![])),
        settlement(second(4)),
        failed_over(
            second(6),
            (reported(0), vec![line(Some(8))]),
            (reported(3), vec![line(Some(4))]),
        ),
        Settlement { cost: Cost::NotBilled, attempts: vec![], ..settlement(second(7)) },
        settlement(second(9)),
    ] {
        ledger.settle(ended).await.expect("settled");
    }
    ledger.wait_until_folded().await;
}

fn upgrade_from_36(place: &LedgerFixture, more: &str) {
    let older = format!("{more} {} PRAGMA user_version = 36;", back_to_version_36());
    place.raw().execute_batch(&older).expect("an older file");
    drop(database::open(&place.path(), LedgerLimits::default(), database::MIGRATIONS).expect("up"));
}

/// Until version 38 only the known costs were summed.
#[tokio::test]
async fn sums_of_version_36_are_told_apart_by_their_requests() {
    let place = LedgerFixture::new();
    let before = {
        let ledger = place.open();
        fill(&ledger).await;
        sums(&ledger).await
    };
    upgrade_from_36(&place, "");
    let ledger = place.open();
    assert_eq!(sums(&ledger).await, before);
    ledger.wait_until_folded().await;
    assert_eq!(sums(&ledger).await, before);
    for group_by in DIMENSIONS {
        check_against_recount(&ledger, group_by).await;
    }
}

/// Nothing tells their attempts: unknown, not zero.
#[tokio::test]
async fn deleted_requests_of_version_36_are_known_on_no_other_basis() {
    let place = LedgerFixture::new();
    let before = {
        let ledger = place.open();
        fill(&ledger).await;
        ledger.usage(query(GroupBy::Backend)).await.expect("read")
    };
    let gone = request(3_600 * 3).id;
    upgrade_from_36(
        &place,
        &format!(
            "DELETE FROM attempts WHERE request_id < '{gone}'; DELETE FROM decisions;
             DELETE FROM requests WHERE id < '{gone}';
             INSERT INTO purged_requests SELECT id, '{gone}' FROM identity;"
        ),
    );
    let ledger = place.open();
    ledger.wait_until_folded().await;
    let on = async |basis| ledger.usage(query(GroupBy::Backend).basis(basis)).await.expect("read");
    assert_eq!(on(CostBasis::Known).await, before);
    let told = |sum: &UsageSummary| {
        (sum.totals.cost.nanos(), sum.totals.requests, sum.totals.unpriced_requests)
    };
    // Four are deleted, and the hour of the first that is kept stays as it was. The others are one of
    // which all is stated and computed, one that nothing was billed for, and one of which the failed
    // attempt is stated and the answer is computed.
    assert_eq!(told(&on(CostBasis::Reported).await), (3 + 234_000, 8, 6));
    assert_eq!(told(&on(CostBasis::Computed).await), (8 + 4 + 1_000_000, 8, 6));
}
