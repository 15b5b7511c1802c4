//! Another vault, and what came of it.

use serde::{Deserialize, Serialize};
use specta::Type;
use zeroize::Zeroizing;

use super::{VaultKindView, VaultView};

/// Uses another vault from now on. Shells ask for a new passphrase twice before they send it.
#[derive(Debug, Deserialize, Type)]
pub struct VaultSet {
    /// The new kind.
    pub kind: VaultKindView,
    /// Opens the encrypted file, or creates it; travels inwards only.
    #[specta(type = Option<String>)]
    pub passphrase: Option<Zeroizing<String>>,
    /// Move keys and tokens there: written, read back, compared, and only then removed here.
    pub move_keys: bool,
}

/// Moves keys and tokens that are still in another vault into the one in use.
#[derive(Debug, Deserialize, Type)]
pub struct VaultMove {
    /// Where they are.
    pub from: VaultKindView,
    /// Opens the encrypted file, if they are in it; travels inwards only.
    #[specta(type = Option<String>)]
    pub passphrase: Option<Zeroizing<String>>,
}

/// What came of a change of the vault.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct VaultChangeView {
    /// The vault in use now.
    pub vault: VaultView,
    /// Keys that were moved into it.
    pub moved: Vec<String>,
    /// Clients whose tokens were moved into it.
    pub moved_tokens: Vec<String>,
    /// Keys and clients whose copy could not be removed from the old vault.
    pub left: Vec<String>,
    /// What was done, as one or two sentences.
    pub sentence: String,
}
