//! How whole UTC days count in the steps of a range.
//!
//! The days of most zones begin at another hour. A UTC day in which a step
//! of a range begins is counted in one of the two steps that share it, and the hours of the other
//! one, which are the fewer, are moved there.

use domain::{DAY_MS, HOUR_MS};

use crate::rollup::bucket_sums::StepEdges;
use crate::rollup::rollup_range::{RangePiece, SlotWidth};

/// Most steps that begin in a day, on average, for which whole days are fewer rows than its hours.
const STEPS_PER_DAY_MAX: usize = 2;

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
