//! What goes on now, minute by minute.

use super::{LedgerFixture, NOW_MS, at, settlement};
use crate::{CacheOutcome, Purpose, RecentMinute, RequestOutcome};

#[tokio::test]
async fn requests_are_summed_by_the_minute_in_which_they_began() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let hit = |number| {
        let mut answer = settlement(number);
        (answer.cache, answer.usage) = (CacheOutcome::Hit, None);
        answer.usage_basis = None;
        answer.usage_raw = None;
        answer
    };
    let mut failed = settlement(3);
    failed.outcome = RequestOutcome::Failed;
    let mut stopped = settlement(4);
    stopped.outcome = RequestOutcome::Cancelled;
    let mut check = settlement(5);
    check.request.purpose = Purpose::Check;
    let mut later = settlement(61);
    later.cache = CacheOutcome::Bypass;
    for one in [settlement(1), hit(2), failed, stopped, check, later] {
        ledger.settle(one).await.expect("settled");
    }
    let first = RecentMinute {
        start: at(0),
        requests: 4,
        failed: 1,
        complete: 2,
        tokens: 3 * 210,
        cache_served: 1,
        cache_misses: 3,
    };
    let second = RecentMinute {
        start: at(60_000),
        requests: 1,
        failed: 0,
        complete: 1,
        tokens: 210,
        cache_served: 0,
        cache_misses: 0,
    };
    assert_eq!(NOW_MS % 60_000, 0, "the test begins with a minute");
    assert_eq!(ledger.recent_minutes(at(0)).await.expect("summed"), [first, second]);
    let from_two = RecentMinute { requests: 3, complete: 1, tokens: 420, cache_misses: 2, ..first };
    assert_eq!(ledger.recent_minutes(at(2_000)).await.expect("summed"), [from_two, second]);
    let failed = ledger.failed_requests(at(0)).await.expect("counted");
    let failed: Vec<_> = failed.iter().map(|one| (one.failure.as_deref(), one.count)).collect();
    assert_eq!(failed, [(Some("unknown"), 1)], "its last attempt succeeded");
    assert_eq!(ledger.failed_requests(at(4_000)).await.expect("counted"), []);
}
