//! Usage from session logs of another ledger.
//!
//! Of two rows with one key the greater is kept: as when logs are imported, then the one whose value
//! was priced later, then one with a value, then the one whose text is greater. Which of them the
//! gateway measured follows from the rows and the requests of both, so it is found out again
//! afterwards ([`crate::sessions::session_matches`]).

use rusqlite::{Connection, params};

use crate::columns::integer_columns::row_count;
use crate::costs::price_table;
use crate::merge::request_versions::{column_names, content_sql};
use crate::sessions::session_imports;

/// Columns that each ledger decides for itself.
const OWN_COLUMNS: [&str; 2] = ["number", "measured_by"];

/// Rows after `?1`, at most `?2`.
const EXAMINED: &str =
    "SELECT * FROM other.session_usage WHERE number > ?1 ORDER BY number LIMIT ?2";

/// Takes at most `rows_max` rows after `after` of another machine, with their prices. Returns the
/// last one, if there may be more.
pub(crate) fn add_from_device(
    connection: &Connection,
    after: i64,
    rows_max: usize,
) -> rusqlite::Result<Option<i64>> {
    let prices = format!("SELECT price_id FROM ({EXAMINED})");
    let range = params![after, row_count(rows_max)];
    connection.execute(&price_table::add_of_device_sql(&prices), range)?;
    take(connection, after, rows_max)?;
    let last = format!("SELECT count(*), max(number) FROM ({EXAMINED})");
    let (examined, last): (i64, Option<i64>) =
        connection.query_row(&last, range, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(last.filter(|_| examined == row_count(rows_max)))
}

/// Takes all rows. Returns how many are new or replaced.
pub(crate) fn add(connection: &Connection) -> rusqlite::Result<usize> {
    take(connection, 0, usize::MAX)
}

fn take(connection: &Connection, after: i64, rows_max: usize) -> rusqlite::Result<usize> {
    let columns = column_names(connection, "session_usage")?;
    let columns = columns.iter().map(String::as_str).filter(|name| !OWN_COLUMNS.contains(name));
    let columns: Vec<&str> = columns.collect();
    let updates: Vec<_> = columns.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let version = |row: &str| {
        let content = content_sql(connection, "session_usage", row, &OWN_COLUMNS)?;
        let (priced, value) = (format!("{row}.priced_ms"), format!("{row}.value_nano_usd"));
        Ok::<_, rusqlite::Error>(format!("(coalesce({priced}, 0), {value} IS NOT NULL, {content})"))
    };
    let later = format!("{} > {}", version("excluded")?, version("session_usage")?);
    let (names, updates) = (columns.join(", "), updates.join(", "));
    connection.execute(
        &format!(
            "INSERT INTO main.session_usage ({names}) SELECT {names} FROM ({EXAMINED}) WHERE true
             ON CONFLICT (key) DO UPDATE SET {updates} WHERE {}",
            session_imports::replaces_sql(&later)
        ),
        params![after, row_count(rows_max)],
    )
}
