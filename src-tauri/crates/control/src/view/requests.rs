//! Request and view types for single requests and saved views of them.

use ledger::{CacheOutcome, RequestState, UsageBasis, WasteKind};
use resilience::{FailureClass, FailureOwner};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{
    CostBasisView, Count, ExcludedCandidateView, InvoiceView, NanoDollars, SnippetView, UnixMs,
    UnpricedView,
};

/// Filters for single requests. All filters that are set must match.
///
/// An empty backend, key or project stands for the requests without one, as in reports of usage.
///
/// Amounts and times are texts as a person writes them, so that the panel, the command line and a
/// saved view share one reading and its errors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RequestsQuery {
    /// Only requests older than this one; None for the newest.
    #[serde(default)]
    #[specta(optional)]
    pub before: Option<String>,
    /// 1 to 500.
    #[serde(default)]
    pub limit: u32,
    /// Only requests that this backend answered, or failed last.
    #[serde(default)]
    #[specta(optional)]
    pub backend: Option<String>,
    /// Only requests with this key.
    #[serde(default)]
    #[specta(optional)]
    pub key: Option<String>,
    #[serde(default)]
    #[specta(optional)]
    pub client: Option<String>,
    /// Only requests of this project.
    #[serde(default)]
    #[specta(optional)]
    pub project: Option<String>,
    #[serde(default)]
    #[specta(optional)]
    pub route: Option<String>,
    /// Matches the requested and the billed model; `*` stands for any text.
    #[serde(default)]
    #[specta(optional)]
    pub model: Option<String>,
    /// A status, `503`, or a class, `5xx`.
    #[serde(default)]
    #[specta(optional)]
    pub http_status: Option<String>,
    #[serde(default)]
    #[specta(optional)]
    pub state: Option<RequestState>,
    /// The class of a failed attempt, `rate-limited`, or the error code that the client got.
    #[serde(default)]
    #[specta(optional)]
    pub failure: Option<String>,
    #[serde(default)]
    #[specta(optional)]
    pub cache: Option<CacheOutcome>,
    /// Only requests that cost at least this many US dollars, `0.10`.
    #[serde(default)]
    #[specta(optional)]
    pub min_cost: Option<String>,
    /// Only requests that cost at most this many US dollars.
    #[serde(default)]
    #[specta(optional)]
    pub max_cost: Option<String>,
    /// True: only requests whose cost is not known.
    #[serde(default)]
    #[specta(optional)]
    pub unpriced: Option<bool>,
    /// Only settled requests that were wasted in this way. No other filter finds Gatehouse's own.
    #[serde(default)]
    #[specta(optional)]
    pub waste: Option<WasteKind>,
    /// Only requests that took at least this long, `5s` or `800ms`.
    #[serde(default)]
    #[specta(optional)]
    pub slower_than: Option<String>,
    /// Only requests that took at most this long.
    #[serde(default)]
    #[specta(optional)]
    pub faster_than: Option<String>,
    /// Only requests that began in this period: `1h`, `last 3h`, `yesterday`, `2026-11-03` or
    /// `2026-11-01..2026-11-07`.
    #[serde(default)]
    #[specta(optional)]
    pub within: Option<String>,
    /// Only requests that began at this time or later.
    #[serde(default)]
    #[specta(optional)]
    pub since: Option<UnixMs>,
    /// Only requests that began before this time.
    #[serde(default)]
    #[specta(optional)]
    pub until: Option<UnixMs>,
    /// Only requests that ended at this time or later.
    #[serde(default)]
    #[specta(optional)]
    pub ended_since: Option<UnixMs>,
}

/// Filters of requests as one line of text: `status:5xx cost>0.1 client:codex`.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestQueryText {
    /// At most 1,000 characters.
    pub text: String,
}

/// The filters that a text asks for.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestQueryView {
    /// Without a page.
    pub query: RequestsQuery,
    /// Every word that a text may have.
    pub words: Vec<RequestQueryWord>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestQueryWord {
    /// `status`
    pub word: String,
    /// `status:5xx`
    pub example: String,
    /// "an HTTP status, or a class of them"
    pub means: String,
}

domain::words! {
    /// How exported requests are written.
    #[derive(Default)]
    RequestsFormat {
        #[default]
        Csv = "csv",
        Json = "json",
    }
}

/// Asks for all requests that match filters, as a file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
pub struct RequestsExport {
    /// Its `limit` may be 1 to 100,000, and is that if it is 0. `before` is not looked at.
    pub query: RequestsQuery,
    pub format: RequestsFormat,
}

