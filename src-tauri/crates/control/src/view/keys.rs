//! Keys as they are shown: never the key, only its tail, its state and where it is used.

use domain::Secret;
use serde::{Deserialize, Serialize};
use specta::Type;
use zeroize::Zeroizing;

use super::{SpendView, UnixMs, VaultKindView};

/// A key in the vault.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyView {
    /// Its name.
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// Its last four characters, where it is long enough to show them.
    pub tail: Option<String>,
    /// The only place it may be sent to, `https://api.openai.com:443`.
    pub origin: Option<String>,
    /// When it was put in.
    pub created_at: Option<UnixMs>,
    /// When it was last replaced.
    pub replaced_at: Option<UnixMs>,
    /// Whether it is good.
    pub state: KeyStateView,
    /// Why, and what to do.
    pub reason: Option<String>,
    /// When a provider last accepted or rejected it.
    pub verified_at: Option<UnixMs>,
    /// When a request last used it.
    pub used_at: Option<UnixMs>,
    /// Backends that use it.
    pub used_by: Vec<String>,
    /// What changes when it is removed.
    pub dependents: DependentsView,
    /// Where it lies.
    pub storage: VaultKindView,
    /// Read-only: it comes from the environment.
    pub read_only: bool,
    /// The last 30 days.
    pub last_month: SpendView,
}

/// What uses a key or a backend, and so changes when it is removed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
pub struct DependentsView {
    /// Backends that use the key; of a backend, none.
    pub backends: Vec<String>,
    /// Routes that lose a candidate.
    pub routes: Vec<String>,
    /// Of these routes, those that have no other candidate.
    pub broken_routes: Vec<String>,
    /// The key is the password of the shared cache's server.
    pub cache_server: bool,
}

/// Whether a key is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum KeyStateView {
    /// Accepted at the last call.
    Valid,
    /// Not tried yet.
    Unverified,
    /// Rejected by its provider.
    Rejected,
    /// Named in the settings and not in the vault.
    Missing,
}

/// Puts a key in. It can be used, replaced and removed, never read back.
#[derive(Debug, Deserialize, Type)]
pub struct KeyAdd {
    /// Its name.
    pub id: String,
    /// Its name for people; empty takes the id.
    pub label: String,
    /// The key itself; travels inwards only.
    #[specta(type = String)]
    pub secret: Secret,
    /// The URL it may be sent to; without one it is bound when a backend takes it.
    pub url: Option<String>,
}

/// Replaces a key in place.
#[derive(Debug, Deserialize, Type)]
pub struct KeyReplace {
    /// Which.
    pub id: String,
    /// The new key; travels inwards only.
    #[specta(type = String)]
    pub secret: Secret,
}

/// Names one key.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyRef {
    /// Which.
    pub id: String,
}

/// What a provider said of a key. The call is not billed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyVerificationView {
    /// Which.
    pub id: String,
    /// Whether it is good.
    pub state: KeyStateView,
    /// What was seen, in words.
    pub detail: String,
    /// What to do.
    pub fix: Option<String>,
}

/// Opens the encrypted file vault, or makes it when there is none yet.
#[derive(Debug, Deserialize, Type)]
pub struct VaultUnlock {
    /// The passphrase; travels inwards only.
    #[specta(type = String)]
    pub passphrase: Zeroizing<String>,
}
