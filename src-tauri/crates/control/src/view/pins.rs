//! Request and view types of figures that are pinned to the Overview.

use serde::{Deserialize, Serialize};
use settings::{PinMeasure, PinRange};
use specta::Type;

use super::{Count, TimeZoneChoice, UnixMs, UsageFilter};

#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct PinsQuery {
    /// Whose days.
    pub zone: TimeZoneChoice,
}

/// A figure to pin. One of the same name is replaced.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PinSave {
    /// Lower-case letters, digits, `.`, `-` and `_`.
    pub name: String,
    pub measure: PinMeasure,
    pub range: PinRange,
    #[serde(default)]
    #[specta(optional)]
    pub filter: UsageFilter,
}

/// Names a pinned figure.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PinRef {
    pub name: String,
}

/// A pinned figure with its value.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PinView {
    pub name: String,
    pub measure: PinMeasure,
    pub range: PinRange,
    pub filter: UsageFilter,
    pub from: UnixMs,
    pub to: UnixMs,
    /// "Cost per request"
    pub measure_label: String,
    /// "project web, model gpt-6-sol, 7 days"
    pub scope_label: String,
    pub unit: PinUnit,
    /// The value in words, in the shown currency: "$4.10", "98.5 %", "420 ms", "unknown".
    pub text: String,
    /// In `unit`; None where it is not known: no requests, or none with a price.
    pub value: Option<f64>,
    /// Requests that a cost leaves out, since theirs is not known; 0 of other figures.
    pub unpriced_requests: Count,
    /// Of the period before.
    pub previous: Option<f64>,
    /// "the 7 days before"
    pub previous_label: Option<String>,
    /// Change from the period before in percent; of a percentage in percentage points.
    pub change: Option<f64>,
    /// The last 7 days, or 30; oldest first.
    pub days: Vec<PinDayView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PinUnit {
    NanoUsd,
    Requests,
    Percent,
    Tokens,
    Ms,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PinDayView {
    pub start: UnixMs,
    /// `21 Nov`
    pub label: String,
    pub value: Option<f64>,
}
