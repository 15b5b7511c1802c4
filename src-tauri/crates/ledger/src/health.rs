//! The latest health of each backend across restarts, and a log of its changes.

pub(crate) mod degraded_spans;
pub(crate) mod endpoint_states;
pub(crate) mod key_verdicts;
pub(crate) mod observed_time;
pub(crate) mod service_health;
pub(crate) mod transitions;
pub(crate) mod watch_spans;

use domain::{BackendId, HealthState, WallTime};
use rusqlite::{Connection, Row, params};

use crate::SENTENCE_CHARS_MAX;
use crate::columns::integer_columns::{
    clamp_time, collect_known, get_named, get_parsed, row_count,
};
use crate::columns::text_columns::bound_text;

/// Changes kept per backend; the oldest are deleted first.
pub const HEALTH_LOG_ENTRIES_MAX: usize = 1_000;

/// A change of a backend's health, or its first observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthChange {
    pub backend: BackendId,
    /// `None` at the first observation.
    pub from: Option<HealthState>,
    pub to: HealthState,
    pub at: WallTime,
    /// One sentence without secrets; cut at [`SENTENCE_CHARS_MAX`].
    pub reason: String,
}

/// Latest health of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthRow {
    pub backend: BackendId,
    pub state: HealthState,
    pub since: WallTime,
    /// One sentence without secrets.
    pub reason: String,
}

/// Saves a change and the new state; deletes the oldest past [`HEALTH_LOG_ENTRIES_MAX`].
pub(crate) fn insert(connection: &Connection, change: &HealthChange) -> rusqlite::Result<usize> {
    let backend = change.backend.as_str();
    let reason = bound_text(&change.reason, SENTENCE_CHARS_MAX);
    let (to, at) = (change.to.word(), change.at.unix_ms());
    let sql = "INSERT INTO health VALUES (?1, ?2, ?3, ?4) ON CONFLICT (backend) DO UPDATE
        SET state = excluded.state, since_ms = excluded.since_ms, reason = excluded.reason";
    connection.prepare_cached(sql)?.execute(params![backend, to, at, reason])?;
    let sql = "INSERT INTO health_log (backend, from_state, to_state, at_ms, reason)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    let from = change.from.map(HealthState::word);
    let added = connection.prepare_cached(sql)?.execute(params![backend, from, to, at, reason])?;
    let sql = "DELETE FROM health_log WHERE number IN (SELECT number FROM health_log
        WHERE backend = ?1 ORDER BY number DESC LIMIT -1 OFFSET ?2)";
    connection.prepare_cached(sql)?.execute(params![backend, row_count(HEALTH_LOG_ENTRIES_MAX)])?;
    Ok(added)
}

/// The latest state of every backend, ordered by name.
pub(crate) fn list_latest(connection: &Connection) -> rusqlite::Result<Vec<HealthRow>> {
    let read = |row: &Row<'_>| {
        Ok(HealthRow {
            backend: get_named(row, "backend")?,
            state: get_named(row, "state")?,
            since: WallTime::from_unix_ms(row.get("since_ms")?),
            reason: row.get("reason")?,
        })
    };
    let sql = "SELECT * FROM health ORDER BY backend";
    collect_known(connection.prepare_cached(sql)?.query_map([], read)?)
}

/// The latest changes of a backend, newest first.
pub(crate) fn list_changes(
    connection: &Connection,
    backend: &BackendId,
    limit: usize,
) -> rusqlite::Result<Vec<HealthChange>> {
    let sql = "SELECT * FROM health_log WHERE backend = ?1 ORDER BY number DESC LIMIT ?2";
    let limit = row_count(limit.min(HEALTH_LOG_ENTRIES_MAX));
    collect_known(
        connection.prepare_cached(sql)?.query_map(params![backend.as_str(), limit], read_change)?,
    )
}

/// The latest changes of a backend between two times, newest first.
pub(crate) fn list_changes_between(
    connection: &Connection,
    backend: &BackendId,
    (from, until): (WallTime, WallTime),
    limit: usize,
) -> rusqlite::Result<Vec<HealthChange>> {
    let sql = "SELECT * FROM health_log WHERE backend = ?1 AND at_ms BETWEEN ?2 AND ?3
        ORDER BY number DESC LIMIT ?4";
    let limit = row_count(limit.min(HEALTH_LOG_ENTRIES_MAX));
    let range = params![backend.as_str(), clamp_time(from), clamp_time(until), limit];
    collect_known(connection.prepare_cached(sql)?.query_map(range, read_change)?)
}

/// The latest changes of all backends, newest first.
pub(crate) fn list_newest_changes(
    connection: &Connection,
    limit: usize,
) -> rusqlite::Result<Vec<HealthChange>> {
    let sql = "SELECT * FROM health_log ORDER BY number DESC LIMIT ?1";
    let limit = row_count(limit.min(HEALTH_LOG_ENTRIES_MAX));
    collect_known(connection.prepare_cached(sql)?.query_map([limit], read_change)?)
}

fn read_change(row: &Row<'_>) -> rusqlite::Result<HealthChange> {
    Ok(HealthChange {
        backend: get_named(row, "backend")?,
        from: get_parsed(row, "from_state")?,
        to: get_named(row, "to_state")?,
        at: WallTime::from_unix_ms(row.get("at_ms")?),
        reason: row.get("reason")?,
    })
}
