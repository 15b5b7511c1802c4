//! View types of what was unusual.

use ledger::GroupBy;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{NanoDollars, TimeZoneChoice, UnixMs};

pub use ::analytics::UsageAnomalyRule;

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageAnomaliesQuery {
    pub zone: TimeZoneChoice,
    /// Days until now that are looked at, 1 to 28.
    pub days: u32,
}

/// An anomaly by its id.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageAnomalyRef {
    pub id: String,
}

/// That an anomaly is fine.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageAnomalyFine {
    pub id: String,
    /// However long it goes on. Else it is shown again if it goes on for two hours, or a share of a cache
    /// for a day.
    #[serde(default)]
    pub always: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageAnomaliesView {
    pub from: UnixMs,
    pub to: UnixMs,
    /// "2 unusual things in the last 7 days"
    pub finding: String,
    /// Newest first; at most twenty.
    pub anomalies: Vec<UsageAnomalyView>,
    /// Those that the user said are fine, newest first; at most twenty.
    pub dismissed: Vec<UsageAnomalyView>,
    /// True before two weeks of traffic: an hour is compared with the mean of all.
    pub learning: bool,
    /// Rules that need what is not recorded, a sentence each.
    pub unavailable_rules: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageAnomalyView {
    /// For `usage_anomaly_dismiss`: `cost@2026-11-21T14:00:00.000Z`.
    pub id: String,
    pub rule: UsageAnomalyRule,
    pub start: UnixMs,
    /// Exclusive.
    pub end: UnixMs,
    /// "$4.20 on 21 Nov from 14:00 to 15:00, usually $0.30"
    pub finding: String,
    pub actual: f64,
    pub expected: f64,
    pub unit: UsageAnomalyUnit,
    /// How far it is from usual in standard deviations; None where all before was alike.
    pub robust_z: Option<f64>,
    /// The name that is new, whose cache collapsed or that sent most of the requests.
    pub subject: Option<UsageSubjectView>,
    /// Why it cost more; of the rule `cost`.
    pub split: Option<UsageAnomalySplitView>,
    /// At most three, each of another dimension, largest first; of the rule `cost`.
    pub contributors: Vec<UsageContributorView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum UsageAnomalyUnit {
    NanoUsd,
    Requests,
    Percent,
}

/// A name in a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageSubjectView {
    pub dimension: GroupBy,
    pub key: String,
    pub label: String,
}

/// Parts of an excess, which sum to it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct UsageAnomalySplitView {
    /// More tokens.
    pub volume_nano_usd: NanoDollars,
    /// Dearer models.
    pub mix_nano_usd: NanoDollars,
    /// Dearer tokens of the same models: prices, less cache, longer answers.
    pub price_nano_usd: NanoDollars,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageContributorView {
    pub dimension: GroupBy,
    pub key: String,
    pub label: String,
    /// Its cost above its usual share of what was expected.
    pub excess_nano_usd: NanoDollars,
}
