//! Daily roll-ups, folded from the hours along one dimension at a time, for ranges of months.

use domain::DAY_MS;
use rusqlite::Connection;

use crate::UsageQuery;
use crate::rollup::bucket_sums::{BucketSums, StepEdges};
use crate::rollup::day_share::{DayShare, split_for_steps};
use crate::rollup::hourly_rollup::{DIMENSIONS, unfold_sql};
use crate::rollup::rollup_range::{RangePiece, SlotWidth, day_start_ms};
use crate::rollup::rollup_sums::{dimension_rows_sql, rollup_sums, sum_columns};

/// Folds the UTC days that end by `until` and were not whole at `folded`, all in milliseconds.
pub(crate) fn fold(connection: &Connection, folded: i64, until: i64) -> rusqlite::Result<()> {
    let (first_day, days_end) = (day_start_ms(folded), day_start_ms(until));
    if first_day == days_end {
        return Ok(());
    }
    let (columns, sums) = (sum_columns(), rollup_sums());
    for dimension in DIMENSIONS {
        let sql = format!(
            "INSERT INTO rollup_day (dimension, slot_ms, purpose, name, {columns})
             SELECT '{dimension}', slot_ms - slot_ms % ?3, purpose, name, {sums}
             FROM rollup_hour WHERE dimension = '{dimension}' AND slot_ms >= ?1 AND slot_ms < ?2
             GROUP BY 2, 3, 4"
        );
        connection.prepare_cached(&sql)?.execute([first_day, days_end, DAY_MS])?;
    }
    Ok(())
}

/// Removes the days to which the hours from `from` on belong.
pub(crate) fn unfold(connection: &Connection, from: i64) -> rusqlite::Result<()> {
    connection.prepare_cached(&unfold_sql("rollup_day"))?.execute([day_start_ms(from)]).map(drop)
}

/// Adds the folded hours of a range by name. Hours that two steps share are left out.
pub(crate) fn add_hours(
    connection: &Connection,
    query: &UsageQuery,
    edges: &StepEdges,
    hours: RangePiece,
    sums: &mut BucketSums,
) -> rusqlite::Result<()> {
    let columns = "slot_ms, name";
    for piece in split_for_steps(hours, edges) {
        let sql = dimension_rows_sql(piece.width, query.group_by, columns, query.basis);
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = &mut statement.query(piece.range(query.purpose))?;
        match piece.width {
            SlotWidth::Day => sums.add(rows, |day| Some(DayShare::of(day, edges).step))?,
            _ => sums.add(rows, |hour| edges.step_of_hour(hour))?,
        }
        if piece.width == SlotWidth::Day {
            shift_hours(connection, query, edges, piece, sums)?;
        }
    }
    Ok(())
}

/// Moves the hours of days that several steps share to their own steps.
fn shift_hours(
    connection: &Connection,
    query: &UsageQuery,
    edges: &StepEdges,
    days: RangePiece,
    sums: &mut BucketSums,
) -> rusqlite::Result<()> {
    let columns = "slot_ms, name";
    let sql = dimension_rows_sql(SlotWidth::Hour, query.group_by, columns, query.basis);
    let mut statement = connection.prepare_cached(&sql)?;
    for day in days.days() {
        let share = DayShare::of(day, edges);
        if let Some(hours) = share.moved {
            let rows = &mut statement.query(hours.range(query.purpose))?;
            sums.shift(rows, share.step, |hour| edges.step_of_hour(hour))?;
        }
    }
    Ok(())
}
