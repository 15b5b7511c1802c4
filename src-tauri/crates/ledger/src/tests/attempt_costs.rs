//! Costs of attempts are booked where they were made, and under every name of their model.

use domain::{BudgetDimension, CredentialId, DAY_MS, NanoUsd, WallTime};
use pricing::{Cost, Unpriced, UnpricedReason};

use super::rollups::{DIMENSIONS, check_against_recount, query};
use super::{
    LedgerFixture, NOW_MS, answered_attempt, at, attempt, back_to_version_36, backend, request,
    settlement,
};
use crate::file::database;
use crate::{
    BilledName, DimensionFilter, GroupBy, Ledger, LedgerLimits, RequestOutcome, RequestQuery,
    Settlement, UsageKey, WasteKind,
};

fn priced(nanos: i64) -> Cost {
    Cost::Reported(NanoUsd::new(nanos))
}

/// Asked for as `smart`: backend `a` took $0.10 for nothing under the key `ka`, then `b` answered for
/// $0.20 as `gpt-4o` and billed it by its dated name.
fn failed_over(number: u32) -> Settlement {
    let mut first = attempt("a", Some("bad_answer"));
    (first.cost, first.model) = (priced(100), "claude".to_owned());
    first.credential = CredentialId::new("ka").ok();
    let mut second = attempt("b", None);
    (second.cost, second.model) = (priced(200), "gpt-4o".to_owned());
    second.credential = CredentialId::new("kb").ok();
    second.usage = answered_attempt().usage;
    let mut ended = settlement(number);
    ended.request.model_asked = "smart".to_owned();
    ended.backend = Some(backend("b"));
    ended.credential = CredentialId::new("kb").ok();
    ended.model_billed = Some("gpt-4o-2024-08-06".to_owned());
    ended.attempts = vec![first, second];
    ended.cost = Cost::total(ended.attempts.iter().map(|attempt| &attempt.cost));
    ended
}

async fn spent(ledger: &Ledger, dimension: BudgetDimension, name: &str) -> i64 {
    let scope = Some((dimension, name.to_owned()));
    ledger.spend_in(scope, at(0), at(DAY_MS)).await.expect("read").cost.nanos()
}

async fn costs(ledger: &Ledger, group_by: GroupBy) -> Vec<(UsageKey, i64, u64)> {
    let groups = ledger.usage(query(group_by)).await.expect("read").groups;
    groups.into_iter().map(|(key, sum)| (key, sum.cost.nanos(), sum.requests)).collect()
}

/// The sums of one request that failed over.
async fn check_books(ledger: &Ledger) {
    let named =
        |name: &str, nanos: i64, requests| (UsageKey::Named(name.to_owned()), nanos, requests);
    assert_eq!(costs(ledger, GroupBy::Backend).await, [named("b", 200, 1), named("a", 100, 0)]);
    assert_eq!(
        costs(ledger, GroupBy::Credential).await,
        [named("kb", 200, 1), named("ka", 100, 0)]
    );
    let models = [named("gpt-4o-2024-08-06", 200, 1), named("claude", 100, 0)];
    assert_eq!(costs(ledger, GroupBy::Model).await, models);
    assert_eq!(costs(ledger, GroupBy::Client).await, [named("editor", 300, 1)]);
    for (dimension, name, nanos) in [
        (BudgetDimension::Backend, "a", 100),
        (BudgetDimension::Backend, "b", 200),
        (BudgetDimension::Credential, "ka", 100),
        (BudgetDimension::Credential, "kb", 200),
        (BudgetDimension::Client, "editor", 300),
        (BudgetDimension::Project, "website", 300),
        // What was sent, what was billed and what was asked for; each once.
        (BudgetDimension::Model, "gpt-4o", 200),
        (BudgetDimension::Model, "gpt-4o-2024-08-06", 200),
        (BudgetDimension::Model, "claude", 100),
        (BudgetDimension::Model, "smart", 300),
        (BudgetDimension::Model, "gpt", 0),
    ] {
        assert_eq!(spent(ledger, dimension, name).await, nanos, "{name}");
    }
    for group_by in DIMENSIONS {
        check_against_recount(ledger, group_by).await;
    }
    check_waste(ledger).await;
}

