//! Where the requests of each route went, of late. Read from the requests themselves: as one more word
//! in the sums it would make each of them many times as long, for one screen.

use domain::{BackendId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::number::{get_count, get_parsed, rows};
use crate::requests::oldest_id_at;

/// Most requests that are counted, the newest first: a busy day of one person.
pub const ROUTED_REQUESTS_MAX: usize = 20_000;
/// Most groups in one answer, the largest first.
pub const ROUTED_GROUPS_MAX: usize = 1_000;

/// How many requests a route led to one model of one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// The rule that led them; a route's id, or another word where no route did.
    pub route: String,
    /// Who answered, or was the last to be asked; `None` if nobody was.
    pub backend: Option<BackendId>,
    /// What it was asked for.
    pub model: Option<String>,
    /// How many requests.
    pub requests: u64,
}

/// Counts the user's own requests since `since` by route, backend and model.
pub(crate) fn since(connection: &Connection, since: WallTime) -> rusqlite::Result<Vec<Routed>> {
    let sql = "SELECT r.route, a.backend, a.model, count(*) AS requests
        FROM (SELECT id, route, attempts FROM requests WHERE id >= ?1 AND purpose = 'user'
          ORDER BY id DESC LIMIT ?2) r
        LEFT JOIN attempts a ON a.request_id = r.id AND a.number = r.attempts
        GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT ?3";
    let range = params![oldest_id_at(since), rows(ROUTED_REQUESTS_MAX), rows(ROUTED_GROUPS_MAX)];
    let read = |row: &Row<'_>| {
        Ok(Routed {
            route: row.get("route")?,
            backend: get_parsed(row, "backend")?,
            model: row.get("model")?,
            requests: get_count(row, "requests")?,
        })
    };
    connection.prepare_cached(sql)?.query_map(range, read)?.collect()
}
