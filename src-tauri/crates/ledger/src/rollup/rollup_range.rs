//! Which roll-up answers which part of a range: folded days and hours, and the quarters at the ends.

use domain::{DAY_MS, HOUR_MS, WallTime};
use rusqlite::Connection;

use crate::Purpose;
use crate::columns::text_columns::WordColumn;

/// The end of the hours that are folded.
pub(crate) fn folded_until(connection: &Connection) -> rusqlite::Result<WallTime> {
    let mut statement = connection.prepare_cached("SELECT until_ms FROM rollup_folded")?;
    statement.query_row([], |row| row.get(0)).map(WallTime::from_unix_ms)
}

/// Slot width, and so the roll-up table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotWidth {
    Quarter,
    Hour,
    /// A UTC day.
    Day,
}

/// A part of a range that one table answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RangePiece {
    pub(crate) width: SlotWidth,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
}

impl RangePiece {
    pub(crate) fn range(&self, purpose: Purpose) -> (i64, i64, WordColumn<Purpose>) {
        (self.start_ms, self.end_ms, WordColumn(purpose))
    }

    /// Starts of its days, in milliseconds.
    pub(crate) fn days(&self) -> impl Iterator<Item = i64> {
        let Self { start_ms, end_ms, .. } = *self;
        std::iter::successors(Some(start_ms), |day| day.checked_add(DAY_MS))
            .take_while(move |day| *day < end_ms)
    }

    /// Splits hours into whole UTC days and the hours around them.
    pub(crate) fn split_days(self) -> impl Iterator<Item = Self> {
        let Self { width, start_ms, end_ms } = self;
        let days = |width| matches!(width, SlotWidth::Hour).then_some(DAY_MS);
        let (days_start, days_end) = match days(width) {
            Some(day_ms) => {
                let end = end_ms.saturating_sub(end_ms.rem_euclid(day_ms)).max(start_ms);
                let to_next = (day_ms - start_ms.rem_euclid(day_ms)) % day_ms;
                (start_ms.saturating_add(to_next).min(end), end)
            }
            None => (start_ms, start_ms),
        };
        let pieces = [
            Self { width, start_ms, end_ms: days_start },
            Self { width: SlotWidth::Day, start_ms: days_start, end_ms: days_end },
            Self { width, start_ms: days_end, end_ms },
        ];
        pieces.into_iter().filter(|piece| piece.start_ms < piece.end_ms)
    }
}

/// Splits a range at slot boundaries into its `folded` whole hours and the quarters before and
/// after them.
pub(crate) fn split_range(
    start: WallTime,
    end: WallTime,
    folded: WallTime,
) -> impl Iterator<Item = RangePiece> {
    let (start_ms, end_ms) = (start.unix_ms(), end.unix_ms());
    let last_edge = end_ms.saturating_sub(end_ms.rem_euclid(HOUR_MS));
    let hours_end = last_edge.min(folded.unix_ms()).max(start_ms);
    let to_next_hour = (HOUR_MS - start_ms.rem_euclid(HOUR_MS)) % HOUR_MS;
    let hours_start = start_ms.saturating_add(to_next_hour).min(hours_end);
    let pieces = [
        RangePiece { width: SlotWidth::Quarter, start_ms, end_ms: hours_start },
        RangePiece { width: SlotWidth::Hour, start_ms: hours_start, end_ms: hours_end },
        RangePiece { width: SlotWidth::Quarter, start_ms: hours_end, end_ms },
    ];
    pieces.into_iter().filter(|piece| piece.start_ms < piece.end_ms)
}

/// As [`split_range`], with whole UTC days where there are some.
pub(crate) fn split_days(
    start: WallTime,
    end: WallTime,
    folded: WallTime,
) -> impl Iterator<Item = RangePiece> {
    split_range(start, end, folded).flat_map(|piece| piece.split_days())
}

/// Start of the UTC day of a time, both in milliseconds.
pub(crate) const fn day_start_ms(ms: i64) -> i64 {
    WallTime::from_unix_ms(ms).day_start().unix_ms()
}
