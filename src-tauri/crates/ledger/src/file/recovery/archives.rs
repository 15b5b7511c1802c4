//! Copies of the ledger for archives, and what can be told of one.

use std::path::{Path, PathBuf};

use super::Recovery;
use crate::file::backup::{self, CopySpeed, discard};
use crate::file::database;
use crate::file::note::LedgerProgress;
use crate::{LedgerError, LedgerLimits};

impl Recovery {
    /// Copies the ledger to the new file `target` while others write, checks the copy, and returns
    /// its number of requests.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] when the ledger is damaged. Disk errors.
    pub async fn copy_to(&self, target: PathBuf) -> Result<u64, LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let copied = self.ledger.read_current(move |connection| {
            let made = backup::copy(connection, &target, CopySpeed::Gentle)
                .and_then(|()| Ok(LedgerProgress::read(&database::open_reader(&target)?)?));
            made.inspect_err(|_| discard(&target))
        });
        Ok(copied.await?.requests)
    }

    /// Number of requests in the ledger.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn requests(&self) -> Result<u64, LedgerError> {
        Ok(self.ledger.read_current(LedgerProgress::read).await?.requests)
    }
}

/// Opens a copy of a ledger as the program would, upgrades it, checks every page and every
/// reference, and returns its number of requests. Blocks. Nobody else may have it open.
///
/// # Errors
/// [`LedgerError::Corrupt`], [`LedgerError::NewerSchema`], disk errors.
pub fn examine_copy(path: &Path) -> Result<u64, LedgerError> {
    let connection = database::open(path, LedgerLimits::default(), database::MIGRATIONS)?;
    backup::check_pages(&connection)?;
    let mut check = connection.prepare("PRAGMA foreign_key_check")?;
    if let Some(row) = check.query([])?.next()? {
        let table: String = row.get(0)?;
        let detail = format!("a row of {table} refers to a row that is missing");
        return Err(LedgerError::Corrupt { detail });
    }
    drop(check);
    let requests = LedgerProgress::read(&connection)?.requests;
    // As one file, so that it can be copied.
    let _mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
    Ok(requests)
}
