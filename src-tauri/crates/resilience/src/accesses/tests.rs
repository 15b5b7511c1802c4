//! The three mechanisms, transition by transition, on virtual time.

use std::time::Duration;

use domain::{Access, BackendId, Moment, RequestId, SeededEntropy, WallTime};

use super::*;
use crate::state::AccessState;

fn access(name: &str) -> Access {
    Access { backend: BackendId::new(name).unwrap(), credential: None }
}

fn id(number: i64) -> RequestId {
    RequestId::generate(WallTime::from_unix_ms(number), &SeededEntropy::new(1))
}

const FAILED: Happened = Happened::Failure { weight: FailureWeight::Full, retry_after: None };

#[test]
fn three_failures_open_it_and_the_open_time_half_opens_it() {
    let (mut accesses, one) = (Accesses::new(BreakerRules::default()), access("one"));
    let now = Moment::from_secs(10);
    for number in 0..3 {
        let permit = accesses.admit(&one, "m", now).unwrap();
        accesses.report(permit, FAILED, id(number), now, 0.5);
    }
    let until = now + Duration::from_secs(5);
    let open = Availability::Closed { why: ClosedWhy::BreakerOpen, until: Some(until) };
    assert_eq!(accesses.availability(&one, "m", now), open);
    assert_eq!(accesses.availability(&one, "m", until), Availability::Trial);
    assert_eq!(accesses.standing(&one, until).breaker, AccessState::HalfOpen);
}
