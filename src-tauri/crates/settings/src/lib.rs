//! The validated configuration and the hand-editable file it lives in.
//!
//! Parse once, then trust: a [`Settings`] value has passed every rule, and the gateway works on an
//! `Arc` of it that no later edit changes. The file belongs to the person who writes in it: comments,
//! order and unknown keys survive our edits, nothing is corrected without being shown first, and no
//! secret is accepted in it. Invariant: no other crate knows TOML.

mod atomic;
mod base_url;
mod finding;
mod model;
mod preset;
mod problem;
mod read;
mod section;
mod store;
mod write;

pub use atomic::write_atomic;
pub use base_url::{
    BaseUrl, BaseUrlCaution, BaseUrlError, api_root, corrected_base_url, parse_base_url,
};
pub use model::{
    AppearanceSettings, BackendKind, BackendSettings, ClientSettings, CredentialSettings,
    ENTRIES_MAX, GATEWAY_BODY_BYTES_MAX_RANGE, GATEWAY_CONNECT_TIMEOUT_MS_RANGE,
    GATEWAY_FIRST_TOKEN_TIMEOUT_MS_RANGE, GATEWAY_IN_FLIGHT_MAX_RANGE, GATEWAY_PORT_RANGE,
    GATEWAY_STALL_TIMEOUT_MS_RANGE, GATEWAY_TOTAL_TIMEOUT_MS_RANGE, GatewaySettings,
    HEALTH_INTERVAL_SECS_RANGE, HealthSettings, LABEL_CHARS_MAX, LEDGER_RETENTION_DAYS_RANGE,
    LedgerSettings, MOCK_BACKEND_ID, MODEL_CHARS_MAX, MODELS_PER_BACKEND_MAX, NotificationSettings,
    Settings, Theme, TokenSha256, TokenSha256Malformed, VaultKind, VaultSettings,
};
pub use preset::{Preset, PresetPlace, presets};
pub use problem::{Problem, ProposedFix, Severity};
pub use store::{AppliedFix, EditError, FILE_BYTES_MAX, SettingsError, SettingsStore, StoreState};