/// All that was wasted was wasted at `a`, and is found there.
async fn check_waste(ledger: &Ledger) {
    for (group_by, name, nanos, requests) in [
        (GroupBy::Backend, "a", 100, 1),
        (GroupBy::Backend, "b", 0, 0),
        (GroupBy::Credential, "ka", 100, 1),
        (GroupBy::Credential, "kb", 0, 0),
        (GroupBy::Model, "claude", 100, 1),
        (GroupBy::Model, "gpt-4o-2024-08-06", 0, 0),
        (GroupBy::Client, "editor", 100, 1),
    ] {
        let filter: DimensionFilter = [(group_by, name.to_owned())].into_iter().collect();
        let usage = ledger.usage(query(group_by).filter(filter.clone())).await.expect("read");
        assert_eq!(usage.totals.wasted.nanos(), nanos, "{name}");
        let retried = ledger.retried_requests(at(0), at(DAY_MS), filter).await.expect("read");
        assert_eq!((retried.requests, retried.unpriced_requests), (requests, 0), "{name}");
    }
    for (name, requests) in [("a", 1), ("b", 0)] {
        let query = RequestQuery {
            backend: Some(backend(name)),
            waste: Some(WasteKind::Retries),
            ..RequestQuery::newest(9)
        };
        assert_eq!(ledger.requests(query).await.expect("read").len(), requests, "{name}");
    }
}

#[tokio::test]
async fn a_failed_request_is_wasted_where_its_attempts_were_made() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut ended = failed_over(1);
    ended.outcome = RequestOutcome::Failed;
    ended.attempts[1].error_class = Some("cut".to_owned());
    ledger.settle(ended).await.expect("settled");
    for (name, nanos) in [("a", 100), ("b", 200)] {
        let filter: DimensionFilter = [(GroupBy::Backend, name.to_owned())].into_iter().collect();
        let failed = ledger.failed_costs(at(0), at(DAY_MS), filter.clone()).await.expect("read");
        assert_eq!((failed.cost.nanos(), failed.wasted.nanos()), (nanos, nanos), "{name}");
        let totals = ledger.usage(query(GroupBy::Route).filter(filter)).await.expect("read").totals;
        assert_eq!((totals.cost.nanos(), totals.wasted.nanos()), (nanos, nanos), "{name}");
    }
}

/// Until version 36 the answer's names had the waste of all attempts.
#[tokio::test]
async fn waste_of_version_35_is_booked_where_it_was_made() {
    let place = LedgerFixture::new();
    {
        let ledger = place.open();
        ledger.settle(failed_over(1)).await.expect("settled");
    }
    let older = format!(
        "UPDATE rollup_quarter SET wasted_nano_usd = 100 * (backend = 'b');
         {} PRAGMA user_version = 35;",
        back_to_version_36()
    );
    place.raw().execute_batch(&older).expect("an older file");
    drop(database::open(&place.path(), LedgerLimits::default(), database::MIGRATIONS).expect("up"));
    check_books(&place.open()).await;
}

#[tokio::test]
async fn what_a_failed_attempt_cost_is_booked_where_it_was_made() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    ledger.settle(failed_over(1)).await.expect("settled");
    check_books(&ledger).await;
    // Folded hours say the same.
    let mut later = settlement(7 * 3_600);
    later.attempts.clear();
    (later.cost, later.request.purpose) = (Cost::NotBilled, crate::Purpose::Health);
    ledger.settle(later).await.expect("settled");
    ledger.wait_until_folded().await;
    let found = ledger.billed_names().await.expect("read");
    let dated = BilledName {
        backend: backend("b"),
        model: "gpt-4o".to_owned(),
        billed: "gpt-4o-2024-08-06".to_owned(),
    };
    assert!(found.contains(&dated), "{found:?}");
    assert_eq!(spent(&ledger, BudgetDimension::Backend, "a").await, 100);
    assert_eq!(spent(&ledger, BudgetDimension::Model, "gpt-4o").await, 200);
}

#[tokio::test]
async fn the_newest_billed_name_is_that_of_an_answer_and_of_this_device() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let billed = |number, name: &str| Settlement {
        model_billed: Some(name.to_owned()),
        ..failed_over(number)
    };
    let mut broken = billed(3, "broken");
    broken.attempts[1].error_class = Some("cut".to_owned());
    let mut silent = billed(4, "silent");
    silent.attempts[1].usage = None;
    for ended in [billed(1, "older"), billed(2, "newer"), broken, silent, billed(5, "away")] {
        ledger.settle(ended).await.expect("settled");
    }
    drop(ledger);
    let away = "UPDATE requests SET device = 7 WHERE model_billed = 'away'";
    assert_eq!(place.raw().execute(away, []).expect("changed"), 1);
    let ledger = place.open();
    let names = || async { ledger.billed_names().await.expect("read") };
    let billed_names: Vec<String> = names().await.into_iter().map(|name| name.billed).collect();
    assert_eq!(billed_names, ["newer"]);
    // A backend that bills the name that it is sent again has no other.
    ledger.settle(billed(6, "gpt-4o")).await.expect("settled");
    assert_eq!(names().await, []);
}

