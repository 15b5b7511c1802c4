//! Opens the file: permissions, pragmas, migrations, crash recovery.
//!
//! Pragmas and their reasons:
//! - **WAL**: readers never wait for the writer. Needs shared memory, so no network share.
//! - **`synchronous = NORMAL`**: every answered commit survives `kill -9`, since its pages are with
//!   the operating system. A power cut may lose the last commits but never damages the file. `FULL`
//!   would cost one disk flush per answer, milliseconds instead of microseconds, to protect only
//!   the last moments before a power cut.
//! - **`trusted_schema = OFF`, `cell_size_check = ON`**: a prepared foreign file cannot call
//!   functions and is checked while it is read.
//! - **STRICT tables, bound parameters only**: external text is never part of a statement.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use crate::error::file_error;
use crate::file::{backup, slow_statements};
use crate::{LedgerError, LedgerLimits, requests, rollup};

/// Wait for another program's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Size in bytes to which the log shrinks when it restarts. More than it reaches between two
/// checkpoints at full load, so that only growth caused by a long reader is given back.
const WAL_BYTES_KEPT_MAX: i64 = 134_217_728;

/// 'GATE', the application id of a ledger file.
const APPLICATION_ID: i64 = 1_195_463_749;

/// First bytes of every SQLite file, length of its header, and the positions of the version number
/// and the application id (SQLite file format, section 1.3).
const MAGIC: &[u8] = b"SQLite format 3\0";
const HEADER_BYTES: usize = 100;
const VERSION_BYTES: std::ops::Range<usize> = 60..64;
const APPLICATION_BYTES: std::ops::Range<usize> = 68..72;

/// Prepared statements cached per connection; over twice the number in use.
const STATEMENTS_CACHED_MAX: usize = 96;

/// Migrations from an empty file to the newest version. A released one is never edited.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../schema/v1.sql"),
    include_str!("../schema/v2.sql"),
    include_str!("../schema/v3.sql"),
    include_str!("../schema/v4.sql"),
    include_str!("../schema/v5.sql"),
    include_str!("../schema/v6.sql"),
    include_str!("../schema/v7.sql"),
    include_str!("../schema/v8.sql"),
    include_str!("../schema/v9.sql"),
    include_str!("../schema/v10.sql"),
    include_str!("../schema/v11.sql"),
    include_str!("../schema/v12.sql"),
    include_str!("../schema/v13.sql"),
    include_str!("../schema/v14.sql"),
    include_str!("../schema/v15.sql"),
    include_str!("../schema/v16.sql"),
    include_str!("../schema/v17.sql"),
    include_str!("../schema/v18.sql"),
    include_str!("../schema/v19.sql"),
    include_str!("../schema/v20.sql"),
    include_str!("../schema/v21.sql"),
    include_str!("../schema/v22.sql"),
    include_str!("../schema/v23.sql"),
    include_str!("../schema/v24.sql"),
    include_str!("../schema/v25.sql"),
    include_str!("../schema/v26.sql"),
    include_str!("../schema/v27.sql"),
    include_str!("../schema/v28.sql"),
    include_str!("../schema/v29.sql"),
    include_str!("../schema/v30.sql"),
    include_str!("../schema/v31.sql"),
    include_str!("../schema/v32.sql"),
    include_str!("../schema/v33.sql"),
    include_str!("../schema/v34.sql"),
    include_str!("../schema/v35.sql"),
    include_str!("../schema/v36.sql"),
    include_str!("../schema/v37.sql"),
    include_str!("../schema/v38.sql"),
    include_str!("../schema/v39.sql"),
    include_str!("../schema/v40.sql"),
    include_str!("../schema/v41.sql"),
];

/// Schema version that this program reads and writes.
#[must_use]
pub fn schema_version() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Opens the only writing connection. Call [`recover`] before use.
pub(crate) fn open(
    path: &Path,
    limits: LedgerLimits,
    steps: &[&str],
) -> Result<Connection, LedgerError> {
    sqlite_file::prepare_file(path).map_err(|(path, error)| file_error(&path, error))?;
    examine_header(path, steps.len())?;
    let mut connection = open_connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let version = check_schema_version(&connection, steps.len())?;
    sqlite_file::use_wal(&connection)?;
    // `checkpoint` runs them where nobody waits for them.
    let _pages: i64 =
        connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |row| row.get(0))?;
    let _bytes: i64 = connection.pragma_update_and_check(
        None,
        "journal_size_limit",
        WAL_BYTES_KEPT_MAX,
        |row| row.get(0),
    )?;
    if let Some(bytes) = limits.file_bytes_max {
        limit_size(&connection, bytes)?;
    }
    if version < steps.len() {
        upgrade(path, &mut connection, version, steps)?;
    }
    slow_statements::time_statements(&connection);
    // Opens the log now: SQLite cannot once the file is deleted or moved.
    sqlite_file::object_count(&connection)?;
    Ok(connection)
}

