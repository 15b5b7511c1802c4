//! Settings as a form.

use std::collections::BTreeMap;

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
    /// The numbers for failures, and the sets that stand for all of them.
    pub resilience: ResilienceFormView,
    /// What is wrong with the file or odd about it.
    pub problems: Vec<ProblemView>,
    /// A repair that is certain, as a unified diff.
    pub proposed_fix: Option<String>,
    /// The vault now.
    pub vault: VaultView,
    /// Where things lie.
    pub folders: FoldersView,
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
    /// Whether answers are kept at all.
    pub cache_enabled: bool,
    /// How long an answer is served, in seconds.
    pub cache_ttl_secs: u32,
    /// Answers in memory, in bytes.
    pub cache_memory_bytes_max: Count,
    /// One answer, in bytes.
    pub cache_entry_bytes_max: Count,
    /// Whether answers are kept on the disk as well, past a restart.
    pub cache_disk: bool,
    /// Answers on the disk, in bytes.
    pub cache_disk_bytes_max: Count,
    /// A server that shares answers between machines, never with a password in it; none or empty for
    /// no such server.
    pub cache_redis_url: Option<String>,
    /// The key in the vault that is its password; none or empty for none.
    pub cache_redis_credential: Option<String>,
    /// When a backend is left alone, and how often a request is tried.
    pub resilience: ResilienceValues,
}

/// When a backend is left alone, how it comes back, and how often a request is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ResilienceValues {
    /// The set in force.
    pub preset: ResiliencePresetName,
    /// The numbers of one's own, by the names of [`ResilienceFormView::fields`]; in force with the
    /// custom set only. One that an edit leaves out stays as it is.
    pub custom: BTreeMap<String, u32>,
}

/// A set of numbers for failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ResiliencePresetName {
    /// Leaves a failing backend early, and repeats little.
    Careful,
    /// What is right for most.
    Balanced,
    /// Bears more failures and comes back sooner.
    Eager,
    /// Each number as it is set.
    Custom,
}

/// What a form for these numbers needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ResilienceFormView {
    /// Each number, in the order in which they are shown.
    pub fields: Vec<NumberFieldView>,
    /// The numbers of each set but the custom one.
    pub presets: Vec<ResiliencePresetView>,
}

/// What one number may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NumberFieldView {
    /// Its name in the file.
    pub name: String,
    /// What it means, one sentence.
    pub meaning: String,
    /// `ms`, `s`, `%`; empty for things that are counted.
    pub unit: String,
    /// The least.
    pub min: u32,
    /// The most.
    pub max: u32,
    /// What it is unless it is set.
    pub default: u32,
}

/// The numbers that a word stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ResiliencePresetView {
    /// The word.
    pub preset: ResiliencePresetName,
    /// Every number by its name.
    pub numbers: BTreeMap<String, u32>,
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
    /// Seconds.
    pub cache_ttl_secs: RangeView,
    /// Bytes.
    pub cache_memory_bytes_max: RangeView,
    /// Bytes.
    pub cache_entry_bytes_max: RangeView,
    /// Bytes.
    pub cache_disk_bytes_max: RangeView,
}

/// From the least to the most, both allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RangeView {
    /// The least.
    pub min: Count,
    /// The most.
    pub max: Count,
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
