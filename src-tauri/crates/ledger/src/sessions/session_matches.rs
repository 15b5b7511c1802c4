//! Finds the rows of session logs that the gateway measured too.
//!
//! The ledger keeps no ids of providers, so a row and a request are the same call if they have the
//! same model, the same sums of input and output, and the row was written while the request ran or
//! a few seconds around it. Each request measures at most one row.

use std::collections::HashSet;

use domain::WallTime;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::integer_columns::clamp_time;
use crate::requests::oldest_id_at;

/// A tool may write an answer down before the request has ended, by another clock: milliseconds.
const EARLY_MS: i64 = 5_000;

/// How long after the end of a request its tool may write it down, in milliseconds.
const LATE_MS: i64 = 10_000;

/// Longest request that is looked for, in milliseconds.
const REQUEST_MS_MAX: i64 = 3_600_000;

/// A row of session logs and the request that measured it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionMatch {
    number: i64,
    request: String,
}

/// The rows and the requests that are in no pair yet.
const UNMATCHED_ROW: &str = "s.measured_by IS NULL";
const UNMATCHED_REQUEST: &str =
    "r.id NOT IN (SELECT measured_by FROM session_usage WHERE measured_by IS NOT NULL)";

/// Pairs of what is in none yet.
pub(crate) fn unmatched_sql() -> String {
    candidates_sql(UNMATCHED_ROW, UNMATCHED_REQUEST)
}

/// Pairs of the rows and requests that match the conditions and may be the same call; of rows at the same
/// distance the one with the lesser key.
fn candidates_sql(row: &str, request: &str) -> String {
    format!(
        "SELECT s.number, s.model, r.id, r.model_billed, r.model_asked
    FROM requests r CROSS JOIN session_usage s
    ON {row}
     AND s.input_uncached + s.cache_read + s.cache_write_5m + s.cache_write_1h
      = r.input_uncached + r.cache_read + r.cache_write_5m + r.cache_write_1h
     AND s.output_visible + s.reasoning = r.output_visible + r.reasoning
     AND s.time_ms BETWEEN r.started_ms - ?2 AND coalesce(r.ended_ms, r.started_ms) + ?3
    WHERE r.id >= ?1 AND r.purpose = 'user' AND r.input_uncached IS NOT NULL
     AND {request}
    ORDER BY r.id, abs(s.time_ms - coalesce(r.ended_ms, r.started_ms)), s.key"
    )
}

/// Pairs the rows written since `since` with requests.
pub(crate) fn find(
    connection: &Connection,
    since: WallTime,
) -> rusqlite::Result<Vec<SessionMatch>> {
    let oldest = since.minus_ms(REQUEST_MS_MAX);
    list(connection, &unmatched_sql(), oldest)
}

/// Pairs all rows with requests anew, as if none were matched yet.
pub(crate) fn find_anew(connection: &Connection) -> rusqlite::Result<Vec<SessionMatch>> {
    list(connection, &candidates_sql("true", "true"), WallTime::from_unix_ms(0))
}

fn list(
    connection: &Connection,
    candidates: &str,
    oldest: WallTime,
) -> rusqlite::Result<Vec<SessionMatch>> {
    let mut statement = connection.prepare_cached(candidates)?;
    let mut rows = statement.query(params![oldest_id_at(oldest), EARLY_MS, LATE_MS])?;
    let (mut taken, mut used) = (HashSet::new(), HashSet::new());
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, request): (i64, String) = (row.get("number")?, row.get("id")?);
        if is_same_model(row)? && !taken.contains(&number) && used.insert(request.clone()) {
            taken.insert(number);
            found.push(SessionMatch { number, request });
        }
    }
    Ok(found)
}

/// Names of one model may differ by a date at the end, and by the provider before it.
fn is_same_model(row: &Row<'_>) -> rusqlite::Result<bool> {
    let logged: String = row.get("model")?;
    let (billed, asked): (Option<String>, String) =
        (row.get("model_billed")?, row.get("model_asked")?);
    let plain = |name: &str| name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let is_same = |name: &str| {
        let (a, b) = (plain(name), plain(&logged));
        let (long, short) = if a.len() > b.len() { (a, b) } else { (b, a) };
        let rest = long.strip_prefix(short.as_str());
        !short.is_empty()
            && rest
                .is_some_and(|rest| rest.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()))
    };
    Ok(billed.as_deref().is_some_and(is_same) || is_same(&asked))
}

/// Marks exactly these rows as measured; returns how many marks changed.
pub(crate) fn replace(
    connection: &Connection,
    matches: &[SessionMatch],
) -> rusqlite::Result<usize> {
    connection.execute_batch(
        "DROP TABLE IF EXISTS temp.matched;
         CREATE TEMP TABLE matched (number INTEGER PRIMARY KEY, request TEXT NOT NULL)",
    )?;
    let mut insert = connection.prepare("INSERT INTO temp.matched VALUES (?1, ?2)")?;
    for pair in matches {
        insert.execute(params![pair.number, pair.request])?;
    }
    let ended = connection.execute(
        "UPDATE session_usage SET measured_by = NULL WHERE measured_by IS NOT NULL
          AND measured_by IS NOT (SELECT request FROM temp.matched m
           WHERE m.number = session_usage.number)",
        [],
    )?;
    let begun = connection.execute(
        "UPDATE session_usage SET measured_by = m.request FROM temp.matched m
         WHERE m.number = session_usage.number AND measured_by IS NULL",
        [],
    )?;
    connection.execute_batch("DROP TABLE temp.matched")?;
    Ok(ended + begun)
}

/// Notes that rows from `since` on were stored, in the transaction that stores them, so that those which a
/// kill kept from being matched are matched by the next import.
pub(crate) fn note_unmatched(connection: &Connection, since: WallTime) -> rusqlite::Result<()> {
    let sql = "INSERT INTO session_unmatched VALUES (1, ?1)
        ON CONFLICT (id) DO UPDATE SET since_ms = min(since_ms, excluded.since_ms)";
    connection.prepare_cached(sql)?.execute([clamp_time(since)]).map(drop)
}

/// From when on rows may be unmatched; `None` if all were looked for.
pub(crate) fn unmatched_since(connection: &Connection) -> rusqlite::Result<Option<WallTime>> {
    let sql = "SELECT since_ms FROM session_unmatched";
    let since = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    Ok(since.map(WallTime::from_unix_ms))
}

/// Notes that all rows from `since` on were looked for.
pub(crate) fn end_unmatched(connection: &Connection, since: WallTime) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM session_unmatched WHERE since_ms >= ?1";
    connection.prepare_cached(sql)?.execute([clamp_time(since)])
}

/// Marks the rows as measured; returns how many.
pub(crate) fn mark(connection: &Connection, matches: &[SessionMatch]) -> rusqlite::Result<usize> {
    let sql = "UPDATE OR IGNORE session_usage SET measured_by = ?2
        WHERE number = ?1 AND measured_by IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    matches.iter().map(|pair| statement.execute(params![pair.number, pair.request])).sum()
}
