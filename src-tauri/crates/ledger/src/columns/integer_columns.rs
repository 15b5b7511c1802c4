//! Conversions to and from integer columns.
//!
//! SQLite turns an overflowing integer sum into a float, which a STRICT column refuses. Every
//! number is therefore clamped when written, so that an absurd count from a backend cannot make a
//! request impossible to settle; a million clamped requests still sum to an integer.

use std::time::Duration;

use domain::{NanoUsd, UnknownWord, WallTime};
use rusqlite::Row;

/// Highest count, byte count or microsecond count saved per request: 10¹².
pub(crate) const COUNT_MAX: u64 = 1_000_000_000_000;

/// Highest cost saved per request: a thousand dollars, ten times the dearest call there is.
pub(crate) const COST_MAX: NanoUsd = NanoUsd::new(1_000_000_000_000);

pub(crate) fn clamp_count(count: u64) -> i64 {
    i64::try_from(count.min(COUNT_MAX)).unwrap_or(i64::MAX)
}

/// Start of the year 9999, near the end of the calendar. A clock past it, or before 1970, is wrong.
pub(crate) const TIME_MS_MAX: i64 = 253_370_764_800_000;

pub(crate) fn clamp_time(time: WallTime) -> i64 {
    time.unix_ms().clamp(0, TIME_MS_MAX)
}

pub(crate) fn row_count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(crate) fn clamp_micros(interval: Duration) -> i64 {
    clamp_count(u64::try_from(interval.as_micros()).unwrap_or(u64::MAX))
}

pub(crate) fn clamp_cost(amount: NanoUsd) -> i64 {
    amount.clamp(NanoUsd::ZERO, COST_MAX).nanos()
}

/// Reads a column that is never negative.
pub(crate) fn get_count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}

pub(crate) fn get_interval(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Duration>> {
    let micros: Option<i64> = row.get(column)?;
    Ok(micros.map(|micros| Duration::from_micros(micros.unsigned_abs())))
}

/// Reads a text column as an id or a similar type.
pub(crate) fn get_parsed<T: std::str::FromStr>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|error| unreadable(column, error))).transpose()
}

/// [`get_parsed`] for a column that is never null.
pub(crate) fn get_named<T: std::str::FromStr>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    get_parsed(row, column)?
        .ok_or_else(|| unreadable(column, rusqlite::types::FromSqlError::InvalidType))
}

/// Collects rows without those that hold a word unknown to this version, as a newer one may have
/// written.
pub(crate) fn collect_known<T>(
    rows: impl Iterator<Item = rusqlite::Result<T>>,
) -> rusqlite::Result<Vec<T>> {
    let is_known = |row: &rusqlite::Result<T>| !matches!(row, Err(rusqlite::Error::FromSqlConversionFailure(_, _, cause)) if cause.is::<UnknownWord>());
    rows.filter(is_known).collect()
}

fn unreadable(
    column: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    tracing::warn!(column, "a value of the ledger cannot be read");
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_clamped_at_their_limits() {
        assert_eq!(clamp_count(COUNT_MAX), 1_000_000_000_000);
        assert_eq!(clamp_count(COUNT_MAX + 1), 1_000_000_000_000);
        assert_eq!(clamp_count(u64::MAX), 1_000_000_000_000);
        assert_eq!(clamp_micros(Duration::MAX), 1_000_000_000_000);
        assert_eq!(clamp_time(WallTime::from_unix_ms(-1)), 0);
        assert_eq!(
            WallTime::from_unix_ms(clamp_time(WallTime::from_unix_ms(i64::MAX))).to_rfc3339(),
            "9999-01-01T00:00:00.000Z"
        );
        assert_eq!(clamp_cost(NanoUsd::new(-1)), 0);
        assert_eq!(clamp_cost(NanoUsd::new(i64::MAX)), COST_MAX.nanos());
    }
}
