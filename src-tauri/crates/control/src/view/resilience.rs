//! Request and view types for endpoints: breaker, cooldowns, block, history. An endpoint is a backend with one of its keys.
//!
//! States come with their reasons and times as text, so the panel computes nothing.

use ::engine::AvailabilityState;
use ::resilience::{BlockReason, BreakerOverride};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::UnixMs;

/// Longest time that a breaker can be forced, in minutes: one day.
pub const FORCE_MINUTES_MAX: u32 = 24 * 60;

/// Longest timeline, in hours: one week.
pub const TIMELINE_HOURS_MAX: u32 = 7 * 24;

/// Longest back-test, in days.
pub const BACKTEST_DAYS_MAX: u32 = 30;

/// Availability of an endpoint at this moment.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AvailabilityView {
    /// None if the backend needs no key.
    pub credential: Option<String>,
    pub state: AvailabilityState,
    /// Percentage of requests that it gets while it recovers, 1 to 99.
    pub percent: Option<u8>,
    /// One sentence with the cause.
    pub why: String,
    pub since: Option<UnixMs>,
    /// When the state ends, if time alone ends it.
    pub until: Option<UnixMs>,
}

/// An endpoint and everything that restricts it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct EndpointView {
    pub backend: String,
    pub backend_label: String,
    /// None if the backend needs no key.
    pub credential: Option<String>,
    pub credential_label: Option<String>,
    pub availability: AvailabilityView,
    /// The breaker alone.
    pub breaker: BreakerView,
    /// Pauses that the provider asked for; those of the whole endpoint first.
    pub cooldowns: Vec<CooldownView>,
    /// None if it is not blocked.
    pub block: Option<EndpointBlockView>,
    /// The override in force, if any.
    pub forced: Option<ActiveOverrideView>,
    pub concurrency: ConcurrencyView,
}

/// The breaker alone, without cooldown, block and override.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerView {
    pub state: BreakerState,
    /// Percentage of requests let through while it recovers, 1 to 99.
    pub percent: Option<u8>,
    /// One sentence.
    pub why: String,
    pub since: Option<UnixMs>,
    /// When the next trial is due.
    pub until: Option<UnixMs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Lets every request through.
    Closed,
    /// Lets no request through.
    Open,
    /// Lets single requests through.
    HalfOpen,
    /// Lets a growing share of requests through.
    Recovering,
}

/// A pause that the provider asked for.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CooldownView {
    /// None for all models.
    pub model: Option<String>,
    /// One sentence.
    pub why: String,
    pub until: UnixMs,
}

/// A key or an account that its provider refuses.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct EndpointBlockView {
    pub reason: BlockReason,
    /// One sentence.
    pub why: String,
    /// What lifts the block.
    pub fix: String,
    pub since: Option<UnixMs>,
}

/// A manual override of a breaker.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ActiveOverrideView {
    pub forced: BreakerOverride,
    /// Who set it: `you`.
    pub by: String,
    pub since: Option<UnixMs>,
    /// When it ends; None if it lasts until it is reset.
    pub until: Option<UnixMs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ConcurrencyView {
    /// Requests in flight at this moment.
    pub in_flight: u32,
    /// The limit now, which may be below `limit_max`; None without a limit.
    pub limit: Option<u32>,
    /// The limit from the settings; None without a limit.
    pub limit_max: Option<u32>,
}

/// Forces a breaker into a state.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct EndpointForce {
    pub backend: String,
    /// None if the backend needs no key.
    pub credential: Option<String>,
    pub forced: BreakerOverride,
    /// How long it lasts, 1 to [`FORCE_MINUTES_MAX`]. Without it, `closed` ends after the time in
    /// the settings, and every other state ends when it is reset.
    pub minutes: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct EndpointRef {
    pub backend: String,
    /// None if the backend needs no key.
    pub credential: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerTimelineQuery {
    pub backend: String,
    /// 1 to [`TIMELINE_HOURS_MAX`].
    pub hours: u32,
}

/// History of a backend's endpoints.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerTimelineView {
    /// The chart's title: "Tripped twice, 4 min in total".
    pub finding: String,
    /// Start of the chart.
    pub from: UnixMs,
    /// End of the chart: now.
    pub to: UnixMs,
    /// One for each key, without gaps.
    pub strips: Vec<BreakerStripView>,
    /// Newest first; at most 200.
    pub transitions: Vec<BreakerTransitionView>,
}

/// History of one key as spans to draw.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerStripView {
    /// None if the backend needs no key.
    pub credential: Option<String>,
    /// Oldest first. Each begins where the one before it ends.
    pub spans: Vec<BreakerSpanView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerSpanView {
    pub from: UnixMs,
    pub to: UnixMs,
    pub state: AvailabilityState,
    /// One sentence.
    pub why: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BreakerTransitionView {
    pub at: UnixMs,
    /// None if the backend needs no key.
    pub credential: Option<String>,
    pub from: AvailabilityState,
    pub to: AvailabilityState,
    /// The rule that caused the change, in words: "3 failures in a row".
    pub rule: String,
    /// Ids of the requests that led to the change, oldest first; at most ten.
    pub evidence: Vec<String>,
    /// Planned duration, in seconds.
    pub for_secs: Option<u32>,
}

/// Breaker thresholds to try on past attempts. None takes the value from the settings.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BacktestQuery {
    /// None for all backends.
    pub backend: Option<String>,
    /// 1 to [`BACKTEST_DAYS_MAX`].
    pub days: u32,
    /// Failures in a row that open the breaker.
    pub consecutive_failures: Option<u32>,
    /// Percentage of failures in the window that opens the breaker.
    pub failure_percent: Option<u8>,
    /// Fewest calls in the window for `failure_percent` to count.
    pub window_calls_min: Option<u32>,
    /// First open time, in seconds.
    pub open_secs: Option<u32>,
}

/// What a breaker with these thresholds would have done.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BacktestView {
    /// "With these thresholds, the breaker would have tripped 3 times in the last 7 days."
    pub sentence: String,
    /// How often the breaker would have opened.
    pub opened: u32,
    /// How often the breaker did open.
    pub opened_really: u32,
    /// How long the breaker would have been open, in seconds.
    pub open_secs: u32,
    /// Number of attempts that were evaluated.
    pub attempts: u32,
}
