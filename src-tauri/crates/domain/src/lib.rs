//! Shared value types: ids, tokens, money, time, secrets.
//!
//! All other crates use these types, so adding tokens to dollars or sending a key to the wrong host
//! does not compile. Invariant: nothing here does IO, and this is the only crate that reads the
//! clock or makes a random number ([`SystemClock`], [`SystemEntropy`]).

// The macros of `words` name this crate from inside and outside.
extern crate self as domain;

mod alert;
mod backend_kind;
mod billing;
mod budget;
mod call_split;
mod client_program;
mod client_target;
mod cost_basis;
mod currency;
mod dialect;
mod entropy;
mod group_by;
mod id;
mod keyed_fields;
mod known_variable;
mod meter;
mod model_name;
mod money;
mod oauth;
mod origin;
mod preset;
mod redact;
mod routing_modes;
mod secret;
mod service;
mod service_goal;
mod session_tool;
mod slow;
mod states;
mod text;
mod time;
mod usage;
mod vault_kind;
mod words;

pub use alert::{
    AlertChannel, AlertDelivery, AlertSeverity, DigestPeriod, MailEncryption, WebhookFormat,
};
pub use backend_kind::BackendKind;
pub use billing::{BalanceKind, BilledSource, BillingProvider};
pub use budget::{
    BUDGET_MARKS_DEFAULT, Budget, BudgetAction, BudgetAllowance, BudgetCrossing, BudgetDimension,
    BudgetMark, BudgetMarkKind, BudgetPeriod, BudgetSchedule, Weekday,
};
pub use call_split::CallSplit;
pub use client_program::ClientProgram;
pub use client_target::ClientTarget;
pub use cost_basis::{CostBasis, is_cost_unknown};
pub use currency::{
    CurrencyCode, CurrencyCodeError, ExchangeRate, ExchangeRateError, RateSource, ReferenceRates,
    ShownCurrency, reference_rates,
};
pub use dialect::{Dialect, ExtraDialect, TranslationMode, UnsupportedFeature};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use group_by::GroupBy;
pub use id::{
    BackendId, BudgetId, ClientId, CredentialId, Endpoint, GENERATED_ID_BYTES, IdError, PinId,
    ProfileId, RequestId, RouteId, RunId, SLUG_CHARS_MAX, ServiceId, ViewId,
};
pub use known_variable::{KnownVariable, known_variables};
pub use meter::{Meter, MeteredUsage, PriceTier, Unit, Usage};
pub use model_name::is_dated_form;
pub use money::{DollarError, NanoUsd};
pub use oauth::OAuthGrant;
pub use origin::{Origin, OriginError, is_loopback_host};
pub use preset::{Preset, PresetLocation, preset_at, presets};
pub use redact::{redact, redact_outbound};
pub use routing_modes::{CacheMode, PoolOrder, RoutePolicy};
pub use secret::{
    ACCESS_TOKEN_BYTES_MAX, BoundSecret, OriginMismatch, SECRET_BYTES_MAX, Secret, SecretError,
    TokenExchange,
};
pub use service::{ServiceKind, ServiceMethod};
pub use service_goal::{ServiceGoal, ServicePeriod};
pub use session_tool::SessionTool;
pub use slow::{SLOW_CALLS_MIN, SLOW_PERCENT, SLOWER_MIN, percent_if_slower};
pub use states::{AuditOutcome, CallerKind, CheckSet, HealthState, ReadinessVerdict, ShownHealth};
pub use text::{
    capitalize, count_noun, cut_between_words, format_length, format_seconds, format_span,
    group_digits, list_names, one_line,
};
pub use time::{
    Clock, ClockReading, DAY_MS, HOUR_MS, MINUTE_MS, ManualClock, Moment, SystemClock, WallTime,
};
pub use usage::{CacheWrites, TokenClass, TokenUsage, is_naming_member, is_standard_word};
pub use vault_kind::VaultKind;
pub use words::{UnknownWord, Word};

#[doc(hidden)]
pub use serde;
#[cfg(feature = "specta")]
#[doc(hidden)]
pub use specta;
