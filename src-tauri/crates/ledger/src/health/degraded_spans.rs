//! When backends that answered did so slowly or failed often, by what was measured on requests.
//!
//! Apart from the log of health changes: a degraded backend is up, and what counts as up must not depend
//! on how well it answers.

use domain::{BackendId, DAY_MS, WallTime};
use rusqlite::{Connection, Row, params};

use crate::SENTENCE_CHARS_MAX;
use crate::columns::integer_columns::{clamp_time, collect_known, get_named, row_count};
use crate::columns::text_columns::bound_text;
use crate::health::watch_spans::WATCH_DAYS_KEPT;

/// Spans that are kept of each backend; the oldest are deleted first.
pub(crate) const DEGRADED_SPANS_KEPT_MAX: usize = 1_000;

/// A time in which the same backend was degraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DegradedSpan {
    pub backend: BackendId,
    /// Tells it from the others of its backend.
    pub from: WallTime,
    /// When it was last seen so.
    pub until: WallTime,
    /// What was measured last, as a clause without secrets; cut at [`SENTENCE_CHARS_MAX`].
    pub reason: String,
}

/// Adds spans, or moves the ends of those that are known; deletes the oldest past
/// [`DEGRADED_SPANS_KEPT_MAX`] and [`WATCH_DAYS_KEPT`].
pub(crate) fn put(connection: &Connection, spans: &[DegradedSpan]) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO degraded_spans (backend, from_ms, until_ms, reason)
        VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (backend, from_ms) DO UPDATE
        SET until_ms = excluded.until_ms, reason = excluded.reason
        WHERE excluded.until_ms >= until_ms";
    let mut statement = connection.prepare_cached(sql)?;
    let sql = "DELETE FROM degraded_spans WHERE number IN
        (SELECT number FROM degraded_spans WHERE backend = ?1
         ORDER BY from_ms DESC LIMIT -1 OFFSET ?2)";
    let mut purge = connection.prepare_cached(sql)?;
    let mut newest = 0;
    for span in spans {
        let backend = span.backend.as_str();
        let [from, until] = [span.from, span.until].map(clamp_time);
        let reason = bound_text(&span.reason, SENTENCE_CHARS_MAX);
        statement.execute(params![backend, from, until, reason])?;
        purge.execute(params![backend, row_count(DEGRADED_SPANS_KEPT_MAX)])?;
        newest = newest.max(until);
    }
    let sql = "DELETE FROM degraded_spans WHERE until_ms < ?1";
    connection.prepare_cached(sql)?.execute([newest - WATCH_DAYS_KEPT * DAY_MS])?;
    Ok(spans.len())
}

/// Spans of all backends that reach past `from`, oldest first.
pub(crate) fn list_since(
    connection: &Connection,
    from: WallTime,
) -> rusqlite::Result<Vec<DegradedSpan>> {
    let read = |row: &Row<'_>| {
        Ok(DegradedSpan {
            backend: get_named(row, "backend")?,
            from: WallTime::from_unix_ms(row.get("from_ms")?),
            until: WallTime::from_unix_ms(row.get("until_ms")?),
            reason: row.get("reason")?,
        })
    };
    let sql = "SELECT * FROM degraded_spans WHERE until_ms > ?1 ORDER BY from_ms, number";
    collect_known(connection.prepare_cached(sql)?.query_map([from.unix_ms()], read)?)
}
