//! What was used and what it cost.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, MicroDollars, UnixMs};

/// What to add up.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageQuery {
    /// The period.
    pub range: UsageRange,
    /// The dimension of the bars and of the table.
    pub group_by: UsageGroupBy,
    /// Whose midnight begins a day.
    pub zone: ZoneChoice,
    /// Where the period begins, in place of `range`; by hour up to two days, by day beyond.
    #[serde(default)]
    #[specta(optional)]
    pub from: Option<UnixMs>,
}

/// Periods that end now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum UsageRange {
    /// Since midnight, by hour.
    Today,
    /// 24 hours, by hour.
    LastDay,
    /// 7 days, by day.
    LastWeek,
    /// 30 days, by day.
    LastMonth,
}

/// Dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum UsageGroupBy {
    /// By backend.
    Backend,
    /// By model.
    Model,
    /// By client.
    Client,
    /// By key.
    Credential,
    /// By the client's tag, the header `x-gatehouse-project`.
    Project,
    /// By the route that decided, as far as requests are still kept.
    Route,
}

/// Whose midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ZoneChoice {
    /// This machine's time zone.
    Local,
    /// UTC, as provider pages count.
    Utc,
}

/// Bars, table and totals of one period.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageView {
    /// Beginning of the period.
    pub from: UnixMs,
    /// End of the period.
    pub to: UnixMs,
    /// The time zone that was used, `Europe/Berlin`.
    pub zone: String,
    /// The chart's title as its finding, for example "openai: 82 % of $4.10".
    pub finding: String,
    /// Totals.
    pub totals: UsageTotalsView,
    /// The groups, dearest first; at most eight, then `other`.
    pub groups: Vec<UsageGroupView>,
    /// The bars, oldest first, gaps included.
    pub buckets: Vec<UsageBucketView>,
}

/// Sums.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct UsageTotalsView {
    /// The priced part.
    pub cost: MicroDollars,
    /// All requests.
    pub requests: Count,
    /// Requests whose cost is not known; not in `cost`.
    pub unpriced_requests: Count,
    /// Requests that did not end well.
    pub failed_requests: Count,
    /// Input tokens of every class.
    pub input_tokens: Count,
    /// Input tokens read from a provider's cache; part of `input_tokens`.
    pub cache_read_tokens: Count,
    /// Output tokens, reasoning included.
    pub output_tokens: Count,
    /// Reasoning tokens; part of `output_tokens`.
    pub reasoning_tokens: Count,
}

/// One group of the chart and one row of the table.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageGroupView {
    /// Its key; `other` for the rest.
    pub key: String,
    /// Its name for people.
    pub label: String,
    /// Its sums.
    pub totals: UsageTotalsView,
    /// Its share of the cost in percent, 0 to 100, when there is any cost.
    pub cost_share_percent: Option<u32>,
}

/// One bar.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageBucketView {
    /// Its beginning.
    pub start: UnixMs,
    /// Its name on the axis: `08:00` or `21 Nov`.
    pub label: String,
    /// One segment for each entry of `groups`, in that order.
    pub segments: Vec<UsageSegmentView>,
    /// The whole bar.
    pub total: UsageSegmentView,
}

/// One group's part of a bar.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct UsageSegmentView {
    /// Cost.
    pub cost: MicroDollars,
    /// Requests.
    pub requests: Count,
    /// Tokens, in and out.
    pub tokens: Count,
}

/// Which requests. All filters that are set have to hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
pub struct RequestsQuery {
    /// Older than this request; none for the newest.
    pub before: Option<String>,
    /// How many, 1 to 500.
    pub limit: u32,
    /// Only answered by this backend, or failed at it last.
    pub backend: Option<String>,
    /// Only of this client.
    pub client: Option<String>,
    /// Only of this route.
    #[serde(default)]
    #[specta(optional)]
    pub route: Option<String>,
    /// Only requests that asked for this model or were billed as it; `*` stands for any text.
    #[serde(default)]
    #[specta(optional)]
    pub model: Option<String>,
    /// Only with this HTTP status, `503`, or one of this class, `5xx`.
    #[serde(default)]
    #[specta(optional)]
    pub http_status: Option<String>,
    /// Only with this outcome.
    #[serde(default)]
    #[specta(optional)]
    pub state: Option<RequestStateView>,
    /// Only requests that began at this time or later.
    #[serde(default)]
    #[specta(optional)]
    pub since: Option<UnixMs>,
    /// Only requests that began before this time.
    #[serde(default)]
    #[specta(optional)]
    pub until: Option<UnixMs>,
}

/// A page of requests, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestsView {
    /// The rows.
    pub requests: Vec<RequestView>,
    /// What to ask for as `before` to see older ones.
    pub next: Option<String>,
}

/// One request.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestView {
    /// Its id, as in `x-gatehouse-request-id`.
    pub id: String,
    /// When it came.
    pub started_at: UnixMs,
    /// Who sent it.
    pub client: String,
    /// Who answered or failed last; of a request that no backend was asked, the first choice.
    pub backend: Option<String>,
    /// What was asked for.
    pub model_asked: String,
    /// What the backend says it used.
    pub model_billed: Option<String>,
    /// How it ended.
    pub state: RequestStateView,
    /// The status the client saw.
    pub http_status: Option<u16>,
    /// What went wrong, as the client was told; of requests recorded by older versions the class alone.
    pub error: Option<String>,
    /// The gateway's stable word for it: `overloaded`.
    #[serde(default)]
    pub error_class: Option<String>,
    /// Why it went where it went.
    pub explanation: String,
    /// Streamed or in one piece.
    pub stream: bool,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// Input tokens of every class; none when not known.
    pub input_tokens: Option<Count>,
    /// Of these, read from the provider's cache.
    pub cache_read_tokens: Option<Count>,
    /// Output tokens; none when not known.
    pub output_tokens: Option<Count>,
    /// How the tokens are known; none without any, and for requests of before it was written down,
    /// whose tokens the backend reported.
    pub usage_basis: Option<UsageBasisView>,
    /// The backend's own usage object, as it came; JSON of at most 4,096 bytes.
    pub usage_raw: Option<String>,
    /// Its cost; none when not known.
    pub cost: Option<MicroDollars>,
    /// How the cost is known.
    pub cost_basis: CostBasisView,
    /// Time to the first token, in milliseconds.
    pub first_token_ms: Option<f64>,
    /// Time to the last byte, in milliseconds.
    pub total_ms: Option<f64>,
    /// Upstream attempts.
    pub attempts: u32,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum RequestStateView {
    /// Still running.
    Running,
    /// Ended well.
    Complete,
    /// Cut short after its first token.
    Partial,
    /// Refused or failed.
    Failed,
    /// The client left.
    Cancelled,
    /// The program was stopped while it ran.
    Unknown,
}

/// How token counts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum UsageBasisView {
    /// The backend said so.
    Reported,
    /// The backend's numbers disagreed or were none, and were brought into range.
    Adjusted,
    /// The backend said nothing; they were counted from the text.
    Estimated,
}

/// How a cost is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CostBasisView {
    /// The provider said so.
    Reported,
    /// Tokens times price.
    Computed,
    /// Estimated tokens times price.
    Estimated,
    /// Nothing was billed: the mock or the cache answered, or no backend was reached.
    NotBilled,
    /// No usage or no price: unknown, never zero.
    Unpriced,
}
