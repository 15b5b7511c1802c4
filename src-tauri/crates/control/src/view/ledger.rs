//! The ledger's state, its file, its backups, and what restoring brings back.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, UnixMs, VerdictLevel};

/// The ledger and its backups.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerView {
    /// Whether requests are recorded as they happen.
    pub state: LedgerStateView,
    /// Records that wait in memory for the disk.
    pub waiting_records: Count,
    /// What is wrong, most severe first; empty when nothing is.
    pub problems: Vec<LedgerProblemView>,
    /// What happened to the file, until it is dealt with.
    pub incident: Option<LedgerIncidentView>,
    /// The ledger's file.
    pub path: String,
    /// Its size on disk, in bytes.
    pub bytes: Count,
    /// The folder of the backups.
    pub backup_folder: String,
    /// Newest first.
    pub backups: Vec<LedgerBackupView>,
    /// Read-only files with records of before, in the ledger's folder, oldest first.
    pub kept_files: Vec<String>,
}

/// Whether requests are recorded as they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum LedgerStateView {
    /// Each is recorded before its client sees the end of the answer.
    Current,
    /// Records wait in memory.
    Behind,
    /// Records wait in memory, and new requests are refused.
    Refusing,
}

/// One thing that is wrong with the ledger.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerProblemView {
    /// Stable while it lasts.
    pub id: String,
    /// How bad it is.
    pub level: VerdictLevel,
    /// What it is.
    pub title: String,
    /// What it means, and what to do.
    pub detail: String,
    /// Since when.
    pub since: Option<UnixMs>,
}

/// What happened to the ledger's file.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerIncidentView {
    /// `damaged`, `emptied`, `missing`, `replaced`, `older`, `deleted_in_use` or `replaced_in_use`.
    pub cause: String,
    /// When it was noticed.
    pub at: UnixMs,
    /// What SQLite said of a damaged file.
    pub detail: Option<String>,
    /// The read-only file in which the records of before are kept.
    pub kept: Option<String>,
    /// How many requests the ledger had before.
    pub requests_before: Option<Count>,
    /// True when records of before are missing in the ledger.
    pub lacks_records: bool,
}

/// One backup.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerBackupView {
    /// Its file name.
    pub name: String,
    /// When it was made.
    pub at: UnixMs,
    /// Its size, in bytes.
    pub bytes: Count,
}

/// Which backup to restore.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerRestore {
    /// Its file name; `None` takes the newest that is sound.
    pub backup: Option<String>,
}

/// Which damaged file to read.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerRepair {
    /// Its file name among the kept files; `None` takes the one of the incident, or else the newest.
    pub file: Option<String>,
}

/// What a restore or repair did.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerRestoredView {
    /// The file that the records came from.
    pub from: String,
    /// Requests in the ledger now.
    pub requests: Count,
    /// Of these, requests recorded since and added.
    pub added: Count,
    /// The read-only file that was the ledger until now.
    pub kept: Option<String>,
    /// Newer backups that could not be used, and why.
    pub skipped: Vec<SkippedBackupView>,
}

/// A backup that could not be used.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SkippedBackupView {
    /// Its file name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What can be read of a damaged file.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerSalvageView {
    /// The file.
    pub file: String,
    /// Requests that can be read.
    pub requests: Count,
    /// How many the ledger had when it was last seen whole.
    pub requests_before: Option<Count>,
    /// Attempts of those requests.
    pub attempts: Count,
    /// Rows of sums, by which usage and costs are shown.
    pub sums: Count,
    /// Prices, runs, health changes and the like.
    pub other_rows: Count,
    /// Tables in which something cannot be read.
    pub damaged_tables: Vec<String>,
}
