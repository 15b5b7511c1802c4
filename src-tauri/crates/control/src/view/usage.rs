//! Request and view types for usage sums and single requests.

use domain::{CostBasis, Meter, Unit};
use ledger::GroupBy;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, CurrencyView, NanoDollars, UnixMs, UnpricedView};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageReportQuery {
    #[serde(default)]
    #[specta(optional)]
    pub range: UsageRange,
    /// Dimension of the bars and the table.
    #[serde(default = "group_by_backend")]
    #[specta(optional)]
    pub group_by: GroupBy,
    #[serde(default)]
    #[specta(optional)]
    pub zone: TimeZoneChoice,
    /// Start of the period, instead of `range`. Bars are hours up to two days, else days.
    #[serde(default)]
    #[specta(optional)]
    pub from: Option<UnixMs>,
    /// End of the period, exclusive; only with `from`. Now at the latest.
    #[serde(default)]
    #[specta(optional)]
    pub to: Option<UnixMs>,
    #[serde(default)]
    #[specta(optional)]
    pub filter: UsageFilter,
    /// Also sums the period before.
    #[serde(default)]
    #[specta(optional)]
    pub compare: bool,
    /// Which costs the sums are of.
    #[serde(default)]
    #[specta(optional)]
    pub basis: CostBasis,
}

const fn group_by_backend() -> GroupBy {
    GroupBy::Backend
}

/// A period of usage and the requests that count.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsagePeriodQuery {
    #[serde(default)]
    #[specta(optional)]
    pub range: UsageRange,
    #[serde(default)]
    #[specta(optional)]
    pub zone: TimeZoneChoice,
    /// Start of the period, instead of `range`.
    #[serde(default)]
    #[specta(optional)]
    pub from: Option<UnixMs>,
    /// End of the period, exclusive; only with `from`. Now at the latest.
    #[serde(default)]
    #[specta(optional)]
    pub to: Option<UnixMs>,
    #[serde(default)]
    #[specta(optional)]
    pub filter: UsageFilter,
}

/// The name that requests must have in each dimension; `""` for requests without one. Without a
/// value any name counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub backend: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub client: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub credential: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub route: Option<String>,
}

/// Two dimensions crossed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageCrossQuery {
    pub period: UsagePeriodQuery,
    pub rows: GroupBy,
    pub columns: GroupBy,
    /// Which costs the sums are of.
    #[serde(default)]
    #[specta(optional)]
    pub basis: CostBasis,
}

/// Periods that end now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum UsageRange {
    /// Since midnight, by hour.
    #[default]
    Today,
    /// 24 hours, by hour.
    LastDay,
    /// 7 days, by day.
    LastWeek,
    /// 30 days, by day.
    LastMonth,
}

/// The time zone in which a day begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TimeZoneChoice {
    /// This machine's time zone.
    #[default]
    Local,
    /// UTC, as on provider pages.
    Utc,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageView {
    pub from: UnixMs,
    pub to: UnixMs,
    /// What the totals rest on: "Stated by the backend, else computed; 98 % of requests priced".
    pub basis: String,
    pub cost_basis: CostBasis,
    /// What requests are called that have no cost on this basis: "unpriced", "unreported".
    pub unpriced_word: String,
    /// The currency of the amounts in sentences; the fields of this view are US dollars.
    pub currency: CurrencyView,
    /// The time zone used, `Europe/Berlin`.
    pub zone: String,
    /// The chart's title, for example "openai: 82 % of $4.10 for 12 requests".
    pub finding: String,
    pub totals: UsageTotalsView,
    /// Highest cost first; at most 200, then `other`.
    pub groups: Vec<UsageGroupView>,
    /// What the bars are made of: the first eight of `groups`, then `other` for all the rest.
    pub series: Vec<UsageSeriesView>,
    /// Oldest first, without gaps.
    pub buckets: Vec<UsageBucketView>,
    /// What was counted for the invoice, failed attempts included, in the order of the meters. Not
    /// recorded for requests before version 6 of the ledger. Empty with a filter: they are not kept
    /// by client, key, project and route.
    pub meters: Vec<MeterTotalsView>,
    /// None unless it was asked for.
    pub previous: Option<UsagePreviousView>,
    /// Models without a price, most requests first; at most twelve. Empty where the sums are not of all
    /// known costs.
    pub unpriced: Vec<UnpricedModelView>,
}

/// A model at a backend that has requests without a known cost.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UnpricedModelView {
    pub model: String,
    /// None if no backend was reached.
    pub backend: Option<String>,
    /// "Local llama at home"
    pub backend_label: Option<String>,
    /// Requests whose cost is not known.
    pub requests: Count,
    /// Why the newest of them has none; None where that was not recorded.
    pub why: Option<UnpricedView>,
}

/// The period before.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsagePreviousView {
    pub from: UnixMs,
    pub to: UnixMs,
    /// "the 7 days before"
    pub label: String,
    pub totals: UsageTotalsView,
    /// -12: the cost fell by 12 %. None without a known cost before.
    pub cost_change_percent: Option<i32>,
    /// None without requests before.
    pub requests_change_percent: Option<i32>,
}

