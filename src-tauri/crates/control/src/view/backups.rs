//! Request and view types for backups of everything.

use engine::BackupTask;
use serde::{Deserialize, Serialize};
use settings::DifferenceKind;
use specta::Type;

use super::{Count, UnixMs};

/// Backs everything up into one new file.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackupCreate {
    /// Whole path of the new file; None for one in the folder for downloads.
    pub path: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackupRef {
    /// Whole path of a backup.
    pub path: String,
}

/// The last backup of everything, and where the next one goes.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackupsView {
    /// None if there was none, or its file is gone.
    pub last: Option<BackupView>,
    /// Folder of backups without a path.
    pub folder: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackupView {
    pub path: String,
    pub at: UnixMs,
    pub bytes: Count,
    /// Requests in its ledger.
    pub requests: Count,
}

/// A backup that was restored into a scratch folder and opened there.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackupCheckView {
    pub path: String,
    pub made: UnixMs,
    /// Version of the Gatehouse that made it.
    pub app_version: String,
    /// Size of what is in it.
    pub bytes: Count,
    pub requests: Count,
    pub backends: Count,
    pub routes: Count,
    pub clients: Count,
    pub budgets: Count,
    /// Keys that are named in it; none is in it.
    pub keys: Count,
    /// Duration of the check, in milliseconds.
    pub took_ms: Count,
    /// "Sound: 1,204 requests, 3 backends. Restored and opened in 0.4 s."
    pub sentence: String,
}

/// What a restore would change.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RestorePlanView {
    pub check: BackupCheckView,
    /// Settings that differ; only the file's stay.
    pub differences: Vec<SettingsDifferenceView>,
    /// Requests in the ledger now. Those that the backup lacks stay.
    pub requests_here: Count,
    pub keys: MissingKeysView,
}

/// A place at which the settings here and those of a file differ.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SettingsDifferenceView {
    /// `gateway.port`, `backends.openai`
    pub path: String,
    pub kind: DifferenceKind,
    pub fields: Vec<FieldDifferenceView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FieldDifferenceView {
    /// Empty for a single setting.
    pub name: String,
    pub here: Option<String>,
    pub there: Option<String>,
}

/// Keys that settings name and the vault does not have.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
pub struct MissingKeysView {
    pub missing: Vec<String>,
    /// Why the vault could not tell; then there may be more.
    pub unknown: Option<String>,
    /// Clients whose token the vault cannot give out: it has none, or one that is valid no more.
    #[serde(default)]
    #[specta(optional)]
    pub lost_tokens: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RestoredView {
    /// When the backup was made.
    pub made: UnixMs,
    /// Requests in the ledger now.
    pub requests: Count,
    /// Of these, requests that the backup did not have.
    pub added: Count,
    /// The read-only file that was the ledger until now.
    pub ledger_kept: Option<String>,
    /// The copy of the settings until now.
    pub settings_kept: Option<String>,
    pub keys: MissingKeysView,
    /// "Restored: 1,204 requests and all settings. 2 keys have to be added again."
    pub sentence: String,
}

/// How far a backup, its check or a restore is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BackupProgressView {
    pub task: BackupTask,
    /// None until it is known.
    pub percent: Option<u32>,
    /// False in the last event, whatever its outcome.
    pub is_running: bool,
}
