//! Request and view types for keys. A view never holds the key, only its last four characters.

use domain::{BillingProvider, OAuthGrant, Secret};
use engine::KeyState;
use serde::{Deserialize, Serialize};
use specta::Type;
use zeroize::Zeroizing;

use super::{SpendView, UnixMs, VaultKind};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyView {
    pub id: String,
    pub label: String,
    /// Its last four characters; None if the key is too short to show them.
    pub tail: Option<String>,
    /// The only origin it may be sent to, `https://api.openai.com:443`.
    pub origin: Option<String>,
    pub created_at: Option<UnixMs>,
    pub replaced_at: Option<UnixMs>,
    pub state: KeyState,
    pub reason: Option<String>,
    /// When a provider last accepted or rejected it.
    pub verified_at: Option<UnixMs>,
    /// When a request last used it.
    pub used_at: Option<UnixMs>,
    pub used_by: Vec<String>,
    pub dependents: DependentsView,
    pub storage: VaultKind,
    /// Of an admin key: the provider whose cost reports it reads.
    pub billing: Option<BillingProvider>,
    /// As the user says; None if never or not known.
    pub expires_at: Option<UnixMs>,
    /// What the user wants to remember of it.
    pub note: Option<String>,
    /// Of a key that is exchanged for access tokens.
    pub oauth: Option<KeyOAuthView>,
    /// What its provider says is left; None if it says nothing.
    pub balance: Option<KeyBalanceView>,
    /// What its provider says that it may do; None if it says nothing, or does not accept the key.
    pub permissions: Option<KeyPermissionsView>,
    /// What the user should look after.
    pub notices: Vec<KeyNoticeView>,
    /// The provider's page where keys are made and revoked; None if it is not known.
    pub keys_url: Option<String>,
    /// The known provider of the host that it is bound to, which can be asked about it without cost.
    #[serde(default)]
    #[specta(optional)]
    pub provider: Option<String>,
    /// The key before it, while that can still be checked.
    pub retired: Option<RetiredKeyView>,
    /// True for keys from the environment.
    pub read_only: bool,
    /// The last 30 days.
    pub last_month: SpendView,
}

/// What a key may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeyPermissionsView {
    pub sentence: String,
    /// True if it makes and deletes keys of the account.
    pub manages_keys: bool,
}

/// Prepaid credit, or what is left of the key's spending limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeyBalanceView {
    /// `$4.12`, or `110.00 CNY`; None if it was never told.
    pub left: Option<String>,
    /// What is left and how long it lasts, or why it is not known; and why the last check failed, if it
    /// did.
    pub sentence: String,
    pub read_at: Option<UnixMs>,
    /// Whole days at the pace of the last week; None if not known, or if the limit is full again before.
    pub days_left: Option<u32>,
    pub is_used_up: bool,
}

domain::words! {
    /// Something about a key that the user should look after.
    KeyNotice {
        /// It can do far more than ask models.
        Admin = "admin",
        Expired = "expired",
        ExpiresSoon = "expires_soon",
        /// In use for long without a replacement.
        Old = "old",
        Unused = "unused",
        /// What is left at its provider is used up soon.
        BalanceLow = "balance_low",
        /// The same secret has another name too.
        Duplicate = "duplicate",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeyNoticeView {
    pub notice: KeyNotice,
    pub sentence: String,
}

domain::words! {
    /// What happened to a key.
    KeyEvent {
        Added = "added",
        Replaced = "replaced",
        /// Its name, expiry or note.
        Edited = "edited",
        /// Its provider did not accept it any more, or not for this.
        Rejected = "rejected",
        Accepted = "accepted",
        Expired = "expired",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeyEventView {
    pub at: UnixMs,
    pub event: KeyEvent,
    pub sentence: String,
}

/// What happened to a key, as far as the settings, the audit log and the ledger go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeyHistoryView {
    /// Newest first; at most 50.
    pub events: Vec<KeyEventView>,
    /// False if there are older ones.
    pub is_whole: bool,
}

/// A key that was replaced since this start, less than a day ago.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RetiredKeyView {
    /// Its last four characters; None if it is too short to show them.
    pub tail: Option<String>,
    pub replaced_at: UnixMs,
}

domain::words! {
    /// What the provider makes of a replaced key.
    RetiredKeyState {
        /// It still works, and so does every copy of it.
        Accepted = "accepted",
        Rejected = "rejected",
        Unknown = "unknown",
    }
}

/// Result of asking the provider about a replaced key. The call is not billed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RetiredKeyCheckView {
    pub id: String,
    pub state: RetiredKeyState,
    pub sentence: String,
}

/// Changes what is known of a key. The secret stays.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyEdit {
    pub id: String,
    /// Display name; the id if empty.
    pub label: String,
    /// None if it never ends or the end is not known.
    pub expires_at: Option<UnixMs>,
    /// At most 500 characters; None for none. It is stored as plain text, so it may hold no key.
    pub note: Option<String>,
}

