//! Exports for another machine, and the merging of its exports here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domain::WallTime;

use super::Recovery;
use crate::columns::text_columns::bound_name;
use crate::error::file_error;
use crate::file::backup::{self, CopySpeed, discard};
use crate::file::database;
use crate::merge::{DeviceStep, MergePosition};
use crate::{LedgerError, merge};

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
    /// Requests of the file that were here already, or were deleted here for their age.
    pub known: u64,
    /// Known ones of which the file had the version to keep, as with a cost that was priced later.
    pub replaced: u64,
    /// True if it was cancelled. What was added by then stays, and the next merge does the rest.
    pub is_cancelled: bool,
    /// Requests that had not ended when the file was made. A later export has them.
    pub unfinished: u64,
}

/// What a merge would add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergePlan {
    /// What the other machine is called; `None` if the file is of this one.
    pub device: Option<String>,
    /// Requests of the file that are not here.
    pub added: u64,
    /// When the first and the last of them began.
    pub period: Option<(WallTime, WallTime)>,
    /// Requests of the file that are here already, or were deleted here for their age.
    pub known: u64,
    /// Known ones of which the file has the version to keep, as with a cost that was priced later.
    pub replaced: u64,
    pub unfinished: u64,
}

/// A machine whose requests were merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerDevice {
    pub name: String,
    /// How many of its requests were merged.
    pub requests: u64,
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
        let at = self.file.clock.wall();
        let exported = self.ledger.read_current(move |connection| {
            // Claims the name, so that no other file is ever replaced.
            private_files::create_new_file(&target).map_err(|error| file_error(&target, error))?;
            let partial = sqlite_file::with_suffix(&target, ".partial");
            let made = backup::copy(connection, &partial, CopySpeed::Gentle)
                .and_then(|()| name_device(&partial, &device, at))
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

    /// What [`Self::merge`] of the export `source` would add. Changes nothing.
    ///
    /// # Errors
    /// The file cannot be read, is no ledger, is damaged or of a newer program.
    pub async fn plan_merge(&self, source: PathBuf) -> Result<MergePlan, LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let staged = self.staged_export();
        let plan = self.stage(source, staged.clone()).await;
        discard(&staged);
        plan
    }

    /// Takes the requests that the export `source` of another machine has and this ledger lacks or
    /// has in a lesser version (`request_versions`), a few at a time. `goes_on` hears how many of how
    /// many are done, and stops the merge with `false`. Neither the order nor the number of merges
    /// matters.
    ///
    /// # Errors
    /// The file cannot be read, is no ledger, is damaged or of a newer program. Then nothing was
    /// added. After another error, the next merge goes on.
    pub async fn merge(
        &self,
        source: PathBuf,
        goes_on: impl Fn(u64, u64) -> bool,
    ) -> Result<MergeReport, LedgerError> {
        let _turn = self.file.operation_lock.lock().await;
        let staged = self.staged_export();
        let merged = match self.stage(source, staged.clone()).await {
            Ok(plan) => self.merge_staged(&staged, plan, goes_on).await,
            Err(error) => Err(error),
        };
        discard(&staged);
        merged
    }

    fn staged_export(&self) -> PathBuf {
        sqlite_file::with_suffix(&self.file.path, ".merging")
    }

    /// Copies the export to `staged`, upgrades it there, and counts what is new in it.
    async fn stage(&self, source: PathBuf, staged: PathBuf) -> Result<MergePlan, LedgerError> {
        let limits = self.file.limits;
        let staging = self.ledger.read_current(move |connection| {
            copy_source(&source, &staged)?;
            let export = database::open(&staged, limits, database::MIGRATIONS)?;
            backup::check_pages(&export)?;
            let unfinished = export.execute("DELETE FROM requests WHERE state = 'reserved'", [])?;
            let count = "SELECT count(*) FROM requests";
            let requests: i64 = export.query_row(count, [], |row| row.get(0))?;
            drop(export);
            let missing = merge::count_missing(connection, &staged)?;
            Ok::<_, LedgerError>(MergePlan {
                device: missing.device,
                added: missing.requests,
                period: missing.period,
                known: requests.unsigned_abs().saturating_sub(missing.requests),
                replaced: missing.replaced,
                unfinished: unfinished as u64,
            })
        });
        staging.await
    }

    async fn merge_staged(
        &self,
        staged: &Path,
        plan: MergePlan,
        goes_on: impl Fn(u64, u64) -> bool,
    ) -> Result<MergeReport, LedgerError> {
        let (at, total) = (self.file.clock.wall(), plan.known + plan.added);
        let MergePlan { device, known, unfinished, .. } = plan;
        let (mut examined, mut next) = (0, Some(MergePosition::START));
        let mut report =
            MergeReport { device, added: 0, known, replaced: 0, is_cancelled: false, unfinished };
        while let Some(from) = next {
            if !goes_on(examined, total) {
                report.is_cancelled = true;
                break;
            }
            let staged = staged.to_owned();
            let step = self.ledger.swap_file(move |slot| match slot {
                Some(connection) => merge::take_from_device(connection, &staged, &from, at),
                None => Err(LedgerError::Closed),
            });
            let DeviceStep { taken, next: following } = step.await?;
            examined += taken.examined;
            report.added += taken.added;
            report.replaced += taken.replaced;
            next = following;
        }
        self.ledger.match_all_sessions().await?;
        Ok(report)
    }

    /// The machines whose requests were merged, by name.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn devices(&self) -> Result<Vec<LedgerDevice>, LedgerError> {
        let list = |connection: &rusqlite::Connection| {
            let sql = "SELECT name, requests, merged_ms FROM devices ORDER BY name, id";
            let read = |row: &rusqlite::Row<'_>| {
                let merged = WallTime::from_unix_ms(row.get("merged_ms")?);
                let requests = row.get::<_, i64>("requests")?.unsigned_abs();
                Ok(LedgerDevice { name: row.get("name")?, requests, merged })
            };
            connection.prepare_cached(sql)?.query_map([], read)?.collect::<Result<Vec<_>, _>>()
        };
        self.ledger.read_current(list).await
    }
}

/// Writes the machine's name into an export. Returns its number of requests.
fn name_device(path: &Path, device: &str, at: WallTime) -> Result<u64, LedgerError> {
    let export = rusqlite::Connection::open(path)?;
    let sql = "UPDATE identity SET name = ?1, named_ms = ?2";
    export.execute(sql, rusqlite::params![bound_name(device), at.unix_ms()])?;
    let requests: i64 = export.query_row("SELECT count(*) FROM requests", [], |row| row.get(0))?;
    Ok(requests.unsigned_abs())
}

fn copy_source(source: &Path, copy: &Path) -> Result<(), LedgerError> {
    discard(copy);
    let failed = |error: io::Error| file_error(source, error);
    let metadata = fs::metadata(source).map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")));
    }
    if metadata.len() == 0 {
        return Err(LedgerError::Corrupt { detail: "it is empty".to_owned() });
    }
    fs::copy(source, copy).map_err(failed)?;
    private_files::restrict_file(copy).map_err(|error| file_error(copy, error))
}
