//! Request and view types for keys in plain text. A view never holds the key, only its last four
//! characters and its fingerprint.

use domain::Secret;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, KeyVerificationView};

#[derive(Debug, Clone, Default, Deserialize, Type)]
pub struct KeysScan {
    /// Look into shell profiles, the files of known tools, and the environment.
    pub known_files: bool,
    /// Whole paths of further files, and of folders whose `.env` files are read.
    #[serde(default)]
    pub paths: Vec<String>,
    /// The keys in the caller's environment; without it, the one that the engine was started with is
    /// looked into.
    #[serde(default)]
    #[specta(optional)]
    pub environment: Option<Vec<VariableKey>>,
}

/// A key in a variable of the caller's environment.
#[derive(Debug, Clone, Deserialize, Type)]
pub struct VariableKey {
    pub variable: String,
    /// Write-only.
    #[specta(type = String)]
    pub secret: Secret,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeysScanView {
    pub keys: Vec<PlainKeyView>,
    /// Files that were read.
    pub files: Count,
    /// Files and folders that could not be read, with the reason.
    pub problems: Vec<String>,
    /// True if there is more than the list has.
    pub is_truncated: bool,
    /// False while the vault is locked or missing: then it is not known which keys it holds.
    pub vault_was_read: bool,
}

/// A key in plain text, once for all of its places.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlainKeyView {
    /// Its fingerprint: the same for the same key.
    pub fingerprint: String,
    /// Its last four characters.
    pub tail: Option<String>,
    /// Name of the provider that it is for; None if neither its variable nor its prefix tells.
    pub provider: Option<String>,
    /// Preset of a backend with such a key.
    pub preset: Option<String>,
    /// The only origin it would be sent to; None if the provider is not known.
    pub origin: Option<String>,
    /// Proposed name in the vault.
    pub name: String,
    /// The key of the vault that is the same one.
    pub stored_as: Option<String>,
    /// The variable that holds it in the environment that was looked into.
    pub variable: Option<String>,
    pub places: Vec<PlainKeyPlaceView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlainKeyPlaceView {
    /// `~` is the home folder.
    pub path: String,
    /// From 1.
    pub line: Count,
    /// The variable or field that holds it.
    pub name: Option<String>,
    /// The program that reads the file; None for a file that the user named.
    pub reader: Option<String>,
}

/// Imports keys that a scan of the same places found.
#[derive(Debug, Clone, Deserialize, Type)]
pub struct KeysImport {
    pub scan: KeysScan,
    pub keys: Vec<PlainKeyImport>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlainKeyImport {
    pub fingerprint: String,
    /// Its name in the vault.
    pub name: String,
    /// Add a backend of the key's preset that uses it.
    pub add_backend: bool,
}

/// What came of one key.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyImportView {
    pub fingerprint: String,
    pub name: String,
    /// Why it is not in the vault; None if it is.
    pub error: Option<String>,
    /// The backend that was added for it.
    pub backend: Option<String>,
    /// Why no backend was added although one was asked for.
    pub backend_error: Option<String>,
    /// Whether its provider accepts it, asked without cost; None without a backend.
    pub verification: Option<KeyVerificationView>,
}
