//! The validated configuration and its hand-editable file.
//!
//! Parse once, then trust: a [`Settings`] value has passed every rule, and the gateway works on an
//! `Arc` of it that no later edit changes. The file belongs to its human editor: our edits keep
//! comments, order and unknown keys, nothing is corrected without being shown first, and secrets
//! are rejected. Invariant: no other crate knows TOML.

mod atomic;
mod backend_kind;
mod base_url;
mod finding;
mod model;
mod preset;
mod problem;
mod read;
mod section_reader;
mod store;
mod write;

pub use atomic::write_atomic;
pub use backend_kind::BackendKind;
pub use base_url::{
    AddressError, AllowedNetwork, BaseUrl, BaseUrlError, BaseUrlWarning, api_root,
    check_resolved_address, correct_base_url, parse_base_url,
};
pub use domain::VaultKind;
pub use model::{
    AppearanceSettings, BALANCE_PERCENT_RANGE, BackendSettings, BalanceSettings,
    CACHE_DISK_BYTES_MAX_RANGE, CACHE_ENTRY_BYTES_MAX_RANGE, CACHE_MEMORY_BYTES_MAX_RANGE,
    CACHE_TTL_SECS_RANGE, CacheSettings, ClientPriority, ClientScope, ClientSettings,
    CredentialSettings, ENTRIES_MAX, GATEWAY_BODY_BYTES_MAX_RANGE,
    GATEWAY_CONNECT_TIMEOUT_MS_RANGE, GATEWAY_FIRST_TOKEN_TIMEOUT_MS_RANGE,
    GATEWAY_IN_FLIGHT_MAX_RANGE, GATEWAY_PORT_RANGE, GATEWAY_QUEUE_MAX_RANGE,
    GATEWAY_QUEUE_WAIT_MS_RANGE, GATEWAY_STALL_TIMEOUT_MS_RANGE, GATEWAY_TOTAL_TIMEOUT_MS_RANGE,
    GatewaySettings, HEALTH_INTERVAL_SECS_RANGE, HealthSettings, KeyPoolSettings, LABEL_CHARS_MAX,
    LEDGER_COMMIT_WAIT_MS_RANGE, LEDGER_RETENTION_DAYS_RANGE, LedgerSettings, MOCK_BACKEND_ID,
    MODEL_CHARS_MAX, MODELS_PER_BACKEND_MAX, NotificationSettings, NumberField, POOL_MEMBERS_MAX,
    PROJECT_CHARS_MAX, PoolMemberSettings, REQUESTS_PER_MINUTE_RANGE, ROUTE_CANDIDATES_MAX,
    ROUTE_MODELS_MAX, ROUTE_SCOPES_MAX, ResilienceNumbers, ResiliencePreset, ResilienceSettings,
    RouteCandidateSettings, RouteSettings, SCOPE_ENTRIES_MAX, STICKY_SECS_DEFAULT,
    STICKY_SECS_RANGE, Settings, TOKENS_PER_MINUTE_RANGE, Theme, TokenSha256, TokenSha256Malformed,
    TrafficLimits, VaultSettings, WEIGHT_RANGE,
};
pub use preset::{Preset, PresetLocation, presets};
pub use problem::{FileProblem, ProposedFix, Severity};
pub use store::{
    AppliedFix, FILE_BYTES_MAX, SettingsEditError, SettingsError, SettingsFileState, SettingsStore,
};
