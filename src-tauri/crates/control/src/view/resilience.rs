//! How each backend stands with each of its keys: breaker, cooldown and block, every one with why
//! and until when, how they came there, and what became of a request on its way through them.
//!
//! The panel draws these and reckons nothing: states, sentences and times come ready.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{CostBasisView, MicroDollars, PassedOverView, UnixMs};

/// Longest time a breaker is held by hand, in minutes: a day.
pub const FORCE_MINUTES_MAX: u32 = 24 * 60;

/// Longest timeline, in hours: a week.
pub const TIMELINE_HOURS_MAX: u32 = 7 * 24;

/// Longest back-test, in days.
pub const BACKTEST_DAYS_MAX: u32 = 30;

/// Whether requests may go to a backend with one of its keys at this moment.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AvailabilityView {
    /// With which key; none if it needs none.
    pub credential: Option<String>,
    /// The word.
    pub state: AvailabilityState,
    /// The share of requests it gets while it recovers, 1 to 99.
    pub percent: Option<u8>,
    /// Why, in one sentence with its cause.
    pub why: String,
    /// Since when.
    pub since: Option<UnixMs>,
    /// Until when, if time alone ends it.
    pub until: Option<UnixMs>,
}

/// One word for breaker, cooldown, block and override together: what holds it back most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AvailabilityState {
    /// Gets requests.
    Ready,
    /// Gets a growing share of them after an outage.
    Recovering,
    /// Gets single requests, to see whether it works again.
    Trial,
    /// Asked for a pause: gets none until it is over.
    CoolingDown,
    /// Failed too often, so its breaker is tripped: gets none for a while.
    Open,
    /// Refuses its key or its account: gets none until that changes.
    Blocked,
    /// Its traffic is blocked by hand.
    Held,
    /// Switched off in the settings.
    Off,
    /// The settings have no such backend any more.
    Removed,
}

/// A backend with one of its keys, and all that holds it back.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AccessView {
    /// Which backend.
    pub backend: String,
    /// Its name for people.
    pub backend_label: String,
    /// With which key; none if it needs none.
    pub credential: Option<String>,
    /// The key's name for people.
    pub credential_label: Option<String>,
    /// Whether requests may go there now.
    pub availability: AvailabilityView,
    /// The breaker alone.
    pub breaker: BreakerView,
    /// Pauses that the provider asked for; those of the whole access first.
    pub cooldowns: Vec<CooldownView>,
    /// Why it is blocked, if it is.
    pub block: Option<BlockView>,
    /// What was set by hand, while it lasts.
    pub forced: Option<ForcedStateView>,
    /// How many requests it may have at once.
    pub concurrency: ConcurrencyView,
}

/// A breaker's own state.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerView {
    /// The word.
    pub state: BreakerState,
    /// The share of requests let through while it recovers, 1 to 99.
    pub percent: Option<u8>,
    /// Why, in one sentence.
    pub why: String,
    /// Since when.
    pub since: Option<UnixMs>,
    /// When it tries again.
    pub until: Option<UnixMs>,
}

/// The states of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Lets everything through.
    Closed,
    /// Lets nothing through.
    Open,
    /// Lets single requests through.
    HalfOpen,
    /// Lets a growing share through.
    Recovering,
}

/// A pause that the provider asked for.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CooldownView {
    /// For which model; none for all of them.
    pub model: Option<String>,
    /// Why, in one sentence.
    pub why: String,
    /// When it ends.
    pub until: UnixMs,
}

/// A key or an account that its provider refuses.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BlockView {
    /// Why.
    pub reason: BlockReasonView,
    /// Why, in one sentence.
    pub why: String,
    /// What lifts it.
    pub fix: String,
    /// Since when.
    pub since: Option<UnixMs>,
}

/// Why a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BlockReasonView {
    /// The provider does not know the key.
    KeyRejected,
    /// The key may not do this.
    Forbidden,
    /// The account has no money left.
    Unpaid,
    /// The account's quota is used up.
    QuotaExhausted,
}

/// What was set by hand.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ForcedStateView {
    /// What.
    pub forced: ForcedView,
    /// Who set it: `you`.
    pub by: String,
    /// Since when.
    pub since: Option<UnixMs>,
    /// Until when; none for until it is reset.
    pub until: Option<UnixMs>,
}

/// What can be set by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ForcedView {
    /// No requests go there.
    Open,
    /// Requests go there whatever happens; a block still holds.
    Closed,
    /// The breaker counts and never opens.
    MonitorOnly,
    /// The breaker does nothing.
    Disabled,
}

/// How many requests go there at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ConcurrencyView {
    /// Requests there right now.
    pub in_flight: u32,
    /// How many it may have now; none without a limit.
    pub limit: Option<u32>,
    /// How many it may have at best, by the settings; none without a limit.
    pub limit_max: Option<u32>,
}

/// Sets a breaker by hand, for a time.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AccessForce {
    /// Which backend.
    pub backend: String,
    /// With which key; none if it needs none.
    pub credential: Option<String>,
    /// What.
    pub forced: ForcedView,
    /// For how long, 1 to [`FORCE_MINUTES_MAX`]. Without it, closed ends after the time in the
    /// settings, and everything else when it is reset.
    pub minutes: Option<u32>,
}

