//! When the program ran and watched, so that what nobody saw is told from what was well.
//!
//! Apart from [`crate::ObservedTimeRow`], which counts by hour and backend: a time line needs the
//! moments at which sleep, a stop or a lost network began.

use domain::{DAY_MS, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{clamp_time, collect_known, get_named, row_count};

/// Days that are kept; more than the longest time line.
pub(crate) const WATCH_DAYS_KEPT: i64 = 35;
/// Spans that are kept; the oldest are deleted first. A network that comes and goes makes many.
pub const WATCH_SPANS_KEPT_MAX: usize = 5_000;

domain::words! {
    /// Why a span begins where it does.
    WatchStart {
        /// The program was not running before
        Started = "started",
        /// The machine slept, the program stood still or the clock was set
        Resumed = "resumed",
        /// The network or the gateway's listener changed
        Changed = "changed",
    }
}

/// A time without a gap in which the same held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchSpan {
    /// Tells it from the others.
    pub from: WallTime,
    pub until: WallTime,
    pub begun_by: WatchStart,
    /// A network led off this machine.
    pub is_online: bool,
    pub is_listening: bool,
}

/// Adds spans, or moves the ends of those that are known; deletes the oldest past
/// [`WATCH_SPANS_KEPT_MAX`] and [`WATCH_DAYS_KEPT`].
pub(crate) fn put(connection: &Connection, spans: &[WatchSpan]) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO watch_spans VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (from_ms) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut newest = 0;
    for span in spans {
        let [from, until] = [span.from, span.until].map(clamp_time);
        newest = newest.max(until);
        let begun_by = span.begun_by.word();
        statement.execute(params![from, until, begun_by, span.is_online, span.is_listening])?;
    }
    let sql = "DELETE FROM watch_spans WHERE until_ms < ?1 OR from_ms IN
        (SELECT from_ms FROM watch_spans ORDER BY from_ms DESC LIMIT -1 OFFSET ?2)";
    let oldest = newest - WATCH_DAYS_KEPT * DAY_MS;
    connection.prepare_cached(sql)?.execute([oldest, row_count(WATCH_SPANS_KEPT_MAX)])?;
    Ok(spans.len())
}

/// Spans that reach past `from`, oldest first.
pub(crate) fn list_since(
    connection: &Connection,
    from: WallTime,
) -> rusqlite::Result<Vec<WatchSpan>> {
    let read = |row: &Row<'_>| {
        let time = |column: &str| row.get(column).map(WallTime::from_unix_ms);
        Ok(WatchSpan {
            from: time("from_ms")?,
            until: time("until_ms")?,
            begun_by: get_named(row, "begun_by")?,
            is_online: row.get("is_online")?,
            is_listening: row.get("is_listening")?,
        })
    };
    let sql = "SELECT * FROM watch_spans WHERE until_ms > ?1 ORDER BY from_ms";
    collect_known(connection.prepare_cached(sql)?.query_map([from.unix_ms()], read)?)
}
