//! How much one backend has to do: requests on their way, what its own limits allow, and the limit that
//! its answers teach.

use std::time::Duration;

use domain::{BackendId, Moment};
use resilience::{
    AdaptiveLimit, AdaptiveRules, CallOutcome, LimitKind, RateLimits, RatesReservation,
};
use wire::ErrorKind;

use crate::failure::Failure;
use crate::limits::TrafficRules;
use crate::limits::{CONNECTIONS_MAX, RETRY_AFTER_SECS_MAX};
use crate::response::{Refusal, RetryAdvice};

/// What one backend has to do.
pub(crate) struct BackendLoad {
    in_flight: u32,
    rates: RateLimits,
    adaptive: AdaptiveLimit,
}

/// A backend has as much to do as its limits allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BackendBusy {
    why: String,
    wait: Option<Duration>,
}

impl Default for BackendLoad {
    fn default() -> Self {
        // Without evidence there is no restriction but the number of connections.
        let max = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
        let adaptive = AdaptiveLimit::new(AdaptiveRules { max, ..AdaptiveRules::default() });
        Self { in_flight: 0, rates: RateLimits::default(), adaptive }
    }
}

impl BackendLoad {
    pub(crate) const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The limit on requests at once that its answers taught.
    pub(crate) fn adaptive_limit(&self) -> u32 {
        self.adaptive.limit()
    }

    /// One request more, if it fits.
    pub(crate) fn enter(
        &mut self,
        rules: &TrafficRules,
        tokens: u32,
        now: Moment,
    ) -> Result<RatesReservation, BackendBusy> {
        let most = rules.in_flight_max.unwrap_or(u32::MAX).min(self.adaptive.limit());
        if self.in_flight >= most {
            let why = format!("has {most} requests in flight, which is its limit");
            return Err(BackendBusy { why, wait: None });
        }
        self.rates.set_rules(rules.rates);
        let taken = self.rates.try_take(tokens, now).map_err(|exceeded| BackendBusy {
            why: format!("is limited in Gatehouse: {exceeded}"),
            wait: Some(exceeded.wait),
        })?;
        self.in_flight += 1;
        Ok(taken)
    }

    /// What became of a request teaches the limit; it is still counted.
    pub(crate) fn learn(&mut self, happened: &CallOutcome, now: Moment) {
        match happened {
            CallOutcome::Success { first_token } => {
                self.adaptive.on_success(*first_token, self.in_flight, now);
            }
            CallOutcome::RateLimited { kind: LimitKind::Rate, .. } => {
                self.adaptive.on_overload(self.in_flight, now);
            }
            _ => {}
        }
    }

    /// One request less, which used `tokens`.
    pub(crate) fn leave(&mut self, taken: RatesReservation, tokens: u64, now: Moment) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.rates.settle(taken, tokens, now);
    }

    /// How much is left, in percent; `None` if nothing limits it.
    pub(crate) fn headroom_percent(&self, now: Moment) -> Option<u8> {
        let limit = self.adaptive.limit();
        let taught = u64::from(limit) < u64::try_from(CONNECTIONS_MAX).unwrap_or(u64::MAX);
        let left = u64::from(limit.saturating_sub(self.in_flight)) * 100 / u64::from(limit.max(1));
        let taught = taught.then(|| u8::try_from(left).unwrap_or(100));
        [self.rates.headroom_percent(now), taught].into_iter().flatten().min()
    }
}

impl BackendBusy {
    /// As the client would be told, if nobody else can answer.
    pub(crate) fn failure(self, backend: &BackendId) -> Failure {
        let message = format!("The backend {backend} {}.", self.why);
        let longest = Duration::from_secs(RETRY_AFTER_SECS_MAX);
        let wait = self.wait.unwrap_or(Duration::from_secs(1)).min(longest);
        let refusal = Refusal::new(503, ErrorKind::Overloaded, "backend_limit", message);
        Failure::busy(refusal.retry(RetryAdvice::After(wait)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resilience::{LimitScope, RateRules};

    #[test]
    fn limits_hold_and_what_leaves_makes_room() {
        let mut load = BackendLoad::default();
        let now = Moment::from_secs(1);
        let rates = RateRules { requests_per_minute: Some(3), tokens_per_minute: None };
        let rules = TrafficRules { rates, in_flight_max: Some(2) };
        let first = load.enter(&rules, 10, now).expect("room");
        let second = load.enter(&rules, 10, now).expect("room");
        let third = load.enter(&rules, 10, now).expect_err("two at once");
        assert_eq!(third.wait, None);
        load.leave(first, 10, now);
        load.leave(second, 10, now);
        let third = load.enter(&rules, 10, now).expect("the third of the minute");
        load.leave(third, 10, now);
        let fourth = load.enter(&rules, 10, now).expect_err("three a minute");
        assert!(fourth.wait.is_some() && fourth.why.contains("requests"), "{fourth:?}");
        assert_eq!(load.in_flight(), 0);
    }

    #[test]
    fn a_refusal_for_want_of_room_halves_what_may_be_on_its_way() {
        let mut load = BackendLoad::default();
        let now = Moment::from_secs(1);
        let rules = TrafficRules::default();
        let taken: Vec<_> = (0..8).map(|_| load.enter(&rules, 1, now).expect("room")).collect();
        assert_eq!(load.headroom_percent(now), None);
        let limited = CallOutcome::RateLimited {
            scope: LimitScope::Model,
            wait: None,
            kind: LimitKind::Rate,
        };
        load.learn(&limited, now);
        assert_eq!((load.adaptive_limit(), load.headroom_percent(now)), (4, Some(0)));
        taken.into_iter().for_each(|taken| load.leave(taken, 1, now));
        assert_eq!(load.headroom_percent(now), Some(100));
    }
}
