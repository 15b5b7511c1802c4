//! Noticing while the program runs what happened to the file behind its back.

use std::fs;

use crate::note::{FileStamp, IncidentCause, LedgerIncident, Mark};
use crate::set_aside::{remove_side_files, set_aside};
use crate::{LedgerError, backup, database};

use super::{Known, LedgerFile, Recovery, incident_of};

impl Recovery {
    /// Looks whether the ledger's file is still the one in use and still has its content. If not, the
    /// ledger is written again where all of it can still be read, and begun anew where not. What
    /// happened, if anything did. Cheap enough for every few seconds.
    ///
    /// # Errors
    /// When the file cannot be looked at or a new one not be made.
    pub async fn watch(&self) -> Result<Option<LedgerIncident>, LedgerError> {
        let (was, now) = (self.file.known.lock().stamp, FileStamp::of(&self.file.path));
        match now {
            FileStamp::Missing => self.write_again(IncidentCause::DeletedInUse).await,
            now if !now.is_same_file(was) => self.write_again(IncidentCause::ReplacedInUse).await,
            FileStamp::File { bytes: 0, .. } => self.begin_anew(IncidentCause::Emptied, None).await,
            FileStamp::File { .. } => self.compare_content().await,
        }
        .inspect(|incident| {
            if let Some(incident) = incident {
                let cause = incident.cause.as_str();
                tracing::error!(cause, "the ledger file changed while it was in use");
            }
        })
    }

    /// Reads the whole file, and begins a new ledger if it is damaged.
    ///
    /// # Errors
    /// When the file cannot be read for another reason, or a new one not be made.
    pub async fn check(&self) -> Result<Option<LedgerIncident>, LedgerError> {
        let verdict = self.ledger.read(|connection| {
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        });
        match verdict.await {
            Ok(verdict) if verdict == "ok" => Ok(None),
            Ok(detail) | Err(LedgerError::Corrupt { detail }) => {
                self.begin_anew(IncidentCause::Damaged, Some(detail)).await
            }
            Err(error) => Err(error),
        }
    }

    /// The file is the same and may have been written over.
    async fn compare_content(&self) -> Result<Option<LedgerIncident>, LedgerError> {
        let path = self.file.path.clone();
        // Not from the pool: its connections remember what they have read.
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
                self.begin_anew(IncidentCause::Damaged, Some(detail)).await
            }
            Err(LedgerError::Corrupt { .. }) => self.check().await,
            Err(error) => Err(error),
        }
    }

    /// Sets the file aside and begins a new ledger; queued writes go there.
    pub(super) async fn begin_anew(
        &self,
        cause: IncidentCause,
        detail: Option<String>,
    ) -> Result<Option<LedgerIncident>, LedgerError> {
        let _turn = self.file.turn.lock().await;
        let (file, at) = (self.file.clone(), self.file.clock.wall());
        let kept = self.ledger.exchange(move |slot| {
            drop(slot.take());
            let kept = set_aside(&file.path, cause.as_str(), at)?;
            *slot = Some(file.begin()?);
            Ok(kept)
        });
        let kept = kept.await?;
        self.note_incident(|known| incident_of(cause, at, &known.note, kept, detail))
    }

    /// The file is away, and its content can still be read by those who have it open.
    async fn write_again(
        &self,
        cause: IncidentCause,
    ) -> Result<Option<LedgerIncident>, LedgerError> {
        let turn = self.file.turn.lock().await;
        let (file, at) = (self.file.clone(), self.file.clock.wall());
        let kept = self.ledger.exchange(move |slot| {
            let live = slot.take().ok_or_else(|| LedgerError::Corrupt {
                detail: "it is no longer open".to_owned(),
            })?;
            let copy = database::beside(&file.path, ".rewritten");
            if let Err(error) = backup::copy(&live, &copy, backup::Pace::Full) {
                backup::discard(&copy);
                // Records still go to the file without a name, until the next look.
                *slot = Some(live);
                return Err(error);
            }
            drop(live);
            // SQLite leaves the log of a file that has moved. All of it is in the copy.
            remove_side_files(&file.path)?;
            let kept = set_aside(&file.path, "replaced", at)?;
            fs::rename(&copy, &file.path)
                .map_err(|error| database::file_error(&file.path, error))?;
            *slot = Some(file.reopen()?);
            Ok(kept)
        });
        match kept.await {
            Ok(kept) => self.note_incident(|known| incident_of(cause, at, &known.note, kept, None)),
            Err(LedgerError::Corrupt { detail }) => {
                drop(turn);
                self.begin_anew(IncidentCause::Missing, Some(detail)).await
            }
            Err(error) => Err(error),
        }
    }

    fn note_incident(
        &self,
        incident: impl FnOnce(&Known) -> LedgerIncident,
    ) -> Result<Option<LedgerIncident>, LedgerError> {
        let mark = Mark::read(&database::open_reader(&self.file.path)?)?;
        let mut known = self.file.known.lock();
        let incident = incident(&known);
        known.stamp = FileStamp::of(&self.file.path);
        known.note.mark = Some(mark);
        known.note.incident = Some(incident.clone());
        drop(known);
        self.file.save_note();
        Ok(Some(incident))
    }
}

impl LedgerFile {
    /// A ledger without requests in the place where none is now.
    fn begin(&self) -> Result<rusqlite::Connection, LedgerError> {
        let mut connection = self.reopen()?;
        database::recover(&mut connection)?;
        Ok(connection)
    }
}
