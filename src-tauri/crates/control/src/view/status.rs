//! The one screen: can I work, what needs me, what does it cost.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, MicroDollars, RunSummaryView, UnixMs};

/// Everything the Overview, the tray and `gatehouse status` show.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StatusView {
    /// Version of the running core.
    pub version: String,
    /// When this answer was made.
    pub now: UnixMs,
    /// When the core started.
    pub started_at: UnixMs,
    /// The verdict and what needs a hand.
    pub verdict: VerdictView,
    /// The local gateway.
    pub gateway: GatewayView,
    /// Where secrets are kept.
    pub vault: VaultView,
    /// How many backends are in which state; the parts add up to the total.
    pub backends: BackendCountsView,
    /// Requests being answered right now.
    pub requests_in_flight: u32,
    /// Since local midnight.
    pub spend_today: SpendView,
    /// How far the first steps are done.
    pub first_steps: FirstStepsView,
    /// The newest finished readiness run.
    pub last_run: Option<RunSummaryView>,
    /// Where settings, ledger and logs lie.
    pub data_folder: String,
}

/// One word, one sentence, and the list behind it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct VerdictView {
    /// The word.
    pub level: VerdictLevel,
    /// The sentence, for example "openai is down" or "3 issues".
    pub sentence: String,
    /// What needs attention, most severe first; at most five.
    pub needs: Vec<NeedView>,
}

/// How good things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum VerdictLevel {
    /// Everything works.
    Ok,
    /// Nothing is known to be wrong, and not everything was checked yet.
    Unknown,
    /// Works, and something wants looking at.
    Attention,
    /// Something does not work.
    Problem,
}

/// One thing that needs attention.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct NeedView {
    /// Stable while the need lasts.
    pub id: String,
    /// How bad.
    pub level: VerdictLevel,
    /// What.
    pub title: String,
    /// What it means for work.
    pub impact: String,
    /// Since when, where known.
    pub since: Option<UnixMs>,
    /// The button.
    pub action: ActionView,
}

/// Where a button leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ActionView {
    /// Open this backend.
    OpenBackend {
        /// Which.
        id: String,
    },
    /// Open this route.
    OpenRoute {
        /// Which.
        id: String,
    },
    /// Open the list of routes.
    OpenRouting,
    /// Open this key.
    OpenKey {
        /// Which.
        id: String,
    },
    /// Start adding a backend.
    AddBackend,
    /// Connect a client tool.
    AddClient,
    /// Start a readiness run.
    RunChecks,
    /// Open the readiness screen.
    OpenReadiness,
    /// Open the settings.
    OpenSettings,
    /// Open the ledger's part of the settings.
    OpenLedger,
}

/// The local gateway.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct GatewayView {
    /// Whether it listens.
    pub state: GatewayState,
    /// What clients are pointed at, for example `http://127.0.0.1:4283`.
    pub address: String,
    /// The port in the settings.
    pub port: u16,
    /// Why it does not listen and what to do.
    pub reason: Option<String>,
}

/// Whether the gateway listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    /// Answers requests.
    Listening,
    /// Could not listen.
    Failed,
}

/// Where secrets are kept and whether that works.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct VaultView {
    /// `keychain`, `file`, `env` or `memory`.
    pub kind: VaultKindView,
    /// Its state at the last call.
    pub state: VaultStateView,
    /// What to do when it is not ready, or when an older copy of its file stands in its place.
    pub hint: Option<String>,
    /// This machine has no keychain (which is not the same as a locked one): an encrypted file can
    /// stand in for it.
    pub keychain_missing: bool,
    /// An encrypted file exists, so its passphrase is asked for once; a new one is asked for twice.
    pub file_exists: bool,
    /// `GATEHOUSE_VAULT` chose the kind, so it cannot be changed here.
    pub set_by_environment: bool,
}

/// The kinds of vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum VaultKindView {
    /// The operating system's keychain.
    Keychain,
    /// A file encrypted with a passphrase.
    File,
    /// A read-only view of environment variables.
    Env,
    /// Memory only; gone at the end.
    Memory,
}

impl VaultKindView {
    /// The word by which settings, `GATEHOUSE_VAULT` and the command line name it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::File => "file",
            Self::Env => "env",
            Self::Memory => "memory",
        }
    }
}

/// The states of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum VaultStateView {
    /// Not asked yet.
    Unknown,
    /// Works.
    Ready,
    /// Locked, or the passphrase is wrong or missing.
    Locked,
    /// The keychain service has no collection to store in.
    NoCollection,
    /// No keychain service answers.
    Unavailable,
    /// The keychain service does not answer in time.
    Hung,
    /// The encrypted file cannot be read.
    Damaged,
}

/// Backends by state. The four parts add up to `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
pub struct BackendCountsView {
    /// All, the built-in mock included.
    pub total: u32,
    /// Working.
    pub up: u32,
    /// Not working.
    pub down: u32,
    /// Not known yet.
    pub unknown: u32,
    /// Switched off.
    pub disabled: u32,
}

/// Money spent in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SpendView {
    /// The priced part.
    pub cost: MicroDollars,
    /// All requests.
    pub requests: Count,
    /// Requests whose cost is not known; not in `cost`.
    pub unpriced_requests: Count,
}

/// The three first steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FirstStepsView {
    /// A backend other than the mock exists.
    pub backend_added: bool,
    /// A client has a local token.
    pub client_added: bool,
    /// A client has sent a request.
    pub request_seen: bool,
    /// A readiness run has finished.
    pub checks_run: bool,
}
