//! The engine: assembles settings, vault, ledger, gateway, monitor and readiness checks.
//!
//! [`Engine`] is a list of parts. Each owns its state and gets the parts that it needs when it is
//! built; only `assemble` and `start` know all of them. Invariant: no other crate spawns a task.

mod alert_facts;
mod alert_history;
mod alert_watch;
mod allocator;
mod assemble;
mod backend_answers;
mod backend_states;
mod backtest;
mod backup_archives;
mod backup_progress;
mod budget_back_test;
mod budget_notice;
mod budget_watch;
mod client_activity;
mod client_programs;
mod client_state;
mod client_wiring;
mod config;
mod configured;
mod control_server;
mod cost_report_progress;
mod cost_reports;
mod digest;
mod endpoint_saver;
mod engine;
mod environment;
mod events;
mod file_descriptors;
mod folders;
mod gateway_server;
mod hardening;
mod health_watch;
mod key_balances;
mod key_copies;
mod key_scanner;
mod key_statuses;
mod ledger_problem;
mod ledger_watch;
mod local_resources;
mod log;
mod log_import;
mod measurement_watch;
mod message_channels;
mod metrics_exporter;
mod model_catalogue;
mod model_names;
mod network_gate;
mod notifications;
mod objectives;
mod owner;
mod platform;
mod playground_host;
mod price_editor;
mod price_list_date;
mod price_list_rows;
mod prices_in_use;
mod private_variables;
mod probe;
mod progress_teller;
mod quality_watch;
mod readiness_runs;
mod record_keys;
mod replaced_keys;
mod resilience_rules;
mod response_cache;
mod restore;
mod retired_keys;
mod revoked_clients;
mod route_explainer;
mod rule_tunings;
mod service_level_watch;
mod service_watch;
mod session_answer;
mod settings_editor;
mod short_lived;
#[cfg(test)]
mod simulated_week;
mod snapshot;
mod start;
mod start_trace;
mod tasks;
mod telemetry;
#[cfg(test)]
mod test_parts;
mod time_observer;
mod tool_attempt;
mod tool_watch;
mod topic;
mod traffic_sink;
mod upkeep;
mod uptime;
mod usage_hours;
mod vault_change;
mod vault_switch;
mod web_view;
mod wiring_trouble;
mod workers;

pub use alert_facts::block_fault;
pub use allocator::{ALLOCATOR, Allocator};
pub use backend_answers::{BackendAnswers, Outage, OutageCause};
pub use backend_states::{
    Availability, AvailabilityState, BackendDegradation, BackendHealth, BackendStates, DegradedBy,
    HEALTHY_SENTENCE, wall_time_unless_start,
};
pub use backtest::{BreakerBackTest, back_test};
pub use backup_archives::{
    ArchiveCheck, BackupArchives, BackupError, BackupMade, MissingKeys, RestoreDone, RestorePlan,
};
pub use backup_progress::{BackupProgress, BackupTask};
pub use budget_back_test::BudgetTrial;
pub use budget_notice::BudgetNotice;
pub use budget_watch::BudgetWatch;
pub use client_activity::{ClientActivity, ClientRefusals};
pub use client_state::ClientState;
pub use client_wiring::{ClientWiring, ClientWiringError, GatewayTarget};
pub use config::{ConfigError, EngineConfig};
pub use configured::{
    BackendQuota, backend_labels, backend_quotas, configured_endpoints, endpoints_of, open_breaker,
};
pub use control_server::{ControlServer, ServeError, ServingAddresses};
pub use cost_report_progress::CostReportProgress;
pub use cost_reports::{CostReportError, CostReports, DRIFT_DAYS_MAX, ProviderDay, StoredReport};
pub use engine::{Engine, VERSION};
pub use events::{EngineEvent, EventBus};
pub use folders::{FolderError, Folders, NoHome};
pub use gateway_server::{GatewayServer, GatewaySilence, GatewayStatus};
pub use hardening::harden_process;
pub use health_watch::HealthWatch;
pub use key_balances::{BalanceReading, KeyBalance, KeyBalances};
pub use key_copies::{KeyCopies, KeyCopiesError};
pub use key_scanner::{FoundKey, KeyScan, KeyScanError, KeyScanPlaces, KeyScanner};
pub use key_statuses::{KeyState, KeyStatus, KeyStatuses};
pub use ledger_problem::{BackupFailure, LedgerProblem, LedgerSeverity};
pub use ledger_watch::{FileCheck, LedgerWatch};
pub use local_resources::{LocalResources, LocalSample};
pub use log::{RedactingSink, RedactingWriter, start_log};
pub use log_import::{LogImport, LogImportError, LogImportProgress, LogImportState};
pub use measurement_watch::UNUSED_DAYS;
pub use model_catalogue::ModelCatalogue;
pub use tool_attempt::{TOKEN_COMMAND_MS_MAX, list_models_at, run_token_command};
pub use web_view::{WebView, WebViewState};
pub use wiring_trouble::{WiringExpectation, WiringTrouble};

pub use alert_history::{AlertHistory, RuleBackTest};
pub use alert_watch::AlertWatch;
pub use message_channels::MessageChannels;
pub use notifications::{NotificationOutcome, Notifications, WindowFocus};
pub use objectives::{
    LevelScope, ObjectiveTarget, ObjectiveTerms, default_first_token_max, default_terms,
    first_token_max, has_own_terms, objective_of, route_target, terms_of,
};
pub use owner::{LockError, OwnerLock, OwnerNote, find_owner, is_owned};
pub use platform::{Platform, PlatformReading, PowerSource, ProxyVariable};
pub use price_editor::{
    PriceChangeDone, PriceDifference, PriceEditError, PriceEditor, PricePreview,
};
pub use private_variables::{
    EnvironmentVariables, LaunchContext, private_variable_names, private_variables,
};
pub use probe::{BackendProber, KeyTrial};
pub use quality_watch::QualityWatch;
pub use readiness_runs::{ReadinessRuns, RunError};
pub use record_keys::RECORD_KEY_PREFIX;
pub use replaced_keys::is_replaced;
pub use resilience_rules::{attempt_rules, forced_closed_time};
pub use response_cache::ResponseCache;
pub use retired_keys::{RetiredKey, RetiredKeys};
pub use revoked_clients::{REVOKED_CLIENT_AGE_MAX, RevokedClient, RevokedClients};
pub use route_explainer::{NotServed, RouteExplainer, RouteQuery};
pub use rule_tunings::{RuleSettingNames, rule_tunings};
pub use service_level_watch::{ServiceAvailability, ServiceLevel, ServiceLevelWatch};
pub use service_watch::ServiceWatch;
pub use settings_editor::{EngineEditError, SettingsEditor};
pub use short_lived::ShortLived;
pub use snapshot::{PLAYGROUND_CLIENT, SnapshotStore};
pub use start::StartError;
pub use start_trace::{StageTime, StartStage, StartTrace, StartTraces};
pub use telemetry::{Telemetry, TelemetryFailure, TelemetryStatus};
pub use tool_watch::{DriftedTool, ToolWatch};
pub use topic::Topic;
pub use uptime::{row_time, uptime};
pub use usage_hours::{smallest_daily_budget, usage_hours};
pub use vault_change::{
    VaultChangeError, VaultChangeRequest, VaultChangeResult, change_vault, describe_unlocked_keys,
    move_keys_from,
};
pub use vault_switch::VaultSwitch;