/// A page of requests, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestsView {
    pub requests: Vec<RequestView>,
    /// The value of `before` for the next page.
    pub next: Option<String>,
    /// Set if the page ended because few requests match: those that began earlier were not looked
    /// at, and `next` goes on from there.
    pub looked_back_to: Option<UnixMs>,
    /// What the period leaves out, in a sentence; None unless it begins before the kept requests.
    pub no_longer_kept: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestView {
    /// The value of the header `x-gatehouse-request-id`.
    pub id: String,
    pub started_at: UnixMs,
    /// None while it runs.
    pub ended_at: Option<UnixMs>,
    pub client: String,
    /// Of the token, or else from the header `x-gatehouse-project`.
    pub project: Option<String>,
    /// The name of the route, or of the model if no route matched.
    pub route: String,
    /// The backend that answered or failed last. If no backend was asked, the first choice.
    pub backend: Option<String>,
    /// The key of that backend.
    pub key: Option<String>,
    pub model_asked: String,
    /// The model that the backend reports.
    pub model_billed: Option<String>,
    pub state: RequestState,
    /// The status that the client saw.
    pub http_status: Option<u16>,
    /// The message that the client saw; only the class for requests recorded by older versions.
    pub error: Option<String>,
    /// The gateway's stable error class: `overloaded`.
    #[serde(default)]
    pub error_class: Option<String>,
    /// Why this backend was chosen.
    pub explanation: String,
    /// The other machine that it was made on, if its export was merged.
    pub device: Option<String>,
    pub stream: bool,
    pub finish_reason: Option<String>,
    /// Every class of input; None if not known.
    pub input_tokens: Option<Count>,
    /// Part of `input_tokens`.
    pub cache_read_tokens: Option<Count>,
    /// None if not known.
    pub output_tokens: Option<Count>,
    /// None without tokens. Also None for older requests, whose tokens the backend reported.
    pub usage_basis: Option<UsageBasis>,
    /// The backend's own usage object; JSON of at most 4,096 bytes.
    pub usage_raw: Option<String>,
    /// None if not known.
    pub cost_nano_usd: Option<NanoDollars>,
    pub cost_basis: CostBasisView,
    /// Why the cost is not known, where that was recorded.
    pub unpriced: Option<UnpricedView>,
    pub cache: CacheOutcome,
    pub first_token_ms: Option<f64>,
    /// Time to the last byte, in milliseconds.
    pub total_ms: Option<f64>,
    pub attempts: u32,
}

/// The error class and the advice for a request that did not end well.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FailureCauseView {
    /// None if no backend was at fault, or the class is of another version.
    pub class: Option<FailureClass>,
    /// What went wrong at its origin, in one sentence.
    pub cause: String,
    /// What to do about it, in one sentence.
    pub next_step: String,
}

/// A request as code that sends one like it. The texts of requests are not kept.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestCodeView {
    /// One sentence: what the code does not hold.
    pub note: String,
    /// The client's own dialect first.
    pub snippets: Vec<SnippetView>,
}

/// Filters of requests under a name.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SavedView {
    /// Lower-case letters, digits, `.`, `-` and `_`.
    pub name: String,
    /// Its filters, without a page.
    pub query: RequestsQuery,
}

/// Names a saved view.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SavedViewRef {
    pub name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestRef {
    pub id: String,
}

/// Attempts, skipped candidates and cache outcome of a request.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestPathView {
    pub request: RequestView,
    /// None if the model's name alone decided.
    pub route: Option<String>,
    /// Time in the admission queue before the first attempt, in milliseconds.
    pub queued_ms: Option<f64>,
    /// In order.
    pub attempts: Vec<RequestAttemptView>,
    /// Candidates that were not tried.
    pub passed_over: Vec<ExcludedCandidateView>,
    pub cache: RequestCacheView,
    /// None if the request ended well or still runs.
    pub failure: Option<FailureCauseView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestAttemptView {
    pub backend: String,
    /// None if the backend needs no key.
    pub credential: Option<String>,
    /// The model requested from the backend.
    pub model: String,
    /// Pause before the attempt, in milliseconds.
    #[specta(type = specta_typescript::Number)]
    pub waited_ms: f64,
    #[specta(type = specta_typescript::Number)]
    pub duration_ms: f64,
    /// None if the backend did not answer.
    pub http_status: Option<u16>,
    /// Failure class in words: "rate limited"; None if the attempt succeeded.
    pub class: Option<String>,
    pub owner: Option<FailureOwner>,
    /// One sentence.
    pub error: Option<String>,
    /// None if not known.
    pub cost_nano_usd: Option<NanoDollars>,
    pub cost_basis: CostBasisView,
    pub invoice: InvoiceView,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestCacheView {
    pub outcome: CacheOutcome,
    /// One sentence.
    pub reason: String,
    /// Cost avoided by the cache.
    pub saved_nano_usd: Option<NanoDollars>,
    /// Waiting time avoided by the cache, in milliseconds.
    pub saved_ms: Option<f64>,
}
