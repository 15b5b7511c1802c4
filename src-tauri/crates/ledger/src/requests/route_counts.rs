//! Counts recent requests by route, backend and model. Reads request rows: one more dimension would
//! multiply the roll-up rows for a single screen.

use domain::{BackendId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{get_count, get_parsed, row_count};
use crate::requests::oldest_id_at;

/// Most requests counted, newest first: a busy day of one person.
pub(crate) const ROUTE_COUNT_REQUESTS_MAX: usize = 20_000;
/// Most groups in one result, largest first.
pub(crate) const ROUTE_COUNT_GROUPS_MAX: usize = 1_000;

/// Number of requests that a route sent to one model of one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteCount {
    /// Id of the route, or a fixed name if no route matched.
    pub route: String,
    /// The backend that answered or was tried last; `None` if there was no attempt.
    pub backend: Option<BackendId>,
    /// The model name sent to the backend.
    pub model: Option<String>,
    pub requests: u64,
}

pub(crate) fn count_since(
    connection: &Connection,
    since: WallTime,
) -> rusqlite::Result<Vec<RouteCount>> {
    let sql = "SELECT r.route, a.backend, a.model, count(*) AS requests
        FROM (SELECT id, route, attempts FROM requests WHERE id >= ?1 AND purpose = 'user'
          ORDER BY id DESC LIMIT ?2) r
        LEFT JOIN attempts a ON a.request_id = r.id AND a.number = r.attempts
        GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT ?3";
    let range = params![
        oldest_id_at(since),
        row_count(ROUTE_COUNT_REQUESTS_MAX),
        row_count(ROUTE_COUNT_GROUPS_MAX)
    ];
    let read = |row: &Row<'_>| {
        Ok(RouteCount {
            route: row.get("route")?,
            backend: get_parsed(row, "backend")?,
            model: row.get("model")?,
            requests: get_count(row, "requests")?,
        })
    };
    connection.prepare_cached(sql)?.query_map(range, read)?.collect()
}
