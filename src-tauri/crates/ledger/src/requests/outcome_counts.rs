//! How requests and attempts ended, by route and by backend: what service levels are computed from.
//!
//! Short ranges are read from their requests, to the millisecond. Long ones take what succeeded
//! from the roll-ups, by quarter hour, and what failed from its rows, which are few and have an
//! index.

use domain::{MINUTE_MS, WallTime};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::integer_columns::{get_count, row_count};
use crate::requests::{NO_ID_MAX, oldest_id_after, oldest_id_at};
use crate::rollup::usage::slot_start;

/// Most requests read for an exact range, the newest.
pub(crate) const EXACT_REQUESTS_MAX: usize = 50_000;
/// Most failed requests read for a long range, the newest.
pub(crate) const FAILED_REQUESTS_MAX: usize = 100_000;
/// Most requests read for outcomes by minute, the newest.
pub(crate) const OUTCOME_MINUTE_REQUESTS_MAX: usize = 500_000;

domain::words! {
    /// What requests are counted by.
    OutcomeDimension {
        /// Whole requests by their route
        Route = "route",
        /// Attempts by their backend
        Backend = "backend",
    }
}

/// Requests of one route, or attempts of one backend, that ended alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeCount {
    pub dimension: OutcomeDimension,
    /// Id of the backend or route, or a fixed name if no route matched.
    pub name: String,
    /// [`crate::AttemptRecord::class`] of the attempt, of the last one for a request; the code of
    /// the refusal if there is none. `None` for success.
    pub failure: Option<String>,
    pub count: u64,
}

/// Outcomes by the minute in which their request began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutcomeMinutes {
    /// Since when all of them are here: later than asked for if there were too many.
    pub from: WallTime,
    /// By the start of the minute, in no order.
    pub counts: Vec<(WallTime, OutcomeCount)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomePrecision {
    /// To the millisecond, at most `EXACT_REQUESTS_MAX` requests.
    Exact,
    /// From the start of the quarter hour.
    Quarter,
}

/// A request that ended, with its last attempt. What the client broke off, and what nobody knows the
/// end of, is left out.
const REQUEST_FAILURE: &str = "CASE WHEN r.state = 'complete' THEN NULL
     ELSE coalesce(a.class, a.error_class, r.error_class, 'unknown') END";

/// How the newest requests from an id on and before another ended, by route.
fn request_outcomes(column: &str, groups: &str) -> String {
    format!(
        "SELECT {column}r.route AS name, {REQUEST_FAILURE} AS failure, count(*) AS count
        FROM (SELECT * FROM requests WHERE id >= ?1 AND id < ?3 AND purpose = 'user'
          AND state IN ('complete', 'failed', 'partial') ORDER BY id DESC LIMIT ?2) r
        LEFT JOIN attempts a ON a.request_id = r.id AND a.number = r.attempts GROUP BY {groups}"
    )
}

/// The same of the attempts of the newest requests, by backend.
fn attempt_outcomes(column: &str, groups: &str) -> String {
    format!(
        "SELECT {column}a.backend AS name, coalesce(a.class, a.error_class) AS failure,
         count(*) AS count
        FROM (SELECT * FROM requests WHERE id >= ?1 AND id < ?3 AND purpose = 'user'
          AND state <> 'reserved' ORDER BY id DESC LIMIT ?2) r
        JOIN attempts a ON a.request_id = r.id
        WHERE a.error_class IS NOT NULL OR r.state = 'complete' GROUP BY {groups}"
    )
}

/// The user's own traffic since `from`, or of the newest `requests_max` requests.
pub(crate) fn minutes_since(
    connection: &Connection,
    from: WallTime,
    requests_max: usize,
) -> rusqlite::Result<OutcomeMinutes> {
    let limit = row_count(requests_max);
    let oldest = "SELECT started_ms FROM requests WHERE id >= ?1 AND purpose = 'user'
        ORDER BY id DESC LIMIT 1 OFFSET ?2";
    let oldest: Option<i64> = connection
        .prepare_cached(oldest)?
        .query_row(params![oldest_id_at(from), limit], |row| row.get(0))
        .optional()?;
    // A minute that is not whole would say too little.
    let from =
        oldest.map_or(from, |ms| WallTime::from_unix_ms(ms - ms.rem_euclid(MINUTE_MS) + MINUTE_MS));
    let mut found = OutcomeMinutes { from, counts: Vec::new() };
    let column = "r.started_ms / 60000 AS minute, ";
    for (dimension, sql) in [
        (OutcomeDimension::Route, request_outcomes(column, "1, 2, 3")),
        (OutcomeDimension::Backend, attempt_outcomes(column, "1, 2, 3")),
    ] {
        let read = |row: &Row<'_>| {
            let minute: i64 = row.get("minute")?;
            Ok((WallTime::from_unix_ms(minute * MINUTE_MS), read_count(row, dimension)?))
        };
        let range = params![oldest_id_at(from), limit, NO_ID_MAX];
        for count in connection.prepare_cached(&sql)?.query_map(range, read)? {
            found.counts.push(count?);
        }
    }
    Ok(found)
}

