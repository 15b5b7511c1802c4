//! Contents of the file after a stop or a kill.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{BudgetId, NanoUsd, WallTime};
use pricing::Cost;
use proptest::prelude::*;

use super::{LedgerFixture, at, request, settlement};
use crate::{CommitStatus, Ledger, RequestQuery, RequestState, ReservedAmount};

#[tokio::test]
async fn what_was_running_at_the_last_stop_is_unknown_and_counted() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    ledger.reserve(request(1)).expect("room");
    ledger.settle(settlement(2)).await.expect("settled");
    let before = ledger.spend(at(0), at(60_000)).await.expect("read");
    assert_eq!((before.requests, before.unpriced_requests), (1, 0), "running ones do not count");
    drop(ledger);
    for _restart in 0..2 {
        let ledger = place.open();
        let row = ledger.request(request(1).id).await.expect("read").expect("a row").0;
        assert_eq!((row.state, row.cost, row.usage), (RequestState::Unknown, Cost::Unpriced, None));
        let spend = ledger.spend(at(0), at(60_000)).await.expect("read");
        assert_eq!((spend.requests, spend.unpriced_requests), (2, 1));
    }
}

#[tokio::test]
async fn what_budgets_reserved_for_a_killed_process_is_kept_and_nothing_else() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let budget = |name: &str| BudgetId::new(name).expect("a name");
    let amount = |name: &str, nanos: i64| ReservedAmount {
        budget: budget(name),
        amount: NanoUsd::new(nanos),
    };
    let reserve = |number: u32, amounts: Vec<ReservedAmount>| {
        ledger.reserve_amounts(request(number), amounts).expect("room")
    };
    for number in [1, 2, 3] {
        let reserved = reserve(number, vec![amount("all", 100), amount("own", 7)]).await;
        assert_eq!(reserved.expect("committed"), CommitStatus::Committed);
    }
    ledger.settle(settlement(3)).await.expect("settled");
    let sum = |ledger: &Ledger, name: &str, from: i64| {
        let (ledger, budget) = (ledger.clone(), budget(name));
        async move {
            let sum = ledger.interrupted_reservations(budget, at(from), at(60_000)).await;
            let sum = sum.expect("read");
            (sum.requests, sum.amount.nanos())
        }
    };
    assert_eq!(sum(&ledger, "all", 0).await, (0, 0), "they are under way");
    drop(ledger);
    let ledger = place.open();
    assert_eq!(sum(&ledger, "all", 0).await, (2, 200));
    assert_eq!(sum(&ledger, "own", 0).await, (2, 14));
    let second = request(2).started.unix_ms() - at(0).unix_ms();
    assert_eq!(sum(&ledger, "all", second).await, (1, 100), "of this period only");
    ledger.purge_before(at(60_000)).await.expect("purged");
    assert_eq!(sum(&ledger, "all", 0).await, (0, 0));
}

#[tokio::test]
async fn the_last_handle_writes_what_is_queued_before_it_goes() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let other = ledger.clone();
    for number in 0..1_000 {
        ledger.reserve(request(number)).expect("room");
    }
    drop(ledger);
    other.reserve(request(1_000)).expect("still open");
    drop(other);
    let rows: i64 = place
        .raw()
        .query_row("SELECT count(*) FROM requests", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(rows, 1_001);
}

#[tokio::test]
async fn many_settle_at_once_and_each_is_there() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    ledger.set_commit_wait(Duration::from_secs(3_600));
    let settling = (0..2_000).map(|number| ledger.settle(settlement(number)));
    let answers = futures_util::future::join_all(settling).await;
    assert!(
        answers.iter().all(|answer| matches!(answer, Ok(CommitStatus::Committed))),
        "{answers:?}"
    );
    let spend = ledger.spend(at(0), at(3_600_000)).await.expect("read");
    assert_eq!((spend.requests, spend.cost.nanos()), (2_000, 2_000 * 1_234_000));
}

#[tokio::test]
async fn a_request_of_the_far_future_or_past_is_settled_too() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for (number, ms) in [(1, i64::MIN), (2, -1), (3, i64::MAX)] {
        let mut settlement = settlement(number);
        settlement.request.started = WallTime::from_unix_ms(ms);
        ledger.settle(settlement).await.expect("settled");
    }
    let rows = ledger.requests(RequestQuery::newest(9)).await.expect("read");
    assert_eq!(rows.len(), 3);
}

#[tokio::test]
async fn a_settlement_is_in_the_file_when_its_wait_is_over() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    ledger.reserve(request(1)).expect("room");
    assert_eq!(ledger.settle(settlement(1)).await.expect("settled"), CommitStatus::Committed);
    // Another program sees it, and so would the next process after a kill.
    let rows: i64 = place
        .raw()
        .query_row("SELECT count(*) FROM requests WHERE state = 'complete'", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(rows, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Any calls, killed after any of them, opened twice.
    #[test]
    fn every_settlement_is_there_once_after_a_kill(
        calls in prop::collection::vec((0_u32..12, any::<bool>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let place = LedgerFixture::new();
            let ledger = place.open();
            // Reserved requests may be present; settled ones must be.
            let mut known: BTreeMap<String, bool> = BTreeMap::new();
            for (number, settles) in calls {
                let id = request(number).id.to_string();
                if settles {
                    let settled = ledger.settle(settlement(number)).await.expect("settled");
                    assert_eq!(settled, CommitStatus::Committed);
                } else {
                    ledger.reserve(request(number)).expect("room");
                }
                *known.entry(id).or_default() |= settles;
            }
            let killed = place.as_if_killed();
            for _start in 0..2 {
                let ledger = killed.open();
                let rows = ledger.requests(RequestQuery::newest(99)).await.expect("read");
                for row in &rows {
                    let settled = known[&row.request.id.to_string()];
                    let state = if settled { RequestState::Complete } else { RequestState::Unknown };
                    assert_eq!(row.state, state);
                }
                let found: Vec<String> = rows.iter().map(|row| row.request.id.to_string()).collect();
                let missing = known.iter().filter(|(id, settled)| **settled && !found.contains(id));
                assert_eq!(missing.count(), 0);
                super::rollups::check_against_recount(&ledger, crate::GroupBy::Model).await;
            }
        });
    }
}
