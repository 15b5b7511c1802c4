//! Request and view types for the export and import of settings and of keys.

use serde::{Deserialize, Serialize};
use settings::ConflictChoice;
use specta::Type;
use zeroize::Zeroizing;

use super::{Count, MissingKeysView, SettingsDifferenceView};

/// Writes the settings, without any key, into a new file.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ConfigExport {
    /// Whole path of the new file; None for one in the folder for downloads.
    pub path: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ConfigExportedView {
    pub path: String,
    pub backends: Count,
    pub routes: Count,
    pub clients: Count,
    pub budgets: Count,
}

/// Reads settings from an exported file. Nothing that is here alone is removed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ConfigImport {
    /// Whole path.
    pub path: String,
    /// What becomes of settings that differ.
    pub on_conflict: ConflictChoice,
}

/// What an import changes, or changed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ConfigImportView {
    /// Places at which the settings become others.
    pub changes: Vec<SettingsDifferenceView>,
    /// Places at which the file says something else and what is here stays.
    pub kept: Vec<SettingsDifferenceView>,
    /// "openai: openai-key": keys that would have gone to another host, so that their backends lose
    /// them.
    pub detached: Vec<String>,
    /// New clients. Whoever has their tokens can call the gateway.
    pub new_clients: Vec<String>,
    pub keys: MissingKeysView,
}

/// Writes all keys and local tokens, encrypted with a passphrase, into a new file. The panel and
/// the command line ask for the passphrase twice before they send it.
#[derive(Debug, Deserialize, Type)]
pub struct SecretsExport {
    /// Whole path of the new file.
    pub path: String,
    /// Write-only.
    #[specta(type = String)]
    pub passphrase: Zeroizing<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SecretsExportedView {
    pub path: String,
    /// Names of the keys in it.
    pub keys: Vec<String>,
    /// Clients whose tokens are in it.
    pub clients: Vec<String>,
    /// Keys that the vault does not have.
    pub missing: Vec<String>,
}

/// Reads keys from such a file into the vault.
#[derive(Debug, Deserialize, Type)]
pub struct SecretsImport {
    /// Whole path.
    pub path: String,
    /// Write-only.
    #[specta(type = String)]
    pub passphrase: Zeroizing<String>,
    /// What becomes of keys that the vault has with another value.
    pub on_conflict: ConflictChoice,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
pub struct SecretsImportedView {
    /// Written, read back and compared.
    pub imported: Vec<String>,
    /// The vault had the same.
    pub same: Vec<String>,
    /// The vault has another value, which stays.
    pub kept: Vec<String>,
    /// No settings name them; import the settings first.
    pub unknown: Vec<String>,
}
