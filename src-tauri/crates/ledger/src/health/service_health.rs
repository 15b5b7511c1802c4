//! The latest health of each service across restarts, and a log of it.

use domain::{DAY_MS, HealthState, ServiceId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::SENTENCE_CHARS_MAX;
use crate::columns::integer_columns::{collect_known, get_named, row_count};
use crate::columns::text_columns::bound_text;
use crate::health::observed_time::OBSERVED_DAYS_KEPT;

/// Changes kept per service; the oldest are deleted first.
pub const SERVICE_HEALTH_LOG_ENTRIES_MAX: usize = 1_000;
/// Age from which only the latest change of a service is kept, in days: as long as observed time is.
pub(crate) const SERVICE_HEALTH_LOG_DAYS_KEPT: i64 = OBSERVED_DAYS_KEPT;

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

/// Replaces the health of the service and adds it to the log; deletes the oldest past
/// [`SERVICE_HEALTH_LOG_ENTRIES_MAX`].
pub(crate) fn put(connection: &Connection, row: &ServiceHealthRow) -> rusqlite::Result<usize> {
    let reason = bound_text(&row.reason, SENTENCE_CHARS_MAX);
    let (service, address) = (row.service.as_str(), &row.address);
    let (state, since) = (row.state.word(), row.since.unix_ms());
    let sql = "INSERT OR REPLACE INTO service_health VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![service, address, state, since, reason];
    let added = connection.prepare_cached(sql)?.execute(values)?;
    let sql = "INSERT INTO service_health_log (service, address, state, since_ms, reason)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(values)?;
    let sql = "DELETE FROM service_health_log WHERE number IN (SELECT number
        FROM service_health_log WHERE service = ?1 ORDER BY number DESC LIMIT -1 OFFSET ?2)";
    let kept = row_count(SERVICE_HEALTH_LOG_ENTRIES_MAX);
    connection.prepare_cached(sql)?.execute(params![service, kept])?;
    // Of services that were removed too.
    let sql = "DELETE FROM service_health_log WHERE since_ms < ?1
        AND number NOT IN (SELECT max(number) FROM service_health_log GROUP BY service)";
    let oldest = since.saturating_sub(SERVICE_HEALTH_LOG_DAYS_KEPT * DAY_MS);
    connection.prepare_cached(sql)?.execute([oldest])?;
    Ok(added)
}

/// Ordered by name.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Vec<ServiceHealthRow>> {
    let sql = "SELECT * FROM service_health ORDER BY service";
    collect_known(connection.prepare_cached(sql)?.query_map([], read_row)?)
}

/// The states of a service, newest first; at most [`SERVICE_HEALTH_LOG_ENTRIES_MAX`].
pub(crate) fn list_log(
    connection: &Connection,
    service: &ServiceId,
) -> rusqlite::Result<Vec<ServiceHealthRow>> {
    let sql = "SELECT * FROM service_health_log WHERE service = ?1 ORDER BY number DESC LIMIT ?2";
    let range = params![service.as_str(), row_count(SERVICE_HEALTH_LOG_ENTRIES_MAX)];
    collect_known(connection.prepare_cached(sql)?.query_map(range, read_row)?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<ServiceHealthRow> {
    Ok(ServiceHealthRow {
        service: get_named(row, "service")?,
        address: row.get("address")?,
        state: get_named(row, "state")?,
        since: WallTime::from_unix_ms(row.get("since_ms")?),
        reason: row.get("reason")?,
    })
}
