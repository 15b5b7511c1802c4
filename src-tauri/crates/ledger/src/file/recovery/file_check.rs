//! Detects changes of the ledger's file made by others while the program runs.

use std::fs;

use crate::LedgerError;
use crate::file::note::{FileIdentity, IncidentCause, LedgerIncident, LedgerProgress};
use crate::file::set_aside::{remove_side_files, set_aside};
use crate::file::{backup, database};

use super::{KnownLedgerFile, LedgerFile, Recovery, new_incident};

impl Recovery {
    /// Checks that the ledger's file is still the one in use and still has its content. If not,
    /// rewrites the ledger if it is still readable, else creates a new one. Returns the incident,
    /// if any. Cheap enough for every few seconds.
    ///
    /// # Errors
    /// The file cannot be examined, or a new one cannot be created.
    pub async fn check_file(&self) -> Result<Option<LedgerIncident>, LedgerError> {
        let (was, now) = (self.file.known.lock().stamp, FileIdentity::read(&self.file.path));
        match now {
            FileIdentity::Missing => self.rewrite_ledger(IncidentCause::DeletedInUse).await,
            now if !now.is_same_file(was) => {
                self.rewrite_ledger(IncidentCause::ReplacedInUse).await
            }
            FileIdentity::File { bytes: 0, .. } => {
                self.start_new_ledger(IncidentCause::Emptied, None).await
            }
            FileIdentity::File { .. } => self.compare_content().await,
        }
        .inspect(|incident| {
            if let Some(incident) = incident {
                let cause = incident.cause.word();
                tracing::error!(cause, "the ledger file changed while it was in use");
            }
        })
    }

    /// Reads the whole file and creates a new ledger if it is damaged.
    ///
    /// # Errors
    /// The file cannot be read for another reason, or a new one cannot be created.
    pub async fn check_integrity(&self) -> Result<Option<LedgerIncident>, LedgerError> {
        let verdict = self.ledger.read(|connection| {
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        });
        match verdict.await {
            Ok(verdict) if verdict == "ok" => Ok(None),
            Ok(detail) | Err(LedgerError::Corrupt { detail }) => {
                self.start_new_ledger(IncidentCause::Damaged, Some(detail)).await
            }
            Err(error) => Err(error),
        }
    }

    /// Detects that the same file was overwritten.
    async fn compare_content(&self) -> Result<Option<LedgerIncident>, LedgerError> {
        let path = self.file.path.clone();
        // A fresh connection: pooled ones have cached pages.
        let id = self.ledger.read(move |_| {
            let fresh = database::open_reader(&path)?;
            Ok::<_, LedgerError>(
                fresh.query_row("SELECT id FROM identity", [], |row| row.get::<_, String>(0))?,
            )
        });
        let noted = self.file.known.lock().note.mark.as_ref().map(|mark| mark.id.clone());
        match id.await {
            Ok(id) if noted.is_none_or(|noted| noted == id) => Ok(None),
            Ok(_) => {
                let detail = "it was overwritten with another ledger".to_owned();
                self.start_new_ledger(IncidentCause::Damaged, Some(detail)).await
            }
            Err(LedgerError::Corrupt { .. }) => self.check_integrity().await,
            Err(error) => Err(error),
        }
    }

    /// Sets the file aside and creates a new ledger, which gets the queued writes.
    pub(super) async fn start_new_ledger(
        &self,
        cause: IncidentCause,
        detail: Option<String>,
    ) -> Result<Option<LedgerIncident>, LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let (file, at) = (self.file.clone(), self.file.clock.wall());
        let kept = self.ledger.swap_file(move |slot| {
            drop(slot.take());
            let kept = set_aside(&file.path, cause.word(), at)?;
            *slot = Some(file.create_empty()?);
            Ok(kept)
        });
        let kept = kept.await?;
        self.note_incident(|known| new_incident(cause, at, &known.note, kept, detail))
    }

    /// Rewrites a deleted or replaced file, whose content is readable through the open connection.
    async fn rewrite_ledger(
        &self,
        cause: IncidentCause,
    ) -> Result<Option<LedgerIncident>, LedgerError> {
        let turn = self.file.operation_lock.lock().await;
        let (file, at) = (self.file.clone(), self.file.clock.wall());
        let kept = self.ledger.swap_file(move |slot| {
            let live = slot.take().ok_or_else(|| LedgerError::Corrupt {
                detail: "it is no longer open".to_owned(),
            })?;
            let copy = sqlite_file::with_suffix(&file.path, ".rewritten");
            if let Err(error) = backup::copy(&live, &copy, backup::CopySpeed::Full) {
                backup::discard(&copy);
                // Records still go to the unlinked file until the next check.
                *slot = Some(live);
                return Err(error);
            }
            drop(live);
            // SQLite leaves the log of a moved file behind. The copy has all of it.
            remove_side_files(&file.path)?;
            let kept = set_aside(&file.path, "replaced", at)?;
            fs::rename(&copy, &file.path)
                .map_err(|error| crate::error::file_error(&file.path, error))?;
            *slot = Some(file.reopen()?);
            Ok(kept)
        });
        match kept.await {
            Ok(kept) => {
                self.note_incident(|known| new_incident(cause, at, &known.note, kept, None))
            }
            Err(LedgerError::Corrupt { detail }) => {
                drop(turn);
                self.start_new_ledger(IncidentCause::Missing, Some(detail)).await
            }
            Err(error) => Err(error),
        }
    }

    fn note_incident(
        &self,
        incident: impl FnOnce(&KnownLedgerFile) -> LedgerIncident,
    ) -> Result<Option<LedgerIncident>, LedgerError> {
        let mark = LedgerProgress::read(&database::open_reader(&self.file.path)?)?;
        let mut known = self.file.known.lock();
        let incident = incident(&known);
        known.stamp = FileIdentity::read(&self.file.path);
        known.note.mark = Some(mark);
        known.note.incident = Some(incident.clone());
        drop(known);
        self.file.save_note();
        Ok(Some(incident))
    }
}

impl LedgerFile {
    /// Creates an empty ledger at the path, where no file is.
    fn create_empty(&self) -> Result<rusqlite::Connection, LedgerError> {
        let mut connection = self.reopen()?;
        database::recover(&mut connection)?;
        Ok(connection)
    }
}
