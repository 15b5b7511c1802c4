//! Request and view types for alerts, their rules, silences and the inbox.

use alerts::{AlertEnding, AlertGroup, AlertRule, AlertSeverity};
use domain::AlertDelivery;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, HealthTimelineView, UnixMs};

domain::words! {
    /// Where an alert stands.
    AlertState {
        /// Its condition holds, but not for long enough yet
        Pending = "pending",
        Firing = "firing",
        /// Its condition is over, but may come back
        Ending = "ending",
    }
}

domain::words! {
    /// Where an entry of an incident's time line comes from.
    IncidentSource {
        Alert = "alert",
        Health = "health",
        Breaker = "breaker",
        Note = "note",
        /// Something was changed
        Action = "action",
    }
}

/// What is wrong now, and what keeps which of it quiet.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertsView {
    /// The most severe and newest first; pending ones last.
    pub alerts: Vec<AlertView>,
    /// What is true and part of another alert.
    pub suppressed: Vec<SuppressedAlertView>,
    pub silences: Vec<SilenceView>,
    /// Entries of the inbox that were not seen.
    pub unread: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertView {
    /// None while it is pending.
    pub number: Option<u32>,
    pub rule: AlertRule,
    pub group: AlertGroup,
    pub severity: AlertSeverity,
    pub state: AlertState,
    /// The backends, routes, budgets or keys it is about.
    pub scopes: Vec<String>,
    pub title: String,
    pub detail: String,
    /// Path of the panel with what it is about.
    pub path: String,
    /// When its condition began.
    pub since: UnixMs,
    pub fired_at: Option<UnixMs>,
    pub acknowledged_at: Option<UnixMs>,
    /// When a notification about it was shown last.
    pub notified_at: Option<UnixMs>,
    /// The number of the silence that keeps it from being shown.
    pub silenced_by: Option<u32>,
    /// The scope by which a silence of its rule matches it, and as few others as can be.
    pub silence_scope: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SuppressedAlertView {
    pub rule: AlertRule,
    pub title: String,
    /// The alert it is part of: its rule and what that is about, such as `backend-down/openai`.
    pub by: String,
}

/// Alerts that are not shown for a time. They are still measured and listed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SilenceView {
    pub number: u32,
    /// None matches every rule.
    pub rule: Option<AlertRule>,
    /// The backend, route, budget or key; None matches all.
    pub scope: Option<String>,
    pub reason: String,
    pub created_at: UnixMs,
    pub until: UnixMs,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRef {
    pub number: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertSilence {
    /// None matches every rule.
    #[serde(default)]
    pub rule: Option<AlertRule>,
    /// The backend, route, budget or key; None matches all.
    #[serde(default)]
    pub scope: Option<String>,
    #[serde(default)]
    pub reason: String,
    /// A time to come, at most 30 days ahead.
    pub until: UnixMs,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SilenceRef {
    pub number: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct InboxQuery {
    /// Only entries with a smaller number: the next page.
    #[serde(default)]
    pub before: Option<u32>,
    #[serde(default)]
    pub unread_only: bool,
    /// At most 200.
    pub limit: u32,
}

/// Alerts that fired, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct InboxView {
    pub entries: Vec<InboxEntryView>,
    pub unread: Count,
    /// Pass it as `before` for the next page; None if there is none.
    pub next: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct InboxEntryView {
    pub number: u32,
    pub rule: AlertRule,
    pub severity: AlertSeverity,
    pub scopes: Vec<String>,
    pub title: String,
    pub detail: String,
    pub path: String,
    pub since: UnixMs,
    pub fired_at: UnixMs,
    /// None while it fires.
    pub ended_at: Option<UnixMs>,
    pub ending: Option<AlertEnding>,
    pub acknowledged_at: Option<UnixMs>,
    pub notified_at: Option<UnixMs>,
    pub is_read: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct InboxRead {
    /// None for all entries.
    #[serde(default)]
    pub number: Option<u32>,
}

/// An alert with what happened around it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct IncidentView {
    pub alert: InboxEntryView,
    /// None if it is not about backends.
    pub failed: Option<FailedRequestsView>,
    /// The network, the gateway and the backends that it is about, from before it to after.
    pub timeline: HealthTimelineView,
    /// Oldest first.
    pub events: Vec<IncidentEventView>,
    /// All of it as Markdown.
    pub markdown: String,
}

/// Requests that failed during an alert at the backends that it is about.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FailedRequestsView {
    pub count: Count,
    /// True if there may be more than were counted.
    pub is_at_least: bool,
    /// The backend that they failed at, if it is one.
    pub backend: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct IncidentEventView {
    pub at: UnixMs,
    pub source: IncidentSource,
    pub text: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct IncidentNote {
    pub number: u32,
    /// At most 500 characters.
    pub note: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRuleView {
    pub rule: AlertRule,
    pub group: AlertGroup,
    pub title: String,
    /// When it fires, when it ends and how severe that is.
    pub condition: String,
    pub delivery: AlertDelivery,
    /// How long the condition must hold before an alert fires.
    pub hold: Option<AlertRuleNumberView>,
    /// The number that a measurement is compared with; `None` for a rule without one.
    pub threshold: Option<AlertRuleNumberView>,
    /// The least number of requests; `None` for a rule without one.
    pub minimum: Option<AlertRuleNumberView>,
    /// `None` where it follows from what happened.
    pub severity: Option<AlertRuleSeverityView>,
    /// How long the condition must be over before the alert ends, in seconds.
    pub keep_secs: u32,
    /// Alerts of the last seven days.
    pub fired_last_week: Count,
    pub last_fired_at: Option<UnixMs>,
    /// `None` unless it told often in the last seven days of what nobody acted on.
    pub noise: Option<AlertNoiseView>,
}

/// What a rule told for nothing, and what would make it quieter.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertNoiseView {
    /// How often it fired, and what would help.
    pub sentence: String,
    /// What `change` does, for a button; `None` where no setting helps.
    pub label: Option<String>,
    /// What helps, as a request of `alert_rule_set`.
    pub change: Option<AlertRuleSet>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRuleNumberView {
    pub value: u32,
    pub default: u32,
    pub min: u32,
    pub max: u32,
    /// `s`, `%`, `days`, or what it counts.
    pub unit: String,
    pub meaning: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRuleSeverityView {
    pub value: AlertSeverity,
    pub default: AlertSeverity,
}

/// Settings of a rule. What is absent stays.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRuleSet {
    pub rule: AlertRule,
    pub delivery: Option<AlertDelivery>,
    /// In seconds.
    pub hold_secs: Option<u32>,
    pub threshold: Option<u32>,
    pub minimum: Option<u32>,
    pub severity: Option<AlertSeverity>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRulePreviewView {
    /// When the rule would fire and end, and how severe that would be.
    pub sentence: String,
}
