//! The state of recording, as shown by `status`, the tray and notifications.

use domain::WallTime;
use rusqlite::ErrorCode;

use crate::LedgerError;

/// How far the file is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerState {
    /// Each answer is in the file before the client has all of it.
    Current,
    /// Answers are delivered before their records are committed. The records wait in memory, so a
    /// killed process loses them.
    Behind(Backlog),
    /// As [`Self::Behind`], and new requests are refused.
    Refusing(Backlog),
}

impl LedgerState {
    /// The waiting records; `None` while the ledger is current.
    #[must_use]
    pub const fn backlog(&self) -> Option<&Backlog> {
        match self {
            Self::Current => None,
            Self::Behind(backlog) | Self::Refusing(backlog) => Some(backlog),
        }
    }
}

/// Records waiting for a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    pub reason: BacklogReason,
    pub records: usize,
    /// Time of the oldest waiting record.
    pub oldest: Option<WallTime>,
}

domain::words! {
    /// Reason why records wait. Each ends by itself once its cause is gone.
    BacklogReason {
        /// The disk takes longer than the wait of an answer.
        Slow = "slow",
        Locked = "locked",
        DiskFull = "disk-full",
        /// The file or its folder is not writable.
        ReadOnly = "read-only",
        DiskError = "disk-error",
        /// The waiting records exceed the memory limit.
        QueueFull = "queue-full",
        Damaged = "damaged",
        /// Another SQLite error; the log has its message.
        Failed = "failed",
    }
}

impl BacklogReason {
    /// One sentence for users: the cause and what to do.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Slow => "The disk is slow. Nothing to do if it recovers.",
            Self::Locked => {
                "Another program has locked the ledger file. Close the database browser or backup \
                 program that uses it."
            }
            Self::DiskFull => "The disk is full. Free some space.",
            Self::ReadOnly => {
                "The ledger file cannot be written. Check its permissions and those of its folder."
            }
            Self::DiskError => "The disk reports errors. Check the disk.",
            Self::QueueFull => "Too many records are waiting for the disk.",
            Self::Damaged => "The ledger file is damaged. Restore a backup.",
            Self::Failed => "SQLite cannot write to it. See the log for the reason.",
        }
    }
}

impl From<&LedgerError> for BacklogReason {
    fn from(error: &LedgerError) -> Self {
        match error {
            LedgerError::Full => Self::DiskFull,
            LedgerError::Locked => Self::Locked,
            LedgerError::Busy => Self::QueueFull,
            LedgerError::Corrupt { .. } => Self::Damaged,
            LedgerError::Sqlite(source) => match source.sqlite_error_code() {
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                    Self::ReadOnly
                }
                Some(ErrorCode::SystemIoFailure) => Self::DiskError,
                // The lock itself failed: a network folder, or no space for the lock.
                Some(ErrorCode::FileLockingProtocolFailed) => Self::Locked,
                _ => Self::Failed,
            },
            LedgerError::File { .. }
            | LedgerError::NewerSchema { .. }
            | LedgerError::NoBackup { .. }
            | LedgerError::NothingToRepair
            | LedgerError::Closed => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_refusal_becomes_the_reason_that_people_are_told() {
        let reason = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            BacklogReason::from(&LedgerError::from(error))
        };
        assert_eq!(reason(ffi::SQLITE_FULL), BacklogReason::DiskFull);
        assert_eq!(reason(ffi::SQLITE_BUSY), BacklogReason::Locked);
        assert_eq!(reason(ffi::SQLITE_PROTOCOL), BacklogReason::Locked);
        assert_eq!(reason(ffi::SQLITE_READONLY), BacklogReason::ReadOnly);
        assert_eq!(reason(ffi::SQLITE_IOERR_WRITE), BacklogReason::DiskError);
        assert_eq!(reason(ffi::SQLITE_CORRUPT), BacklogReason::Damaged);
        let other = LedgerError::Sqlite(Arc::new(rusqlite::Error::InvalidQuery));
        assert_eq!(BacklogReason::from(&other), BacklogReason::Failed);
        assert_eq!(BacklogReason::from(&LedgerError::Busy), BacklogReason::QueueFull);
    }
}
