//! View types of health and service levels.

use ::service_levels::{BurnWindow, ScoreCap, ScoreConfidence, ScorePart, StripCell};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, HealthView, ObjectiveTarget, ServiceGoal, ServicePeriod, ServicesView, UnixMs};

domain::words! {
    /// What a service level is of.
    ServiceLevelKind {
        Gateway = "gateway",
        Route = "route",
        Backend = "backend",
        Service = "service",
    }
}

domain::words! {
    /// What a service level counts as good.
    LevelIndicator {
        /// Requests that were answered
        Requests = "requests",
        /// First tokens in time
        FirstToken = "first-token",
        /// Observed time in which it answered
        Availability = "availability",
    }
}

domain::words! {
    /// How a service level stands.
    ServiceLevelState {
        /// More is left than half of the failures or of the downtime that is allowed
        Kept = "kept",
        /// Half or less is left
        Tight = "tight",
        /// At this rate it is missed before the period ends
        BurningSlow = "burning_slow",
        /// At this rate it is missed within days
        BurningFast = "burning_fast",
        /// More failed, or was down for longer, than is allowed
        Missed = "missed",
        /// Too few requests, or too little observed time, to tell
        NotEnoughData = "not_enough_data",
    }
}

/// How each backend has served, and how it does now.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HealthReportView {
    /// "Every backend answers", "1 of 3 backends does not answer"
    pub finding: String,
    /// True while no network leads off this machine.
    pub is_offline: bool,
    /// The worst first; those that are switched off last.
    pub backends: Vec<BackendHealthView>,
    /// What else work depends on.
    pub services: ServicesView,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendHealthView {
    pub id: String,
    pub label: String,
    pub health: HealthView,
    /// The last 24 hours, 7 days and 90 days.
    pub availability: Vec<AvailabilityShareView>,
    /// One cell per day of UTC, the oldest first; 90 of them.
    pub strip: Vec<StripDayView>,
    /// First tokens of the last 24 hours; None without one.
    pub first_token: Option<FirstTokenView>,
    pub score: HealthScoreView,
}