/// It may have cost something: the answer's price is not all.
#[tokio::test]
async fn a_request_with_an_attempt_of_unknown_cost_counts_as_unpriced_and_keeps_what_is_known() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    ledger.settle(unpriced_at_a(1)).await.expect("settled");
    let totals = ledger.usage(query(GroupBy::Model)).await.expect("read").totals;
    assert_eq!((totals.cost.nanos(), totals.requests, totals.unpriced_requests), (200, 1, 1));
    let spend = ledger.spend(at(0), at(DAY_MS)).await.expect("read");
    assert_eq!((spend.cost.nanos(), spend.unpriced_requests), (200, 1));
    let (row, _) = ledger.request(request(1).id).await.expect("read").expect("a request");
    assert_eq!((row.known_cost(), row.is_unpriced()), (Some(NanoUsd::new(200)), true));
    let unpriced = RequestQuery { is_unpriced: true, ..RequestQuery::newest(9) };
    let rows = ledger.requests(unpriced).await.expect("read");
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.unpriced.as_ref().map(|why| why.reason), Some(UnpricedReason::NoUsage));
    check_unpriced_at_a(&ledger).await;
}

async fn unpriced(ledger: &Ledger, group_by: GroupBy) -> Vec<(UsageKey, u64)> {
    let groups = ledger.usage(query(group_by)).await.expect("read").groups;
    let counted = groups.into_iter().filter(|(_, sum)| sum.is_partly_unpriced());
    counted.map(|(key, sum)| (key, sum.unpriced_requests)).collect()
}

/// One request failed over from `a`, whose attempt has no known cost, to `b`, whose answer has one.
async fn check_unpriced_at_a(ledger: &Ledger) {
    let named = |name: &str| (UsageKey::Named(name.to_owned()), 1);
    for (group_by, name) in [
        (GroupBy::Backend, "a"),
        (GroupBy::Credential, "ka"),
        (GroupBy::Model, "claude"),
        (GroupBy::Client, "editor"),
        (GroupBy::Project, "website"),
    ] {
        assert_eq!(unpriced(ledger, group_by).await, [named(name)]);
    }
    for (dimension, name, requests) in [
        (BudgetDimension::Backend, "a", 1),
        (BudgetDimension::Backend, "b", 0),
        (BudgetDimension::Credential, "kb", 0),
        (BudgetDimension::Client, "editor", 1),
        (BudgetDimension::Model, "claude", 1),
        (BudgetDimension::Model, "smart", 1),
        (BudgetDimension::Model, "gpt-4o", 0),
        (BudgetDimension::Model, "gpt-4o-2024-08-06", 0),
    ] {
        let scope = Some((dimension, name.to_owned()));
        let spend = ledger.spend_in(scope, at(0), at(DAY_MS)).await.expect("read");
        assert_eq!(spend.unpriced_requests, requests, "{name}");
    }
    for group_by in DIMENSIONS {
        check_against_recount(ledger, group_by).await;
    }
    let everything = DimensionFilter::default();
    let models = ledger.unpriced_models(at(0), at(DAY_MS), everything).await.expect("read");
    let [model] = models.as_slice() else { panic!("{models:?}") };
    assert_eq!((model.model.as_str(), model.backend.as_deref()), ("claude", Some("a")));
    assert_eq!(model.unpriced.as_ref().map(|why| why.reason), Some(UnpricedReason::NoUsage));
    let found = async |at_backend: &str, model: &str| {
        let query = RequestQuery {
            backend: Some(backend(at_backend)),
            model: Some(model.to_owned()),
            is_unpriced: true,
            ..RequestQuery::newest(9)
        };
        ledger.requests(query).await.expect("read").len()
    };
    assert_eq!(found("a", "claude").await, 1);
    assert_eq!(found("a", "smart").await, 1);
    assert_eq!(found("a", "gpt-4o-2024-08-06").await, 0);
    assert_eq!(found("b", "gpt-4o-2024-08-06").await, 0);
}

fn unpriced_at_a(number: u32) -> Settlement {
    let mut ended = failed_over(number);
    ended.attempts[0].cost = Cost::Unpriced;
    ended.attempts[0].unpriced = Some(UnpricedReason::NoUsage.into());
    ended.cost = Cost::total(ended.attempts.iter().map(|attempt| &attempt.cost));
    ended
}

