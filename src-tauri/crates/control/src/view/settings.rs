//! The settings as a form: values, ranges, presets and problems.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, VaultKindView, VaultView};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SettingsView {
    pub path: String,
    /// False if the file cannot be used. Defaults or the last valid settings are then in force, and
    /// edits are refused.
    pub valid: bool,
    /// Values in force.
    pub values: SettingsValues,
    /// Values of a fresh install.
    pub defaults: SettingsValues,
    pub ranges: SettingsRanges,
    /// Resilience thresholds and presets.
    pub resilience: ResilienceFormView,
    /// Errors and warnings in the file.
    pub problems: Vec<SettingsProblemView>,
    /// A certain fix of the file, as a unified diff.
    pub proposed_fix: Option<String>,
    pub vault: VaultView,
    pub folders: FoldersView,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SettingsValues {
    /// 1 to 65535.
    pub gateway_port: u16,
    /// 1 to 300.
    pub in_flight_max: u32,
    /// Limit of a request body, 1 KiB to 64 MiB.
    pub body_bytes_max: u32,
    pub connect_timeout_ms: u32,
    pub first_token_timeout_ms: u32,
    /// Longest silence in a stream.
    pub stall_timeout_ms: u32,
    /// For the whole response.
    pub total_timeout_ms: u32,
    /// Time between light probes.
    pub health_interval_secs: u32,
    /// Days that single requests are kept; sums are kept longer.
    pub retention_days: u32,
    /// Shows desktop notifications.
    pub notifications_enabled: bool,
    pub theme: ThemeChoice,
    pub vault_kind: VaultKindView,
    pub cache_enabled: bool,
    pub cache_ttl_secs: u32,
    /// Limit of all responses in memory.
    pub cache_memory_bytes_max: Count,
    /// Limit of a single response.
    pub cache_entry_bytes_max: Count,
    /// Also keeps responses on disk, past a restart.
    pub cache_disk: bool,
    /// Limit of all responses on disk.
    pub cache_disk_bytes_max: Count,
    /// A server that shares responses between machines, never with a password in the URL; None or
    /// empty for no server.
    pub cache_redis_url: Option<String>,
    /// The key in the vault that is the server's password; None or empty for none.
    pub cache_redis_credential: Option<String>,
    pub resilience: ResilienceValues,
}

/// When a breaker opens, how it recovers, and how often a request is retried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ResilienceValues {
    pub preset: ResiliencePresetName,
    /// Custom thresholds by the names in [`ResilienceFormView::fields`]. They apply only with the
    /// custom preset. An edit leaves thresholds that it does not name as they are.
    pub custom: BTreeMap<String, u32>,
}

/// Presets of resilience thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ResiliencePresetName {
    /// Opens breakers early and retries little.
    Careful,
    /// Suits most users.
    Balanced,
    /// Tolerates more failures and recovers sooner.
    Eager,
    /// Applies the custom thresholds.
    Custom,
}

/// Thresholds and presets for the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ResilienceFormView {
    /// In display order.
    pub fields: Vec<NumberFieldView>,
    /// All presets except the custom one.
    pub presets: Vec<ResiliencePresetView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NumberFieldView {
    /// Name in the settings file.
    pub name: String,
    /// One sentence.
    pub meaning: String,
    /// `ms`, `s` or `%`; empty for counts.
    pub unit: String,
    pub min: u32,
    pub max: u32,
    pub default: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ResiliencePresetView {
    pub preset: ResiliencePresetName,
    /// Every threshold by its name.
    pub numbers: BTreeMap<String, u32>,
}

/// Range of each number of the form, by field name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SettingsRanges {
    pub gateway_port: RangeView,
    pub in_flight_max: RangeView,
    pub body_bytes_max: RangeView,
    pub connect_timeout_ms: RangeView,
    pub first_token_timeout_ms: RangeView,
    pub stall_timeout_ms: RangeView,
    pub total_timeout_ms: RangeView,
    pub health_interval_secs: RangeView,
    pub retention_days: RangeView,
    pub cache_ttl_secs: RangeView,
    pub cache_memory_bytes_max: RangeView,
    pub cache_entry_bytes_max: RangeView,
    pub cache_disk_bytes_max: RangeView,
}

/// Both ends are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RangeView {
    pub min: Count,
    pub max: Count,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// Follows the desktop.
    System,
    Light,
    Dark,
}

/// An error or a warning in the settings file.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SettingsProblemView {
    /// Path of the setting, `backends.up.base_url`.
    pub path: String,
    /// None if not known.
    pub line: Option<u32>,
    /// True if it stops the file from being used.
    pub fatal: bool,
    /// What is wrong and what to do.
    pub message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FoldersView {
    /// Holds the settings.
    pub config: String,
    /// Holds the ledger and the vault file.
    pub data: String,
    /// Holds the logs.
    pub state: String,
    pub ledger_bytes: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct NotificationTestView {
    /// True if the desktop accepted it.
    pub delivered: bool,
    /// What happened and what to do.
    pub detail: String,
}
