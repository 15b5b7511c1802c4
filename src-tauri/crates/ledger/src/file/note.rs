//! Facts about a ledger kept outside its file, so that an emptied, deleted or replaced file is
//! noticed: its id, its progress, and an incident that the user has not resolved yet.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use domain::WallTime;
use private_files::create_new_file;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::LedgerError;
use crate::error::file_error;
use sqlite_file::with_suffix;

/// Longest note that is read, in bytes; a real one has some hundred.
const NOTE_BYTES_MAX: u64 = 16_384;

/// Something that happened to the ledger's file. It stays until the user restores, repairs or
/// acknowledges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerIncident {
    pub cause: IncidentCause,
    pub at: WallTime,
    /// SQLite's message about a damaged file.
    pub detail: Option<String>,
    /// Name of the read-only file in the ledger's folder that holds the earlier records.
    pub kept: Option<String>,
    /// Number of requests when the ledger was last seen whole.
    pub requests_before: Option<u64>,
}

domain::words! {
    /// What happened to the ledger's file. The word also stands in names of files.
    IncidentCause {
        /// The file could not be read; a new ledger was created.
        Damaged = "damaged",
        /// The file was empty; a new ledger was created.
        Emptied = "emptied",
        /// The file was gone; a new ledger was created.
        Missing = "missing",
        /// The file was replaced by another ledger, which is used.
        Replaced = "replaced",
        /// The file lacks requests that it had before, as an older copy does.
        Older = "older",
        /// The file was deleted while in use, and written again with all records.
        DeletedInUse = "deleted_in_use",
        /// The file was replaced while in use. The other file is kept, and the ledger was written
        /// again with all records.
        ReplacedInUse = "replaced_in_use",
    }
}

impl IncidentCause {
    /// True if the ledger in use lacks records that it had before.
    #[must_use]
    pub const fn lacks_records(self) -> bool {
        !matches!(self, Self::DeletedInUse | Self::ReplacedInUse)
    }
}

/// Identity and progress of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LedgerProgress {
    /// Id stored in the ledger's file.
    pub(crate) id: String,
    pub(crate) requests: u64,
    /// Id of the newest request; ids are ordered by time.
    pub(crate) newest: Option<String>,
}

impl LedgerProgress {
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            id: connection.query_row("SELECT id FROM identity", [], |row| row.get(0))?,
            requests: connection
                .query_row("SELECT requests FROM request_count", [], |row| row.get::<_, i64>(0))?
                .unsigned_abs(),
            newest: newest_request_id(connection)?,
        })
    }
}

pub(crate) fn newest_request_id(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT id FROM requests ORDER BY id DESC LIMIT 1";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

/// Content of the file `<ledger>.note.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LedgerNote {
    pub(crate) mark: Option<LedgerProgress>,
    pub(crate) incident: Option<LedgerIncident>,
}

impl LedgerNote {
    /// Loads the note of the ledger at `path`; empty if it is missing or unreadable.
    pub(crate) fn load(path: &Path) -> Self {
        let note = note_path(path);
        let too_long = fs::metadata(&note).is_ok_and(|file| file.len() > NOTE_BYTES_MAX);
        let text = match fs::read_to_string(&note) {
            Ok(text) if !too_long => text,
            _ => return Self::default(),
        };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "the note about the ledger cannot be read");
            Self::default()
        })
    }

    /// Replaces the note atomically.
    pub(crate) fn save(&self, path: &Path) -> Result<(), LedgerError> {
        let note = note_path(path);
        let new = with_suffix(&note, ".new");
        let write = || {
            if new.exists() {
                fs::remove_file(&new)?;
            }
            let mut file = create_new_file(&new)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&new, &note)
        };
        write().map_err(|error| file_error(&note, error))
    }
}

fn note_path(path: &Path) -> PathBuf {
    with_suffix(path, ".note.json")
}

/// Identity of the file at a path (device and inode) and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileIdentity {
    Missing,
    File { device: u64, inode: u64, bytes: u64 },
}

impl FileIdentity {
    #[cfg(unix)]
    pub(crate) fn read(path: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).map_or(Self::Missing, |file| Self::File {
            device: file.dev(),
            inode: file.ino(),
            bytes: file.len(),
        })
    }

    // Elsewhere an open file can be neither deleted nor replaced.
    #[cfg(not(unix))]
    pub(crate) fn read(path: &Path) -> Self {
        fs::metadata(path).map_or(Self::Missing, |file| Self::File {
            device: 0,
            inode: 0,
            bytes: file.len(),
        })
    }

    /// True if both are the same file, whatever its size.
    pub(crate) fn is_same_file(self, other: Self) -> bool {
        match (self, other) {
            (
                Self::File { device, inode, .. },
                Self::File { device: other_device, inode: other_inode, .. },
            ) => (device, inode) == (other_device, other_inode),
            _ => false,
        }
    }
}
