//! Copies the readable part of a damaged ledger into a new one.
//!
//! SQLite reads table by table and stops at the first damaged page, so unreached rows are then
//! searched for in the pages themselves ([`leaf_pages`]). The constraints of the new ledger keep out
//! rows that damage has made invalid. SQLite's own recovery extension is not part of the bundled
//! library.

mod leaf_pages;

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use domain::Meter;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::error::file_error;
use crate::file::backup::discard;
use crate::{LedgerError, rollup};
use sqlite_file::wal_path;

/// Length of SQLite's file header, and the ledger's page size.
const HEADER_BYTES: usize = 100;
const PAGE_BYTES: usize = 4_096;

/// Readable contents of a damaged ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SalvageReport {
    pub requests: u64,
    pub attempts: u64,
    /// Roll-up rows, which usage and costs are shown from.
    pub sums: u64,
    /// Prices, runs, health, transitions, decisions.
    pub other_rows: u64,
    /// Tables that could not be read completely.
    pub damaged_tables: Vec<&'static str>,
}

struct SalvageTable {
    name: &'static str,
    key: &'static str,
    /// Fewest columns of a row, which are those of the first schema version; identifies rows found
    /// in a page. `None` for tables with row ids, whose leaves have another format, and for those
    /// that are told by the types of their columns.
    columns_min: Option<usize>,
}

const fn table(name: &'static str, key: &'static str, columns_min: Option<usize>) -> SalvageTable {
    SalvageTable { name, key, columns_min }
}

/// Referenced tables come first.
const TABLES: &[SalvageTable] = &[
    table("devices", "number", None),
    table("requests", "id", Some(36)),
    table("attempts", "request_id", Some(10)),
    table("decisions", "request_id", Some(2)),
    table("explanations", "id", None),
    table("rollup_quarter", "slot_ms", Some(21)),
    table("rollup_model_names", "slot_ms", Some(7)),
    table("rollup_failures", "slot_ms", Some(8)),
    table("rollup_meters", "slot_ms", Some(6)),
    table("rollup_bypasses", "slot_ms", Some(4)),
    table("rollup_stated", "number", None),
    table("health_log", "number", None),
    table("observed_time", "slot_ms", None),
    table("observed_service_time", "slot_ms", None),
    table("watch_spans", "from_ms", None),
    table("degraded_spans", "number", None),
    table("transitions", "number", None),
    table("prices", "id", None),
    table("price_changes", "id", None),
    table("repriced_attempts", "change_id", None),
    table("billed", "day", Some(6)),
    table("runs", "id", None),
    table("health", "backend", None),
    table("service_health", "service", None),
    table("service_health_log", "number", None),
    table("access_states", "backend", None),
    table("key_verdicts", "number", None),
    table("session_usage", "number", None),
    table("alert_state", "id", None),
    table("alerts", "number", None),
    table("alert_notes", "number", None),
    table("audit_log", "number", None),
    table("budget_crossings", "number", None),
    table("budget_allowances", "number", None),
    table("budget_reservations", "request_id", None),
];

/// Copies the readable part of the file at `source`, which stays unchanged, into the new ledger
/// `target`. `scratch` is the path of a temporary copy.
///
/// # Errors
/// The copy or the new ledger cannot be written. Damage is reported, not an error.
pub(crate) fn salvage(
    source: &Path,
    scratch: &Path,
    target: &Connection,
) -> Result<SalvageReport, LedgerError> {
    discard(scratch);
    let report = copy_file(source, scratch)
        .map_err(|error| file_error(scratch, error))
        .and_then(|()| open_damaged(scratch, target))
        .and_then(|damaged| read_all(damaged, scratch, target));
    discard(scratch);
    report
}

fn copy_file(source: &Path, scratch: &Path) -> std::io::Result<()> {
    for (from, to) in
        [(source.to_owned(), scratch.to_owned()), (wal_path(source), wal_path(scratch))]
    {
        if !from.exists() {
            continue;
        }
        fs::copy(&from, &to)?;
        let mut permissions = fs::metadata(&to)?.permissions();
        #[cfg(unix)]
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
        #[cfg(not(unix))]
        permissions.set_readonly(false);
        fs::set_permissions(&to, permissions)?;
    }
    Ok(())
}