/// The user's own traffic from `from` until `until`, which is in it.
pub(crate) fn count_between(
    connection: &Connection,
    (from, until): (WallTime, WallTime),
    precision: OutcomePrecision,
) -> rusqlite::Result<Vec<OutcomeCount>> {
    let mut all = Vec::new();
    match precision {
        OutcomePrecision::Exact => {
            let limit = row_count(EXACT_REQUESTS_MAX);
            let range = params![oldest_id_at(from), limit, oldest_id_after(until)];
            for (dimension, sql) in [
                (OutcomeDimension::Route, request_outcomes("", "1, 2")),
                (OutcomeDimension::Backend, attempt_outcomes("", "1, 2")),
            ] {
                collect(connection, &sql, range, dimension, &mut all)?;
            }
        }
        OutcomePrecision::Quarter => {
            let from = slot_start(from);
            for (dimension, good) in [
                (
                    OutcomeDimension::Route,
                    "SELECT route AS name, NULL AS failure,
                     sum(complete) AS count FROM rollup_quarter
                    WHERE slot_ms BETWEEN ?1 AND ?2 AND purpose = 'user' GROUP BY 1",
                ),
                (
                    OutcomeDimension::Backend,
                    "SELECT backend AS name, NULL AS failure,
                     max(sum(complete - cache_hits - cache_shared), 0) AS count FROM rollup_quarter
                    WHERE slot_ms BETWEEN ?1 AND ?2 AND purpose = 'user' AND backend <> ''
                     AND complete > 0 GROUP BY 1",
                ),
                (
                    OutcomeDimension::Backend,
                    "SELECT backend AS name, class AS failure,
                     sum(attempts) AS count FROM rollup_failures
                    WHERE slot_ms BETWEEN ?1 AND ?2 AND purpose = 'user' GROUP BY 1, 2",
                ),
            ] {
                let range = params![from.unix_ms(), until.unix_ms()];
                collect(connection, good, range, dimension, &mut all)?;
            }
            all.extend(failed_between(connection, from, &oldest_id_after(until))?);
        }
    }
    Ok(all)
}

/// The user's own failed requests from an id on, by route; few, and found by an index.
pub(crate) fn failed_since(
    connection: &Connection,
    from: WallTime,
) -> rusqlite::Result<Vec<OutcomeCount>> {
    failed_between(connection, from, NO_ID_MAX)
}

fn failed_between(
    connection: &Connection,
    from: WallTime,
    id_end: &str,
) -> rusqlite::Result<Vec<OutcomeCount>> {
    let mut all = Vec::new();
    for state in ["failed", "partial"] {
        let failed = format!(
            "SELECT r.route AS name, {REQUEST_FAILURE} AS failure, count(*) AS count
            FROM (SELECT * FROM requests INDEXED BY requests_trouble
              WHERE state = '{state}' AND state NOT IN ('complete', 'reserved')
               AND id >= ?1 AND id < ?3 AND purpose = 'user' ORDER BY id DESC LIMIT ?2) r
            LEFT JOIN attempts a ON a.request_id = r.id AND a.number = r.attempts
            GROUP BY 1, 2"
        );
        let range = params![oldest_id_at(from), row_count(FAILED_REQUESTS_MAX), id_end];
        collect(connection, &failed, range, OutcomeDimension::Route, &mut all)?;
    }
    Ok(all)
}

fn collect(
    connection: &Connection,
    sql: &str,
    range: impl rusqlite::Params,
    dimension: OutcomeDimension,
    all: &mut Vec<OutcomeCount>,
) -> rusqlite::Result<()> {
    let read = |row: &Row<'_>| read_count(row, dimension);
    for outcome in connection.prepare_cached(sql)?.query_map(range, read)? {
        all.push(outcome?);
    }
    Ok(())
}

fn read_count(row: &Row<'_>, dimension: OutcomeDimension) -> rusqlite::Result<OutcomeCount> {
    Ok(OutcomeCount {
        dimension,
        name: row.get("name")?,
        failure: row.get("failure")?,
        count: get_count(row, "count")?,
    })
}
