//! The engine: assembles settings, vault, ledger, gateway, monitor and readiness checks.
//!
//! Only [`Engine::open`] and [`Engine::serve`] know every part; everything else in this crate
//! connects two of them. Invariant: no other crate spawns a task.

mod accessors;
mod allocator;
mod cache_upkeep;
mod clocks;
mod config;
mod endpoint_saver;
mod engine;
mod environment;
mod events;
mod file_descriptors;
mod folders;
mod hardening;
mod ledger_problem;
mod ledger_upkeep;
mod ledger_watch;
mod log;
mod notify;
mod owner;
mod playground;
mod playground_runs;
mod private_variables;
mod probe;
mod readiness_runs;
mod resilience;
mod response_cache;
mod routes;
mod serving;
mod serving_state;
mod snapshot;
mod start;
mod statuses;
mod tasks;
mod topic;
mod traffic_sink;
mod vault_change;
mod vault_opener;
mod workers;

pub use accessors::{EngineEditError, WindowFocus};
pub use allocator::{ALLOCATOR, Allocator};
pub use clocks::Clocks;
pub use config::{ConfigError, EngineConfig};
pub use engine::{Engine, VERSION};
pub use events::{EVENTS_QUEUED_MAX, EngineEvent, EventBus};
pub use folders::{FolderError, Folders, NoHome};
pub use hardening::harden_process;
pub use ledger_problem::{BackupFailure, LedgerProblem, LedgerSeverity};
pub use log::{RedactingSink, RedactingWriter, start_log};
pub use notify::NotificationOutcome;
pub use owner::{LockError, OwnerLock, OwnerNote, find_owner, is_owned};
pub use playground::{
    PLAYGROUND_IDLE_SECS_MAX, PLAYGROUND_PROMPT_BYTES_MAX, PLAYGROUND_RAW_BYTES_MAX,
    PLAYGROUND_TEXT_BYTES_MAX, PLAYGROUND_UPDATE_MS, PlaygroundParameters, ReasoningEffort,
    TokenLimitField,
};
pub use playground_runs::{
    PLAYGROUND_RUNS_AT_ONCE_MAX, PLAYGROUND_RUNS_KEPT_MAX, PlaygroundDelta, PlaygroundError,
    PlaygroundFault, PlaygroundRawExchange, PlaygroundRun, PlaygroundState,
};
pub use private_variables::{EnvironmentVariables, LaunchContext, private_variables};
pub use probe::{BackendProbeReport, KeyProbeReport, ProbeStep};
pub use readiness_runs::{ReadinessRuns, RunError};
pub use resilience::{
    BackTest, attempt_rules, back_test, breaker_rules, forced_closed_time, retry_budget_rules,
};
pub use routes::{NotServed, RouteQuery};
pub use serving::{ServeError, ServingAddresses};
pub use serving_state::GatewayStatus;
pub use snapshot::PLAYGROUND_CLIENT;
pub use start::StartError;
pub use statuses::{KeyState, KeyStatus};
pub use topic::Topic;
pub use vault_change::{VaultChangeError, VaultChangeRequest, VaultChangeResult};
