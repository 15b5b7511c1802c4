//! A retry budget shared by all requests.
//!
//! The attempt limit bounds one request; this bounds all of them together. If a backend fails for
//! everyone, retries stop at a fifth of the requests instead of tripling the load on a server that
//! is already down (Google SRE, "Handling Overload"; the same share as in tower's and linkerd's
//! budget).

use domain::Moment;

use crate::minute_counter::MinuteCounter;

/// Twelve steps of five seconds, and the one that is partly outside the minute.
const STEPS: usize = 13;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudgetRules {
    /// Retries per 100 requests of the last minute.
    pub percent: u8,
    /// Additional retries per minute, so that a single request can be retried at all. 3: enough for
    /// one developer's few requests, and too few to harm anyone.
    pub reserve: u32,
}

impl Default for RetryBudgetRules {
    fn default() -> Self {
        Self { percent: 20, reserve: 3 }
    }
}

/// The budget of one gateway. Counts in twelve steps of five seconds, so a retry counts for 60 to
/// 65 seconds, never less than the minute of the rule.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    rules: RetryBudgetRules,
    requests: MinuteCounter<STEPS>,
    taken: MinuteCounter<STEPS>,
}

impl RetryBudget {
    /// Starts with nothing taken.
    #[must_use]
    pub fn new(rules: RetryBudgetRules) -> Self {
        Self { rules, requests: MinuteCounter::default(), taken: MinuteCounter::default() }
    }

    /// Changes the rules. Counts stay.
    pub const fn set_rules(&mut self, rules: RetryBudgetRules) {
        self.rules = rules;
    }

    /// Counts one request of a client. Call it once per request, not per attempt.
    pub fn count_request(&mut self, now: Moment) {
        self.requests.add(1, now);
    }

    /// Takes one retry. False if none is left.
    pub fn try_take(&mut self, now: Moment) -> bool {
        let free = self.retries_left(now) > 0;
        if free {
            self.taken.add(1, now);
        }
        free
    }

    #[must_use]
    pub(crate) fn retries_left(&self, now: Moment) -> u32 {
        // Requests count only while they are certainly within the minute, and retries until they
        // are certainly outside, so the share holds over any minute.
        let share = self.requests.count_at_least(now) * u64::from(self.rules.percent) / 100;
        let allowed = share + u64::from(self.rules.reserve);
        u32::try_from(allowed.saturating_sub(self.taken.count_at_most(now))).unwrap_or(u32::MAX)
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(RetryBudgetRules::default())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::minute_counter::SPAN;

    #[test]
    fn a_fifth_of_the_requests_and_the_reserve_and_no_more() {
        let mut budget = RetryBudget::default();
        let now = Moment::from_secs(1_000);
        let take_all = |budget: &mut RetryBudget| (0..99).filter(|_| budget.try_take(now)).count();
        assert_eq!(take_all(&mut budget), 3);
        (0..104).for_each(|_| budget.count_request(now));
        assert_eq!(budget.retries_left(now), 20);
        assert_eq!(take_all(&mut budget), 20);
        budget.count_request(now);
        assert_eq!(budget.retries_left(now), 1, "the 105th request fills the next fifth");
    }

    #[test]
    fn what_was_taken_counts_for_a_minute_and_is_given_back_after_it() {
        let mut budget = RetryBudget::default();
        let start = Moment::from_secs(1_004);
        (0..3).for_each(|_| assert!(budget.try_take(start)));
        assert!(!budget.try_take(start + SPAN));
        assert!(budget.try_take(start + Duration::from_secs(65)));
    }

    #[test]
    fn requests_of_an_earlier_minute_allow_nothing() {
        let mut budget = RetryBudget::default();
        (0..100).for_each(|_| budget.count_request(Moment::from_secs(10)));
        assert_eq!(budget.retries_left(Moment::from_secs(69)), 23);
        assert_eq!(budget.retries_left(Moment::from_secs(70)), 3);
        assert_eq!(budget.retries_left(Moment::from_secs(10_000)), 3);
    }

    #[test]
    fn new_rules_hold_at_once() {
        let mut budget = RetryBudget::default();
        budget.set_rules(RetryBudgetRules { percent: 0, reserve: 0 });
        assert!(!budget.try_take(Moment::from_secs(1)));
    }
}