/// It counts once in every sum, at the later one, and nothing says that the other had a cost.
#[tokio::test]
async fn a_request_with_two_attempts_of_unknown_cost_counts_once_and_both_are_named() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut ended = unpriced_at_a(1);
    ended.attempts[1].cost = Cost::Unpriced;
    ended.attempts[1].unpriced = Some(UnpricedReason::NoPrice.into());
    ended.cost = Cost::Unpriced;
    ledger.settle(ended).await.expect("settled");
    let named = |name: &str, requests| (UsageKey::Named(name.to_owned()), requests);
    assert_eq!(unpriced(&ledger, GroupBy::Backend).await, [named("b", 1), named("a", 0)]);
    assert_eq!(unpriced(&ledger, GroupBy::Client).await, [named("editor", 1)]);
    for name in ["a", "b"] {
        let scope = Some((BudgetDimension::Backend, name.to_owned()));
        let spend = ledger.spend_in(scope, at(0), at(DAY_MS)).await.expect("read");
        assert_eq!(spend.unpriced_requests, 1, "{name}");
    }
    let everything = DimensionFilter::default();
    let models = ledger.unpriced_models(at(0), at(DAY_MS), everything).await.expect("read");
    let shown: Vec<_> = models
        .iter()
        .map(|model| (model.model.as_str(), model.unpriced.as_ref().map(|why| why.reason)))
        .collect();
    let expected = [
        ("claude", Some(UnpricedReason::NoUsage)),
        ("gpt-4o-2024-08-06", Some(UnpricedReason::NoPrice)),
    ];
    assert_eq!(shown, expected);
    for group_by in DIMENSIONS {
        check_against_recount(&ledger, group_by).await;
    }
}

/// Until version 36 an attempt of unknown cost counted at the answer.
#[tokio::test]
async fn unpriced_attempts_of_version_35_are_booked_where_they_were_made() {
    let place = LedgerFixture::new();
    {
        let ledger = place.open();
        ledger.settle(unpriced_at_a(1)).await.expect("settled");
    }
    let slot = NOW_MS - NOW_MS % 900_000;
    place
        .raw()
        .execute_batch(&format!(
            "DELETE FROM rollup_quarter WHERE backend = 'a';
             UPDATE rollup_quarter SET unpriced_requests = 1, unpriced_attempts = 1;
             UPDATE rollup_model_names SET unpriced_requests = 1
              WHERE model = 'gpt-4o-2024-08-06';
             DELETE FROM rollup_model_names WHERE model = 'claude';
             INSERT INTO rollup_hour (dimension, slot_ms, purpose, name, {sums})
               SELECT 'backend', slot_ms - slot_ms % 3600000, purpose, backend, {sums}
               FROM rollup_quarter WHERE slot_ms = {slot};
             UPDATE rollup_folded SET until_ms = {slot} + 7200000;
             {older} PRAGMA user_version = 35;",
            older = back_to_version_36(),
            sums = crate::rollup::rollup_sums::sum_columns(),
        ))
        .expect("an older file");
    drop(database::open(&place.path(), LedgerLimits::default(), database::MIGRATIONS).expect("up"));
    check_unpriced_at_a(&place.open()).await;
}

/// What the failed attempt cost is spent all the same.
/// Nothing was billed, so the roll-ups have the name that the client asked for.
#[tokio::test]
async fn an_attempt_without_a_billed_name_is_found_by_the_name_that_it_counts_under() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut ended = settlement(1);
    ended.request.model_asked = "smart".to_owned();
    (ended.model_billed, ended.cost) = (None, Cost::Unpriced);
    ended.outcome = RequestOutcome::Failed;
    let mut only = attempt("a", Some("timeout"));
    (only.cost, only.model) = (Cost::Unpriced, "claude".to_owned());
    ended.attempts = vec![only];
    ledger.settle(ended).await.expect("settled");
    for (model, found) in [("smart", 1), ("claude", 0)] {
        let filter = [(GroupBy::Model, model.to_owned())].into_iter().collect();
        let sums = ledger.usage(query(GroupBy::Backend).filter(filter)).await.expect("read");
        assert_eq!(sums.totals.unpriced_requests, found, "{model}");
        let rows = RequestQuery {
            model: Some(model.to_owned()),
            is_unpriced: true,
            ..RequestQuery::newest(9)
        };
        assert_eq!(ledger.requests(rows).await.expect("read").len() as u64, found, "{model}");
    }
}

