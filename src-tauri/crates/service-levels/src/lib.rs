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
    Burn, BurnRule, BurnSpeed, BurnWindow, Objective, RequestCounts, VALID_MIN, judge_burn,
    shown_rule,
};
pub use observed::{ObservedSpan, ObservedTime, SpanClock, Uptime};
pub use quality::{
    AnswerQuality, CallsUntilNow, Degradation, Degraded, FAILED_MIN, FirstTokens, QUALITY_LATEST,
    QUALITY_WINDOW, QualityFacts,
};
pub use quantile::{CHANGE_CONFIDENCE_PERCENT, QuantileChange, quantile_ranks};
pub use score::{HealthScore, ScoreCap, ScoreConfidence, ScoreFacts, ScorePart, health_score};
pub use strip::{StripCell, strip_cell};
