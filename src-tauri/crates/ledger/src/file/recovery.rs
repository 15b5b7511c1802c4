//! Keeps the ledger usable whatever happens to its file, and makes lost records visible.
//!
//! A damaged, emptied, deleted or replaced file is never overwritten: it is set aside, a new ledger
//! is created so that requests go on, and the incident stays until the user restores a backup,
//! repairs the kept file or acknowledges. Restore and repair build the new file beside the ledger
//! and add later records, so that neither loses a request.

mod archives;
mod devices;
mod file_check;
mod restore;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Clock, WallTime};
use parking_lot::Mutex;
use rusqlite::Connection;

use crate::file::note::{FileIdentity, IncidentCause, LedgerIncident, LedgerNote, LedgerProgress};
use crate::file::set_aside::{file_bytes, kept_files, set_aside};
use crate::file::{backup, database};
use crate::{Ledger, LedgerBackup, LedgerError, LedgerLimits};

pub use archives::examine_copy;
pub use devices::{LedgerCopy, LedgerDevice, MergePlan, MergeReport};
pub use restore::{RestoreReport, SkippedBackup};

/// Guards the ledger's file: incidents, backups, restore and repair. Cheap to clone.
#[derive(Clone)]
pub struct Recovery {
    ledger: Ledger,
    file: Arc<LedgerFile>,
}

struct LedgerFile {
    path: PathBuf,
    limits: LedgerLimits,
    clock: Arc<dyn Clock>,
    known: Mutex<KnownLedgerFile>,
    /// Serializes restores, repairs and backups.
    operation_lock: tokio::sync::Mutex<()>,
}

struct KnownLedgerFile {
    note: LedgerNote,
    stamp: FileIdentity,
}

impl Recovery {
    /// Opens the ledger at `path` as [`Ledger::open_with`] does, and creates a new one in place of
    /// a damaged, empty or missing file; see [`Recovery::incident`]. Blocks.
    ///
    /// # Errors
    /// As for [`Ledger::open`], but damage is an error only if the file cannot be set aside.
    pub fn open(
        path: &Path,
        limits: LedgerLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<(Ledger, Self), LedgerError> {
        let at = clock.wall();
        restore::finish_exchange(path)?;
        let note = LedgerNote::load(path);
        let mut incident = set_aside_if_gone(path, &note, at)?;
        let (ledger, mark) = match open_with_progress(path, limits) {
            Err(LedgerError::Corrupt { detail }) => {
                tracing::error!(
                    detail,
                    "the ledger is damaged; the file was kept and a new ledger started"
                );
                let kept = set_aside(path, IncidentCause::Damaged.word(), at)?;
                incident =
                    Some(new_incident(IncidentCause::Damaged, at, &note, kept, Some(detail)));
                open_with_progress(path, limits)?
            }
            opened => opened?,
        };
        if incident.is_none() {
            incident = detect_replacement(&note, &mark, at);
        }
        if let Some(incident) = &incident {
            tracing::error!(cause = incident.cause.word(), "something happened to the ledger");
        }
        let known =
            LedgerNote { mark: Some(mark), incident: incident.or_else(|| note.incident.clone()) };
        ledger.time_reader_waits(Arc::clone(&clock));
        let has_changed = known != note;
        let known = Mutex::new(KnownLedgerFile { note: known, stamp: FileIdentity::read(path) });
        let turn = tokio::sync::Mutex::new(());
        let file = LedgerFile { path: path.to_owned(), limits, clock, known, operation_lock: turn };
        if has_changed {
            file.save_note();
        }
        Ok((ledger.clone(), Self { ledger, file: Arc::new(file) }))
    }

    /// The unresolved incident of the ledger's file.
    #[must_use]
    pub fn incident(&self) -> Option<LedgerIncident> {
        self.file.known.lock().note.incident.clone()
    }

    /// Ends the incident without a restore: the user accepts the missing records. Kept files stay.
    ///
    /// # Errors
    /// The note cannot be written; the incident is back after the next start.
    pub fn acknowledge(&self) -> Result<(), LedgerError> {
        let mut known = self.file.known.lock();
        known.note.incident = None;
        known.note.save(&self.file.path)
    }

    /// Saves the ledger's progress in its note.
    ///
    /// # Errors
    /// The ledger cannot be read, or the note cannot be written.
    pub async fn save_progress(&self) -> Result<(), LedgerError> {
        let newest = self.ledger.read_current(crate::file::note::newest_request_id).await?;
        let noted = self.file.known.lock().note.mark.as_ref().and_then(|mark| mark.newest.clone());
        if newest == noted {
            return Ok(());
        }
        let mark = self.ledger.read(LedgerProgress::read).await?;
        let mut known = self.file.known.lock();
        known.note.mark = Some(mark);
        known.note.save(&self.file.path)
    }

    /// Copies the ledger into its backup folder while others write, checks the copy, and deletes
    /// surplus and expired backups (`BACKUPS_KEPT_MAX`, `BACKUP_AGE_DAYS_MAX`).
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] when the ledger is damaged, and older backups stay then. Disk
    /// errors.
    pub async fn back_up(&self) -> Result<LedgerBackup, LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let folder = backup::backup_folder(&self.file.path);
        let at = self.file.clock.wall();
        let made =
            self.ledger.read_current(move |connection| backup::create(connection, &folder, at));
        let made = made.await?;
        tracing::info!(name = made.name, bytes = made.bytes, "the ledger was backed up");
        Ok(made)
    }

    /// The backups, newest first.
    ///
    /// # Errors
    /// The backup folder cannot be read.
    pub fn backups(&self) -> Result<Vec<LedgerBackup>, LedgerError> {
        let folder = backup::backup_folder(&self.file.path);
        backup::list(&folder).map_err(|error| crate::error::file_error(&folder, error))
    }

    #[must_use]
    pub fn backup_folder(&self) -> PathBuf {
        backup::backup_folder(&self.file.path)
    }

    /// Names of the read-only files that were set aside, in the ledger's folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn kept_files(&self) -> Result<Vec<String>, LedgerError> {
        kept_files(&self.file.path)
            .map_err(|error| crate::error::file_error(&self.file.path, error))
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

