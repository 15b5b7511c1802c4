//! Where the requests of each route went, counted from the rows themselves: a bounded number of them,
//! over the primary key, which is in the order of time.

use domain::{BackendId, WallTime};
use rusqlite::{Connection, params};

use crate::number::{get_count, get_parsed, rows};
use crate::requests::oldest_id_at;

/// Most requests that are counted, the newest: more than a day of one person brings.
pub const ROUTED_REQUESTS_MAX: usize = 50_000;

/// How many requests of a route went to one model of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteCount {
    /// The rule: a route's id, or what stands for none.
    pub route: String,
    /// Who was asked last; `None` if nobody was.
    pub backend: Option<BackendId>,
    /// The model named to it.
    pub model: Option<String>,
    /// How many.
    pub requests: u64,
}

pub(crate) const COUNTS: &str = "SELECT r.route, a.backend, a.model, count(*) AS requests
    FROM (SELECT id, route, attempts FROM requests
      WHERE id >= ?1 AND purpose = 'user' AND state <> 'reserved' ORDER BY id DESC LIMIT ?2) r
    LEFT JOIN attempts a ON a.request_id = r.id AND a.number = r.attempts
    GROUP BY r.route, a.backend, a.model ORDER BY requests DESC";

/// The newest [`ROUTED_REQUESTS_MAX`] requests of the user's own traffic since `since`.
pub(crate) fn counts(
    connection: &Connection,
    since: WallTime,
) -> rusqlite::Result<Vec<RouteCount>> {
    let mut statement = connection.prepare_cached(COUNTS)?;
    let range = params![oldest_id_at(since), rows(ROUTED_REQUESTS_MAX)];
    let counts = statement.query_map(range, |row| {
        Ok(RouteCount {
            route: row.get("route")?,
            backend: get_parsed(row, "backend")?,
            model: row.get("model")?,
            requests: get_count(row, "requests")?,
        })
    })?;
    counts.collect()
}
