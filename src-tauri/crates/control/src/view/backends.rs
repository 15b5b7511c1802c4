//! Request and view types for backends: their health, models, presets and tests.

use domain::{Secret, ShownHealth};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{
    BackendKind, Count, DependentsView, ExtraDialect, KeyPoolView, SpendView, TrafficLimitsView,
    TranslationMode, UnixMs, UnsupportedFeature,
};

/// A backend with its health, models and last 24 hours.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendView {
    /// Prefix of model names in requests: `id/model`.
    pub id: String,
    pub label: String,
    pub kind: BackendKind,
    /// None for the mock.
    pub base_url: Option<String>,
    pub enabled: bool,
    /// False if the profile in use leaves it out; then it gets no requests.
    pub in_profile: bool,
    /// Built-in backends cannot be edited or removed.
    pub built_in: bool,
    /// The first key of `pool`.
    pub credential: Option<String>,
    pub pool: KeyPoolView,
    pub limits: TrafficLimitsView,
    pub health: HealthView,
    /// The declared models, or else those that the backend lists.
    pub models: Vec<ModelView>,
    /// Models declared by the user. If empty, the backend is asked for its list.
    pub declared_models: Vec<String>,
    /// Only for OpenAI-compatible backends.
    pub lacks: Vec<UnsupportedFeature>,
    /// Only for OpenAI-compatible backends.
    pub offers: Vec<ExtraDialect>,
    pub crossing: TranslationMode,
    pub dependents: DependentsView,
    pub last_day: BackendDayView,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HealthView {
    pub state: ShownHealth,
    pub reason: String,
    pub since: Option<UnixMs>,
    /// Time of the last observation.
    pub last_checked: Option<UnixMs>,
    /// Duration of the last light probe, in milliseconds; None if it failed.
    pub probe_ms: Option<u32>,
    /// The state before it became unknown. After a start, the state of the last run until a probe
    /// confirms it.
    pub last_known: Option<ShownHealth>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ModelView {
    /// The provider's model name.
    pub id: String,
    /// None if the price is not known.
    pub price: Option<PriceView>,
}

/// Prices in nano-dollars per million tokens.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceView {
    pub input_nano_usd: Option<super::NanoDollars>,
    pub output_nano_usd: Option<super::NanoDollars>,
    /// Input read from the provider's cache.
    pub cache_read_nano_usd: Option<super::NanoDollars>,
    /// Date on which the price was read from its source, `2026-11-21`.
    pub valid_from: String,
    pub source: String,
}

/// Usage of a backend in the last 24 hours.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendDayView {
    pub spend: SpendView,
    pub failed: Count,
    /// 24 values, oldest first.
    pub requests_per_hour: Vec<u32>,
    /// 24 values, oldest first.
    #[serde(default)]
    pub failed_per_hour: Vec<u32>,
    /// Mean time to the first token, in milliseconds.
    pub first_token_ms: Option<u32>,
}

/// A template for adding a provider or a local server.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendPresetView {
    /// Proposed backend id.
    pub id: String,
    pub label: String,
    pub kind: BackendKind,
    pub base_url: String,
    /// Prefix of its keys, used to recognise a pasted key.
    pub key_prefix: Option<String>,
    /// The page that describes its API.
    pub docs_url: String,
    /// The page where its keys are made, if known.
    pub keys_url: Option<String>,
    /// Runs on this machine and needs no key.
    pub local: bool,
    pub lacks: Vec<UnsupportedFeature>,
    pub offers: Vec<ExtraDialect>,
}

#[derive(Debug, Deserialize, Type)]
pub struct BackendAdd {
    pub id: String,
    /// Display name; the id if empty.
    pub label: String,
    pub kind: BackendKind,
    /// With or without a version path such as `/v1`.
    pub base_url: String,
    pub key: BackendKey,
    /// If empty, the backend is asked for its list.
    pub models: Vec<String>,
    /// Only for OpenAI-compatible backends.
    pub lacks: Vec<UnsupportedFeature>,
    /// Only for OpenAI-compatible backends.
    pub offers: Vec<ExtraDialect>,
    pub crossing: TranslationMode,
}

#[derive(Debug, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BackendKey {
    /// The backend needs no key.
    None,
    /// A key that is already in the vault.
    Stored {
        /// Id of the key.
        id: String,
    },
    /// A new key, stored in the vault under the backend's id.
    New {
        /// Write-only.
        #[specta(type = String)]
        secret: Secret,
    },
}

/// Changes a backend. A key that is bound to another origin is refused.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendEdit {
    pub id: String,
    pub label: String,
    pub kind: BackendKind,
    pub base_url: String,
    /// Used only without `pool`. The current first key keeps the whole pool; another key replaces
    /// it.
    pub credential: Option<String>,
    /// All its keys. None takes `credential` instead.
    #[serde(default)]
    #[specta(optional)]
    pub pool: Option<KeyPoolView>,
    /// None leaves the limits as they are.
    #[serde(default)]
    #[specta(optional)]
    pub limits: Option<TrafficLimitsView>,
    /// If empty, the backend is asked for its list.
    pub models: Vec<String>,
    /// Only for OpenAI-compatible backends.
    pub lacks: Vec<UnsupportedFeature>,
    /// Only for OpenAI-compatible backends.
    pub offers: Vec<ExtraDialect>,
    pub crossing: TranslationMode,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendSwitch {
    pub id: String,
    pub enabled: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendRef {
    pub id: String,
}

/// Result of testing a backend step by step. The test is not billed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendTestView {
    pub id: String,
    pub passed: bool,
    /// In the order they were run.
    pub steps: Vec<BackendTestStepView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendTestStepView {
    pub title: String,
    pub state: BackendTestStepState,
    /// What the step observed.
    pub detail: String,
    /// How to fix a failure.
    pub fix: Option<String>,
    pub duration_ms: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BackendTestStepState {
    Pass,
    Fail,
    /// Not run, because an earlier step failed.
    Skipped,
}