impl LedgerFile {
    /// Saves the note. An error is only logged: the note is needed at the next start only.
    fn save_note(&self) {
        if let Err(error) = self.known.lock().note.save(&self.path) {
            tracing::warn!(%error, "the note about the ledger could not be written");
        }
    }

    /// Opens the file at the ledger's path without marking running requests as unknown: they are
    /// still running in this process.
    fn reopen(&self) -> Result<Connection, LedgerError> {
        database::open(&self.path, self.limits, database::MIGRATIONS)
    }
}

fn open_with_progress(
    path: &Path,
    limits: LedgerLimits,
) -> Result<(Ledger, LedgerProgress), LedgerError> {
    let ledger = Ledger::open_with(path, limits)?;
    let mark = LedgerProgress::read(&database::open_reader(path)?)?;
    Ok((ledger, mark))
}

/// Sets aside an emptied or missing file that should have content.
fn set_aside_if_gone(
    path: &Path,
    note: &LedgerNote,
    at: WallTime,
) -> Result<Option<LedgerIncident>, LedgerError> {
    let is_known = note.mark.is_some() || file_bytes(&sqlite_file::wal_path(path)) > 0;
    if file_bytes(path) > 0 || !is_known {
        return Ok(None);
    }
    let cause = if path.exists() { IncidentCause::Emptied } else { IncidentCause::Missing };
    let kept = set_aside(path, cause.word(), at)?;
    Ok(Some(new_incident(cause, at, note, kept, None)))
}

/// Compares the ledger with its note: same id and no lost requests.
fn detect_replacement(
    note: &LedgerNote,
    mark: &LedgerProgress,
    at: WallTime,
) -> Option<LedgerIncident> {
    let noted = note.mark.as_ref()?;
    let cause = if noted.id != mark.id {
        IncidentCause::Replaced
    } else if mark.newest < noted.newest {
        IncidentCause::Older
    } else {
        return None;
    };
    Some(new_incident(cause, at, note, None, None))
}

fn new_incident(
    cause: IncidentCause,
    at: WallTime,
    note: &LedgerNote,
    kept: Option<String>,
    detail: Option<String>,
) -> LedgerIncident {
    let requests_before = note.mark.as_ref().map(|mark| mark.requests);
    LedgerIncident { cause, at, detail, kept, requests_before }
}

impl std::fmt::Debug for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recovery").field("path", &self.file.path).finish_non_exhaustive()
    }
}
