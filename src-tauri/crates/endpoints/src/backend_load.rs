//! The load of one backend: requests in flight, its configured limits, and the adaptive limit learnt from
//! its answers.

use std::time::Duration;

use domain::Moment;
use resilience::{
    AdaptiveLimit, AdaptiveRules, CallOutcome, LimitKind, RateLimits, RatesReservation,
};

use crate::rules::TrafficRules;

/// The adaptive limit without evidence: as many requests as the gateway has connections.
pub const IN_FLIGHT_MAX: u32 = 512;

pub(crate) struct BackendLoad {
    in_flight: u32,
    rates: RateLimits,
    adaptive: AdaptiveLimit,
}

/// The limits of a backend are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendBusy {
    /// Completes "the backend …".
    pub reason: String,
    pub wait: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
pub struct BackendTraffic {
    pub rules: TrafficRules,
    pub is_mock: bool,
}

impl Default for BackendLoad {
    fn default() -> Self {
        let rules = AdaptiveRules { max: IN_FLIGHT_MAX, ..AdaptiveRules::default() };
        let adaptive = AdaptiveLimit::new(rules);
        Self { in_flight: 0, rates: RateLimits::default(), adaptive }
    }
}

impl BackendLoad {
    pub(crate) const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The limit on concurrent requests learnt from its answers.
    pub(crate) fn adaptive_limit(&self) -> u32 {
        self.adaptive.limit()
    }

    /// Adds a request, if the limits have room.
    pub(crate) fn enter(
        &mut self,
        rules: &TrafficRules,
        tokens: u32,
        now: Moment,
    ) -> Result<RatesReservation, BackendBusy> {
        let most = rules.in_flight_max.unwrap_or(u32::MAX).min(self.adaptive.limit());
        if self.in_flight >= most {
            let reason = format!("has {most} requests in flight, which is its limit");
            return Err(BackendBusy { reason, wait: None });
        }
        self.rates.set_rules(rules.rates);
        let taken = self.rates.try_take(tokens, now).map_err(|exceeded| BackendBusy {
            reason: format!("is limited in Gatehouse: {exceeded}"),
            wait: Some(exceeded.wait),
        })?;
        self.in_flight += 1;
        Ok(taken)
    }

    /// Adjusts the adaptive limit by the outcome of a request that is still counted.
    pub(crate) fn learn(&mut self, outcome: &CallOutcome, now: Moment) {
        match outcome {
            CallOutcome::Success { first_token } => {
                self.adaptive.on_success(*first_token, self.in_flight, now);
            }
            CallOutcome::RateLimited { kind: LimitKind::Rate, .. } => {
                self.adaptive.on_overload(self.in_flight, now);
            }
            _ => {}
        }
    }

    /// Removes a request that used `tokens`.
    pub(crate) fn leave(&mut self, taken: RatesReservation, tokens: u64, now: Moment) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.rates.settle(taken, tokens, now);
    }

    /// The capacity left in percent; `None` without a limit.
    pub(crate) fn headroom_percent(&self, now: Moment) -> Option<u8> {
        let limit = self.adaptive.limit();
        let learnt = limit < IN_FLIGHT_MAX;
        let left = u64::from(limit.saturating_sub(self.in_flight)) * 100 / u64::from(limit.max(1));
        let learnt = learnt.then(|| u8::try_from(left).unwrap_or(100));
        [self.rates.headroom_percent(now), learnt].into_iter().flatten().min()
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
        assert!(fourth.wait.is_some() && fourth.reason.contains("requests"), "{fourth:?}");
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
