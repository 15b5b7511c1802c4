//! Backends as they are shown and edited.

use domain::Secret;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{
    BackendKindView, Count, CrossingView, DependentsView, LackView, LimitsView, OfferView,
    PoolView, SpendView, UnixMs,
};

/// A backend with its health, models and last day.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendView {
    /// Its name in requests: `id/model`.
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// Its protocol.
    pub kind: BackendKindView,
    /// Where requests go; none for the mock.
    pub base_url: Option<String>,
    /// Whether requests may go there.
    pub enabled: bool,
    /// Built in, so it cannot be edited or removed.
    pub built_in: bool,
    /// The key it uses; the first of several.
    pub credential: Option<String>,
    /// All its keys.
    pub pool: PoolView,
    /// How much the gateway may ask of it.
    pub limits: LimitsView,
    /// Whether it works.
    pub health: HealthView,
    /// What it offers: the models declared, or those it lists.
    pub models: Vec<ModelView>,
    /// The models declared by the user, which an edit starts from; empty asks the backend.
    pub declared_models: Vec<String>,
    /// What it lacks of Chat Completions; of an OpenAI-compatible backend only.
    pub lacks: Vec<LackView>,
    /// What it speaks beside Chat Completions; of an OpenAI-compatible backend only.
    pub offers: Vec<OfferView>,
    /// What becomes of fields that its protocol has no word for.
    pub crossing: CrossingView,
    /// What changes when it is removed.
    pub dependents: DependentsView,
    /// The last 24 hours.
    pub last_day: BackendDayView,
}

/// Whether a backend works, why, and since when.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HealthView {
    /// The word.
    pub state: HealthStateView,
    /// The reason in words.
    pub reason: String,
    /// Since when it is in this state.
    pub since: Option<UnixMs>,
    /// When it was last observed.
    pub last_checked: Option<UnixMs>,
    /// How long the last light probe took, in milliseconds; none if it failed.
    pub probe_ms: Option<u32>,
    /// The state before it became unknown: after a start that of the last run, until a probe
    /// confirms it.
    pub last_known: Option<HealthStateView>,
}

/// Health states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum HealthStateView {
    /// Works.
    Up,
    /// Does not.
    Down,
    /// Not known.
    Unknown,
    /// Switched off.
    Disabled,
}

/// A model a backend offers.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ModelView {
    /// The provider's name for it.
    pub id: String,
    /// What it costs, where known.
    pub price: Option<PriceView>,
}

/// A price per million tokens.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceView {
    /// Input, in micro-dollars per million tokens.
    pub input: Option<super::MicroDollars>,
    /// Output, in micro-dollars per million tokens.
    pub output: Option<super::MicroDollars>,
    /// Input read from the provider's cache, in micro-dollars per million tokens.
    pub cache_read: Option<super::MicroDollars>,
    /// The day it was taken from its source, `2026-11-21`.
    pub valid_from: String,
    /// Where it was taken from.
    pub source: String,
}

/// A backend's last 24 hours.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendDayView {
    /// Spend and requests.
    pub spend: SpendView,
    /// Requests that failed.
    pub failed: Count,
    /// Requests per hour, oldest first, 24 values.
    pub requests_per_hour: Vec<u32>,
    /// Of these, those that failed; 24 values.
    #[serde(default)]
    pub failed_per_hour: Vec<u32>,
    /// Mean time to the first token, in milliseconds.
    pub first_token_ms: Option<u32>,
}

/// A provider or local server to start from.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PresetView {
    /// Proposed id.
    pub id: String,
    /// Its name.
    pub label: String,
    /// Its protocol.
    pub kind: BackendKindView,
    /// Its address.
    pub base_url: String,
    /// How its keys begin, to recognise a pasted one.
    pub key_prefix: Option<String>,
    /// Where keys are made.
    pub docs_url: String,
    /// The page where its keys are made, where one is known.
    pub keys_url: Option<String>,
    /// Runs on this machine and needs no key.
    pub local: bool,
    /// What it lacks of Chat Completions.
    pub lacks: Vec<LackView>,
    /// What it speaks beside Chat Completions.
    pub offers: Vec<OfferView>,
}

/// Adds a backend, with a new key, a stored one or none.
#[derive(Debug, Deserialize, Type)]
pub struct BackendAdd {
    /// Its name in requests.
    pub id: String,
    /// Its name for people; empty takes the id.
    pub label: String,
    /// Its protocol.
    pub kind: BackendKindView,
    /// Where requests go, with or without a version such as `/v1`.
    pub base_url: String,
    /// Its key.
    pub key: BackendKey,
    /// Models it offers; empty asks the backend.
    pub models: Vec<String>,
    /// What it lacks of Chat Completions; for an OpenAI-compatible backend only.
    pub lacks: Vec<LackView>,
    /// What it speaks beside Chat Completions; for an OpenAI-compatible backend only.
    pub offers: Vec<OfferView>,
    /// What becomes of fields that its protocol has no word for.
    pub crossing: CrossingView,
}

/// The key of a backend that is being added.
#[derive(Debug, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BackendKey {
    /// Needs none.
    None,
    /// One that is in the vault.
    Stored {
        /// Which.
        id: String,
    },
    /// A new one, put into the vault under the backend's id.
    New {
        /// The key itself; travels inwards only.
        #[specta(type = String)]
        secret: Secret,
    },
}

/// Changes a backend. Another origin detaches its key.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendEdit {
    /// Which.
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// Its protocol.
    pub kind: BackendKindView,
    /// Where requests go.
    pub base_url: String,
    /// The key it uses. The first of several stays with the others; another one takes their place.
    pub credential: Option<String>,
    /// All its keys, in the place of the one above; none leaves it to that.
    #[serde(default)]
    #[specta(optional)]
    pub pool: Option<PoolView>,
    /// How much the gateway may ask of it; none leaves it as it is.
    #[serde(default)]
    #[specta(optional)]
    pub limits: Option<LimitsView>,
    /// Models it offers; empty asks the backend.
    pub models: Vec<String>,
    /// What it lacks of Chat Completions; for an OpenAI-compatible backend only.
    pub lacks: Vec<LackView>,
    /// What it speaks beside Chat Completions; for an OpenAI-compatible backend only.
    pub offers: Vec<OfferView>,
    /// What becomes of fields that its protocol has no word for.
    pub crossing: CrossingView,
}

/// Switches a backend on or off.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendSwitch {
    /// Which.
    pub id: String,
    /// On or off.
    pub enabled: bool,
}

/// Names one backend.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendRef {
    /// Which.
    pub id: String,
}

/// A test of one backend, step by step. Nothing of it is billed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendTestView {
    /// Which backend.
    pub id: String,
    /// All steps passed.
    pub passed: bool,
    /// What was tried, in order.
    pub steps: Vec<TestStepView>,
}

/// One step of a test.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TestStepView {
    /// What was tried.
    pub title: String,
    /// How it went.
    pub state: TestStepState,
    /// What was seen.
    pub detail: String,
    /// What to do about it.
    pub fix: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u32>,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TestStepState {
    /// Worked.
    Pass,
    /// Did not.
    Fail,
    /// Not tried, because an earlier step failed.
    Skipped,
}
