//! Opens the file, and moves it aside if it is damaged.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::address::FORMAT;

/// 'GATC', the application id of a cache file.
const APPLICATION_ID: i64 = 1_195_463_747;

/// Wait for a lock. Only one process at a time uses a data folder.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

const SCHEMA: &str = include_str!("schema.sql");

#[derive(Debug, thiserror::Error)]
pub(super) enum CacheFileError {
    #[error("the cache file or its folder could not be created")]
    File(#[from] io::Error),
    #[error("the cache file could not be opened")]
    Sqlite(#[from] rusqlite::Error),
}

/// Opens the file for writing. The error [`CacheFileError::is_damage`] if it is not a cache file of this
/// format.
pub(super) fn open(path: &Path) -> Result<Connection, CacheFileError> {
    sqlite_file::prepare_file(path).map_err(|(_, error)| error)?;
    let connection = sqlite_file::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, BUSY_TIMEOUT)?;
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let is_new = sqlite_file::object_count(&connection)? == 0;
    let is_ours =
        pragma("application_id")? == APPLICATION_ID && pragma("user_version")? == i64::from(FORMAT);
    if is_new {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    } else if !is_ours {
        return Err(CacheFileError::Sqlite(damage_error(
            "it belongs to another program or has an unknown format",
        )));
    }
    sqlite_file::use_wal(&connection)?;
    if is_new {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; \
             PRAGMA user_version = {FORMAT}; COMMIT;"
        ))?;
    }
    Ok(connection)
}

impl CacheFileError {
    /// True if the file itself is at fault, so that a new one would help.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Sqlite(error) if is_damage(error))
    }
}

pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    sqlite_file::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, BUSY_TIMEOUT)
}

/// True if the file itself is at fault.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    sqlite_file::is_damage(error)
        // A missing table or column, or one of another type.
        || matches!(error, rusqlite::Error::SqlInputError { .. })
        || matches!(error, rusqlite::Error::InvalidColumnType(..))
}

fn damage_error(detail: &str) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(detail.to_owned()))
}

/// Renames the file to `….damaged`, which replaces an earlier one.
pub(super) fn move_aside(path: &Path) -> io::Result<()> {
    fs::rename(path, sqlite_file::with_suffix(path, ".damaged"))?;
    remove_side_files(path)
}

/// Removes the file and its side files.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    remove_side_files(path)?;
    ignore_missing(fs::remove_file(path))
}

fn remove_side_files(path: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_file(sqlite_file::wal_path(path)))?;
    ignore_missing(fs::remove_file(sqlite_file::shm_path(path)))
}

fn ignore_missing(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}
