//! The facts that the built-in checks read from the machine.
//!
//! Facts contain no judgement. The judgement (what is a fault, its cause, its fix) is in `checks`,
//! where it is tested without a keychain, a database or a network.

use std::net::SocketAddr;

use async_trait::async_trait;
use domain::{BackendId, CredentialId, NanoUsd};

/// Source of the facts. All returned texts are free of secrets.
#[async_trait]
pub trait ReadinessEnvironment: Send + Sync {
    /// Tests the ledger's folder by writing and removing a file.
    async fn data_folder(&self) -> DataFolderFacts;

    /// Problems of the settings file as it is on disk.
    async fn settings_problems(&self) -> Vec<SettingsProblem>;

    /// Keys in plain text in shell profiles and the files of known tools. An error says why nobody
    /// could look.
    async fn plain_keys(&self) -> Result<PlainKeyFacts, String>;

    /// Tools that were pointed at the gateway, and programs that were given the MCP server. An error
    /// says why nobody could look.
    async fn connected_tools(&self) -> Result<Vec<ConnectedToolFacts>, String>;

    /// State of the ledger after an integrity check.
    async fn ledger(&self) -> LedgerFacts;

    /// State of the vault after a worthless test value was written, read back and removed.
    async fn vault(&self) -> VaultFacts;

    /// Addresses the gateway listens on; empty when it does not listen.
    async fn gateway_listeners(&self) -> Vec<SocketAddr>;

    /// Sends a real request to the gateway over loopback. An error says why there was no response.
    async fn call_gateway(&self, call: GatewayCall) -> Result<GatewayReply, String>;

    /// Tests the backend's keys with unbilled calls.
    async fn credential(&self, backend: &BackendId) -> CredentialFacts;

    /// Models the backend lists and models the settings declare for it. An error says why it did
    /// not list any.
    async fn models(&self, backend: &BackendId) -> Result<BackendModelFacts, String>;

    /// What clients can ask for without naming a backend, with what is known of its backends now.
    async fn served(&self) -> Vec<ServedFacts>;

    /// Backends in use that a key of the user's pays.
    async fn paid_backends(&self) -> Vec<PaidBackendFacts>;

    /// The known cost of the user's requests in the last 30 days. An error says why it is not known.
    async fn month_cost(&self) -> Result<NanoUsd, String>;

    /// The age of the prices, and models without one. An error says why it is not known.
    async fn prices(&self) -> Result<PriceFacts, String>;

    /// The channels of alerts that are on.
    async fn alert_channels(&self) -> Vec<AlertChannelFacts>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidBackendFacts {
    pub label: String,
    /// True if a budget counts all that each of its keys spends.
    pub is_covered: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFacts {
    /// The day of the price list, as `2026-11-23`.
    pub list_date: String,
    pub list_age_days: u64,
    /// Models that were asked in the last 30 days and whose cost is not known, most requests first.
    pub unpriced_models: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertChannelFacts {
    /// Its name on the command line, such as `desktop`.
    pub name: String,
    pub last_test: Option<ChannelTestFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelTestFacts {
    /// Whole days since it was sent.
    pub days: u64,
    pub result: ChannelTestResult,
}

/// What became of a test of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelTestResult {
    /// The user said that it arrived.
    Seen,
    /// The user said that it did not arrive.
    NotSeen,
    Unanswered,
    /// It could not be sent, with the reason.
    Failed(String),
}

/// Models that the same backends answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedFacts {
    /// For example "the route chat", "3 models".
    pub what: String,
    pub backends: Vec<ServingBackend>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServingBackend {
    pub label: String,
    /// Why it does not answer; `None` while nothing is known against it.
    pub fault: Option<String>,
    /// `None` if it answers well, or not at all.
    pub degraded: Option<DegradedFacts>,
}

/// How a backend that answers does so badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DegradedFacts {
    /// Without its name: "first token 4.2 s, usually 0.9 s".
    pub clause: String,
    /// It gets a growing share of requests after an outage, which ends by itself.
    pub is_recovering: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolderFacts {
    pub path: String,
    /// Error: why no file could be written.
    pub writable: Result<(), String>,
    /// Free space in bytes; `None` if the system does not report it.
    pub free_bytes: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    /// The problem, with its path in the file.
    pub message: String,
    pub fix: String,
    pub severity: ProblemSeverity,
}

/// Severity of a settings or ledger problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemSeverity {
    Error,
    Warning,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlainKeyFacts {
    /// Different keys.
    pub keys: usize,
    /// File, line and name of each copy.
    pub places: Vec<String>,
    /// Files that were read.
    pub files: usize,
}

/// A tool whose own file was changed to use this Gatehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedToolFacts {
    pub name: String,
    /// Why it would not work, in a sentence; `None` while nothing is known against it.
    pub trouble: Option<String>,
    /// The command that connects it again.
    pub command: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFacts {
    /// Error: what is damaged.
    pub integrity: Result<(), String>,
    /// Problems with writing, with the file or with backups, most severe first.
    pub problems: Vec<LedgerProblemFacts>,
    /// Schema version of the file.
    pub schema_found: u32,
    /// Schema version this program writes.
    pub schema_expected: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerProblemFacts {
    /// The problem, worded for the middle of a sentence.
    pub title: String,
    /// The consequence and what to do.
    pub fix: String,
    pub severity: ProblemSeverity,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultFacts {
    /// Display name with its article: "the keychain", "the encrypted file".
    pub store: String,
    /// True when an enabled backend uses a key.
    pub needed: bool,
    pub test_result: VaultTestResult,
}

/// Result of writing a test value to the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultTestResult {
    /// The value was written, read back and removed.
    Kept,
    Locked,
    /// This machine has no such store.
    Missing,
    /// No response in time.
    Hung,
    /// The value read back differs, or could not be removed.
    Lost,
    /// The store cannot be written, for example the environment vault.
    ReadOnly,
    /// Any other failure, with its message.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayCall {
    pub caller: SimulatedCaller,
    /// Path to request. The method is POST with a JSON content type if there is a body, otherwise
    /// GET.
    pub path: &'static str,
    /// JSON text.
    pub body: Option<String>,
}

/// Who the request claims to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SimulatedCaller {
    /// A client with a valid token.
    Client,
    /// A program without a token.
    NoToken,
    /// A web page: a valid token and the header `Origin: https://page.example`.
    WebPage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayReply {
    pub status: u16,
    /// The whole body, also of a stream.
    pub body: Vec<u8>,
}

/// Result of testing a backend's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialFacts {
    /// Accepted, with the call that was made, for example `GET /v1/models: 200`.
    Accepted(String),
    /// The backend has several keys and does not accept all of them.
    PartlyAccepted {
        /// At least one.
        accepted: usize,
        /// Number of keys the backend has.
        keys: usize,
        /// The first key that was not accepted.
        credential: CredentialId,
        /// The reason from the backend or from the vault.
        reason: String,
    },
    /// The backend uses no key.
    NotNeeded,
    /// The key is not in the vault.
    Missing,
    /// Holds the backend's reason.
    Rejected(String),
    /// The key is valid but out of credit or over a limit; holds the backend's reason.
    Limited(String),
    /// The call did not reach the backend; holds the reason.
    Unreachable(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendModelFacts {
    pub listed: Vec<String>,
    /// Models the settings declare for the backend.
    pub declared: Vec<String>,
}
