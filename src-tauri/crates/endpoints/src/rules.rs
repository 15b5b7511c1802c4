//! The rules by which endpoints and traffic are limited.

use resilience::{AttemptRules, BreakerRules, RateRules, RetryBudgetRules};

/// How much one client or backend may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrafficRules {
    /// Requests and tokens per minute.
    pub rates: RateRules,
    /// Concurrent requests; `None` for as many as there are slots.
    pub in_flight_max: Option<u32>,
}

/// The rules for failures.
#[derive(Debug, Clone, Default)]
pub struct ResilienceRules {
    pub breaker: BreakerRules,
    pub attempts: AttemptRules,
    /// The share of all traffic that retries may take.
    pub budget: RetryBudgetRules,
}
