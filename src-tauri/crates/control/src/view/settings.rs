//! Settings as a form.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, VaultKindView, VaultView};

/// The settings, the file behind them, and what is wrong with it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SettingsView {
    /// The file.
    pub path: String,
    /// Whether the file could be used. When not, defaults are in force and edits are refused.
    pub valid: bool,
    /// What is in force.
    pub values: SettingsValues,
    /// What a fresh install has.
    pub defaults: SettingsValues,
    /// What each number may be.
    pub ranges: SettingsRanges,
    /// What is wrong with the file or odd about it.
    pub problems: Vec<ProblemView>,
    /// A repair that is certain, as a unified diff.
    pub proposed_fix: Option<String>,
    /// The vault now.
    pub vault: VaultView,
    /// Where things lie.
    pub folders: FoldersView,
    /// What takes effect only after a restart, of what was changed since the start.
    pub restart_needed_for: Vec<String>,
}

/// The editable values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SettingsValues {
    /// Gateway port, 1 to 65535.
    pub gateway_port: u16,
    /// Requests answered at once, 1 to 300.
    pub in_flight_max: u32,
    /// Largest request body in bytes, 1 KiB to 64 MiB.
    pub body_bytes_max: u32,
    /// Time to connect, in milliseconds.
    pub connect_timeout_ms: u32,
    /// Time to the first token, in milliseconds.
    pub first_token_timeout_ms: u32,
    /// Silence in a stream, in milliseconds.
    pub stall_timeout_ms: u32,
    /// Whole answer, in milliseconds.
    pub total_timeout_ms: u32,
    /// Time between light probes, in seconds.
    pub health_interval_secs: u32,
    /// Days that single requests are kept; sums are kept longer.
    pub retention_days: u32,
    /// Desktop notifications.
    pub notifications_enabled: bool,
    /// Colours.
    pub theme: ThemeChoice,
    /// Where secrets are kept.
    pub vault_kind: VaultKindView,
}

/// What each number of the form may be, by the name of its field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SettingsRanges {
    /// A port.
    pub gateway_port: RangeView,
    /// Requests.
    pub in_flight_max: RangeView,
    /// Bytes.
    pub body_bytes_max: RangeView,
    /// Milliseconds.
    pub connect_timeout_ms: RangeView,
    /// Milliseconds.
    pub first_token_timeout_ms: RangeView,
    /// Milliseconds.
    pub stall_timeout_ms: RangeView,
    /// Milliseconds.
    pub total_timeout_ms: RangeView,
    /// Seconds.
    pub health_interval_secs: RangeView,
    /// Days.
    pub retention_days: RangeView,
}

/// From the least to the most, both allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RangeView {
    /// The least.
    pub min: u32,
    /// The most.
    pub max: u32,
}

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// As the desktop.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Something wrong or odd in the settings file.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProblemView {
    /// The field, `backends.up.base_url`.
    pub path: String,
    /// The line, where known.
    pub line: Option<u32>,
    /// Stops the file from being used.
    pub fatal: bool,
    /// What is wrong and what to do.
    pub message: String,
}

/// Where things lie.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FoldersView {
    /// Settings.
    pub config: String,
    /// Ledger and file vault.
    pub data: String,
    /// Logs.
    pub state: String,
    /// Size of the ledger in bytes.
    pub ledger_bytes: Count,
}

/// What came of a test notification.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct NotificationTestView {
    /// Whether the desktop took it.
    pub delivered: bool,
    /// What happened and what to do.
    pub detail: String,
}
