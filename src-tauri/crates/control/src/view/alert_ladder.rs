//! Request and view types for the ladder of alerts: who is told when, until somebody acknowledges.

use domain::AlertSeverity;
use serde::{Deserialize, Serialize};
use specta::Type;

domain::words! {
    /// A way in which an alert is told.
    LadderStep {
        /// An entry of the inbox
        Inbox = "inbox",
        /// A notification of the desktop
        Notification = "notification",
        /// The notification again, with a sound
        Sound = "sound",
        Webhook = "webhook",
        Mail = "mail",
    }
}

/// What happens with an alert that nobody acknowledges.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertLadderView {
    /// What is told when, in a sentence.
    pub sentence: String,
    /// Those that are on by their time, then those that are off.
    pub steps: Vec<AlertLadderStepView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertLadderStepView {
    pub step: LadderStep,
    pub is_on: bool,
    /// The least severity that it tells.
    pub from_severity: AlertSeverity,
    /// Since the alert fired.
    pub wait_secs: u32,
    /// What it does and what it needs, in a sentence.
    pub text: String,
    /// True if wait and severity can be set.
    pub is_editable: bool,
}

/// Changes a step. What is absent stays.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertLadderSet {
    pub step: LadderStep,
    /// For the sound, 0 is never.
    pub wait_secs: Option<u32>,
    pub from_severity: Option<AlertSeverity>,
}