/// Opens the copy. If it cannot be read, replaces its header, then its whole first page, with that
/// of `pattern`. `None` if nothing is readable.
fn open_damaged(scratch: &Path, pattern: &Connection) -> Result<Option<Connection>, LedgerError> {
    let mut opened = open_lenient(scratch);
    for bytes in [HEADER_BYTES, PAGE_BYTES] {
        if opened.is_ok() {
            break;
        }
        tracing::warn!(
            bytes,
            "the header of the damaged ledger is replaced with that of a new one"
        );
        patch_header(scratch, pattern, bytes)?;
        opened = open_lenient(scratch);
    }
    match opened.map_err(LedgerError::from) {
        Err(LedgerError::Corrupt { .. }) => Ok(None),
        opened => opened.map(Some),
    }
}

fn open_lenient(scratch: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(scratch, flags)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Allows reading a file that is shorter than its header says.
    connection.pragma_update(None, "writable_schema", true)?;
    connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'requests'",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    Ok(connection)
}

fn patch_header(scratch: &Path, pattern: &Connection, bytes: usize) -> Result<(), LedgerError> {
    pattern.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let pattern_file = Path::new(pattern.path().unwrap_or_default()).to_owned();
    let patch = || {
        let mut page = vec![0; bytes];
        fs::File::open(&pattern_file)?.read_exact(&mut page)?;
        // Differs from the change counter, so SQLite ignores the size in the header.
        if let Some(valid_for) = page.get_mut(92..96) {
            valid_for.copy_from_slice(&[0xff; 4]);
        }
        if let Some(freelist) = page.get_mut(32..40) {
            freelist.fill(0);
        }
        let mut file = fs::OpenOptions::new().write(true).open(scratch)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&page)
    };
    patch().map_err(|error| file_error(scratch, error))
}

