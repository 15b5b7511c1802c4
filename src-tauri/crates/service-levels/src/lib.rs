//! How well backends, routes and the gateway serve: the share of the observed time in which a
//! backend answered, the share of requests that succeeded, and what is left of the failures that an
//! objective allows.
//!
//! Everything is computed from what was observed. Time without an observation is neither good nor
//! bad, and too few requests give no figure: silence is never taken for success.

mod downtime;
mod objective;
mod observed;
mod quality;
mod quantile;
mod score;
mod strip;

pub use objective::{
    BAD_LONG_MIN, BAD_SHORT_MIN, BURN_RULES, Burn, BurnRule, BurnSpeed, BurnWindow, Objective,
    RequestCounts, VALID_MIN, judge_burn, shown_rule,
};
pub use observed::{
    OBSERVATION_GAP_MAX, OBSERVED_MIN, ObservedSpan, ObservedTime, SpanClock, Uptime,
};
pub use quality::{
    AnswerQuality, CLEAR_AFTER, CallsUntilNow, DEGRADED_CALLS_MIN, Degradation, Degraded,
    FAILED_MIN, FAILED_PERCENT, FirstTokens, QUALITY_LATEST, QUALITY_WINDOW, QualityFacts,
};
pub use quantile::{CHANGE_CONFIDENCE_PERCENT, CHANGE_VALUES_MIN, QuantileChange, quantile_ranks};
pub use score::{HealthScore, ScoreCap, ScoreConfidence, ScoreFacts, ScorePart, health_score};
pub use strip::{StripCell, strip_cell};
