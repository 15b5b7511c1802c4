//! Exports for another machine, and the merging of its exports here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domain::WallTime;
use rusqlite::OptionalExtension;

use super::Recovery;
use crate::backup::{self, CopySpeed, discard};
use crate::error::file_error;
use crate::text_columns::bound_name;
use crate::{LedgerError, database, merge};

/// A copy of the ledger for another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCopy {
    pub path: PathBuf,
    pub requests: u64,
    pub bytes: u64,
}

/// What a merge added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeReport {
    /// What the other machine is called; `None` if the file is of this one.
    pub device: Option<String>,
    pub added: u64,
    /// Requests of the file that were here already.
    pub known: u64,
    /// Requests that had not ended when the file was made. A later export has them.
    pub unfinished: u64,
}

/// A machine whose requests were merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerDevice {
    pub name: String,
    /// When the last export of it was merged.
    pub merged: WallTime,
}

impl Recovery {
    /// Copies the ledger to the new file `target`, for [`Self::merge`] on another machine. It
    /// holds no secret: ids of keys, no keys; no prompts, no answers.
    ///
    /// # Errors
    /// [`LedgerError::File`] if the file exists or cannot be written.
    pub async fn export(&self, target: PathBuf, device: String) -> Result<LedgerCopy, LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let exported = self.ledger.read_current(move |connection| {
            // Claims the name, so that no other file is ever replaced.
            sqlite_file::create_file(&target).map_err(|error| file_error(&target, error))?;
            let partial = sqlite_file::with_suffix(&target, ".partial");
            let made = backup::copy(connection, &partial, CopySpeed::Gentle)
                .and_then(|()| name_device(&partial, &device))
                .and_then(|requests| {
                    fs::rename(&partial, &target).map_err(|error| file_error(&target, error))?;
                    let bytes =
                        fs::metadata(&target).map_err(|error| file_error(&target, error))?;
                    Ok(LedgerCopy { path: target.clone(), requests, bytes: bytes.len() })
                });
            made.inspect_err(|_| [&partial, &target].into_iter().for_each(|path| discard(path)))
        });
        exported.await
    }

    /// Adds the requests that the export `source` of another machine has and this ledger lacks, a
    /// few at a time. Merging a file twice changes nothing, nor does the order of files.
    ///
    /// # Errors
    /// The file cannot be read, is no ledger, is damaged or of a newer program. Then nothing was
    /// added. After another error, the next merge goes on.
    pub async fn merge(&self, source: PathBuf) -> Result<MergeReport, LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let staged = sqlite_file::with_suffix(&self.file.path, ".merging");
        let (copy, limits) = (staged.clone(), self.file.limits);
        let opened = self.ledger.read(move |_| {
            copy_source(&source, &copy)?;
            let export = database::open(&copy, limits, database::MIGRATIONS)?;
            backup::check_pages(&export)?;
            let unfinished = export.execute("DELETE FROM requests WHERE state = 'reserved'", [])?;
            let count = "SELECT count(*) FROM requests";
            let requests: i64 = export.query_row(count, [], |row| row.get(0))?;
            Ok::<_, LedgerError>((unfinished, requests))
        });
        let merged = match opened.await {
            Ok(counts) => self.merge_staged(&staged, counts).await,
            Err(error) => Err(error),
        };
        discard(&staged);
        merged
    }

    async fn merge_staged(
        &self,
        staged: &Path,
        (unfinished, requests): (usize, i64),
    ) -> Result<MergeReport, LedgerError> {
        let at = self.file.clock.wall();
        let (mut added, mut after) = (0, Some(String::new()));
        while let Some(from) = after {
            let staged = staged.to_owned();
            let step = self.ledger.swap_file(move |slot| match slot {
                Some(connection) => merge::add_from_device(connection, &staged, &from, at),
                None => Err(LedgerError::Closed),
            });
            let step = step.await?;
            added += step.added;
            after = step.after;
        }
        let id: String = {
            let export = database::open_reader(staged)?;
            export.query_row("SELECT id FROM identity", [], |row| row.get(0))?
        };
        let device = self.ledger.read_current(move |connection| {
            let sql = "SELECT name FROM devices WHERE id = ?1";
            connection.query_row(sql, [id], |row| row.get(0)).optional()
        });
        Ok(MergeReport {
            device: device.await?,
            added,
            known: requests.unsigned_abs().saturating_sub(added),
            unfinished: unfinished as u64,
        })
    }

    /// The machines whose requests were merged, by name.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn devices(&self) -> Result<Vec<LedgerDevice>, LedgerError> {
        let list = |connection: &rusqlite::Connection| {
            let sql = "SELECT name, merged_ms FROM devices ORDER BY name, id";
            let read = |row: &rusqlite::Row<'_>| {
                let merged = WallTime::from_unix_ms(row.get("merged_ms")?);
                Ok(LedgerDevice { name: row.get("name")?, merged })
            };
            connection.prepare_cached(sql)?.query_map([], read)?.collect::<Result<Vec<_>, _>>()
        };
        self.ledger.read_current(list).await
    }
}

/// Writes the machine's name into an export. Returns its number of requests.
fn name_device(path: &Path, device: &str) -> Result<u64, LedgerError> {
    let export = rusqlite::Connection::open(path)?;
    export.execute("UPDATE identity SET name = ?1", [bound_name(device)])?;
    let requests: i64 = export.query_row("SELECT count(*) FROM requests", [], |row| row.get(0))?;
    Ok(requests.unsigned_abs())
}

fn copy_source(source: &Path, copy: &Path) -> Result<(), LedgerError> {
    discard(copy);
    let failed = |error: io::Error| file_error(source, error);
    if !fs::metadata(source).map_err(failed)?.is_file() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")));
    }
    fs::copy(source, copy).map_err(failed)?;
    sqlite_file::restrict_permissions(copy).map_err(|error| file_error(copy, error))
}
