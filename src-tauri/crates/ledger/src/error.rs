//! Ledger errors, derived from SQLite's result code, never from its text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Cheap to clone: one failed commit answers many callers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The file or its folder could not be created, opened or given its permissions.
    #[error("could not open the ledger at {path}; check that its folder exists and belongs to you")]
    File {
        path: PathBuf,
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The file is not a database or has a damaged page. Nothing was written to it.
    #[error(
        "the ledger is damaged; run `gatehouse ledger restore`, or `gatehouse ledger repair` \
         without a backup"
    )]
    Corrupt { detail: String },
    #[error(
        "the ledger has format {found}, but this Gatehouse supports formats up to {known}; install \
         the newer Gatehouse again"
    )]
    NewerSchema {
        found: u32,
        /// Newest version that this program reads.
        known: u32,
    },
    /// The disk is full, or the ledger has reached its size limit.
    #[error("the disk is full; free some space, or delete old requests from the ledger")]
    Full,
    #[error("another program has locked the ledger; close that program, then try again")]
    Locked,
    /// [`crate::LedgerLimits::queue_bytes_max`] or `QUEUE_TASKS_MAX` is reached.
    #[error("too many records are waiting to be written to the ledger; try again in a moment")]
    Busy,
    #[error("the ledger is closed; start Gatehouse again")]
    Closed,
    /// No backup is usable for a restore.
    #[error("there is no usable backup of the ledger")]
    NoBackup {
        /// Number of backups, all damaged or unreadable.
        skipped: usize,
    },
    /// No file was set aside, or none with that name.
    #[error("there is no damaged ledger file to repair")]
    NothingToRepair,
    #[error("the ledger could not be read or written; see the log, then run `gatehouse check`")]
    Sqlite(#[source] Arc<rusqlite::Error>),
}

impl LedgerError {
    /// True if the record itself is invalid by a constraint or a type. Any other error is
    /// transient: no record is dropped for it.
    pub(crate) fn is_invalid_record(&self) -> bool {
        let Self::Sqlite(source) = self else { return false };
        match source.as_ref() {
            rusqlite::Error::SqliteFailure(failure, _) => matches!(
                failure.code,
                ErrorCode::ConstraintViolation
                    | ErrorCode::TooBig
                    | ErrorCode::TypeMismatch
                    | ErrorCode::ParameterOutOfRange
            ),
            rusqlite::Error::ToSqlConversionFailure(_) => true,
            _ => false,
        }
    }

    /// The message together with that of the disk or SQLite.
    #[must_use]
    pub fn with_detail(&self) -> String {
        match (self, std::error::Error::source(self)) {
            (Self::Corrupt { detail }, _) => detail.clone(),
            (_, Some(source)) => format!("{self}: {source}"),
            (_, None) => self.to_string(),
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

pub(crate) fn file_error(path: &Path, error: std::io::Error) -> LedgerError {
    LedgerError::File { path: path.to_owned(), source: Arc::new(error) }
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
    }

    #[test]
    fn only_a_fault_of_the_record_itself_is_for_good() {
        use rusqlite::ffi;
        let is_of_record = |code| {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            LedgerError::from(failure).is_invalid_record()
        };
        for code in [ffi::SQLITE_CONSTRAINT_TRIGGER, ffi::SQLITE_TOOBIG, ffi::SQLITE_MISMATCH] {
            assert!(is_of_record(code), "{code}");
        }
        for code in [
            ffi::SQLITE_PROTOCOL,
            ffi::SQLITE_IOERR_LOCK,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_FULL,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_ERROR,
        ] {
            assert!(!is_of_record(code), "{code}");
        }
    }
}
