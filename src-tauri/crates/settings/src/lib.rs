//! The validated configuration and its hand-editable file.
//!
//! Parse once, then trust: a [`Settings`] value has passed every rule, and the gateway works on an
//! `Arc` of it that no later edit changes. The file belongs to its human editor: our edits keep
//! comments, order and unknown keys, nothing is corrected without being shown first, and secrets
//! are rejected. Invariant: no other crate knows TOML.

mod base_url;
mod entry_field;
mod exchange;
mod finding;
mod model;
mod problem;
mod read;
mod reference;
mod section_reader;
mod setting;
mod store;
mod values;
mod write;

pub use base_url::{
    AddressError, AllowedNetwork, BaseUrl, BaseUrlError, BaseUrlWarning, WebhookUrlError, api_root,
    check_resolved_address, is_on_own_network, parse_base_url, parse_webhook_url,
};
pub use domain::BackendKind;
pub use domain::VaultKind;
pub use exchange::{
    ConflictChoice, DifferenceKind, FieldDifference, MergedSettings, SettingsDifference,
};
pub use model::{
    AlertSettings, AppearanceSettings, BALANCE_PERCENT_RANGE, BUDGET_DAYS_RANGE, BUDGET_LIMIT_MAX,
    BUDGET_MARK_PERCENT_RANGE, BUDGET_MARKS_MAX, BUDGET_RESET_DAY_RANGE, BackendSettings,
    BalanceSettings, CacheServerUrl, CacheServerUrlError, CacheSettings, ClientPriority,
    ClientScope, ClientSettings, CredentialSettings, CurrencySettings, ENTRIES_MAX,
    FIRST_TOKEN_MAX_MS_RANGE, GITHUB_API, GatewaySettings, HealthSettings, HttpExpectation,
    KEY_HEADER_CHARS_MAX, KEY_NOTE_CHARS_MAX, KeyPoolSettings, LABEL_CHARS_MAX, LedgerSettings,
    MOCK_BACKEND_ID, MODEL_CHARS_MAX, MODELS_PER_BACKEND_MAX, MailSettings, McpSettings,
    MetricsSettings, NotificationSettings, OAUTH_TEXT_CHARS_MAX, OAuthSettings, OwnObjective,
    PINS_MAX, POOL_MEMBERS_MAX, PROFILES_MAX, PROJECT_CHARS_MAX, PinMeasure, PinRange, PinSettings,
    PoolMemberSettings, Profile, ProfileSettings, ROUTE_CANDIDATES_MAX, ROUTE_MODELS_MAX,
    ROUTE_SCOPES_MAX, ResilienceNumbers, ResiliencePreset, ResilienceSettings,
    RouteCandidateSettings, RouteSettings, SCOPE_CHARS_MAX, SCOPE_ENTRIES_MAX, SERVICE_SCOPES_MAX,
    SERVICE_TEXT_CHARS_MAX, SERVICES_MAX, STICKY_SECS_DEFAULT, STICKY_SECS_RANGE, ServiceAddress,
    ServiceAddressError, ServiceLevelSettings, ServiceSettings, Settings, TelemetrySettings, Theme,
    TokenSha256, TokenSha256Malformed, TrafficLimits, VIEW_QUERY_CHARS_MAX, VIEWS_MAX,
    VaultSettings, ViewSettings, WEIGHT_RANGE, WebhookSettings, parse_key_header,
};
pub use problem::{FileProblem, ProposedFix, Severity};
pub use reference::reference;
pub use setting::{Card, Setting, SettingKind, SettingValue};
pub use store::{
    AppliedFix, FILE_BYTES_MAX, ReplacedFile, SettingsEditError, SettingsError, SettingsFileState,
    SettingsStore, read_text,
};
