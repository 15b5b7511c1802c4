//! Backups made with SQLite's backup API while others write, each checked before it counts.
//!
//! The copy reads one snapshot in small steps, so that it holds neither the writer nor the disk for
//! long. A file gets its final name once it is complete and sound; a crash leaves a `.partial`
//! file, which the next backup replaces.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{DAY_MS, WallTime};
use private_files::{create_folder, create_new_file};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use crate::LedgerError;
use crate::error::file_error;
use crate::file::set_aside::{file_bytes, file_name_time, remove_side_files};

/// Most backups kept; the oldest is deleted first.
pub(crate) const BACKUPS_KEPT_MAX: usize = 7;

/// Age in days past which a backup is deleted. The newest one always stays.
pub(crate) const BACKUP_AGE_DAYS_MAX: i64 = 30;

/// Pages of 4 KiB copied per step, and the pause after each step: at most 100 MB a second.
const STEP_PAGES: i32 = 256;
const STEP_PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, Copy)]
pub(crate) enum CopySpeed {
    /// With pauses between steps.
    Gentle,
    /// As fast as the disk allows, while the writer waits.
    Full,
}

const PREFIX: &str = "ledger-";
const SUFFIX: &str = ".sqlite";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerBackup {
    /// File name in the backup folder.
    pub name: String,
    pub at: WallTime,
    /// Size on disk in bytes.
    pub bytes: u64,
}

/// The backup folder of the ledger at `path`.
pub(crate) fn backup_folder(path: &Path) -> PathBuf {
    path.parent().unwrap_or_else(|| Path::new("")).join("backups")
}

/// The backups in `folder`, newest first; empty if the folder is missing.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<LedgerBackup>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut backups = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(at) = parse_backup_time(&name) {
            let bytes = file_bytes(&folder.join(&name));
            backups.push(LedgerBackup { name, at, bytes });
        }
    }
    backups.sort_by(|a, b| (b.at, &b.name).cmp(&(a.at, &a.name)));
    Ok(backups)
}

/// Copies the ledger behind `source` into `folder`, checks the copy, and deletes surplus and
/// expired backups.
///
/// # Errors
/// [`LedgerError::Corrupt`] when the copy, and so the ledger, is damaged: no backup is deleted
/// then. [`LedgerError::Full`] and [`LedgerError::File`] for disk errors.
pub(crate) fn create(
    source: &Connection,
    folder: &Path,
    at: WallTime,
) -> Result<LedgerBackup, LedgerError> {
    create_folder(folder).map_err(|error| file_error(folder, error))?;
    let name = format!("{PREFIX}{}{SUFFIX}", file_name_time(at));
    let (target, partial) = (folder.join(&name), folder.join("ledger.partial"));
    let made = copy(source, &partial, CopySpeed::Gentle)
        .and_then(|()| fs::rename(&partial, &target).map_err(|error| file_error(&target, error)));
    if let Err(error) = made {
        discard(&partial);
        return Err(error);
    }
    remove_expired(folder, at).map_err(|error| file_error(folder, error))?;
    Ok(LedgerBackup { bytes: file_bytes(&target), name, at })
}

/// Copies the ledger behind `source` to `target`, as one file without a write-ahead log, and checks
/// the copy.
pub(crate) fn copy(source: &Connection, target: &Path, pace: CopySpeed) -> Result<(), LedgerError> {
    discard(target);
    create_new_file(target).map_err(|error| file_error(target, error))?;
    let mut copy = Connection::open_with_flags(target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // One snapshot for all steps: otherwise each commit would restart the copy.
    let snapshot = source.unchecked_transaction()?;
    snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let (pages, pause) = match pace {
        CopySpeed::Gentle => (STEP_PAGES, STEP_PAUSE),
        CopySpeed::Full => (i32::MAX, Duration::ZERO),
    };
    Backup::new(&snapshot, &mut copy)?.run_to_completion(pages, pause, None)?;
    drop(snapshot);
    let _mode: String =
        copy.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
    check_pages(&copy)
}

/// Checks every page of a file.
///
/// # Errors
/// [`LedgerError::Corrupt`] with SQLite's first finding.
pub(crate) fn check_pages(connection: &Connection) -> Result<(), LedgerError> {
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(LedgerError::Corrupt { detail: verdict }) }
}

/// Deletes an unused copy and its side files. Errors are only logged.
pub(crate) fn discard(copy: &Path) {
    let gone = remove_side_files(copy).and_then(|()| match fs::remove_file(copy) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file_error(copy, error)),
        _ => Ok(()),
    });
    if let Err(error) = gone {
        tracing::warn!(%error, "a temporary copy of the ledger could not be removed");
    }
}

fn remove_expired(folder: &Path, now: WallTime) -> io::Result<()> {
    let oldest = now.unix_ms() - BACKUP_AGE_DAYS_MAX * DAY_MS;
    for (place, backup) in list(folder)?.iter().enumerate().skip(1) {
        if place >= BACKUPS_KEPT_MAX || backup.at.unix_ms() < oldest {
            fs::remove_file(folder.join(&backup.name))?;
        }
    }
    Ok(())
}

/// The time in a backup's file name; `None` for other files.
fn parse_backup_time(name: &str) -> Option<WallTime> {
    let text = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let (date, time) = text.split_once('T')?;
    let time: jiff::Timestamp = format!("{date}T{}", time.replace('-', ":")).parse().ok()?;
    Some(WallTime::from_unix_ms(time.as_millisecond()))
}
