//! Request and view types for the channels that alerts are sent through.

use domain::{AlertChannel, AlertSeverity, Secret};
use monitor::DesktopAbility;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::UnixMs;

domain::words! {
    /// Whether a channel gets alerts to the user.
    AlertChannelState {
        /// It is switched off
        Off = "off",
        /// It is on and has nothing to send with
        NotSetUp = "not-set-up",
        /// It is on, and nothing was sent yet
        Untried = "untried",
        /// The last message was sent
        Working = "working",
        /// The last message was not sent
        Failing = "failing",
    }
}

/// A channel of alerts.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AlertChannelView {
    pub channel: AlertChannel,
    pub state: AlertChannelState,
    /// What the state means and what to do, in a sentence or two.
    pub detail: String,
    /// The host that it sends to, without path; None for the desktop or while there is none.
    pub host: Option<String>,
    /// True if what it sends with is stored. The desktop needs nothing.
    pub has_secret: bool,
    /// The least severity that is sent.
    pub from_severity: AlertSeverity,
    /// Messages that wait for an attempt.
    pub waiting: u32,
    pub last_sent_at: Option<UnixMs>,
    pub failing_since: Option<UnixMs>,
    /// When the last test was made.
    pub tested_at: Option<UnixMs>,
    /// Why the last test was not sent.
    pub test_failure: Option<String>,
    /// Whether the user saw the last test; None until there is an answer.
    pub test_seen: Option<bool>,
    /// What shows notifications on this machine; None for other channels, without a desktop, and where
    /// the system does not tell.
    pub service: Option<DesktopServiceView>,
}

/// The program that shows notifications, by its own words.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DesktopServiceView {
    /// With its version: "dunst 1.9.0". None if it did not answer.
    pub name: Option<String>,
    /// Why nothing is known, and what to do.
    pub problem: Option<String>,
    pub abilities: Vec<DesktopAbilityView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DesktopAbilityView {
    pub ability: DesktopAbility,
    pub is_there: bool,
    /// What it is good for, or what happens without it.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct AlertChannelRef {
    pub channel: AlertChannel,
}

/// The answer to the question whether a test was seen.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct AlertTestAnswer {
    pub channel: AlertChannel,
    pub is_seen: bool,
}

/// Stores what a channel sends with: the address of the webhook, or the password of the mail server.
#[derive(Debug, Deserialize, Type)]
pub struct AlertChannelSecret {
    pub channel: AlertChannel,
    /// Write-only.
    #[specta(type = String)]
    pub secret: Secret,
}
