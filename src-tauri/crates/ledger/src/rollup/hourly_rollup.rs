//! Hourly roll-ups, folded from the quarter hours along one dimension at a time.
//!
//! A quarter hour has a row for every combination of backend, model, client, credential, project
//! and route, and most dashboards group by one of them. Folding an hour costs a few milliseconds
//! once; updating hourly rows with every commit would double each commit's cost. So the writer folds
//! hour by hour while nothing is queued. A request belongs to the time it began, so the newest hour
//! stays unfolded for long requests. A request that settles later still unfolds its hour and all
//! later ones until they are folded again.

use domain::{HOUR_MS, WallTime};
use rusqlite::{Connection, params, params_from_iter};

use crate::Settlement;
use crate::requests::oldest_id_at;
use crate::requests::request_costs;
use crate::rollup::rollup_range::folded_until;
use crate::rollup::rollup_sums::{rollup_sums, sum_columns};
use crate::rollup::{cross_rollup, daily_rollup, latency_rollup};

/// Every dimension along which requests are summed.
pub(crate) const DIMENSIONS: [&str; 6] =
    ["backend", "model", "client", "credential", "project", "route"];

/// Folds the hours `?1..?2` along one dimension.
fn fold_sql(dimension: &str) -> String {
    let (columns, sums) = (sum_columns(), rollup_sums());
    format!(
        "INSERT INTO rollup_hour (dimension, slot_ms, purpose, name, {columns})
         SELECT '{dimension}', slot_ms - slot_ms % ?3, purpose, {dimension}, {sums}
         FROM rollup_quarter WHERE slot_ms >= ?1 AND slot_ms < ?2 GROUP BY 2, 3, 4"
    )
}

/// Deletes the rows from `?1` on. Names the dimensions because the table is ordered by them.
pub(crate) fn unfold_sql(table: &str) -> String {
    let dimensions = DIMENSIONS.map(|dimension| format!("'{dimension}'")).join(", ");
    format!("DELETE FROM {table} WHERE slot_ms >= ?1 AND dimension IN ({dimensions})")
}

/// Notes the hour `?3` for the models that its requests, with ids from `?1` to `?2`, asked for by
/// another name than the billed one.
const FOLD_ASKED: &str = "INSERT INTO asked_hours SELECT DISTINCT model_asked, ?3 FROM requests
    WHERE id >= ?1 AND id < ?2 AND model_billed <> model_asked AND state <> 'reserved'";

/// The folded hours that have a request with each of these names, in milliseconds. A model has the
/// requests that asked for it or were billed for it. A request that is not settled is in none.
pub(crate) fn hours_with(
    connection: &Connection,
    named: &[(&'static str, &str)],
) -> rusqlite::Result<Vec<i64>> {
    let one = |((dimension, _), place): (&(&str, &str), usize)| {
        let asked = match *dimension {
            "model" => format!(" UNION SELECT slot_ms FROM asked_hours WHERE model = ?{place}"),
            _ => String::new(),
        };
        format!(
            "SELECT slot_ms FROM (SELECT slot_ms FROM rollup_hour WHERE dimension = '{dimension}'
              AND name = ?{place}{asked})"
        )
    };
    let sql = named.iter().zip(1..).map(one).collect::<Vec<_>>().join(" INTERSECT ");
    let mut statement = connection.prepare_cached(&sql)?;
    let names = params_from_iter(named.iter().map(|(_, name)| name));
    statement.query_map(names, |row| row.get(0))?.collect()
}

/// Unfolds the hours of requests that settle late, in the transaction that counts them.
pub(crate) fn unfold_settled(
    connection: &Connection,
    settled: &[&Settlement],
) -> rusqlite::Result<()> {
    match settled.iter().map(|ended| ended.request.started).min() {
        Some(earliest) => unfold(connection, earliest).map(drop),
        None => Ok(()),
    }
}

/// The hour to fold next, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoldStep {
    folded: i64,
    /// Later than `folded` after hours without requests.
    from: i64,
    until: i64,
    pub(crate) is_last: bool,
}

/// The next step; `None` if all past hours are folded.
pub(crate) fn next_step(connection: &Connection) -> rusqlite::Result<Option<FoldStep>> {
    let folded = folded_until(connection)?.unix_ms();
    let mut find = connection.prepare_cached(
        "SELECT (SELECT min(slot_ms) FROM rollup_quarter WHERE slot_ms >= ?1),
          (SELECT max(slot_ms) FROM rollup_quarter)",
    )?;
    let found = find.query_row([folded], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(next), Some(newest)) = found else { return Ok(None) };
    let past = hour_start_ms(WallTime::from_unix_ms(newest)).saturating_sub(HOUR_MS);
    let from = hour_start_ms(WallTime::from_unix_ms(next)).min(past);
    let until = from.saturating_add(HOUR_MS).min(past);
    let step = FoldStep { folded, from, until, is_last: until == past };
    Ok((past > folded).then_some(step))
}

pub(crate) fn fold(connection: &Connection, step: FoldStep) -> rusqlite::Result<()> {
    let FoldStep { folded, from, until, .. } = step;
    for dimension in DIMENSIONS {
        connection.prepare_cached(&fold_sql(dimension))?.execute([from, until, HOUR_MS])?;
    }
    let ids = [from, until].map(|ms| oldest_id_at(WallTime::from_unix_ms(ms)));
    connection.prepare_cached(FOLD_ASKED)?.execute(params![ids[0], ids[1], from])?;
    daily_rollup::fold(connection, folded, until)?;
    cross_rollup::fold(connection, folded, from, until)?;
    latency_rollup::fold(connection, folded, from, until)?;
    request_costs::fold(connection, from, until)?;
    set_folded(connection, until)
}

/// Unfolds the hour of `from` and all later ones. Returns the end of the folded hours in
/// milliseconds.
pub(crate) fn unfold(connection: &Connection, from: WallTime) -> rusqlite::Result<i64> {
    let from = hour_start_ms(from);
    let folded = folded_until(connection)?.unix_ms();
    if from >= folded {
        return Ok(folded);
    }
    let mut forget = connection.prepare_cached(&unfold_sql("rollup_hour"))?;
    forget.execute([from])?;
    let forget = "DELETE FROM asked_hours WHERE slot_ms >= ?1";
    connection.prepare_cached(forget)?.execute([from])?;
    daily_rollup::unfold(connection, from)?;
    cross_rollup::unfold(connection, from)?;
    latency_rollup::unfold(connection, from)?;
    request_costs::unfold(connection, from)?;
    set_folded(connection, from)?;
    Ok(from)
}

fn set_folded(connection: &Connection, until: i64) -> rusqlite::Result<()> {
    let mut set = connection.prepare_cached("UPDATE rollup_folded SET until_ms = ?1")?;
    set.execute([until]).map(drop)
}

const fn hour_start_ms(time: WallTime) -> i64 {
    let ms = time.unix_ms();
    ms.saturating_sub(ms.rem_euclid(HOUR_MS))
}
