//! Request and view types for trying a rule of alerts: on the past, and on made-up facts.

use domain::{AlertChannel, AlertSeverity};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{AlertRuleSet, Count, UnixMs};

/// Most days of a back-test of a rule.
pub const ALERT_BACKTEST_DAYS_MAX: u32 = 30;

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRuleBacktest {
    /// What to try; what is absent is as saved.
    pub numbers: AlertRuleSet,
    /// 1 to [`ALERT_BACKTEST_DAYS_MAX`].
    pub days: u32,
}

/// When a rule would have fired.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertBacktestView {
    /// Since when it is known, at most the days that were asked about.
    pub from: UnixMs,
    pub to: UnixMs,
    /// "Would have fired 3 times in 7 days, for 40 min in all; with the saved numbers: once. In fact
    /// it fired twice."
    pub sentence: String,
    /// What the back-test does not know, in sentences.
    pub notes: Vec<String>,
    /// With the numbers of the request; None if no history is kept for the rule.
    pub tried: Option<Vec<AlertFiringView>>,
    /// With the saved numbers; None if no history is kept, or the numbers are the saved ones.
    pub saved: Option<Vec<AlertFiringView>>,
    /// What really fired.
    pub fired: Vec<AlertFiringView>,
    /// What was compared with the threshold; None for a rule without one, or if nothing was measured.
    pub metric: Option<AlertMetricView>,
}

/// Numbers of the past beside the threshold of the request.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertMetricView {
    /// "At most 12 %; fires from 1 % on."
    pub finding: String,
    pub threshold: u32,
    /// `%`, `days`, or what it counts.
    pub unit: String,
    /// Beginnings of the steps, oldest first.
    pub steps: Vec<UnixMs>,
    /// What came closest to the threshold first.
    pub lines: Vec<AlertMetricLineView>,
    /// Lines that are not here, since there are too many.
    pub left_out: u32,
}

/// What was measured of one backend, key or whatever the rule is about.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertMetricLineView {
    pub name: String,
    /// Of each step the number that came closest to the threshold; None where nothing was measured.
    pub values: Vec<Option<f64>>,
}

/// An alert of the past, or one that would have been.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertFiringView {
    pub title: String,
    /// May be before the time that was asked about.
    pub from: UnixMs,
    /// None while it fires.
    pub to: Option<UnixMs>,
    /// How long it fired, or has fired.
    pub lasted_secs: Count,
}

domain::words! {
    /// Something that happens in a rehearsal.
    RehearsalStepKind {
        /// The condition holds
        Pending = "pending",
        /// The alert fires and is in the inbox
        Fired = "fired",
        /// The desktop shows a notification
        Shown = "shown",
        /// A channel gets a message
        Sent = "sent",
        /// The condition is over
        Over = "over",
        /// The notification goes
        Withdrawn = "withdrawn",
        /// The desktop says that it is over
        ToldOver = "told-over",
        /// The alert ends
        Ended = "ended",
    }
}

/// What a rule would do, step by step, with made-up facts. Nothing of it is saved or shown elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRehearsalView {
    /// What is told when, in a sentence.
    pub sentence: String,
    /// Why less is told than one may expect.
    pub notes: Vec<String>,
    /// In order; none for a rule that is off or judges nothing.
    pub steps: Vec<AlertRehearsalStepView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertRehearsalStepView {
    pub kind: RehearsalStepKind,
    /// Since the condition began.
    pub after_secs: u32,
    /// What happens, in a sentence.
    pub text: String,
    pub severity: Option<AlertSeverity>,
    /// The channel that gets a message.
    pub channel: Option<AlertChannel>,
    /// What would be shown or sent, marked as a rehearsal.
    pub title: Option<String>,
    pub body: Option<String>,
}
