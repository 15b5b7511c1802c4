//! Bringing records back: from a backup, or from what can be read of a kept file. What was recorded
//! since is added, and the file that was in use until then is kept too.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::Recovery;
use crate::backup::{self, discard};
use crate::note::{FileStamp, Mark};
use crate::set_aside::{kept_files, remove_side_files, set_aside};
use crate::{LedgerError, SalvageReport, database, merge, salvage};

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// The file that the records came from.
    pub from: String,
    /// Requests in the ledger now.
    pub requests: u64,
    /// Of these, requests that were recorded since and added.
    pub added: u64,
    /// The read-only file that was the ledger until now.
    pub kept: Option<String>,
    /// Newer backups that could not be used.
    pub skipped: Vec<SkippedBackup>,
}

/// A backup that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedBackup {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl Recovery {
    /// Puts the records of the backup `name` back into the ledger, or of the newest that is sound.
    ///
    /// # Errors
    /// [`LedgerError::NoBackup`] when there is none that can be used. The ledger is as it was then.
    pub async fn restore(&self, name: Option<String>) -> Result<RestoreReport, LedgerError> {
        let _turn = self.file.turn.lock().await;
        let (wanted, folder) = (self.candidates(name)?, self.backup_folder());
        let mut skipped = Vec::new();
        for name in wanted {
            let source = folder.join(&name);
            match self.stage(move |staged| copy_backup(&source, staged)).await {
                Ok(added) => return self.put_in_place(name, added, skipped).await,
                Err(error) => {
                    tracing::warn!(name, %error, "a backup cannot be used");
                    skipped.push(SkippedBackup { name, reason: error.with_detail() });
                }
            }
        }
        Err(LedgerError::NoBackup { skipped: skipped.len() })
    }

    /// What can be read of the kept file `name`, or of the incident's, with that file's name. Changes
    /// nothing.
    ///
    /// # Errors
    /// [`LedgerError::NothingToRepair`] when there is no such file; as the disk says.
    pub async fn examine(
        &self,
        name: Option<String>,
    ) -> Result<(String, SalvageReport), LedgerError> {
        let _turn = self.file.turn.lock().await;
        let name = self.kept_file(name)?;
        let report = self.salvage_to_staging(&name).await;
        discard(&self.staging());
        Ok((name, report?))
    }

    /// Puts back into the ledger what can be read of the kept file `name`, or of the incident's.
    ///
    /// # Errors
    /// As for [`Recovery::examine`]; the ledger is as it was then.
    pub async fn repair(
        &self,
        name: Option<String>,
    ) -> Result<(SalvageReport, RestoreReport), LedgerError> {
        let _turn = self.file.turn.lock().await;
        let from = self.kept_file(name)?;
        let report = self.salvage_to_staging(&from).await?;
        let added = self.stage(|_| Ok(())).await?;
        Ok((report, self.put_in_place(from, added, Vec::new()).await?))
    }

    fn candidates(&self, name: Option<String>) -> Result<Vec<String>, LedgerError> {
        let backups = self.backups()?.into_iter().map(|backup| backup.name);
        Ok(match name {
            Some(name) => backups.filter(|known| *known == name).collect(),
            None => backups.collect(),
        })
    }

    /// The named file, the incident's, or the newest that was set aside.
    fn kept_file(&self, name: Option<String>) -> Result<String, LedgerError> {
        let kept = kept_files(&self.file.path)
            .map_err(|error| database::file_error(&self.file.path, error))?;
        let wanted = name.or_else(|| self.incident().and_then(|incident| incident.kept));
        let found = match wanted {
            Some(wanted) => kept.into_iter().find(|name| *name == wanted),
            None => kept.into_iter().next_back(),
        };
        found.ok_or(LedgerError::NothingToRepair)
    }

    async fn salvage_to_staging(&self, name: &str) -> Result<SalvageReport, LedgerError> {
        let source = self.file.path.with_file_name(name);
        let (staged, file) = (self.staging(), self.file.clone());
        self.ledger
            .read(move |_| {
                discard(&staged);
                let scratch = database::beside(&file.path, ".examined");
                let target = database::open(&staged, file.limits, database::STEPS)?;
                salvage::salvage(&source, &scratch, &target)
            })
            .await
    }

    /// The new file until it takes the ledger's place.
    fn staging(&self) -> PathBuf {
        database::beside(&self.file.path, ".restoring")
    }

    /// Makes the new file by `begin` and adds what the ledger has and it lacks; how many requests.
    async fn stage(
        &self,
        begin: impl FnOnce(&Path) -> Result<(), LedgerError> + Send + 'static,
    ) -> Result<u64, LedgerError> {
        let (staged, file) = (self.staging(), self.file.clone());
        let made = self.ledger.ask_current(move |_| {
            begin(&staged)?;
            let mut connection = database::open(&staged, file.limits, database::STEPS)?;
            backup::check(&connection)?;
            merge::forget_unfinished(&connection, &file.path)?;
            database::recover(&mut connection)?;
            merge::add_missing(&connection, &file.path)
        });
        made.await.inspect_err(|_| discard(&self.staging()))
    }

    /// Adds what was recorded while the new file was made, and exchanges the files.
    async fn put_in_place(
        &self,
        from: String,
        added: u64,
        skipped: Vec<SkippedBackup>,
    ) -> Result<RestoreReport, LedgerError> {
        let (staged, file, at) = (self.staging(), self.file.clone(), self.file.clock.wall());
        let exchanged = self.ledger.exchange(move |slot| {
            drop(slot.take());
            let done = finish_staged(&staged, &file.path).and_then(|added| {
                let kept = set_aside(&file.path, "before-restore", at)?;
                fs::rename(&staged, &file.path)
                    .map_err(|error| database::file_error(&file.path, error))?;
                Ok((added, kept))
            });
            *slot = Some(file.reopen()?);
            done
        });
        let (added_last, kept) = exchanged.await.inspect_err(|_| discard(&self.staging()))?;
        let mark = Mark::read(&database::open_reader(&self.file.path)?)?;
        let (requests, added) = (mark.requests, added + added_last);
        let mut known = self.file.known.lock();
        known.stamp = FileStamp::of(&self.file.path);
        known.note.mark = Some(mark);
        known.note.incident = None;
        known.note.save(&self.file.path)?;
        Ok(RestoreReport { from, requests, added, kept, skipped })
    }
}

/// Adds the last requests and leaves one file without a log.
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
    fs::copy(source, staged).map_err(|error| database::file_error(source, error))?;
    database::restrict(staged).map_err(|error| database::file_error(staged, error))
}
