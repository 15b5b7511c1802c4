//! View types of what is computed from the sums: forecasts and habits.

use serde::{Deserialize, Serialize};
use specta::Type;

pub use ::analytics::ForecastMethod;

use super::{
    Count, NanoDollars, RequestView, TimeZoneChoice, UnixMs, UsageFilter, UsageSegmentView,
};

/// The month that runs now.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageForecastQuery {
    #[serde(default)]
    #[specta(optional)]
    pub zone: TimeZoneChoice,
    #[serde(default)]
    #[specta(optional)]
    pub filter: UsageFilter,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageForecastView {
    pub month_start: UnixMs,
    /// Exclusive.
    pub month_end: UnixMs,
    /// "About $41.20 this month, between $36.00 and $48.00"
    pub finding: String,
    /// This month until now.
    pub spent_nano_usd: NanoDollars,
    /// At the end of the month.
    pub expected_nano_usd: NanoDollars,
    /// Nine months in ten cost more. Equal to `expected` unless `is_confident`.
    pub low_nano_usd: NanoDollars,
    /// Nine months in ten cost less.
    pub high_nano_usd: NanoDollars,
    /// Requests of this month whose cost is not known, or only a part of it; what is unknown is in no
    /// amount here.
    pub unpriced_requests: Count,
    pub method: ForecastMethod,
    /// False before the seventh day with a cost.
    pub is_confident: bool,
    /// Days with a cost that it was learnt from.
    pub active_days: u32,
    /// None without an earlier whole month.
    pub back_test: Option<ForecastBackTestView>,
    /// Every day of the month in order.
    pub days: Vec<ForecastDayView>,
}

/// How far forecasts of earlier months were off, made on their 14th day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct ForecastBackTestView {
    pub months: u32,
    /// Mean absolute error in percent of what the months cost.
    pub error_percent: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ForecastDayView {
    pub start: UnixMs,
    /// `21 Nov`
    pub label: String,
    /// None for days to come.
    pub spent_nano_usd: Option<NanoDollars>,
    /// Besides what is spent; None for past days.
    pub expected_nano_usd: Option<NanoDollars>,
    /// From the start of the month to the end of this day, spent or expected.
    pub cumulative_nano_usd: NanoDollars,
    pub cumulative_low_nano_usd: NanoDollars,
    pub cumulative_high_nano_usd: NanoDollars,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageHeatmapView {
    pub from: UnixMs,
    pub to: UnixMs,
    /// "Most is spent on Tuesday from 14:00 to 15:00"
    pub finding: String,
    /// Monday first.
    pub weekdays: Vec<HeatmapDayView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HeatmapDayView {
    /// "Monday"
    pub weekday: String,
    /// The 24 hours of the zone's clock. In a zone that is off by half an hour, each begins up to
    /// half an hour later.
    pub hours: Vec<UsageSegmentView>,
    /// Of each hour the start of the newest one with a request; None if there is none.
    pub newest: Vec<Option<UnixMs>>,
}

/// What single requests cost.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageExpensiveView {
    pub from: UnixMs,
    pub to: UnixMs,
    /// "The 20 most expensive of 12,345 requests: 31 % of $41.20"
    pub finding: String,
    /// Of all requests with a known cost above zero.
    pub cost_nano_usd: NanoDollars,
    /// How many these are.
    pub priced_requests: Count,
    /// Highest cost first, at most twenty. Requests that were deleted by age are not among them.
    pub requests: Vec<RequestView>,
    /// Lowest step first, without gaps between the first and the last that have a request.
    pub histogram: Vec<CostStepView>,
}

/// Requests that cost between two amounts.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CostStepView {
    /// 1, 2 or 5 times a power of ten; 0 for the lowest step.
    pub from_nano_usd: NanoDollars,
    /// Exclusive.
    pub to_nano_usd: NanoDollars,
    /// "$0.01 to $0.02"
    pub label: String,
    pub requests: Count,
    /// The sum of their costs.
    pub cost_nano_usd: NanoDollars,
}
