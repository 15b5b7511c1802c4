//! SQLite files of one user: private, opened with the same safeguards, with their side files.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

/// Opens an existing file. A prepared foreign file cannot call functions and is checked while it is
/// read. Rust ensures that a connection is used by one thread at a time; SQLite need not.
pub fn open(path: &Path, flags: OpenFlags, lock_wait: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(lock_wait)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// Turns on the write-ahead log, so that readers never wait for the writer. A commit survives a
/// killed process; a power cut may lose the last ones but never damages the file.
pub fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    let _mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "NORMAL")
}

/// Number of tables and indexes: 0 in a new file.
pub fn object_count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
}

/// True if SQLite finds the file damaged.
#[must_use]
pub fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

#[must_use]
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The write-ahead log of the file at `path`.
#[must_use]
pub fn wal_path(path: &Path) -> PathBuf {
    with_suffix(path, "-wal")
}

/// The shared memory of the file at `path`.
#[must_use]
pub fn shm_path(path: &Path) -> PathBuf {
    with_suffix(path, "-shm")
}

/// Creates the folder (0700) and the file (0600) before they hold any data, or takes away the
/// permissions of others. SQLite gives its side files the permissions of the main file.
///
/// # Errors
/// The disk's error, with the folder or file it is about.
pub fn prepare_file(path: &Path) -> Result<(), (PathBuf, io::Error)> {
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        private_files::create_folder(folder).map_err(|error| (folder.to_owned(), error))?;
    }
    let prepared = match path.exists() {
        true => private_files::restrict_file(path),
        false => private_files::create_new_file(path).map(drop),
    };
    prepared.map_err(|error| (path.to_owned(), error))
}