pub(crate) fn open_reader(path: &Path) -> Result<Connection, LedgerError> {
    let connection = open_connection(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "query_only", true)?;
    slow_statements::time_statements(&connection);
    Ok(connection)
}

fn open_connection(path: &Path, flags: OpenFlags) -> Result<Connection, LedgerError> {
    let connection = sqlite_file::open(path, flags, BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Rejects a non-database, another program's or a too new file by its first bytes, before SQLite
/// opens it.
fn examine_header(path: &Path, known: usize) -> Result<(), LedgerError> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    let file = fs::File::open(path).map_err(|error| file_error(path, error))?;
    let mut start = file.take(u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX));
    start.read_to_end(&mut header).map_err(|error| file_error(path, error))?;
    if header.is_empty() {
        return Ok(());
    }
    let number = |at: std::ops::Range<usize>| {
        let bytes: Option<[u8; 4]> = header.get(at).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_be_bytes)
    };
    match (number(VERSION_BYTES), number(APPLICATION_BYTES)) {
        // What has no version yet may have another program's tables, or none.
        (Some(found), Some(id)) if header.starts_with(MAGIC) => {
            match found == 0 || i64::from(id) == APPLICATION_ID {
                true => refuse_newer(found, known).map(drop),
                false => Err(foreign_database()),
            }
        }
        _ => Err(LedgerError::Corrupt { detail: "it is not an SQLite database".to_owned() }),
    }
}

/// Schema version of the file, 0 if empty, including commits that a dead process left in the
/// write-ahead log.
fn check_schema_version(connection: &Connection, known: usize) -> Result<usize, LedgerError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let is_new = sqlite_file::object_count(connection)? == 0;
    if !is_new && pragma("application_id")? != APPLICATION_ID {
        return Err(foreign_database());
    }
    refuse_newer(u32::try_from(pragma("user_version")?).unwrap_or(u32::MAX), known)
}

fn foreign_database() -> LedgerError {
    LedgerError::Corrupt { detail: "it is another program's database".to_owned() }
}

fn refuse_newer(found: u32, known: usize) -> Result<usize, LedgerError> {
    let known_version = u32::try_from(known).unwrap_or(u32::MAX);
    match usize::try_from(found) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(LedgerError::NewerSchema { found, known: known_version }),
    }
}

fn limit_size(connection: &Connection, bytes: u64) -> Result<(), LedgerError> {
    let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = bytes / page_bytes.unsigned_abs().max(1);
    let pages = i64::try_from(pages).unwrap_or(i64::MAX).max(1);
    let _kept: i64 =
        connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get(0))?;
    Ok(())
}

/// Checks and copies the file before its first migration.
fn upgrade(
    path: &Path,
    connection: &mut Connection,
    version: usize,
    steps: &[&str],
) -> Result<(), LedgerError> {
    if version > 0 {
        backup::check_pages(connection)?;
        let copy = sqlite_file::with_suffix(path, &format!(".bak-v{version}"));
        match fs::remove_file(&copy) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file_error(&copy, error));
            }
            _ => backup::copy(connection, &copy, backup::CopySpeed::Full)?,
        }
    }
    let migrations = Migrations::new(steps.iter().map(|step| M::up(step)).collect());
    migrations.to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => LedgerError::from(err),
        other => LedgerError::Corrupt { detail: other.to_string() },
    })
}

pub(crate) fn flush_to_disk(connection: &Connection) -> Result<(), LedgerError> {
    connection.pragma(None, "wal_checkpoint", "PASSIVE", |_| Ok(())).map_err(LedgerError::from)
}

/// Marks requests that were running when the last process died as unknown and counts them. Call
/// after the journal was replayed.
pub(crate) fn recover(connection: &mut Connection) -> Result<(), LedgerError> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    rollup::add_reserved(&transaction)?;
    let lost = requests::mark_reserved_unknown(&transaction)?;
    transaction.commit()?;
    if lost > 0 {
        tracing::warn!(requests = lost, "requests were cut off when Gatehouse last stopped");
    }
    Ok(())
}
