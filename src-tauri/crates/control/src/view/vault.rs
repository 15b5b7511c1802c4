//! Request and view types for changing the vault.

use serde::{Deserialize, Serialize};
use specta::Type;
use zeroize::Zeroizing;

use super::{VaultKind, VaultView};

pub use ::vault::PASSPHRASE_CHARS_MIN;

/// Switches to another vault. The panel and the command line ask for a new passphrase twice before
/// they send it.
#[derive(Debug, Deserialize, Type)]
pub struct VaultSet {
    pub kind: VaultKind,
    /// Opens the encrypted file, or creates it. Write-only.
    #[specta(type = Option<String>)]
    pub passphrase: Option<Zeroizing<String>>,
    /// Moves keys and tokens there: writes them, reads them back, compares, and only then removes
    /// them from the old vault.
    pub move_keys: bool,
}

/// Moves keys and tokens from another vault into the one in use.
#[derive(Debug, Deserialize, Type)]
pub struct VaultMove {
    pub from: VaultKind,
    /// Opens the encrypted file, if they are in it. Write-only.
    #[specta(type = Option<String>)]
    pub passphrase: Option<Zeroizing<String>>,
}

/// Result of a change of the vault.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct VaultChangeView {
    /// The vault in use now.
    pub vault: VaultView,
    /// Keys that were moved into it.
    pub moved: Vec<String>,
    /// Clients whose tokens were moved into it.
    pub moved_tokens: Vec<String>,
    /// Keys and clients whose copies could not be removed from the old vault.
    pub left: Vec<String>,
    /// What was done, in one or two sentences.
    pub sentence: String,
}
