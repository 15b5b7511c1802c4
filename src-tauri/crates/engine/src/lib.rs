//! The engine: assembles settings, vault, ledger, gateway, monitor and readiness checks.
//!
//! [`Engine`] is a list of parts. Each owns its state and gets the parts that it needs when it is
//! built; only `assemble` and `start` know all of them. Invariant: no other crate spawns a task.

mod alerts;
mod assemble;
mod backups;
mod budgets;
mod clients;
mod config;
mod configured;
mod control_server;
mod costs;
mod engine;
mod events;
mod gateway;
mod health;
mod keys;
mod ledger_file;
mod process;
mod readiness;
mod settings_editor;
mod short_lived;
mod shown_time;
#[cfg(test)]
mod simulated_week;
mod start;
mod telemetry;
#[cfg(test)]
mod test_parts;
mod topic;
mod upkeep;
mod wiring;

pub use crate::alerts::facts::block_fault;
pub use crate::alerts::measurements::UNUSED_DAYS;
pub use crate::backups::archives::{
    ArchiveCheck, BackupArchives, BackupError, BackupMade, MissingKeys, RestoreDone, RestorePlan,
};
pub use crate::backups::progress::{BackupProgress, BackupTask};
pub use crate::budgets::back_test::BudgetTrial;
pub use crate::budgets::notice::BudgetNotice;
pub use crate::budgets::watch::BudgetWatch;
pub use crate::clients::activity::{ClientActivity, ClientRefusals};
pub use crate::clients::state::ClientState;
pub use crate::costs::log_import::{LogImport, LogImportError, LogImportProgress, LogImportState};
pub use crate::costs::report_progress::CostReportProgress;
pub use crate::costs::reports::{
    CostReportError, CostReports, DRIFT_DAYS_MAX, ProviderDay, StoredReport,
};
pub use crate::gateway::breaker_back_test::{BreakerBackTest, back_test};
pub use crate::gateway::model_catalogue::ModelCatalogue;
pub use crate::gateway::server::{GatewayFault, GatewayServer, GatewaySilence, GatewayStatus};
pub use crate::health::backend_answers::{BackendAnswers, Outage, OutageCause};
pub use crate::health::backend_states::{
    Availability, AvailabilityState, BackendDegradation, BackendHealth, BackendStates, DegradedBy,
    HEALTHY_SENTENCE, wall_time_unless_start,
};
pub use crate::health::backend_watch::HealthWatch;
pub use crate::health::model_limits::LimitedRoute;
pub use crate::keys::balances::{BalanceReading, KeyBalance, KeyBalances};
pub use crate::keys::copies::{KeyCopies, KeyCopiesError};
pub use crate::keys::provider_check::{ProviderKeyCheck, ProviderVerdict, provider_at};
pub use crate::keys::scanner::{
    FoundKey, KeyScan, KeyScanError, KeyScanPlaces, KeyScanner, ScannedEnvironment,
};
pub use crate::keys::statuses::{KeyState, KeyStatus, KeyStatuses};
pub use crate::ledger_file::problem::{BackupFailure, LedgerProblem, LedgerSeverity};
pub use crate::ledger_file::watch::{FileCheck, LedgerWatch};
pub use crate::process::allocator::{ALLOCATOR, Allocator};
pub use crate::process::folders::{FolderError, Folders, NoHome};
pub use crate::process::hardening::harden_process;
pub use crate::process::local_resources::{LocalResources, LocalSample};
pub use crate::process::log::{RedactingSink, RedactingWriter, start_log};
pub use crate::process::web_view::{WebView, WebViewState};
pub use crate::wiring::client_wiring::{ClientWiring, ClientWiringError, GatewayTarget};
pub use crate::wiring::tool_attempt::{TOKEN_COMMAND_MS_MAX, list_models_at, run_token_command};
pub use crate::wiring::trouble::{WiringExpectation, WiringTrouble};
pub use config::{ConfigError, EngineConfig};
pub use configured::{
    BackendQuota, backend_labels, backend_quotas, configured_endpoints, endpoints_of, open_breaker,
};
pub use control_server::{ControlServer, ServeError, ServingAddresses};
pub use engine::{Engine, VERSION};
pub use events::{EngineEvent, EventBus};

pub use crate::alerts::history::{AlertHistory, RuleBackTest};
pub use crate::alerts::message_channels::MessageChannels;
pub use crate::alerts::notifications::{NotificationOutcome, Notifications, WindowFocus};
pub use crate::alerts::rule_tunings::{RuleSettingNames, rule_tunings};
pub use crate::alerts::watch::AlertWatch;
pub use crate::clients::revoked::{REVOKED_CLIENT_AGE_MAX, RevokedClient, RevokedClients};
pub use crate::costs::price_editor::{
    PriceChangeDone, PriceDifference, PriceEditError, PriceEditor, PricePreview,
};
pub use crate::costs::usage_hours::{smallest_daily_budget, usage_hours};
pub use crate::gateway::resilience_rules::{attempt_rules, forced_closed_time};
pub use crate::gateway::response_cache::ResponseCache;
pub use crate::gateway::route_explainer::{NotServed, RouteExplainer, RouteQuery};
pub use crate::gateway::snapshot::{PLAYGROUND_CLIENT, SnapshotStore};
pub use crate::health::objectives::{
    LevelScope, ObjectiveTarget, ObjectiveTerms, default_first_token_max, default_terms,
    first_token_max, has_own_terms, objective_of, route_target, terms_of,
};
pub use crate::health::probe::{BackendProber, KeyTrial};
pub use crate::health::quality_watch::QualityWatch;
pub use crate::health::service_level_watch::{
    ServiceAvailability, ServiceLevel, ServiceLevelWatch,
};
pub use crate::health::service_watch::ServiceWatch;
pub use crate::health::uptime::{row_time, uptime};
pub use crate::keys::replaced::is_replaced;
pub use crate::keys::retired::{RetiredKey, RetiredKeys};
pub use crate::keys::vault_change::{
    VaultChangeError, VaultChangeRequest, VaultChangeResult, change_vault, describe_unlocked_keys,
    move_keys_from,
};
pub use crate::keys::vault_switch::VaultSwitch;
pub use crate::process::owner::{LockError, OwnerLock, OwnerNote, find_owner, is_owned};
pub use crate::process::platform::{Platform, PlatformReading, PowerSource, ProxyVariable};
pub use crate::process::private_variables::{
    EnvironmentVariables, LaunchContext, private_variable_names, private_variables,
};
pub use crate::process::start_trace::{StageTime, StartStage, StartTrace, StartTraces};
pub use crate::readiness::runs::{ReadinessRuns, RunError};
pub use crate::telemetry::collector::{Telemetry, TelemetryFailure, TelemetryStatus};
pub use crate::wiring::record_keys::RECORD_KEY_PREFIX;
pub use crate::wiring::tool_watch::{DriftedTool, ToolWatch};
pub use settings_editor::{EngineEditError, SettingsEditor};
pub use short_lived::ShortLived;
pub use start::StartError;
pub use topic::Topic;
