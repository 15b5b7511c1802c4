//! Which of two versions of a request a merge keeps.
//!
//! Two ledgers may know one request differently: one was copied before the request ended, or before
//! its cost was priced later. Versions are ordered, and the greatest one is kept whole, with its
//! attempts, so that merges may come in any order and number. Of two versions:
//!
//! 1. one that has ended is kept over one that was cut off, and that over one that is under way;
//! 2. a cost that the backend stated is kept over a computed or unknown one;
//! 3. the one whose cost was priced, or unpriced by an undo, later;
//! 4. a known cost over an unknown one;
//! 5. else the one whose text is greater, which only has to be the same choice everywhere.

use rusqlite::Connection;

/// What a row says, as text. `row` is its alias, and `left_out` names columns that each ledger
/// numbers for itself. Only for our own schema.
pub(crate) fn content_sql(
    connection: &Connection,
    table: &str,
    row: &str,
    left_out: &[&str],
) -> rusqlite::Result<String> {
    let columns = column_names(connection, table)?;
    let columns = columns.iter().filter(|name| !left_out.contains(&name.as_str()));
    let quoted: Vec<_> = columns.map(|name| format!("quote({row}.{name})")).collect();
    Ok(quoted.join(" || ',' || "))
}

/// The columns of a table of the main ledger, in order.
pub(crate) fn column_names(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut names = connection.prepare("SELECT name FROM pragma_table_info(?1, 'main')")?;
    names.query_map([table], |row| row.get(0))?.collect()
}

/// A condition on the request `theirs` of the attached ledger `other` and the same one here, `ours`,
/// or NULL if there is none: whether `theirs` is taken. A request that is under way here never is
/// replaced, and one that was deleted here for its age is not counted again.
pub(crate) fn is_taken_sql(connection: &Connection) -> rusqlite::Result<String> {
    let (theirs, ours) =
        (version_sql(connection, "other", "theirs")?, version_sql(connection, "main", "ours")?);
    Ok(format!(
        "iif(ours.id IS NULL,
          NOT EXISTS (SELECT 1 FROM main.purged_requests gone WHERE theirs.id <= gone.until_id
           AND gone.device_id = iif(theirs.device IS NULL, (SELECT id FROM other.identity),
            (SELECT id FROM other.devices WHERE number = theirs.device))),
          ours.state <> 'reserved' AND {theirs} > {ours})"
    ))
}

/// The place of a version in the order, as a row value.
fn version_sql(connection: &Connection, schema: &str, row: &str) -> rusqlite::Result<String> {
    let request = content_sql(connection, "requests", row, &["device"])?;
    let attempt = content_sql(connection, "attempts", "a", &[])?;
    let decision = content_sql(connection, "decisions", "d", &[])?;
    Ok(format!(
        "(({row}.state <> 'reserved') + ({row}.state NOT IN ('reserved', 'unknown')),
          {row}.cost_basis = 'reported', coalesce({row}.priced_ms, 0),
          {row}.cost_basis <> 'unpriced',
          {request} ||
           coalesce((SELECT group_concat({attempt}, ';' ORDER BY a.number)
            FROM {schema}.attempts a WHERE a.request_id = {row}.id), '') ||
           coalesce((SELECT {decision} FROM {schema}.decisions d
            WHERE d.request_id = {row}.id), ''))"
    ))
}
