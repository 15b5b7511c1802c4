//! The most expensive requests and the steps of costs against a recount, folded or not.

use std::cmp::Reverse;

use domain::{HOUR_MS, NanoUsd, WallTime};
use pricing::Cost;
use proptest::prelude::*;

use super::rollups::{DIMENSIONS, any_settlement, key_of};
use super::{LedgerFixture, at, settlement};
use crate::requests::request_costs::EXPENSIVE_REQUESTS_MAX;
use crate::{DimensionFilter, GroupBy, Ledger, RequestQuery, RequestRow, UsageKey};

/// Compares what requests of whole quarter hours cost with their rows.
async fn check(ledger: &Ledger, (from, to): (WallTime, WallTime), filter: Option<(GroupBy, &str)>) {
    let wanted = |row: &RequestRow| {
        filter.is_none_or(|(group_by, name)| {
            key_of(row, group_by) == UsageKey::named(name.to_owned())
        }) && (from..to).contains(&row.request.started)
            && row.cost.amount().is_some_and(|cost| cost > NanoUsd::ZERO)
    };
    let rows = ledger.requests(RequestQuery::newest(500)).await.expect("read");
    let mut rows: Vec<&RequestRow> = rows.iter().filter(|row| wanted(row)).collect();
    rows.sort_by_key(|row| Reverse((row.cost.amount(), row.request.id)));
    let named = filter.map(|(group_by, name)| (group_by, name.to_owned()));
    let filter: DimensionFilter = named.into_iter().collect();
    let costs = ledger.request_costs(from, to, filter).await.expect("read");
    let amount = |row: &&RequestRow| row.cost.amount().unwrap_or_default();
    assert_eq!(costs.requests, u64::try_from(rows.len()).expect("few"));
    assert_eq!(costs.cost, rows.iter().map(amount).sum());
    for step in &costs.steps {
        let inside = |row: &&&RequestRow| (step.from..step.to).contains(&amount(row));
        let count = rows.iter().filter(inside).count();
        assert_eq!(step.requests, u64::try_from(count).expect("few"), "{step:?}");
        assert_eq!(step.cost, rows.iter().filter(inside).map(amount).sum(), "{step:?}");
    }
    rows.truncate(EXPENSIVE_REQUESTS_MAX);
    let expensive: Vec<_> = costs.expensive.iter().map(|row| row.request.id).collect();
    assert_eq!(expensive, rows.iter().map(|row| row.request.id).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn costs_of_requests_equal_a_recount(
        settlements in prop::collection::vec(any_settlement(), 1..60),
        late in any_settlement(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let place = LedgerFixture::new();
            let ledger = place.open();
            for settlement in settlements.into_iter().chain([late]) {
                ledger.settle(settlement).await.expect("settled");
            }
            let all = (at(-24 * HOUR_MS), at(48 * HOUR_MS));
            check(&ledger, all, None).await;
            check(&ledger, (at(2 * HOUR_MS), at(9 * HOUR_MS + HOUR_MS / 4)), None).await;
            for (group_by, name) in DIMENSIONS.into_iter().zip(["b1", "m1", "c0", "", "p", "r2"]) {
                check(&ledger, all, Some((group_by, name))).await;
            }
        });
    }
}

#[tokio::test]
async fn many_requests_of_one_cost_and_purged_ones_still_make_a_list() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for number in 0..60 {
        let mut ended = settlement(number * 600);
        let dear = NanoUsd::new(9_000_000_000);
        ended.cost = Cost::Reported(if number < 5 { dear } else { NanoUsd::new(20_000_000) });
        ledger.settle(ended).await.expect("settled");
    }
    let all = (at(0), at(24 * HOUR_MS));
    check(&ledger, all, None).await;
    assert_eq!(ledger.purge_before(at(HOUR_MS)).await.expect("purged"), 6);
    let costs = ledger.request_costs(all.0, all.1, DimensionFilter::default()).await.expect("read");
    assert_eq!(costs.expensive.len(), EXPENSIVE_REQUESTS_MAX);
    let lasting = NanoUsd::new(20_000_000);
    assert!(costs.expensive.iter().all(|row| row.cost.amount() == Some(lasting)));
    assert_eq!(costs.requests, 60, "those that are purged were paid nevertheless");
    assert_eq!(costs.steps.last().map(|step| step.requests), Some(5));
}

#[tokio::test]
async fn a_request_without_a_cost_is_in_no_step() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut unpriced = settlement(1);
    unpriced.cost = Cost::Unpriced;
    ledger.settle(unpriced).await.expect("settled");
    let all = (at(0), at(24 * HOUR_MS));
    let costs = ledger.request_costs(all.0, all.1, DimensionFilter::default()).await.expect("read");
    assert_eq!(costs, crate::RequestCosts::default());
}