/// The share of the observed time in which a backend or a service answered.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AvailabilityShareView {
    /// `24 h`, `7 d` or `90 d`
    pub period: String,
    /// None if nothing was observed.
    pub percent: Option<f64>,
    pub observed_secs: Count,
    /// Share of the period that was observed.
    pub coverage_percent: f64,
    /// "99.97 % of 61 h observed"
    pub sentence: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StripDayView {
    /// `2026-11-21`
    pub day: String,
    pub cell: StripCell,
    /// None if nothing was observed.
    pub percent: Option<f64>,
    pub observed_minutes: u32,
    pub down_minutes: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FirstTokenView {
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub count: Count,
    /// The 95th percentile of the seven days before; None with fewer than ten.
    pub usual_p95_ms: Option<f64>,
    /// Half of them and 95 % of them, beside the seven days before; a percentile of which there are too
    /// few in either time is left out.
    pub changes: Vec<FirstTokenChangeView>,
}

domain::words! {
    /// What is certain of a difference, with 95 % confidence.
    LatencyChange {
        Slower = "slower",
        Faster = "faster",
        /// It may be chance
        Unclear = "unclear",
    }
}

/// A percentile of the last 24 hours, compared with the seven days before.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FirstTokenChangeView {
    pub percentile: u32,
    pub change: LatencyChange,
    /// The interval of the difference; below zero where it is faster.
    pub low_ms: f64,
    pub high_ms: f64,
    /// "The 95th percentile is 0.8 s to 1.6 s later than in the seven days before, with 95 % confidence"
    pub sentence: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HealthScoreView {
    /// 0 to 100; None if nothing was observed.
    pub points: Option<u32>,
    pub parts: Vec<ScorePartView>,
    /// Why it is not higher, whatever its parts say.
    pub cap: Option<ScoreCap>,
    /// The cap in words.
    pub cap_sentence: Option<String>,
    pub confidence: ScoreConfidence,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ScorePartView {
    pub part: ScorePart,
    /// What it measures.
    pub meaning: String,
    /// None if nothing measured it.
    pub points: Option<f64>,
    pub points_max: u32,
}

/// Objectives and what is left of the failures that they allow.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ServiceLevelsView {
    /// "Every objective is kept", "1 of 5 objectives is missed"
    pub finding: String,
    /// What is promised of each kind; `service_level_set` changes it.
    pub objectives: Vec<ObjectiveView>,
    /// A first token that takes longer is not in time, unless its backend has a limit of its own.
    pub first_token_max_ms: u32,
    /// The gateway, routes, backends and services in their order, each with its requests before its
    /// first tokens.
    pub levels: Vec<ServiceLevelView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ServiceLevelView {
    pub kind: ServiceLevelKind,
    pub indicator: LevelIndicator,
    /// Empty for the gateway.
    pub id: String,
    pub label: String,
    pub state: ServiceLevelState,
    /// `99.5 % in 7 days`
    pub objective: String,
    pub terms: LevelTermsView,
    pub goal_percent: f64,
    pub period_days: u32,
    /// Requests of the period that count: without the caller's own errors, cancelled ones and faults
    /// of this machine.
    pub valid: Count,
    pub bad: Count,
    /// Of a service, which has no requests.
    pub time: Option<LevelTimeView>,
    /// Share of the valid requests that were good, or of the observed time; None without any.
    pub good_percent: Option<f64>,
    /// Share of the allowed failures or of the allowed downtime that is left, at most 100 and at least
    /// 0; None with too few requests or too little observed time.
    pub budget_left_percent: Option<f64>,
    /// How many times as fast as allowed requests failed in each time until now.
    pub burn: Vec<BurnRateView>,
    /// The two of these rates that tell how it stands; None for first tokens and services.
    pub pace: Option<BurnPaceView>,
    /// When the budget is used up at the present rate; None if it lasts, or with too few requests.
    pub exhausted_at: Option<UnixMs>,
    /// What to do, if anything.
    pub advice: String,
}

/// The objective of a level as `service_level_set` takes it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LevelTermsView {
    pub target: ObjectiveTarget,
    /// None for the gateway, which has no other objective than the default.
    pub name: Option<String>,
    pub goal: ServiceGoal,
    pub period: ServicePeriod,
    /// Only of first tokens.
    pub max_ms: Option<u32>,
    /// True if it has an objective of its own.
    pub is_own: bool,
    /// The default: `99.5 % in 7 days`
    pub default_objective: String,
}

/// The observed time of an objective's period.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LevelTimeView {
    pub observed_secs: Count,
    pub down_secs: Count,
    /// Of the observed time.
    pub allowed_secs: Count,
    /// What is left of the allowed time; 0 if it was down for longer.
    pub left_secs: Count,
    /// Observed time from which the state is told.
    pub needed_secs: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BurnRateView {
    pub window: BurnWindow,
    pub valid: Count,
    pub bad: Count,
    /// None with fewer than twenty valid requests.
    pub rate: Option<f64>,
}

/// An alert needs both rates, so that it matters and ends soon after the cause.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BurnPaceView {
    pub long: BurnRateView,
    pub short: BurnRateView,
    /// From this rate on in both, requests fail too fast.
    pub factor: f64,
}

/// An objective that holds where nothing has one of its own.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ObjectiveView {
    pub target: ObjectiveTarget,
    /// "Routes with a fallback"
    pub label: String,
    pub goal: ServiceGoal,
    pub period: ServicePeriod,
    /// First tokens are counted over a week.
    pub period_is_fixed: bool,
    /// True unless it was set.
    pub is_default: bool,
    /// "allows 43 min, or 12 of 12,000 requests"
    pub consequence: String,
}

/// What is to be promised. What is absent stays.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ServiceLevelSet {
    pub target: ObjectiveTarget,
    /// One route, backend or service; None for the default of all of them.
    #[serde(default)]
    pub name: Option<String>,
    /// Not of one backend's first tokens.
    #[serde(default)]
    pub goal: Option<ServiceGoal>,
    /// Not of first tokens.
    #[serde(default)]
    pub period: Option<ServicePeriod>,
    /// Of first tokens only; 100 to 60,000.
    #[serde(default)]
    pub max_ms: Option<u32>,
    /// Goes back to the default, and a default to what it was at first. Takes nothing else.
    #[serde(default)]
    pub to_default: bool,
}

/// What an objective would mean. Nothing is changed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ServiceLevelPreviewView {
    /// "99.9 % in 30 days allows 43 min, or 12 of 12,000 requests"
    pub consequence: String,
    /// "1 of 3 backends would miss it", or that there is not enough data to tell
    pub effect: String,
}
