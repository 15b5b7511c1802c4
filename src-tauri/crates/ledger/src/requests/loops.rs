//! Conversations that the runaway guard stopped because a client sent them again and again.

use domain::{ClientId, RequestId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{clamp_time, get_named, row_count};

/// Most loops in one result, the newest.
pub const STOPPED_LOOPS_MAX: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedLoop {
    /// The one whose answer made it a loop.
    pub request: RequestId,
    pub client: ClientId,
    pub at: WallTime,
}

pub(crate) fn insert(connection: &Connection, stopped: &StoppedLoop) -> rusqlite::Result<usize> {
    let sql = "INSERT OR IGNORE INTO loops VALUES (?1, ?2, ?3)";
    let StoppedLoop { request, client, at } = stopped;
    let values = params![request.to_string(), client.as_str(), clamp_time(*at)];
    connection.prepare_cached(sql)?.execute(values)
}

/// Those stopped from `since` on, the newest first.
pub(crate) fn list_since(
    connection: &Connection,
    since: WallTime,
) -> rusqlite::Result<Vec<StoppedLoop>> {
    let sql = "SELECT * FROM loops WHERE at_ms >= ?1 ORDER BY at_ms DESC, request_id LIMIT ?2";
    let read = |row: &Row<'_>| {
        Ok(StoppedLoop {
            request: get_named(row, "request_id")?,
            client: get_named(row, "client")?,
            at: WallTime::from_unix_ms(row.get("at_ms")?),
        })
    };
    let range = params![clamp_time(since), row_count(STOPPED_LOOPS_MAX)];
    connection.prepare_cached(sql)?.query_map(range, read)?.collect()
}

pub(crate) fn purge(connection: &Connection, before: WallTime) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM loops WHERE at_ms < ?1")?.execute([clamp_time(before)])
}