/// Sums by two dimensions.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageCrossView {
    pub from: UnixMs,
    pub to: UnixMs,
    /// What the totals rest on.
    pub basis: String,
    pub cost_basis: CostBasis,
    /// Highest cost first; at most twenty, then `other`.
    pub rows: Vec<UsageCrossGroupView>,
    /// Highest cost first; at most eight, then `other`.
    pub columns: Vec<UsageCrossGroupView>,
    /// By row, then by column.
    pub cells: Vec<Vec<UsageTotalsView>>,
    pub totals: UsageTotalsView,
}

/// A row or a column.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageCrossGroupView {
    pub kind: UsageGroupKind,
    /// `other` for the rest.
    pub key: String,
    pub label: String,
    pub totals: UsageTotalsView,
    /// Percentage of the total cost, 0 to 100; None without any cost.
    pub cost_share_percent: Option<u32>,
}

/// What one meter counted and cost.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct MeterTotalsView {
    /// Its word: `cache_read`.
    pub meter: Meter,
    /// "Cache read"
    pub label: String,
    pub unit: Unit,
    pub quantity: Count,
    /// By the rates of the price list, also where a backend states another cost.
    pub cost_nano_usd: NanoDollars,
    /// True if nothing of it has a rate; the cost is then no zero.
    pub is_cost_unknown: bool,
    /// Part of `quantity` that has no rate, or is of an attempt of unknown cost; not in the cost.
    pub unpriced_quantity: Count,
    /// Percentage of what all meters cost, 0 to 100; None without any cost.
    pub cost_share_percent: Option<u32>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct UsageTotalsView {
    /// Cost of the requests with a known cost, on the basis that was asked for.
    pub cost_nano_usd: NanoDollars,
    /// True if there were requests, and nothing is known of what they cost; the cost is then no zero.
    pub is_cost_unknown: bool,
    pub requests: Count,
    /// Requests whose cost is not known on that basis; not in `cost`.
    pub unpriced_requests: Count,
    /// Percentage of the requests that a backend worked for with a known cost, rounded down; None without
    /// such requests, and where attempts of unknown cost may be of requests that another backend, key or
    /// model answered.
    pub priced_percent: Option<u32>,
    /// Requests that did not end well.
    pub failed_requests: Count,
    /// Every class of input.
    pub input_tokens: Count,
    /// Read from a provider's cache; part of `input_tokens`.
    pub cache_read_tokens: Count,
    /// Includes reasoning.
    pub output_tokens: Count,
    /// Part of `output_tokens`.
    pub reasoning_tokens: Count,
    /// Attempts after the first.
    pub retries: Count,
    /// Known cost of failed attempts, on whatever basis.
    pub wasted_nano_usd: NanoDollars,
    /// Cost of the answers that came from the cache instead; not in the cost.
    pub saved_nano_usd: NanoDollars,
    /// Answered by the cache, or together with an identical request in flight.
    pub cache_hits: Count,
    pub cache_misses: Count,
}

domain::words! {
    /// What a group of usage stands for. A name may be `other`, as the key of the rest is.
    UsageGroupKind {
        /// The requests of one name.
        Named = "named",
        /// The requests without a name; its key is empty.
        Unnamed = "unnamed",
        /// All further names together.
        Rest = "rest",
    }
}

/// One row of the table.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageGroupView {
    pub kind: UsageGroupKind,
    /// `other` for the rest.
    pub key: String,
    pub label: String,
    pub totals: UsageTotalsView,
    /// Percentage of the total cost, 0 to 100; None without any cost.
    pub cost_share_percent: Option<u32>,
    /// The same group in the period before; None unless it was asked for.
    pub previous: Option<UsageTotalsView>,
    /// Change from the period before; None without a known cost before.
    pub cost_change_percent: Option<i32>,
}

/// One colour of the bars.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageSeriesView {
    pub kind: UsageGroupKind,
    /// `other` for the rest.
    pub key: String,
    pub label: String,
}

/// One bar of the chart.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageBucketView {
    pub start: UnixMs,
    /// Label on the axis: `08:00` or `21 Nov`.
    pub label: String,
    /// One for each entry of `series`, in that order; their sum is the whole bar.
    pub segments: Vec<UsageSegmentView>,
    /// The whole bar.
    pub total: UsageSegmentView,
}

/// One group's part of a bar.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct UsageSegmentView {
    pub cost_nano_usd: NanoDollars,
    /// True if there were requests, and nothing is known of what they cost; the cost is then no zero.
    pub is_cost_unknown: bool,
    pub requests: Count,
    /// Requests whose cost is not known; not in the cost.
    pub unpriced_requests: Count,
    /// Input and output tokens.
    pub tokens: Count,
}

/// Where a cost comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CostBasisView {
    /// Reported by the provider.
    Reported,
    /// Tokens times price.
    Computed,
    /// Estimated tokens times price.
    Estimated,
    /// Nothing was billed: the mock or the cache answered, or no backend was reached.
    NotBilled,
    /// Not known, because usage or price is missing. Never shown as zero.
    Unpriced,
}
