//! Daily roll-ups, folded from the hours along one dimension at a time, for ranges of months.
//!
//! They are UTC days, and the days of most zones begin at another hour. A UTC day in which a step
//! of a range begins is counted in one of the two steps that share it, and the hours of the other
//! one, which are the fewer, are moved there.

use domain::{DAY_MS, HOUR_MS};
use rusqlite::Connection;

use crate::UsageQuery;
use crate::bucket_sums::{BucketSums, StepEdges};
use crate::hourly_rollup::{DIMENSIONS, unfold_sql};
use crate::rollup_range::{RangePiece, SlotWidth, day_start_ms};
use crate::rollup_sums::{dimension_rows_sql, rollup_sums, sum_columns};

/// Most steps that begin in a day, on average, for which whole days are fewer rows than its hours.
const STEPS_PER_DAY_MAX: usize = 2;

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

/// Splits folded hours into whole UTC days and the hours around them, unless the steps are so short
/// that the days would not be fewer rows.
pub(crate) fn split_for_steps(hours: RangePiece, edges: &StepEdges) -> Vec<RangePiece> {
    let days = usize::try_from((hours.end_ms - hours.start_ms) / DAY_MS).unwrap_or_default();
    let has_long_steps =
        edges.within(hours.start_ms, hours.end_ms).len() <= days * STEPS_PER_DAY_MAX;
    match has_long_steps {
        true => hours.split_days().collect(),
        false => vec![hours],
    }
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

/// Where a UTC day is counted, and which of its hours belong elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DayShare {
    pub(crate) step: usize,
    pub(crate) moved: Option<RangePiece>,
}

impl DayShare {
    pub(crate) fn of(day_ms: i64, edges: &StepEdges) -> Self {
        let end_ms = day_ms + DAY_MS;
        let hours =
            |start_ms, end_ms| Some(RangePiece { width: SlotWidth::Hour, start_ms, end_ms });
        match edges.within(day_ms, end_ms) {
            [] => Self { step: edges.step_of(day_ms), moved: None },
            [edge] if edge - day_ms < DAY_MS / 2 => {
                let moved_end = edge + (HOUR_MS - edge.rem_euclid(HOUR_MS)) % HOUR_MS;
                Self { step: edges.step_of(end_ms - 1), moved: hours(day_ms, moved_end) }
            }
            [first, ..] => {
                let moved_start = first - first.rem_euclid(HOUR_MS);
                Self { step: edges.step_of(day_ms), moved: hours(moved_start, end_ms) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::WallTime;

    use super::*;

    #[test]
    fn a_day_is_counted_where_most_of_its_hours_are() {
        let check = |edges: &[i64], step: usize, moved: Option<(i64, i64)>| {
            let times = [-96].iter().chain(edges).chain(&[192]);
            let times: Vec<_> =
                times.map(|quarters| WallTime::from_unix_ms(quarters * HOUR_MS / 4)).collect();
            let moved = moved.map(|(start, end)| RangePiece {
                width: SlotWidth::Hour,
                start_ms: start * HOUR_MS,
                end_ms: end * HOUR_MS,
            });
            assert_eq!(
                DayShare::of(0, &StepEdges::new(&times)),
                DayShare { step, moved },
                "{edges:?}"
            );
        };
        // Edges in quarter hours from the start of the day; hours that are moved.
        check(&[], 0, None);
        check(&[0, 96], 1, None);
        check(&[4], 1, Some((0, 1)));
        check(&[47], 1, Some((0, 12)));
        check(&[48], 0, Some((12, 24)));
        check(&[88], 0, Some((22, 24)));
        // Kolkata's days begin at 18:30 UTC: the hour is shared.
        check(&[74], 0, Some((18, 24)));
        check(&[2], 1, Some((0, 1)));
        check(&[4, 94], 0, Some((1, 24)));
    }
}