#[tokio::test]
async fn each_model_of_one_backend_has_its_own_reason() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut ended = settlement(1);
    let unpriced = |model: &str, error: Option<&str>, reason| {
        let mut one = attempt("a", error);
        (one.cost, one.model) = (Cost::Unpriced, model.to_owned());
        one.unpriced = Some(Unpriced { reason, detail: None });
        one
    };
    ended.request.model_asked = "gpt".to_owned();
    (ended.model_billed, ended.cost) = (None, Cost::Unpriced);
    ended.backend = Some(backend("a"));
    ended.attempts = vec![
        unpriced("claude", Some("timeout"), UnpricedReason::NoUsage),
        unpriced("gpt", None, UnpricedReason::NoPrice),
    ];
    ledger.settle(ended).await.expect("settled");
    let all = ledger.unpriced_models(at(0), at(DAY_MS), DimensionFilter::default()).await;
    let all = all.expect("read");
    let reason = |model: &str| {
        let found = all.iter().find(|it| it.model == model);
        found.and_then(|it| it.unpriced.as_ref()).map(|why| why.reason)
    };
    assert_eq!(reason("claude"), Some(UnpricedReason::NoUsage), "{all:?}");
    assert_eq!(reason("gpt"), Some(UnpricedReason::NoPrice), "{all:?}");
}

#[tokio::test]
async fn an_answer_of_unknown_cost_loses_nothing_that_an_attempt_before_it_cost() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut ended = failed_over(1);
    ended.attempts[1].cost = Cost::Unpriced;
    ended.cost = Cost::total(ended.attempts.iter().map(|attempt| &attempt.cost));
    assert_eq!(ended.cost, Cost::Unpriced);
    ledger.settle(ended).await.expect("settled");
    let all = ledger.spend(at(0), at(DAY_MS)).await.expect("read");
    assert_eq!((all.cost.nanos(), all.unpriced_requests), (100, 1));
    let (row, _) = ledger.request(request(1).id).await.expect("read").expect("a request");
    assert_eq!((row.known_cost(), row.is_unpriced()), (Some(NanoUsd::new(100)), true));
    for (dimension, name, nanos) in [
        (BudgetDimension::Backend, "a", 100),
        (BudgetDimension::Backend, "b", 0),
        (BudgetDimension::Model, "claude", 100),
        (BudgetDimension::Model, "gpt-4o", 0),
        (BudgetDimension::Model, "smart", 100),
    ] {
        assert_eq!(spent(&ledger, dimension, name).await, nanos, "{name}");
    }
    for group_by in DIMENSIONS {
        check_against_recount(&ledger, group_by).await;
    }
}

/// Until version 35 the last backend had the cost of all attempts, and a model one name.
#[tokio::test]
async fn sums_of_version_34_are_booked_by_attempt() {
    let place = LedgerFixture::new();
    let before = {
        let ledger = place.open();
        ledger.settle(failed_over(1)).await.expect("settled");
        ledger.usage(query(GroupBy::Route)).await.expect("read").totals
    };
    // As version 34 had left it, with its hour folded.
    let slot = NOW_MS - NOW_MS % 900_000;
    place
        .raw()
        .execute_batch(&format!(
            "DROP TABLE rollup_model_names;
             DELETE FROM rollup_quarter WHERE backend = 'a';
             UPDATE rollup_quarter SET cost_nano_usd = 300, wasted_nano_usd = 100;
             INSERT INTO rollup_hour (dimension, slot_ms, purpose, name, {sums})
               SELECT 'backend', slot_ms - slot_ms % 3600000, purpose, backend, {sums} FROM rollup_quarter WHERE slot_ms = {slot};
             UPDATE rollup_folded SET until_ms = {slot} + 7200000;
             {older} PRAGMA user_version = 34;",
            older = back_to_version_36(),
            sums = crate::rollup::rollup_sums::sum_columns(),
        ))
        .expect("an older file");
    let steps = database::MIGRATIONS;
    assert!(steps[34].contains("TABLE rollup_model_names"));
    drop(database::open(&place.path(), LedgerLimits::default(), steps).expect("upgraded"));
    let ledger = place.open();
    check_books(&ledger).await;
    assert_eq!(ledger.usage(query(GroupBy::Route)).await.expect("read").totals, before);
    assert_eq!(request(1).started, WallTime::from_unix_ms(NOW_MS + 1_000));
}
