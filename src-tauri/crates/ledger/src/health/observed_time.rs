//! For how long each backend and each service was seen to answer or not: by hour, and by UTC day once
//! those are past.
//!
//! Apart from the log of changes, which has no gaps: a backend that was up when the machine fell
//! asleep would count as up until it was asked again.

use std::time::Duration;

use domain::{BackendId, DAY_MS, HOUR_MS, ServiceId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{
    clamp_count, clamp_time, collect_known, get_count, get_named,
};
use crate::rollup::rollup_range::day_start_ms;

/// Days whose hours are kept apart, today included. More than a week, so that a week may begin at
/// any hour.
const HOURS_KEPT_DAYS: i64 = 9;
/// Days that are kept, today included.
pub(crate) const OBSERVED_DAYS_KEPT: i64 = 400;
/// Most rows of one write: what was observed by the hours that they were observed in.
pub const OBSERVED_ROWS_MAX: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObservedSubject {
    Backend(BackendId),
    Service(ServiceId),
}

/// Time within one hour or one UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedTimeRow {
    pub subject: ObservedSubject,
    /// Start of the hour or of the day.
    pub slot: WallTime,
    pub width: Duration,
    /// It answered.
    pub good: Duration,
    /// It did not.
    pub bad: Duration,
}

/// A table, and its column with the names of what was observed. The other columns are alike.
struct ObservedTable {
    name: &'static str,
    subject: &'static str,
}

const BACKENDS: ObservedTable = ObservedTable { name: "observed_time", subject: "backend" };
const SERVICES: ObservedTable = ObservedTable { name: "observed_service_time", subject: "service" };

impl ObservedSubject {
    const fn table(&self) -> &'static ObservedTable {
        match self {
            Self::Backend(_) => &BACKENDS,
            Self::Service(_) => &SERVICES,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Backend(id) => id.as_str(),
            Self::Service(id) => id.as_str(),
        }
    }
}

/// Adds to the hours of `rows`, and folds and deletes those that are past by the newest of them.
pub(crate) fn add(connection: &Connection, rows: &[ObservedTimeRow]) -> rusqlite::Result<usize> {
    let mut newest = 0;
    for row in rows.iter().take(OBSERVED_ROWS_MAX) {
        let slot = hour_start_ms(clamp_time(row.slot));
        newest = newest.max(slot);
        let ObservedTable { name, subject } = row.subject.table();
        let sql = format!(
            "INSERT INTO {name} VALUES (1, ?1, ?2, ?3, ?4)
            ON CONFLICT (hours, slot_ms, {subject}) DO UPDATE
            SET good_ms = good_ms + excluded.good_ms, bad_ms = bad_ms + excluded.bad_ms"
        );
        let [good, bad] = [row.good, row.bad].map(clamp_millis);
        let mut statement = connection.prepare_cached(&sql)?;
        statement.execute(params![slot, row.subject.name(), good, bad])?;
    }
    BACKENDS.fold(connection, newest)?;
    SERVICES.fold(connection, newest)?;
    Ok(rows.len())
}

impl ObservedTable {
    fn fold(&self, connection: &Connection, newest: i64) -> rusqlite::Result<()> {
        let Self { name, subject } = self;
        let today = day_start_ms(newest);
        let until = today - (HOURS_KEPT_DAYS - 1) * DAY_MS;
        let sql = format!(
            "INSERT INTO {name}
            SELECT 24, slot_ms - slot_ms % ?2, {subject}, sum(good_ms), sum(bad_ms) FROM {name}
            WHERE hours = 1 AND slot_ms < ?1 GROUP BY 2, 3
            ON CONFLICT (hours, slot_ms, {subject}) DO UPDATE
            SET good_ms = good_ms + excluded.good_ms, bad_ms = bad_ms + excluded.bad_ms"
        );
        connection.prepare_cached(&sql)?.execute([until, DAY_MS])?;
        let sql = format!("DELETE FROM {name} WHERE hours = 1 AND slot_ms < ?1");
        connection.prepare_cached(&sql)?.execute([until])?;
        let sql = format!("DELETE FROM {name} WHERE hours = 24 AND slot_ms < ?1");
        let kept_from = today - (OBSERVED_DAYS_KEPT - 1) * DAY_MS;
        connection.prepare_cached(&sql)?.execute([kept_from]).map(drop)
    }

    fn list_since(
        &self,
        connection: &Connection,
        from: WallTime,
        read_subject: impl Fn(&Row<'_>) -> rusqlite::Result<ObservedSubject>,
    ) -> rusqlite::Result<Vec<ObservedTimeRow>> {
        let Self { name, subject } = self;
        let read = |row: &Row<'_>| {
            let millis = |column| get_count(row, column).map(Duration::from_millis);
            Ok(ObservedTimeRow {
                subject: read_subject(row)?,
                slot: WallTime::from_unix_ms(row.get("slot_ms")?),
                width: Duration::from_secs(3_600 * get_count(row, "hours")?),
                good: millis("good_ms")?,
                bad: millis("bad_ms")?,
            })
        };
        let sql = format!(
            "SELECT * FROM {name} WHERE hours IN (1, 24) AND slot_ms >= ?1
            ORDER BY slot_ms, {subject}"
        );
        collect_known(connection.prepare_cached(&sql)?.query_map([from.unix_ms()], read)?)
    }
}

/// Hours and days from `from` on, oldest first; those of backends before those of services.
pub(crate) fn list_since(
    connection: &Connection,
    from: WallTime,
) -> rusqlite::Result<Vec<ObservedTimeRow>> {
    let backend = |row: &Row<'_>| get_named(row, BACKENDS.subject).map(ObservedSubject::Backend);
    let service = |row: &Row<'_>| get_named(row, SERVICES.subject).map(ObservedSubject::Service);
    let mut rows = BACKENDS.list_since(connection, from, backend)?;
    rows.extend(SERVICES.list_since(connection, from, service)?);
    Ok(rows)
}

const fn hour_start_ms(ms: i64) -> i64 {
    ms - ms.rem_euclid(HOUR_MS)
}

fn clamp_millis(time: Duration) -> i64 {
    clamp_count(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
