//! Answers that sums alone do not give: the forecast of a month's cost, what was unusual and why, what
//! to change, whether a window of a plan lasts. It decides from the sums and random numbers that it is
//! given: no IO, no clock.

mod advice;
mod anomaly;
mod anomaly_rule;
mod explanation;
mod forecast;
mod plan_window;
mod statistics;

pub use advice::{Alternative, ModelUse, SAVING_MIN, cheaper_model};
pub use anomaly::{
    CACHE_DAYS_BEFORE, CacheCollapse, DailyInput, HISTORY_HOURS, HOURS_BEFORE, HourlyUsage,
    LEARNING_HOURS, Spike, cache_collapses, cost_spikes, request_spikes,
};
pub use anomaly_rule::{FINE_FOR_GOOD, UsageAnomalyRule};
pub use explanation::{ExcessSplit, ModelChange, contributions, split_excess};
pub use forecast::{
    DailyCost, Forecast, ForecastBackTest, ForecastDay, ForecastMethod, Today, back_test, forecast,
};
pub use plan_window::{PlanWindow, PlanWindowOutlook, PlanWindowState};
pub use statistics::{whole_count, whole_nanos};
