//! Request counts by route.

use super::{LedgerFixture, at, attempt, backend, settlement};
use crate::{Purpose, RouteCount};

#[tokio::test]
async fn requests_are_counted_by_route_and_by_who_was_asked_last() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for number in 1..=3 {
        ledger.settle(settlement(number)).await.expect("settled");
    }
    let mut away = settlement(4);
    away.attempts = vec![attempt("away", Some("timeout"))];
    ledger.settle(away).await.expect("settled");
    let mut nobody = settlement(5);
    nobody.request.route = "smart".to_owned();
    nobody.attempts = Vec::new();
    ledger.settle(nobody).await.expect("settled");
    let mut check = settlement(6);
    check.request.purpose = Purpose::Check;
    ledger.settle(check).await.expect("settled");
    let routed = |route: &str, to: Option<&str>, requests| RouteCount {
        route: route.to_owned(),
        backend: to.map(backend),
        model: to.map(|_| "gpt-4.1".to_owned()),
        requests,
    };
    let found = ledger.route_counts(at(0)).await.expect("counted");
    let expected = [
        routed("fast", Some("home"), 3),
        routed("fast", Some("away"), 1),
        routed("smart", None, 1),
    ];
    assert_eq!(found, expected);
    let later = ledger.route_counts(at(4_000)).await.expect("counted");
    assert_eq!(later, expected[1..], "from the fourth on");
}