/// What is affected when a key or a backend is removed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
pub struct DependentsView {
    /// Backends that use the key; empty for a backend.
    pub backends: Vec<String>,
    /// Routes that lose a candidate.
    pub routes: Vec<String>,
    /// Of these, routes without another candidate.
    pub broken_routes: Vec<String>,
    /// Clients that the user switched to the backend, or to one without another key.
    pub clients: Vec<String>,
    /// Services that are checked with the key; empty for a backend.
    pub services: Vec<String>,
    /// The key is the password of the shared cache's server.
    pub cache_server: bool,
}

/// Adds a key. It can be used, replaced and removed, but never read back.
#[derive(Debug, Deserialize, Type)]
pub struct KeyAdd {
    pub id: String,
    /// Display name; the id if empty.
    pub label: String,
    /// Write-only.
    #[specta(type = String)]
    pub secret: Secret,
    /// The URL that the key may be sent to. Without one, the key is bound to the first backend that
    /// uses it.
    pub url: Option<String>,
    /// For an admin key: the provider whose cost reports it reads. It is bound to that provider,
    /// and no request is sent with it.
    #[serde(default)]
    #[specta(optional)]
    pub billing: Option<BillingProvider>,
}

/// How the access tokens of a key are got, and the present one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeyOAuthView {
    pub token_url: String,
    pub client_id: String,
    pub grant: OAuthGrant,
    /// Scopes separated by spaces; None for what the server gives.
    pub scope: Option<String>,
    /// None before the first access token since the start.
    pub refreshed_at: Option<UnixMs>,
    /// When the access token ends. It is refreshed at 80 % of its life.
    pub access_expires_at: Option<UnixMs>,
}

/// Adds a key of OAuth. Its secret goes to the token endpoint alone, its access tokens to `url` alone.
#[derive(Debug, Deserialize, Type)]
pub struct KeyOAuthAdd {
    pub id: String,
    /// Display name; the id if empty.
    pub label: String,
    /// The refresh token, or the client secret for `client_credentials`. Write-only.
    #[specta(type = String)]
    pub secret: Secret,
    /// The URL that access tokens may be sent to. Without one, they are bound to the first backend
    /// that uses the key.
    pub url: Option<String>,
    pub token_url: String,
    pub client_id: String,
    pub grant: OAuthGrant,
    /// Scopes separated by spaces.
    pub scope: Option<String>,
    /// Authenticates the client beside a refresh token. Write-only.
    #[specta(type = Option<String>)]
    pub client_secret: Option<Secret>,
}

/// Replaces a key. It stays bound to its origin. A key that its provider rejects is refused, and the
/// old one stays in use.
#[derive(Debug, Deserialize, Type)]
pub struct KeyReplace {
    pub id: String,
    /// Write-only.
    #[specta(type = String)]
    pub secret: Secret,
    /// True to store it without asking the provider first.
    #[serde(default)]
    #[specta(optional)]
    pub untested: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyRef {
    pub id: String,
}

/// Result of verifying a key with its provider. The call is not billed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyVerificationView {
    pub id: String,
    pub state: KeyState,
    pub detail: String,
    pub fix: Option<String>,
}

/// Opens the encrypted vault file, or creates it if there is none.
#[derive(Debug, Deserialize, Type)]
pub struct VaultUnlock {
    /// Write-only.
    #[specta(type = String)]
    pub passphrase: Zeroizing<String>,
}
