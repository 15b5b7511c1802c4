//! For how long each backend was seen to answer or not: by hour, and by UTC day once those are past.
//!
//! Apart from the log of changes, which has no gaps: a backend that was up when the machine fell
//! asleep would count as up until it was asked again.

use std::time::Duration;

use domain::{BackendId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::integer_columns::{clamp_count, clamp_time, collect_known, get_count, get_named};
use crate::rollup_range::day_start_ms;
use crate::usage::{DAY_MS, HOUR_MS};

/// Days whose hours are kept apart, today included. More than a week, so that a week may begin at
/// any hour.
const HOURS_KEPT_DAYS: i64 = 9;
/// Days that are kept, today included.
pub const OBSERVED_DAYS_KEPT: i64 = 400;
/// Most rows of one write: backends by the hours that they were observed in.
pub const OBSERVED_ROWS_MAX: usize = 10_000;

/// Time within one hour or one UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedTimeRow {
    pub backend: BackendId,
    /// Start of the hour or of the day.
    pub slot: WallTime,
    pub width: Duration,
    /// It answered.
    pub good: Duration,
    /// It did not.
    pub bad: Duration,
}

/// Adds to the hours of `rows`, and folds and deletes those that are past by the newest of them.
pub(crate) fn add(connection: &Connection, rows: &[ObservedTimeRow]) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO observed_time VALUES (1, ?1, ?2, ?3, ?4)
        ON CONFLICT (hours, slot_ms, backend) DO UPDATE
        SET good_ms = good_ms + excluded.good_ms, bad_ms = bad_ms + excluded.bad_ms";
    let mut statement = connection.prepare_cached(sql)?;
    let mut newest = 0;
    for row in rows.iter().take(OBSERVED_ROWS_MAX) {
        let slot = hour_start_ms(clamp_time(row.slot));
        newest = newest.max(slot);
        let [good, bad] = [row.good, row.bad].map(clamp_millis);
        statement.execute(params![slot, row.backend.as_str(), good, bad])?;
    }
    fold(connection, newest)?;
    Ok(rows.len())
}

fn fold(connection: &Connection, newest: i64) -> rusqlite::Result<()> {
    let today = day_start_ms(newest);
    let until = today - (HOURS_KEPT_DAYS - 1) * DAY_MS;
    let sql = "INSERT INTO observed_time
        SELECT 24, slot_ms - slot_ms % ?2, backend, sum(good_ms), sum(bad_ms) FROM observed_time
        WHERE hours = 1 AND slot_ms < ?1 GROUP BY 2, 3
        ON CONFLICT (hours, slot_ms, backend) DO UPDATE
        SET good_ms = good_ms + excluded.good_ms, bad_ms = bad_ms + excluded.bad_ms";
    connection.prepare_cached(sql)?.execute([until, DAY_MS])?;
    let sql = "DELETE FROM observed_time WHERE hours = 1 AND slot_ms < ?1";
    connection.prepare_cached(sql)?.execute([until])?;
    let sql = "DELETE FROM observed_time WHERE hours = 24 AND slot_ms < ?1";
    let kept_from = today - (OBSERVED_DAYS_KEPT - 1) * DAY_MS;
    connection.prepare_cached(sql)?.execute([kept_from]).map(drop)
}

/// Hours and days from `from` on, oldest first.
pub(crate) fn list_since(
    connection: &Connection,
    from: WallTime,
) -> rusqlite::Result<Vec<ObservedTimeRow>> {
    let read = |row: &Row<'_>| {
        let millis = |column| get_count(row, column).map(Duration::from_millis);
        Ok(ObservedTimeRow {
            backend: get_named(row, "backend")?,
            slot: WallTime::from_unix_ms(row.get("slot_ms")?),
            width: Duration::from_secs(3_600 * get_count(row, "hours")?),
            good: millis("good_ms")?,
            bad: millis("bad_ms")?,
        })
    };
    let sql = "SELECT * FROM observed_time WHERE hours IN (1, 24) AND slot_ms >= ?1
        ORDER BY slot_ms, backend";
    collect_known(connection.prepare_cached(sql)?.query_map([from.unix_ms()], read)?)
}

const fn hour_start_ms(ms: i64) -> i64 {
    ms - ms.rem_euclid(HOUR_MS)
}

fn clamp_millis(time: Duration) -> i64 {
    clamp_count(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
