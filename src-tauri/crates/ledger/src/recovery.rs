//! Keeping the ledger usable whatever happens to its file, and its records from vanishing unnoticed.
//!
//! A file that is damaged, emptied, deleted or exchanged is never written over: it is set aside, a new
//! ledger is begun so that requests go on, and the incident stays until the user restores a backup,
//! repairs the kept file or acknowledges. Restoring and repairing build the new file beside the ledger
//! and add what was recorded since, so that neither loses a request.

mod restore;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Clock, WallTime};
use parking_lot::Mutex;
use rusqlite::Connection;

use crate::note::{FileStamp, IncidentCause, LedgerIncident, Mark, Note};
use crate::set_aside::{kept_files, length, set_aside};
use crate::{Ledger, LedgerBackup, LedgerError, LedgerLimits, backup, database};

pub use restore::{RestoreReport, SkippedBackup};

/// The ledger's file and what is known of it beside its content. Cheap to clone.
#[derive(Clone)]
pub struct Recovery {
    ledger: Ledger,
    file: Arc<LedgerFile>,
}

struct LedgerFile {
    path: PathBuf,
    limits: LedgerLimits,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    /// One restore, repair or backup at a time.
    turn: tokio::sync::Mutex<()>,
}

struct Known {
    note: Note,
    stamp: FileStamp,
}

impl Recovery {
    /// Opens the ledger at `path` as [`Ledger::open_with`] does, and makes a new one in the place of a
    /// file that is damaged, empty or missing; see [`Recovery::incident`]. Blocks.
    ///
    /// # Errors
    /// As for [`Ledger::open`], but damage is one only when the file cannot be set aside.
    pub fn open(
        path: &Path,
        limits: LedgerLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<(Ledger, Self), LedgerError> {
        let at = clock.wall();
        let note = Note::load(path);
        let mut incident = look_for_file(path, &note, at)?;
        let (ledger, mark) = match open_whole(path, limits, &note) {
            Err(LedgerError::Corrupt { detail }) => {
                tracing::error!(
                    detail,
                    "the ledger is damaged; the file was kept and a new ledger started"
                );
                let kept = set_aside(path, IncidentCause::Damaged.as_str(), at)?;
                incident = Some(incident_of(IncidentCause::Damaged, at, &note, kept, Some(detail)));
                open_whole(path, limits, &note)?
            }
            opened => opened?,
        };
        if incident.is_none() {
            incident = compare(&note, &mark, at);
        }
        if let Some(incident) = &incident {
            tracing::error!(cause = incident.cause.as_str(), "something happened to the ledger");
        }
        let known = Note { mark: Some(mark), incident: incident.or_else(|| note.incident.clone()) };
        let has_changed = known != note;
        let known = Mutex::new(Known { note: known, stamp: FileStamp::of(path) });
        let turn = tokio::sync::Mutex::new(());
        let file = LedgerFile { path: path.to_owned(), limits, clock, known, turn };
        if has_changed {
            file.save_note();
        }
        Ok((ledger.clone(), Self { ledger, file: Arc::new(file) }))
    }

    /// What happened to the ledger's file and was not dealt with yet.
    #[must_use]
    pub fn incident(&self) -> Option<LedgerIncident> {
        self.file.known.lock().note.incident.clone()
    }

    /// Ends the incident without restoring: what is lacking is known and accepted. Kept files stay.
    ///
    /// # Errors
    /// When the note cannot be written; the incident stands again after the next start.
    pub fn acknowledge(&self) -> Result<(), LedgerError> {
        let mut known = self.file.known.lock();
        known.note.incident = None;
        known.note.save(&self.file.path)
    }

    /// Notes how far the ledger has come.
    ///
    /// # Errors
    /// When the ledger cannot be read or the note not be written.
    pub async fn remember(&self) -> Result<(), LedgerError> {
        let newest = self.ledger.ask_current(crate::note::newest).await?;
        let noted = self.file.known.lock().note.mark.as_ref().and_then(|mark| mark.newest.clone());
        if newest == noted {
            return Ok(());
        }
        let mark = self.ledger.read(Mark::read).await?;
        let mut known = self.file.known.lock();
        known.note.mark = Some(mark);
        known.note.save(&self.file.path)
    }

    /// Copies the ledger into its folder of backups while others write, checks the copy, and removes
    /// those that are too many or too old ([`crate::BACKUPS_KEPT_MAX`], [`crate::BACKUP_AGE_DAYS_MAX`]).
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] when the ledger is damaged; older backups stay then. As the disk says.
    pub async fn back_up(&self) -> Result<LedgerBackup, LedgerError> {
        let _turn = self.file.turn.lock().await;
        let folder = backup::folder_of(&self.file.path);
        let at = self.file.clock.wall();
        let made = self.ledger.ask_current(move |connection| backup::make(connection, &folder, at));
        let made = made.await?;
        tracing::info!(name = made.name, bytes = made.bytes, "the ledger was backed up");
        Ok(made)
    }

