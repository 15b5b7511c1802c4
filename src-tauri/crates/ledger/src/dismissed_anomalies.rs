//! Unusual use that the user said is fine.

use std::collections::BTreeMap;

use domain::WallTime;
use rusqlite::{Connection, params};

use crate::integer_columns::{clamp_time, row_count};

/// Most that are remembered; past it the oldest are forgotten.
pub const DISMISSED_ANOMALIES_MAX: usize = 1_000;

/// Longest id, in bytes; a longer one is not remembered.
pub const ANOMALY_ID_BYTES_MAX: usize = 400;

/// Their ids, and when that was last said of each.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<BTreeMap<String, WallTime>> {
    let mut statement = connection.prepare_cached("SELECT id, at_ms FROM dismissed_anomalies")?;
    let said =
        statement.query_map([], |row| Ok((row.get(0)?, WallTime::from_unix_ms(row.get(1)?))))?;
    said.collect()
}

pub(crate) fn dismiss(connection: &Connection, id: &str, at: WallTime) -> rusqlite::Result<usize> {
    if id.len() > ANOMALY_ID_BYTES_MAX {
        return Ok(0);
    }
    let sql = "INSERT OR REPLACE INTO dismissed_anomalies VALUES (?1, ?2)";
    let added = connection.prepare_cached(sql)?.execute(params![id, clamp_time(at)])?;
    let sql = "DELETE FROM dismissed_anomalies WHERE id IN (SELECT id FROM dismissed_anomalies
        ORDER BY at_ms DESC, id LIMIT -1 OFFSET ?1)";
    connection.prepare_cached(sql)?.execute([row_count(DISMISSED_ANOMALIES_MAX)])?;
    Ok(added)
}

pub(crate) fn restore(connection: &Connection, id: &str) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM dismissed_anomalies WHERE id = ?1")?.execute([id])
}
