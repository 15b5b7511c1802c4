//! Records that could not be committed, as JSON lines in files beside the ledger.
//!
//! Only the writer thread appends to them, when a commit is impossible: a settlement is never
//! dropped while it can be saved somewhere.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::write::writes::{self, LedgerWrite};
use crate::{LedgerError, NewRequest, ReservedAmount, Settlement};

/// File size in bytes from which no more rejected records are saved; the log still names each.
pub(crate) const REJECTED_BYTES_MAX: u64 = 1_048_576;

/// Reason why a record was not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpillFile {
    /// The disk refused it until the program ended. The next start commits it and removes the file.
    Uncommitted,
    /// SQLite rejects the record by a constraint. Kept for a manual repair; the program never reads
    /// it.
    Rejected,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SpilledRecord {
    Reserve(NewRequest),
    ReserveAmounts {
        request: NewRequest,
        amounts: Vec<ReservedAmount>,
    },
    SettleNano(Box<Settlement>),
    /// Its money is in micro-dollars, the unit until version 6 of the ledger.
    Settle(Box<Settlement>),
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum SpilledRecordRef<'a> {
    Reserve(&'a NewRequest),
    ReserveAmounts { request: &'a NewRequest, amounts: &'a [ReservedAmount] },
    SettleNano(&'a Settlement),
}

impl SpillFile {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Uncommitted => ".uncommitted.jsonl",
            Self::Rejected => ".rejected.jsonl",
        }
    }

    pub(crate) fn path(self, ledger: &Path) -> PathBuf {
        sqlite_file::with_suffix(ledger, self.suffix())
    }
}

/// Appends `records` to the file of their kind (mode 0600) and flushes it.
pub(crate) fn append(
    ledger: &Path,
    why: SpillFile,
    records: &[&LedgerWrite],
) -> Result<(), LedgerError> {
    let path = why.path(ledger);
    let written = try_append(&path, why, records);
    written.map_err(|error| crate::error::file_error(&path, error))
}

fn try_append(path: &Path, why: SpillFile, records: &[&LedgerWrite]) -> std::io::Result<()> {
    let mut lines = Vec::new();
    for record in records {
        let entry = match record {
            LedgerWrite::Reserve { request, amounts } if amounts.is_empty() => {
                SpilledRecordRef::Reserve(request)
            }
            LedgerWrite::Reserve { request, amounts } => {
                SpilledRecordRef::ReserveAmounts { request, amounts }
            }
            LedgerWrite::Settle(ended) => SpilledRecordRef::SettleNano(ended),
            _ => continue,
        };
        serde_json::to_writer(&mut lines, &entry)?;
        lines.push(b'\n');
    }
    if !path.exists() {
        private_files::create_new_file(path)?;
    }
    let mut file = OpenOptions::new().append(true).open(path)?;
    if why == SpillFile::Rejected && file.metadata()?.len() >= REJECTED_BYTES_MAX {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    file.write_all(&lines)?;
    file.sync_data()
}

/// Commits the records of the last process and removes their file.
pub(crate) fn replay(connection: &Connection, ledger: &Path) -> Result<(), LedgerError> {
    let path = SpillFile::Uncommitted.path(ledger);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(crate::error::file_error(&path, error)),
    };
    let lines = || text.lines().map(serde_json::from_str::<SpilledRecord>);
    let damaged = lines().filter(Result::is_err).count();
    writes::replay(connection, ledger, lines().filter_map(Result::ok).collect())?;
    retire(&path, damaged > 0).map_err(|error| crate::error::file_error(&path, error))
}

/// Removes an imported file, or renames it if part of it could not be read.
pub(crate) fn retire(path: &Path, is_damaged: bool) -> std::io::Result<()> {
    if !is_damaged {
        return std::fs::remove_file(path);
    }
    let kept = sqlite_file::with_suffix(path, ".damaged");
    std::fs::rename(path, &kept)?;
    tracing::error!(file = %kept.display(),
        "some records of earlier requests could not be read; the others were imported and the \
         file was renamed");
    Ok(())
}