    /// The backups, newest first.
    ///
    /// # Errors
    /// When their folder cannot be read.
    pub fn backups(&self) -> Result<Vec<LedgerBackup>, LedgerError> {
        let folder = backup::folder_of(&self.file.path);
        backup::list(&folder).map_err(|error| database::file_error(&folder, error))
    }

    /// The folder of the backups.
    #[must_use]
    pub fn backup_folder(&self) -> PathBuf {
        backup::folder_of(&self.file.path)
    }

    /// The read-only files that were set aside, by name; they lie in the ledger's folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn kept_files(&self) -> Result<Vec<String>, LedgerError> {
        kept_files(&self.file.path).map_err(|error| database::file_error(&self.file.path, error))
    }

    /// The ledger's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

impl LedgerFile {
    /// A note that cannot be written is missed only at the next start.
    fn save_note(&self) {
        if let Err(error) = self.known.lock().note.save(&self.path) {
            tracing::warn!(%error, "the note about the ledger could not be written");
        }
    }

    /// Opens the file that stands in the ledger's place now, of which the program knows all that runs.
    fn reopen(&self) -> Result<Connection, LedgerError> {
        database::open(&self.path, self.limits, database::STEPS)
    }
}

/// The ledger and how far it has come, if that much of it can be read.
fn open_whole(
    path: &Path,
    limits: LedgerLimits,
    note: &Note,
) -> Result<(Ledger, Mark), LedgerError> {
    let ledger = Ledger::open_with(path, limits)?;
    let connection = database::open_reader(path)?;
    // Counting reads an index whole, which a command that asks one thing need not wait for.
    let is_noted = |mark: &Mark| mark.is_of(&connection);
    let mark = match &note.mark {
        Some(mark) if is_noted(mark)? => mark.clone(),
        _ => Mark::read(&connection)?,
    };
    Ok((ledger, mark))
}

/// Sets aside what is left of a file that should be there and has no content.
fn look_for_file(
    path: &Path,
    note: &Note,
    at: WallTime,
) -> Result<Option<LedgerIncident>, LedgerError> {
    let is_known = note.mark.is_some() || length(&database::wal_path(path)) > 0;
    if length(path) > 0 || !is_known {
        return Ok(None);
    }
    let cause = if path.exists() { IncidentCause::Emptied } else { IncidentCause::Missing };
    let kept = set_aside(path, cause.as_str(), at)?;
    Ok(Some(incident_of(cause, at, note, kept, None)))
}

/// Whether this is the ledger of the note, with all that it had.
fn compare(note: &Note, mark: &Mark, at: WallTime) -> Option<LedgerIncident> {
    let noted = note.mark.as_ref()?;
    let cause = if noted.id != mark.id {
        IncidentCause::Replaced
    } else if mark.newest < noted.newest {
        IncidentCause::Older
    } else {
        return None;
    };
    Some(incident_of(cause, at, note, None, None))
}

fn incident_of(
    cause: IncidentCause,
    at: WallTime,
    note: &Note,
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
