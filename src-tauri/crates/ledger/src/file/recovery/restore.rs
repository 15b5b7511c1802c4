//! Restores records from a backup or from the readable part of a kept file. Later records are
//! added, and the replaced file is kept too.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::Recovery;
use crate::file::backup::{self, discard};
use crate::file::note::{FileIdentity, LedgerProgress};
use crate::file::set_aside::{kept_files, remove_side_files, set_aside};
use crate::file::{database, salvage};
use crate::{LedgerError, SalvageReport, merge};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// Name of the source file.
    pub from: String,
    /// Number of requests in the ledger now.
    pub requests: u64,
    /// Of these, requests recorded after the source was made.
    pub added: u64,
    /// Name of the read-only file that was the ledger before.
    pub kept: Option<String>,
    /// Newer backups that were not usable.
    pub skipped: Vec<SkippedBackup>,
}

/// A backup that was not usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedBackup {
    pub name: String,
    pub reason: String,
}

impl Recovery {
    /// Restores the records of the backup `name`, or of the newest sound one.
    ///
    /// # Errors
    /// [`LedgerError::NoBackup`] if none is usable; the ledger is unchanged then.
    pub async fn restore(&self, name: Option<String>) -> Result<RestoreReport, LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let (wanted, folder) = (self.candidates(name)?, self.backup_folder());
        let mut skipped = Vec::new();
        for name in wanted {
            let source = folder.join(&name);
            match self.build_staged(move |staged| copy_backup(&source, staged)).await {
                Ok(added) => return self.swap_staged(name, added, skipped).await,
                Err(error) => {
                    tracing::warn!(name, %error, "a backup cannot be used");
                    skipped.push(SkippedBackup { name, reason: error.with_detail() });
                }
            }
        }
        Err(LedgerError::NoBackup { skipped: skipped.len() })
    }

    /// Reports which records of the kept file `name`, or of the incident's file, are readable,
    /// together with the file's name. Changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::NothingToRepair`] if there is no such file. Disk errors.
    pub async fn examine(
        &self,
        name: Option<String>,
    ) -> Result<(String, SalvageReport), LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let name = self.kept_file(name)?;
        let report = self.salvage_to_staging(&name).await;
        discard(&self.staging_path());
        Ok((name, report?))
    }

    /// Restores the readable records of the kept file `name`, or of the incident's file.
    ///
    /// # Errors
    /// As for [`Recovery::restore`]; the ledger is unchanged then.
    pub async fn repair(
        &self,
        name: Option<String>,
    ) -> Result<(SalvageReport, RestoreReport), LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let from = self.kept_file(name)?;
        let report = self.salvage_to_staging(&from).await?;
        let added = self.build_staged(|_| Ok(())).await?;
        Ok((report, self.swap_staged(from, added, Vec::new()).await?))
    }

    /// Restores the records of a ledger that lies elsewhere. Again with the same file changes
    /// nothing.
    ///
    /// # Errors
    /// As for [`Recovery::restore`]; the ledger is unchanged then.
    pub async fn restore_file(&self, source: PathBuf) -> Result<RestoreReport, LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let added = self.build_staged(move |staged| copy_backup(&source, staged)).await?;
        self.swap_staged(name, added, Vec::new()).await
    }

    fn candidates(&self, name: Option<String>) -> Result<Vec<String>, LedgerError> {
        let backups = self.backups()?.into_iter().map(|backup| backup.name);
        Ok(match name {
            Some(name) => backups.filter(|known| *known == name).collect(),
            None => backups.collect(),
        })
    }

    /// Resolves the named file, the incident's, or the newest that was set aside.
    fn kept_file(&self, name: Option<String>) -> Result<String, LedgerError> {
        let kept = kept_files(&self.file.path)
            .map_err(|error| crate::error::file_error(&self.file.path, error))?;
        let wanted = name.or_else(|| self.incident().and_then(|incident| incident.kept));
        let found = match wanted {
            Some(wanted) => kept.into_iter().find(|name| *name == wanted),
            None => kept.into_iter().next_back(),
        };
        found.ok_or(LedgerError::NothingToRepair)
    }

    async fn salvage_to_staging(&self, name: &str) -> Result<SalvageReport, LedgerError> {
        let source = self.file.path.with_file_name(name);
        let (staged, file) = (self.staging_path(), self.file.clone());
        self.ledger
            .read(move |_| {
                discard(&staged);
                let scratch = sqlite_file::with_suffix(&file.path, ".examined");
                let target = database::open(&staged, file.limits, database::MIGRATIONS)?;
                salvage::salvage(&source, &scratch, &target)
            })
            .await
    }

    /// Path of the new file until it replaces the ledger.
    fn staging_path(&self) -> PathBuf {
        staging_path(&self.file.path)
    }

    /// Creates the new file with `begin` and adds the ledger's newer records; returns the number of
    /// added requests.
    async fn build_staged(
        &self,
        begin: impl FnOnce(&Path) -> Result<(), LedgerError> + Send + 'static,
    ) -> Result<u64, LedgerError> {
        let (staged, file) = (self.staging_path(), self.file.clone());
        let made = self.ledger.read_current(move |_| {
            begin(&staged)?;
            let mut connection = database::open(&staged, file.limits, database::MIGRATIONS)?;
            backup::check_pages(&connection)?;
            merge::delete_unfinished(&connection, &file.path)?;
            database::recover(&mut connection)?;
            merge::add_missing(&connection, &file.path)
        });
        made.await.inspect_err(|_| discard(&self.staging_path()))
    }

    /// Adds the records made meanwhile and replaces the ledger's file.
    async fn swap_staged(
        &self,
        from: String,
        added: u64,
        skipped: Vec<SkippedBackup>,
    ) -> Result<RestoreReport, LedgerError> {
        let (staged, file, at) = (self.staging_path(), self.file.clone(), self.file.clock.wall());
        let exchanged = self.ledger.swap_file(move |slot| {
            drop(slot.take());
            let done = finish_staged(&staged, &file.path).and_then(|added| {
                let kept = set_aside(&file.path, "before-restore", at)?;
                fs::rename(&staged, &file.path)
                    .map_err(|error| crate::error::file_error(&file.path, error))?;
                Ok((added, kept))
            });
            *slot = Some(file.reopen()?);
            done
        });
        let (added_last, kept) = exchanged.await.inspect_err(|_| discard(&self.staging_path()))?;
        let mark = LedgerProgress::read(&database::open_reader(&self.file.path)?)?;
        let (requests, added) = (mark.requests, added + added_last);
        let mut known = self.file.known.lock();
        known.stamp = FileIdentity::read(&self.file.path);
        known.note.mark = Some(mark);
        known.note.incident = None;
        known.note.save(&self.file.path)?;
        Ok(RestoreReport { from, requests, added, kept, skipped })
    }
}

