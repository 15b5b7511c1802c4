//! Figures that the user pins to the Overview.

use std::collections::BTreeMap;

use domain::GroupBy;

/// Most pinned figures: one row of the Overview.
pub const PINS_MAX: usize = 4;

domain::words! {
    /// What a pinned figure measures.
    PinMeasure {
        /// What is spent.
        Cost = "cost",
        /// How many requests there were.
        Requests = "requests",
        /// The percentage of requests that ended well.
        SuccessRate = "success_rate",
        /// The mean cost of the requests with a known cost.
        CostPerRequest = "cost_per_request",
        /// Tokens of input and output.
        Tokens = "tokens",
        /// The time within which 95 of 100 answers began.
        FirstTokenP95 = "first_token_p95",
    }
}

domain::words! {
    /// The days that a pinned figure is of, up to now.
    #[derive(Default)]
    PinRange {
        /// Since midnight.
        Today = "today",
        /// 7 days.
        #[default]
        LastWeek = "last_week",
        /// 30 days.
        LastMonth = "last_month",
    }
}

/// A figure on the Overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinSettings {
    pub measure: PinMeasure,
    pub range: PinRange,
    /// The name that requests must have in a dimension; `""` for requests without one.
    pub filter: BTreeMap<GroupBy, String>,
}

impl PinSettings {
    /// Why the measure cannot have this filter, and what to do; `None` if it can.
    #[must_use]
    pub fn filter_problem(&self) -> Option<(&'static str, &'static str)> {
        let is_kept =
            |by: &GroupBy| matches!(by, GroupBy::Backend | GroupBy::Model | GroupBy::Route);
        let is_latency = self.measure == PinMeasure::FirstTokenP95;
        let fits = self.filter.len() <= 1 && self.filter.keys().all(is_kept);
        (is_latency && !fits).then_some((
            "latencies are kept by backend, by model and by route alone",
            "name at most one backend, model or route",
        ))
    }
}
