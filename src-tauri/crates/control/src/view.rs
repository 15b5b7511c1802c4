//! View types: plain copies of the core's types for the panel and the command line.
//!
//! No view has a field that could carry a secret: keys come in through write-only request types,
//! and only their last four characters come back. Field names are the same in Rust, JSON and
//! TypeScript. A value enum of the core (made by `domain::words!`) is used as it is.

mod advice;
mod agent_access;
mod agents;
mod alert_channels;
mod alert_ladder;
mod alert_trials;
mod alerts;
mod analytics;
mod anomalies;
mod audit;
mod backend_ask;
mod backends;
mod backups;
mod billing;
mod budgets;
mod cache;
mod clients;
mod currency;
mod efficiency;
mod exports;
mod health;
mod health_tree;
mod invoice;
mod key_copies;
mod keys;
mod keys_scan;
mod latency;
mod ledger;
mod local;
mod number;
mod pins;
mod plans;
mod playground;
mod prices;
mod profiles;
mod readiness;
mod recent_events;
mod requests;
mod resilience;
mod routes;
mod services;
mod session_logs;
mod settings;
mod statement;
mod status;
mod text_file;
mod traffic;
mod usage;
mod usage_recent;
mod vault;
mod wiring;

pub use ::alerts::{AlertEnding, AlertGroup, AlertRule, AlertSeverity};
pub use ::cache::CacheTier;
pub use ::domain::{CostBasis, OAuthGrant};
pub use ::engine::{
    AvailabilityState, BackupTask, ClientState, KeyState, LogImportState, ObjectiveTarget,
    StartStage,
};
pub use ::ledger::{
    CacheOutcome, GroupBy, LatencyGroupBy, LatencyPart, RequestState, SessionGroupBy, UsageBasis,
    WasteKind,
};
pub use ::monitor::DesktopAbility;
pub use ::playground::{AGENT_PROJECT, PlaygroundState, ReasoningEffort};
pub use ::pricing::UnpricedReason;
pub use ::readiness::{CheckSeverity, CheckStatus};
pub use ::resilience::{BlockReason, BreakerOverride, FailureClass, FailureOwner};
pub use ::service_levels::{BurnWindow, ScoreCap, ScoreConfidence, ScorePart, StripCell};
pub use ::settings::{
    BackendKind, ClientPriority, ConflictChoice, DifferenceKind, PinMeasure, PinRange,
    ResiliencePreset,
};
pub use domain::{
    AlertChannel, AlertDelivery, AuditOutcome, BilledSource, BillingProvider, BudgetAction,
    BudgetDimension, BudgetMarkKind, BudgetPeriod, CacheMode, CallerKind, CheckSet, ExtraDialect,
    Meter, PoolOrder, ReadinessVerdict, RoutePolicy, ServiceGoal, ServiceKind, ServiceMethod,
    ServicePeriod, SessionTool, ShownHealth, TranslationMode, Unit, UnsupportedFeature, VaultKind,
    Weekday,
};

pub use self::alert_channels::*;
pub use self::alert_ladder::*;
pub use self::alert_trials::*;
pub use self::alerts::*;
pub use self::audit::*;
pub use self::wiring::*;
pub use advice::*;
pub use agent_access::*;
pub use agents::*;
pub use analytics::*;
pub use anomalies::*;
pub use backend_ask::*;
pub use backends::*;
pub use backups::*;
pub use billing::*;
pub use budgets::*;
pub use cache::*;
pub use clients::*;
pub use currency::*;
pub use efficiency::*;
pub use exports::*;
pub use health::*;
pub use health_tree::*;
pub use invoice::*;
pub use key_copies::*;
pub use keys::*;
pub use keys_scan::*;
pub use latency::*;
pub use ledger::*;
pub use local::*;
pub use number::{Count, NanoDollars, UnixMs};
pub use pins::*;
pub use plans::*;
pub use playground::*;
pub use prices::*;
pub use profiles::*;
pub use readiness::*;
pub use recent_events::*;
pub use requests::*;
pub use resilience::*;
pub use routes::*;
pub use services::*;
pub use session_logs::*;
pub use settings::*;
pub use statement::*;
pub use status::*;
pub use text_file::*;
pub use traffic::*;
pub use usage::*;
pub use usage_recent::*;
pub use vault::*;
