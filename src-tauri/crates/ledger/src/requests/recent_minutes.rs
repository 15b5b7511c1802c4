//! The user's own requests minute by minute, for what is going on now. Reads request rows: roll-ups
//! know quarter hours at best.

use domain::{MINUTE_MS, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{get_count, row_count};
use crate::columns::token_columns::token_columns;
use crate::requests::oldest_id_at;

/// Most requests read, the newest.
pub(crate) const RECENT_MINUTE_REQUESTS_MAX: usize = 50_000;

/// Requests that began in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecentMinute {
    pub start: WallTime,
    /// Those in flight too.
    pub requests: u64,
    /// Without an answer, or with a part of one. What the client broke off is not among them.
    pub failed: u64,
    pub complete: u64,
    /// Known tokens of all classes.
    pub tokens: u64,
    /// Answered from the cache, or together with an identical request in flight.
    pub cache_served: u64,
    /// Looked into the cache in vain.
    pub cache_misses: u64,
}

/// The minutes with requests, oldest first.
pub(crate) fn list_since(
    connection: &Connection,
    from: WallTime,
) -> rusqlite::Result<Vec<RecentMinute>> {
    let tokens: Vec<String> = token_columns().map(|name| format!("coalesce({name}, 0)")).collect();
    let sql = format!(
        "SELECT started_ms / {MINUTE_MS} * {MINUTE_MS} AS start_ms, count(*) AS requests,
          sum(state IN ('failed', 'partial')) AS failed, sum(state = 'complete') AS complete,
          sum({}) AS tokens, sum(cache IN ('hit', 'coalesced')) AS cache_served,
          sum(cache = 'miss') AS cache_misses
        FROM (SELECT * FROM requests WHERE id >= ?1 AND started_ms >= ?2 AND purpose = 'user'
          ORDER BY id DESC LIMIT ?3)
        GROUP BY 1 ORDER BY 1",
        tokens.join(" + ")
    );
    let range = params![oldest_id_at(from), from.unix_ms(), row_count(RECENT_MINUTE_REQUESTS_MAX)];
    connection.prepare_cached(&sql)?.query_map(range, read_minute)?.collect()
}

fn read_minute(row: &Row<'_>) -> rusqlite::Result<RecentMinute> {
    Ok(RecentMinute {
        start: WallTime::from_unix_ms(row.get("start_ms")?),
        requests: get_count(row, "requests")?,
        failed: get_count(row, "failed")?,
        complete: get_count(row, "complete")?,
        tokens: get_count(row, "tokens")?,
        cache_served: get_count(row, "cache_served")?,
        cache_misses: get_count(row, "cache_misses")?,
    })
}
