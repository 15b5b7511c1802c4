//! Back-test of breaker rules: replays past attempts through the same state machine that guards
//! live traffic.

use std::time::Duration;

use domain::{Moment, WallTime};
use ledger::{AttemptEnd, AttemptOutcome};
use resilience::{
    AttemptFailure, BreakerRules, CallOutcome, EndpointTransition, Endpoints, FailureClass,
    LimitScope, TransitionState,
};

/// Fixes the jitter of open times, so that the same rules give the same result.
const JITTER_DRAW: f64 = 0.5;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BreakerBackTest {
    /// How often a closed breaker would have opened. Opening again after a failed trial is not
    /// counted.
    pub opened: u32,
    /// Total time a breaker would have been open.
    pub open_time: Duration,
    /// Attempts that would have been made. Attempts held back by a breaker are not counted.
    pub attempts: u32,
}

/// Replays `outcomes`, ordered by the time they ended, on breakers with these `rules`.
///
/// Only breakers are replayed: cooldowns and blocks follow from the provider's response, not from
/// these rules. What another backend would have answered instead of a held-back call is unknown and
/// not simulated.
#[must_use]
pub fn back_test(outcomes: &[AttemptOutcome], rules: BreakerRules) -> BreakerBackTest {
    let mut endpoints = Endpoints::new(rules);
    let mut found = BreakerBackTest::default();
    let Some(begun) = outcomes.first().map(|outcome| outcome.ended) else { return found };
    for outcome in outcomes {
        let now = moment_since(begun, outcome.ended);
        let Ok(permit) = endpoints.admit(&outcome.endpoint, &outcome.model, now) else { continue };
        found.attempts = found.attempts.saturating_add(1);
        let happened = call_outcome(outcome);
        found.count(&endpoints.report(permit, happened, outcome.request, now, JITTER_DRAW));
    }
    found
}

impl BreakerBackTest {
    fn count(&mut self, transitions: &[EndpointTransition]) {
        for transition in transitions.iter().filter(|one| one.to == TransitionState::Open) {
            self.open_time += transition.until.unwrap_or_default();
            if transition.from != TransitionState::HalfOpen {
                self.opened = self.opened.saturating_add(1);
            }
        }
    }
}

/// Converts a past attempt to the breaker's input.
fn call_outcome(outcome: &AttemptOutcome) -> CallOutcome {
    match outcome.end {
        AttemptEnd::Answered => CallOutcome::Success { first_token: outcome.first_token },
        AttemptEnd::GivenUp => CallOutcome::Neutral,
        AttemptEnd::Failed => {
            let counted =
                AttemptFailure::from(failure_class(outcome)).call_outcome(LimitScope::Endpoint);
            if matches!(counted, CallOutcome::Failure { .. }) {
                counted
            } else {
                CallOutcome::Neutral
            }
        }
    }
}

/// Attempts recorded before classes were stored have only a status; without one there was no
/// response.
fn failure_class(outcome: &AttemptOutcome) -> FailureClass {
    let word = outcome.class.as_deref().and_then(|word| word.parse().ok());
    word.unwrap_or_else(|| {
        outcome.http_status.map_or(FailureClass::Connect, FailureClass::from_status)
    })
}

fn moment_since(begun: WallTime, at: WallTime) -> Moment {
    let ms = at.unix_ms().saturating_sub(begun.unix_ms());
    Moment::default() + Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use domain::{BackendId, Endpoint, RequestId, SeededEntropy};

    use super::*;

    const START_MS: i64 = 1_795_248_000_000;

    fn outcome(secs: i64, end: AttemptEnd, class: Option<FailureClass>) -> AttemptOutcome {
        let ended = WallTime::from_unix_ms(START_MS + secs * 1_000);
        AttemptOutcome {
            ended,
            endpoint: Endpoint {
                backend: BackendId::new("home").expect("a name"),
                credential: None,
            },
            model: "m".to_owned(),
            request: RequestId::generate(ended, &SeededEntropy::new(1)),
            end,
            class: class.map(|class| class.to_string()),
            http_status: None,
            first_token: None,
        }
    }

    /// One call per second for `secs`, failing while `is_down` returns true.
    fn traffic(secs: i64, is_down: impl Fn(i64) -> bool) -> Vec<AttemptOutcome> {
        let one = |second: i64| match is_down(second) {
            true => outcome(second, AttemptEnd::Failed, Some(FailureClass::Server)),
            false => outcome(second, AttemptEnd::Answered, None),
        };
        (0..secs).map(one).collect()
    }

    #[test]
    fn two_outages_open_it_twice_and_each_is_open_until_its_end() {
        let outage = |second: i64| (100..130).contains(&second) || (1_000..1_030).contains(&second);
        let found = back_test(&traffic(1_200, outage), BreakerRules::default());
        assert_eq!(found.opened, 2, "{found:?}");
        // 5 + 10 + 20 s each: the third trial finds the backend working again.
        assert_eq!(found.open_time, Duration::from_secs(70), "{found:?}");
        assert!(found.attempts < 1_200, "{found:?}");
    }

    #[test]
    fn other_numbers_give_another_past() {
        let outage = |second: i64| (100..104).contains(&second);
        let calls = traffic(300, outage);
        let opened = |failures_in_a_row| {
            let rules = BreakerRules { failures_in_a_row, ..BreakerRules::default() };
            back_test(&calls, rules).opened
        };
        assert_eq!((opened(3), opened(4), opened(5)), (1, 1, 0));
    }

    #[test]
    fn what_says_nothing_about_the_endpoint_opens_nothing() {
        let quiet = |class| outcome(1, AttemptEnd::Failed, Some(class));
        let mut calls: Vec<_> = FailureClass::ALL
            .iter()
            .copied()
            .filter(|class| {
                let told = AttemptFailure::from(*class).call_outcome(LimitScope::Endpoint);
                !matches!(told, CallOutcome::Failure { .. })
            })
            .map(quiet)
            .collect();
        assert!(calls.len() >= 8, "rate limits, blocks, and what is the caller's own");
        calls.extend((0..9).map(|_| outcome(2, AttemptEnd::GivenUp, None)));
        let rules = BreakerRules { failures_in_a_row: 1, ..BreakerRules::default() };
        let found = back_test(&calls, rules);
        let attempts = u32::try_from(calls.len()).expect("few");
        assert_eq!(found, BreakerBackTest { attempts, ..BreakerBackTest::default() });
        assert_eq!(back_test(&[], rules), BreakerBackTest::default());
    }

    #[test]
    fn attempts_without_a_class_are_classified_by_status() {
        let told = |http_status| {
            let bare = AttemptOutcome { http_status, ..outcome(1, AttemptEnd::Failed, None) };
            back_test(&[bare], BreakerRules { failures_in_a_row: 1, ..BreakerRules::default() })
        };
        assert_eq!((told(None).opened, told(Some(503)).opened), (1, 1));
        assert_eq!((told(Some(400)).opened, told(Some(429)).opened), (0, 0));
    }
}
