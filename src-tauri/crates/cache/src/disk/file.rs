//! Creates the file for this user only, opens it, and moves it aside if it is damaged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

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
    prepare_file(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    apply_pragmas(&connection)?;
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_ours =
        pragma("application_id")? == APPLICATION_ID && pragma("user_version")? == i64::from(FORMAT);
    if tables == 0 {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    } else if !is_ours {
        return Err(CacheFileError::Sqlite(damage_error(
            "it belongs to another program or has an unknown format",
        )));
    }
    let _mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    if tables == 0 {
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
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    apply_pragmas(&connection)?;
    Ok(connection)
}

fn apply_pragmas(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// True if the file itself is at fault.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
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
    fs::rename(path, with_suffix(path, ".damaged"))?;
    remove_side_files(path)
}

/// Removes the file and its side files.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    remove_side_files(path)?;
    ignore_missing(fs::remove_file(path))
}

fn remove_side_files(path: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_file(with_suffix(path, "-wal")))?;
    ignore_missing(fs::remove_file(with_suffix(path, "-shm")))
}

fn ignore_missing(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}

fn with_suffix(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Creates folder (0700) and file (0600) before they hold any data. SQLite gives its side files the
/// permissions of the main file.
fn prepare_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        create_folder(folder)?;
    }
    if path.exists() { restrict_permissions(path) } else { create_private_file(path) }
}

#[cfg(unix)]
fn create_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(unix)]
fn create_private_file(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

#[cfg(unix)]
fn restrict_permissions(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::metadata(path)?.permissions();
    if permissions.mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

// On other systems the user's profile folder is private already.
#[cfg(not(unix))]
fn create_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn create_private_file(path: &Path) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).open(path).map(drop)
}

#[cfg(not(unix))]
fn restrict_permissions(_path: &Path) -> io::Result<()> {
    Ok(())
}