fn staging_path(path: &Path) -> PathBuf {
    sqlite_file::with_suffix(path, ".restoring")
}

/// Ends an exchange that a kill cut off between its two renames: the ledger was set aside already,
/// and the new file holds everything. One that is still being built has a log beside it.
pub(super) fn finish_exchange(path: &Path) -> Result<(), LedgerError> {
    let staged = staging_path(path);
    let is_whole = staged.exists() && !sqlite_file::wal_path(&staged).exists();
    if path.exists() || !is_whole {
        return Ok(());
    }
    tracing::warn!("a restore of the ledger was cut off at its end, and is finished");
    fs::rename(&staged, path).map_err(|error| crate::error::file_error(path, error))
}

/// Adds the last requests and folds the log into the file.
fn finish_staged(staged: &Path, ledger: &Path) -> Result<u64, LedgerError> {
    let connection = Connection::open_with_flags(staged, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let added = merge::add_missing(&connection, ledger)?;
    let _mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
    drop(connection);
    remove_side_files(staged)?;
    Ok(added)
}

fn copy_backup(source: &Path, staged: &Path) -> Result<(), LedgerError> {
    discard(staged);
    fs::copy(source, staged).map_err(|error| crate::error::file_error(source, error))?;
    private_files::restrict_file(staged).map_err(|error| crate::error::file_error(staged, error))
}
