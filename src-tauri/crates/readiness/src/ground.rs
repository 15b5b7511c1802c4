//! What the built-in checks ask of the machine: plain facts, no judgement.
//!
//! The judgement (what is a fault, why, what to do) is in `checks`, so it is tested without a
//! keychain, a database or a network.

use std::net::SocketAddr;

use async_trait::async_trait;
use domain::{BackendId, CredentialId};

/// The machine as the built-in checks see it. Texts are free of secrets.
#[async_trait]
pub trait Ground: Send + Sync {
    /// The folder of the ledger, tried by writing and removing a file.
    async fn data_folder(&self) -> DataFolder;

    /// What is wrong with the settings as they are on the disk.
    async fn settings_problems(&self) -> Vec<SettingsProblem>;

    /// The ledger, after an integrity check.
    async fn ledger(&self) -> LedgerFacts;

    /// The vault, after a marker of no value was written, read back and removed.
    async fn vault(&self) -> VaultFacts;

    /// The addresses the gateway listens on; none when it does not.
    async fn gateway_listeners(&self) -> Vec<SocketAddr>;

    /// A real request to the gateway over loopback; an error says why no answer came.
    async fn call_gateway(&self, call: GatewayCall) -> Result<GatewayReply, String>;

    /// The backend's key, tried by a call that is not billed.
    async fn credential(&self, backend: &BackendId) -> CredentialFacts;

    /// The models the backend lists and those that are wanted of it; an error says why none came.
    async fn models(&self, backend: &BackendId) -> Result<ModelFacts, String>;
}

/// The data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder {
    /// Where it is.
    pub path: String,
    /// Whether a file could be written; an error says why not.
    pub writable: Result<(), String>,
    /// Free space, in bytes; `None` if the system does not tell.
    pub free_bytes: Option<u64>,
}

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    /// What, with its place in the file.
    pub message: String,
    /// What to do.
    pub fix: String,
    /// How bad it is.
    pub gravity: Gravity,
}

/// How bad a settings problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gravity {
    /// The settings cannot be used like this.
    Error,
    /// They can.
    Warning,
}

/// The ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFacts {
    /// Whether the file is whole; an error says what is broken.
    pub integrity: Result<(), String>,
    /// What is wrong with writing, with the file or with backups, most severe first.
    pub problems: Vec<LedgerProblem>,
    /// Version of its schema.
    pub schema_found: u32,
    /// Version this program writes.
    pub schema_expected: u32,
}

/// One thing that is wrong with the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerProblem {
    /// What it is, as the middle of a sentence.
    pub title: String,
    /// What it means, and what to do.
    pub fix: String,
    /// How bad it is.
    pub gravity: Gravity,
}

/// The vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultFacts {
    /// Its kind for people, with its article: "the keychain", "the encrypted file".
    pub store: String,
    /// True when a backend that is switched on uses a key.
    pub needed: bool,
    /// What became of the marker.
    pub canary: Canary,
}

/// What became of the marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canary {
    /// It was written, read back and removed.
    Kept,
    /// The store is locked.
    Locked,
    /// There is no such store on this machine.
    Missing,
    /// It did not answer in time.
    Hung,
    /// Something else was read back than was written, or it could not be removed.
    Lost,
    /// This store is only read, as the environment is.
    ReadOnly,
    /// It failed otherwise; how.
    Failed(String),
}

/// A request to the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayCall {
    /// Who pretends to call.
    pub caller: Caller,
    /// The path. Sent as POST with a JSON content type if there is a body, otherwise as GET.
    pub path: &'static str,
    /// The JSON body.
    pub body: Option<String>,
}

/// Who pretends to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A client with a good token.
    Client,
    /// Somebody without a token.
    Stranger,
    /// A web page: a good token and the header `Origin: https://page.example`.
    WebPage,
}

/// The gateway's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayReply {
    /// Its HTTP status.
    pub status: u16,
    /// Its whole body, that of a stream included.
    pub body: Vec<u8>,
}

/// A backend's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialFacts {
    /// The backend accepts it; what was asked, for example `GET /v1/models: 200`.
    Accepted(String),
    /// The backend has several, and does not accept each of them.
    Partly {
        /// How many it accepts, at least one.
        accepted: usize,
        /// How many it has.
        keys: usize,
        /// The first that it does not accept.
        credential: CredentialId,
        /// The backend's reason, or the vault's.
        reason: String,
    },
    /// The backend needs none.
    NotNeeded,
    /// It needs one and none is stored.
    Missing,
    /// The backend does not accept it; its reason.
    Rejected(String),
    /// The key is good and out of money or over a limit; the backend's reason.
    Limited(String),
    /// The question did not get through; why.
    Unreachable(String),
}

/// A backend's models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// Those it lists.
    pub listed: Vec<String>,
    /// Those the settings name for it.
    pub wanted: Vec<String>,
}
