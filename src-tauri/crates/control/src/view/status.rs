//! The overview: whether everything works, what needs attention, and what was spent.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars, ReadinessRunSummaryView, UnixMs, VaultKind};

/// Everything that the Overview, the tray and `gatehouse status` show.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StatusView {
    /// Version of the running core.
    pub version: String,
    /// When this view was made.
    pub now: UnixMs,
    pub started_at: UnixMs,
    pub verdict: VerdictView,
    pub gateway: GatewayView,
    /// Of the backends that told it lately, the one with the smallest share left; None if none did.
    pub lowest_quota: Option<QuotaView>,
    pub vault: VaultView,
    pub backends: BackendCountsView,
    pub requests_in_flight: u32,
    /// Since local midnight.
    pub spend_today: SpendView,
    pub first_steps: FirstStepsView,
    /// The newest finished readiness run.
    pub last_run: Option<ReadinessRunSummaryView>,
    /// What became of the telemetry for a collector; None while it is switched off.
    pub telemetry: Option<TelemetryView>,
    /// Folder of the ledger and the vault file.
    pub data_folder: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TelemetryView {
    /// Requests that the collector took since the start.
    pub sent: Count,
    /// Requests that were dropped since the start.
    pub dropped: Count,
    /// "240 requests sent", or why nothing is.
    pub sentence: String,
    /// When and why the last message was not taken; None once one was.
    pub failing_since: Option<UnixMs>,
}

/// Overall state and the needs behind it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct VerdictView {
    pub level: VerdictLevel,
    /// For example "openai is down" or "openai is down (and 2 more)".
    pub sentence: String,
    /// Most severe first; at most five.
    pub needs: Vec<StatusIssueView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum VerdictLevel {
    /// Everything works.
    Ok,
    /// Nothing is known to be wrong, but not everything has been checked yet.
    Unknown,
    /// No backend has been added, so only the mock answers.
    NotSetUp,
    /// Everything works, but something should be looked at.
    Attention,
    /// Something does not work.
    Problem,
}

/// Something that needs attention.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StatusIssueView {
    /// Stable while the need lasts.
    pub id: String,
    pub level: VerdictLevel,
    pub title: String,
    /// What it means for the user's work.
    pub impact: String,
    /// None if not known.
    pub since: Option<UnixMs>,
    pub action: PanelActionView,
}

/// Where a button leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PanelActionView {
    OpenBackend {
        id: String,
    },
    OpenRoute {
        id: String,
    },
    /// The list of routes.
    OpenRouting,
    OpenKey {
        id: String,
    },
    AddBackend,
    AddClient,
    /// The tools and whether they are as they were wired.
    OpenClients,
    /// Looks for keys in plain text, to import them.
    FindKeys,
    /// Starts a readiness run.
    RunChecks,
    OpenReadiness,
    /// The health of backends and services.
    OpenHealth,
    /// Lets a paused gateway answer again.
    ResumeGateway,
    OpenSettings,
    /// The ledger section of the settings.
    OpenLedger,
    /// The list of budgets.
    OpenBudgets,
    OpenPrices,
    /// Where alerts are sent, and the test of each channel.
    OpenAlertChannels,
    OpenBudget {
        id: String,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct GatewayView {
    pub state: GatewayState,
    /// Base URL for clients, for example `http://127.0.0.1:4283`.
    pub address: String,
    /// The port it listens on, or would listen on.
    pub port: u16,
    /// Why it answers no requests and what to do.
    pub reason: Option<String>,
}

/// What is left of a backend's limit, as its provider last said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct QuotaView {
    pub backend: String,
    pub backend_label: String,
    /// What is limited: `requests`, `tokens`, `input tokens` or `output tokens`.
    pub limit: String,
    /// 0 to 100, rounded down.
    pub left_percent: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    Listening,
    /// It listens and refuses requests, because the user paused it.
    Paused,
    /// It listens and did not answer the last request of its own.
    Silent,
    Failed,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct VaultView {
    pub kind: VaultKind,
    /// State at the last call.
    pub state: VaultStateView,
    /// What to do if the vault is not ready, or if its file is older than the last one seen.
    pub hint: Option<String>,
    /// This machine has no usable keychain, as opposed to a locked one. An encrypted file can
    /// replace it.
    pub keychain_missing: bool,
    /// An encrypted file exists, so a form asks for its passphrase once. It asks for a new one
    /// twice.
    pub file_exists: bool,
    /// `GATEHOUSE_VAULT` sets the kind, so it cannot be changed here.
    pub set_by_environment: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum VaultStateView {
    /// Not checked yet.
    Unknown,
    Ready,
    /// Locked, or the passphrase is wrong or missing.
    Locked,
    /// The keychain service has no collection to store in.
    NoCollection,
    /// No keychain service answers, or the vault file cannot be used.
    Unavailable,
    /// The keychain service does not answer in time.
    Hung,
    /// The encrypted file cannot be read.
    Damaged,
}

/// Number of backends by state. The five states add up to `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
pub struct BackendCountsView {
    /// Includes the built-in mock.
    pub total: u32,
    pub up: u32,
    /// They answer, but slowly, or they fail often, or they have just recovered.
    pub degraded: u32,
    pub down: u32,
    pub unknown: u32,
    pub disabled: u32,
}

/// Spend of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SpendView {
    /// Cost of the requests with a known cost.
    pub cost_nano_usd: NanoDollars,
    /// True if there were requests, and nothing is known of what they cost; the cost is then no zero.
    pub is_cost_unknown: bool,
    pub requests: Count,
    /// Requests whose cost is not known; not in `cost`.
    pub unpriced_requests: Count,
}

/// Which of a new user's first steps are done.
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
