//! Request and view types for the ledger's file, its backups and its repair.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, LedgerPerformanceView, UnixMs, VerdictLevel};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerView {
    pub state: LedgerStateView,
    /// Records in memory that are not on disk yet.
    pub waiting_records: Count,
    /// Most severe first.
    pub problems: Vec<LedgerProblemView>,
    /// An incident with the file that has not been dealt with yet.
    pub incident: Option<LedgerIncidentView>,
    pub path: String,
    /// Size on disk, in bytes.
    pub bytes: Count,
    pub backup_folder: String,
    /// Newest first.
    pub backups: Vec<LedgerBackupView>,
    /// Read-only files with earlier records, in the ledger's folder, oldest first.
    pub kept_files: Vec<String>,
    pub performance: LedgerPerformanceView,
    /// Other machines whose requests were merged, by name.
    pub devices: Vec<LedgerDeviceView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerDeviceView {
    pub name: String,
    /// How many of its requests were merged.
    pub requests: Count,
    /// When its last export was merged.
    pub merged: UnixMs,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerExport {
    /// An absolute path where no file is yet; None for a new file in the folder for downloads.
    pub path: Option<String>,
    /// What this machine is called on the other one; None for its host name.
    #[serde(default)]
    pub device: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerExportedView {
    pub path: String,
    pub device: String,
    pub requests: Count,
    pub bytes: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerMerge {
    /// The absolute path of an export.
    pub path: String,
}

/// What a merge would add.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerMergePlanView {
    /// The other machine; None if the file is an export of this one.
    pub device: Option<String>,
    /// Requests of the file that are not here.
    pub added: Count,
    /// When the first of these began; None if there are none.
    pub first: Option<UnixMs>,
    /// When the last of these began.
    pub last: Option<UnixMs>,
    /// Requests of the file that are here already, or were deleted here for their age.
    pub known: Count,
    /// Known ones of which the file has the version to keep, as with a cost that was priced later.
    pub replaced: Count,
    /// Requests that had not ended when the file was made; a later export has them.
    pub unfinished: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerMergedView {
    /// The other machine; None if the file is an export of this one.
    pub device: Option<String>,
    pub added: Count,
    /// Requests of the file that were here already, or were deleted here for their age.
    pub known: Count,
    /// Known ones of which the file had the version to keep, as with a cost that was priced later.
    pub replaced: Count,
    /// Requests that had not ended when the file was made; a later export has them.
    pub unfinished: Count,
    /// It was cancelled. What it added stays, and the next merge of the file does the rest.
    pub is_cancelled: bool,
}

/// How far the writing of records keeps up with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum LedgerStateView {
    /// Each request is recorded before its client sees the end of the response.
    Current,
    /// Records wait in memory for the disk.
    Behind,
    /// Records wait in memory, and new requests are refused.
    Refusing,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerProblemView {
    /// Stable while the problem lasts.
    pub id: String,
    pub level: VerdictLevel,
    pub title: String,
    /// What it means and what to do.
    pub detail: String,
    pub since: Option<UnixMs>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerIncidentView {
    /// `damaged`, `emptied`, `missing`, `replaced`, `older`, `deleted_in_use` or `replaced_in_use`.
    pub cause: String,
    /// When it was noticed.
    pub at: UnixMs,
    /// SQLite's message about a damaged file.
    pub detail: Option<String>,
    /// The read-only file that keeps the earlier records.
    pub kept: Option<String>,
    /// Number of requests that the ledger had before.
    pub requests_before: Option<Count>,
    /// True if earlier records are missing from the ledger.
    pub lacks_records: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerBackupView {
    pub name: String,
    pub at: UnixMs,
    pub bytes: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerRestore {
    /// File name; None for the newest sound backup.
    pub backup: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerRepair {
    /// File name among the kept files; None for the file of the incident, or else the newest.
    pub file: Option<String>,
}

/// Result of a restore or a repair.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerRestoredView {
    /// The file that the records came from.
    pub from: String,
    /// Requests in the ledger now.
    pub requests: Count,
    /// Of these, requests that were recorded since the restored file was written.
    pub added: Count,
    /// The read-only file that was the ledger until now.
    pub kept: Option<String>,
    /// Newer backups that could not be used.
    pub skipped: Vec<SkippedBackupView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SkippedBackupView {
    pub name: String,
    pub reason: String,
}

/// What can be read from a damaged ledger file.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerSalvageView {
    pub file: String,
    /// Readable requests.
    pub requests: Count,
    /// Number of requests when the ledger was last known to be whole.
    pub requests_before: Option<Count>,
    /// Readable attempts of those requests.
    pub attempts: Count,
    /// Rows of sums, from which usage and costs are shown.
    pub sums: Count,
    /// Prices, runs, health changes and similar rows.
    pub other_rows: Count,
    /// Tables that are not fully readable.
    pub damaged_tables: Vec<String>,
}
