//! The engine: assembles settings, vault, ledger, gateway, monitor and readiness checks.
//!
//! Only [`Engine::open`] and [`Engine::serve`] know every part; everything else in this crate
//! connects two of them. Invariant: no other crate spawns a task.

mod allocator;
mod answers;
mod config;
mod descriptors;
mod engine;
mod events;
mod facts;
mod folders;
mod ground;
mod hardening;
mod lanes;
mod ledger_watch;
mod log;
mod notify;
mod owner;
mod playground;
mod private_variables;
mod probe;
mod resilience;
mod routes;
mod runs;
mod serving;
mod sink;
mod snapshot;
mod standing;
mod tasks;
mod vaults;

pub use allocator::{ALLOCATOR, Allocator};
pub use config::{ConfigError, EngineConfig};
pub use engine::{Engine, StartError, VERSION};
pub use events::{EVENTS_QUEUED_MAX, EngineEvent, Events, Topic};
pub use facts::{EditError, WindowFocus};
pub use folders::{FolderError, Folders, NoHome};
pub use hardening::harden_process;
pub use ledger_watch::{BackupFailure, LedgerProblem, LedgerSeverity};
pub use log::{Redacted, RedactedWriter, start_log};
pub use notify::NotificationOutcome;
pub use owner::{LockError, OwnerLock, OwnerNote, find_owner, is_owned};
pub use playground::{
    Effort, PLAYGROUND_IDLE_SECS_MAX, PLAYGROUND_PROMPT_BYTES_MAX, PLAYGROUND_RAW_BYTES_MAX,
    PLAYGROUND_RUNS_AT_ONCE_MAX, PLAYGROUND_RUNS_KEPT_MAX, PLAYGROUND_TELL_MS,
    PLAYGROUND_TEXT_BYTES_MAX, PlaygroundError, PlaygroundFault, PlaygroundOrder, PlaygroundPiece,
    PlaygroundRaw, PlaygroundRun, PlaygroundState, TokenLimitField,
};
pub use private_variables::{Started, Variables, private_variables};
pub use probe::{KeyReport, ProbeReport, ProbeStep};
pub use resilience::{
    BackTest, Clocks, attempt_rules, back_test, breaker_rules, forced_closed_time,
    retry_budget_rules,
};
pub use routes::{NotServed, RouteQuestion};
pub use runs::RunError;
pub use serving::{GatewayStanding, ServeError, Served};
pub use snapshot::PLAYGROUND_CLIENT;
pub use standing::{KeyStanding, KeyState};
pub use vaults::{VaultChange, VaultChangeError, VaultChanged};