/// Names a backend with one of its keys.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AccessRef {
    /// Which backend.
    pub backend: String,
    /// With which key; none if it needs none.
    pub credential: Option<String>,
}

/// Whose past, and how much of it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerTimelineQuery {
    /// Which backend.
    pub backend: String,
    /// How far back, 1 to [`TIMELINE_HOURS_MAX`].
    pub hours: u32,
}

/// What a backend went through.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerTimelineView {
    /// The chart's title as its finding: "open twice today, 4 minutes in all".
    pub finding: String,
    /// Beginning of the chart.
    pub from: UnixMs,
    /// End of the chart: now.
    pub to: UnixMs,
    /// One strip for each key, without gaps from beginning to end.
    pub strips: Vec<BreakerStripView>,
    /// Every change, newest first; at most 200.
    pub transitions: Vec<BreakerTransitionView>,
}

/// One key's past as spans to draw.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerStripView {
    /// Which key; none if the backend needs none.
    pub credential: Option<String>,
    /// Its spans, oldest first; each begins where the one before ends.
    pub spans: Vec<BreakerSpanView>,
}

/// A time in one state.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerSpanView {
    /// Its beginning.
    pub from: UnixMs,
    /// Its end.
    pub to: UnixMs,
    /// The state.
    pub state: AvailabilityState,
    /// Why, in one sentence.
    pub why: String,
}

/// One change of state.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerTransitionView {
    /// When.
    pub at: UnixMs,
    /// Which key; none if the backend needs none.
    pub credential: Option<String>,
    /// What it was.
    pub from: AvailabilityState,
    /// What it became.
    pub to: AvailabilityState,
    /// The rule that did it, in words: "3 failures in a row".
    pub rule: String,
    /// The requests that were counted, oldest first; at most ten.
    pub evidence: Vec<String>,
    /// How long it was to last, in seconds.
    pub for_secs: Option<u32>,
}

/// Numbers to try on the past. None takes the settings' own.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BacktestQuery {
    /// Only this backend; none for all.
    pub backend: Option<String>,
    /// How far back, in days, 1 to [`BACKTEST_DAYS_MAX`].
    pub days: u32,
    /// Failures in a row that open the breaker.
    pub consecutive_failures: Option<u32>,
    /// Share of failures in the window that opens it, in percent.
    pub failure_percent: Option<u8>,
    /// Fewest calls in the window before the share counts.
    pub window_calls_min: Option<u32>,
    /// How long it stays open the first time, in seconds.
    pub open_secs: Option<u32>,
}

/// What a breaker with such numbers would have done.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BacktestView {
    /// "With these numbers, the breaker would have tripped 3 times in the last 7 days."
    pub sentence: String,
    /// How often it would have opened.
    pub opened: u32,
    /// How often it did open.
    pub opened_really: u32,
    /// How long it would have been open, in seconds.
    pub open_secs: u32,
    /// Attempts that were looked at.
    pub attempts: u32,
}

/// Names one request.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestRef {
    /// Which.
    pub id: String,
}

/// How a request went its way, beyond what its row in the log says.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestPathView {
    /// The request.
    pub id: String,
    /// The route that led it; none if the model's name alone decided.
    pub route: Option<String>,
    /// Waiting for a place before the first attempt, in milliseconds.
    pub queued_ms: Option<f64>,
    /// Every attempt, in order.
    pub attempts: Vec<RequestAttemptView>,
    /// Who was not tried, with the reason.
    pub passed_over: Vec<PassedOverView>,
    /// What the cache did.
    pub cache: RequestCacheView,
}

/// One attempt at one backend.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestAttemptView {
    /// Where it went.
    pub backend: String,
    /// With which key; none if it needs none.
    pub credential: Option<String>,
    /// The model asked of it.
    pub model: String,
    /// The pause before it, in milliseconds.
    #[specta(type = specta_typescript::Number)]
    pub waited_ms: f64,
    /// How long it took, in milliseconds.
    #[specta(type = specta_typescript::Number)]
    pub duration_ms: f64,
    /// The backend's status, if it answered.
    pub http_status: Option<u16>,
    /// The kind of failure, in words: "rate limited"; none if it did not fail.
    pub class: Option<String>,
    /// Whose fault that is: `request`, `key`, `model`, `endpoint`, `network`, `local` or `client`.
    pub owner: Option<String>,
    /// What went wrong, in one sentence.
    pub error: Option<String>,
    /// What it cost; none when not known.
    pub cost: Option<MicroDollars>,
    /// How the cost is known.
    pub cost_basis: CostBasisView,
}

/// What the cache did with a request.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RequestCacheView {
    /// The outcome.
    pub outcome: CacheOutcomeView,
    /// Why, in one sentence.
    pub reason: String,
    /// Money not spent because of it.
    pub saved: Option<MicroDollars>,
    /// Time not waited because of it, in milliseconds.
    pub saved_ms: Option<f64>,
}

/// Outcomes of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CacheOutcomeView {
    /// Answered from it.
    Hit,
    /// Joined another request that asked the same at the same time.
    Joined,
    /// Not in it; asked, and kept if it may be.
    Miss,
    /// Not looked up.
    Bypass,
}
