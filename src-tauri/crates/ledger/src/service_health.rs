//! The latest health of each service across restarts.

use domain::{HealthState, ServiceId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::SENTENCE_CHARS_MAX;
use crate::integer_columns::{collect_known, get_named};
use crate::text_columns::bound_text;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceHealthRow {
    pub service: ServiceId,
    /// The address that was checked; without secrets.
    pub address: String,
    pub state: HealthState,
    pub since: WallTime,
    /// One sentence without secrets; cut at [`SENTENCE_CHARS_MAX`].
    pub reason: String,
}

/// Replaces the health of the service.
pub(crate) fn put(connection: &Connection, row: &ServiceHealthRow) -> rusqlite::Result<usize> {
    let sql = "INSERT OR REPLACE INTO service_health VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![
        row.service.as_str(),
        row.address,
        row.state.word(),
        row.since.unix_ms(),
        bound_text(&row.reason, SENTENCE_CHARS_MAX),
    ])
}

/// Ordered by name.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Vec<ServiceHealthRow>> {
    let read = |row: &Row<'_>| {
        Ok(ServiceHealthRow {
            service: get_named(row, "service")?,
            address: row.get("address")?,
            state: get_named(row, "state")?,
            since: WallTime::from_unix_ms(row.get("since_ms")?),
            reason: row.get("reason")?,
        })
    };
    let sql = "SELECT * FROM service_health ORDER BY service";
    collect_known(connection.prepare_cached(sql)?.query_map([], read)?)
}