fn read_all(
    damaged: Option<Connection>,
    scratch: &Path,
    target: &Connection,
) -> Result<SalvageReport, LedgerError> {
    let transaction = target.unchecked_transaction()?;
    let mut damaged_tables = Vec::new();
    for table in TABLES {
        let is_whole = match &damaged {
            Some(damaged) => table.read(damaged, &transaction)?,
            None => false,
        };
        if !is_whole {
            damaged_tables.push(table.name);
        }
    }
    if let Some(damaged) = damaged {
        keep_identity(&damaged, &transaction)?;
        // Rows in the write-ahead log belong in the pages too.
        let _moved = damaged.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    if !damaged_tables.is_empty() {
        read_leaves(scratch, &transaction, &damaged_tables)?;
    }
    if damaged_tables.contains(&"rollup_quarter") {
        rollup::add_uncounted_slots(&transaction)?;
    }
    let report = report(&transaction, damaged_tables)?;
    transaction.commit()?;
    Ok(report)
}

/// Keeps the id: the repaired ledger is the same ledger.
fn keep_identity(damaged: &Connection, target: &Connection) -> rusqlite::Result<()> {
    let id = damaged.query_row("SELECT id FROM identity", [], |row| row.get::<_, String>(0));
    match id {
        Ok(id) => target.execute("UPDATE identity SET id = ?1", [id]).map(drop),
        Err(_) => Ok(()),
    }
}

fn report(
    target: &Connection,
    damaged_tables: Vec<&'static str>,
) -> rusqlite::Result<SalvageReport> {
    let mut report = SalvageReport { damaged_tables, ..SalvageReport::default() };
    for table in TABLES {
        let count = format!("SELECT count(*) FROM {}", table.name);
        let rows = target.query_row(&count, [], |row| row.get::<_, i64>(0))?.unsigned_abs();
        match table.name {
            "requests" => report.requests = rows,
            "attempts" => report.attempts = rows,
            "rollup_quarter" => report.sums = rows,
            _ => report.other_rows += rows,
        }
    }
    Ok(report)
}

/// Searches every leaf page for rows of damaged tables. Finished requests come first, since a freed
/// page may hold a request as it was before its end.
fn read_leaves(
    scratch: &Path,
    target: &Connection,
    damaged: &[&'static str],
) -> Result<(), LedgerError> {
    for round in [LeafPass::EndedRequests, LeafPass::Everything] {
        let read = leaf_pages::for_each_row(scratch, |row| {
            let Some(table) = SalvageTable::identify(&row) else { return Ok(()) };
            let row = if table.name == "rollup_quarter" { with_route(row) } else { row };
            let is_wanted = match round {
                LeafPass::EndedRequests => table.name == "requests" && !is_reserved(&row),
                LeafPass::Everything => true,
            };
            if is_wanted && damaged.contains(&table.name) {
                let columns = columns(target, table.name)?;
                let known = columns.get(..row.len()).unwrap_or(&columns);
                insert_row(target, table.name, known, row)?;
            }
            Ok(())
        });
        read.map_err(|error| file_error(scratch, error))??;
    }
    Ok(())
}

/// Rows of versions before 11 have no route, which is part of the key now.
fn with_route(mut rollup: Vec<Value>) -> Vec<Value> {
    const ROUTE: usize = 7;
    if !matches!(rollup.get(ROUTE), Some(Value::Text(_))) {
        rollup.insert(ROUTE, Value::Text(String::new()));
    }
    rollup
}

#[derive(Clone, Copy)]
enum LeafPass {
    EndedRequests,
    Everything,
}

fn is_reserved(request: &[Value]) -> bool {
    const STATE: usize = 10;
    request.get(STATE) == Some(&Value::Text("reserved".to_owned()))
}

/// True for a sum by meter of a version before 17, which has the columns of a sum of failures.
fn is_model_meter(row: &[Value]) -> bool {
    match row {
        [_, _, _, _, Value::Text(meter), _, _, _] => meter.parse::<Meter>().is_ok(),
        _ => false,
    }
}

impl SalvageTable {
    /// Identifies the table of a row found in a leaf by its first values and their number.
    fn identify(row: &[Value]) -> Option<&'static Self> {
        let is_request = match row {
            [
                Value::Integer(_),
                Value::Integer(_),
                Value::Text(_) | Value::Null,
                Value::Blob(_) | Value::Null,
            ] => {
                return TABLES.iter().find(|table| table.name == "explanations");
            }
            [Value::Text(id), ..] if id.len() == 36 && id.starts_with("req_") => true,
            [Value::Integer(_), Value::Text(_), ..] => false,
            _ => return None,
        };
        let fits = |table: &&Self| {
            let is_keyed_so = table.key.ends_with("id") == is_request;
            // The other roll-ups have the columns of their first version.
            let has_grown = is_request || table.name == "rollup_quarter";
            let has_columns = |min| if has_grown { row.len() >= min } else { row.len() == min };
            is_keyed_so && table.columns_min.is_some_and(has_columns) && !is_model_meter(row)
        };
        // The one with the most columns that the row can fill.
        TABLES.iter().filter(fits).max_by_key(|table| table.columns_min)
    }

    /// Reads from both ends as far as SQLite can. True if the table was read completely.
    fn read(&self, damaged: &Connection, target: &Connection) -> Result<bool, LedgerError> {
        let Ok(columns) = common_columns(damaged, target, self.name) else { return Ok(false) };
        if columns.is_empty() {
            return Ok(false);
        }
        for order in ["ASC", "DESC"] {
            // By the table itself: an index may be damaged too.
            let sql = format!(
                "SELECT {} FROM {} NOT INDEXED ORDER BY {} {order}",
                columns.join(", "),
                self.name,
                self.key
            );
            let Ok(mut statement) = damaged.prepare(&sql) else { return Ok(false) };
            let Ok(mut rows) = statement.query([]) else { return Ok(false) };
            loop {
                let row = match rows.next() {
                    Ok(Some(row)) => row,
                    Ok(None) => return Ok(order == "ASC"),
                    Err(_) => break,
                };
                let values: Result<Vec<Value>, _> =
                    (0..columns.len()).map(|column| row.get(column)).collect();
                if let Ok(values) = values {
                    insert_row(target, self.name, &columns, values)?;
                }
            }
        }
        Ok(false)
    }
}

/// Inserts a row unless it is known or violates the schema, which means that it is damaged.
fn insert_row(
    target: &Connection,
    table: &str,
    columns: &[String],
    values: Vec<Value>,
) -> rusqlite::Result<()> {
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    let sql = format!(
        "INSERT OR IGNORE INTO {table} ({}) VALUES ({})",
        columns.join(", "),
        places.join(", ")
    );
    let kept = target.prepare_cached(&sql)?.execute(params_from_iter(values));
    match kept {
        Err(error) if !is_refused_row(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Columns of both ledgers; a damaged file may have an older version.
fn common_columns(
    damaged: &Connection,
    target: &Connection,
    table: &str,
) -> rusqlite::Result<Vec<String>> {
    let theirs = columns(damaged, table)?;
    let mut ours = columns(target, table)?;
    ours.retain(|name| theirs.contains(name));
    Ok(ours)
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut names = connection.prepare_cached("SELECT name FROM pragma_table_info(?1)")?;
    names.query_map([table], |row| row.get(0))?.collect()
}

fn is_refused_row(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch)
    )
}
