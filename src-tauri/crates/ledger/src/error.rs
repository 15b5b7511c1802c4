//! What can go wrong with the ledger, decided from SQLite's result code and never from its text.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Why the ledger could not do what was asked. Cheap to clone: one failed commit answers many.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The file or its folder could not be made, opened or given its permissions.
    #[error("could not prepare the ledger at {path}; check that the folder exists and is yours")]
    File {
        /// The file or folder concerned.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The file is not a database, or a page of it is damaged. Nothing was written to it.
    #[error("the ledger is damaged; restore a backup, or move the file away to begin a new one")]
    Corrupt {
        /// What SQLite reported.
        detail: String,
    },
    /// The file was written by a newer Gatehouse. Nothing was written to it.
    #[error(
        "the ledger has format {found} and this program knows up to {known}; install the newer Gatehouse again"
    )]
    NewerSchema {
        /// Version in the file.
        found: u32,
        /// Newest version this program can read.
        known: u32,
    },
    /// The disk is full, or the size limit of the ledger is reached. Requests and settlements that
    /// met this are kept in memory and tried again (see [`crate::Ledger::settle`]).
    #[error("the disk is full; free some space, or delete old requests from the ledger")]
    Full,
    /// Another program has held the file's lock for over five seconds.
    #[error("another program holds the ledger; close it, then try again")]
    Locked,
    /// More writes are waiting than [`crate::QUEUE_JOBS_MAX`].
    #[error("the ledger cannot keep up; try again in a moment")]
    Busy,
    /// The ledger was closed while the call was waiting.
    #[error("the ledger is closed; start Gatehouse again")]
    Closed,
    /// Any other answer of SQLite.
    #[error("the ledger could not be read or written; see the log, then run `gatehouse doctor`")]
    Sqlite(#[source] Arc<rusqlite::Error>),
}

impl LedgerError {
    /// Whether the same write may succeed later without being changed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Full | Self::Locked | Self::Busy => true,
            Self::Sqlite(source) => matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen)
            ),
            Self::File { .. } | Self::Corrupt { .. } | Self::NewerSchema { .. } | Self::Closed => {
                false
            }
        }
    }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { detail: error.to_string() }
            }
            _ => Self::Sqlite(Arc::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_codes_become_named_errors() {
        let failure = |code| {
            LedgerError::from(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None))
        };
        assert!(matches!(failure(rusqlite::ffi::SQLITE_FULL), LedgerError::Full));
        assert!(matches!(failure(rusqlite::ffi::SQLITE_BUSY), LedgerError::Locked));
        assert!(matches!(failure(rusqlite::ffi::SQLITE_NOTADB), LedgerError::Corrupt { .. }));
        assert!(matches!(failure(rusqlite::ffi::SQLITE_CORRUPT), LedgerError::Corrupt { .. }));
        assert!(failure(rusqlite::ffi::SQLITE_IOERR).is_passing());
        assert!(!failure(rusqlite::ffi::SQLITE_CONSTRAINT).is_passing());
    }
}
