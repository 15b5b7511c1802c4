//! What rows of observed time add up to over a period.

use std::time::Duration;

use domain::{HOUR_MS, WallTime};
use ledger::ObservedTimeRow;
use service_levels::{ObservedTime, Uptime};

/// The observed time of the period until `now`: whole hours with the present one as the last, and
/// whole days where only those are kept. What is later is from before the clock was set back.
pub fn uptime<'a>(
    rows: impl Iterator<Item = &'a ObservedTimeRow>,
    now: WallTime,
    period: Duration,
) -> Uptime {
    let from = period_start(now, period);
    let time = rows.filter(|row| row.slot >= from && row.slot <= now).map(row_time).sum();
    Uptime { time, period: Duration::from_millis(now.unix_ms().abs_diff(from.unix_ms())) }
}

/// Start of a period that ends with the present hour.
pub(crate) fn period_start(now: WallTime, period: Duration) -> WallTime {
    now.hour_start().plus_ms(HOUR_MS) - period
}

#[must_use]
pub const fn row_time(row: &ObservedTimeRow) -> ObservedTime {
    ObservedTime { good: row.good, bad: row.bad }
}

#[cfg(test)]
mod tests {
    use domain::BackendId;
    use ledger::ObservedSubject;

    use super::*;
    use crate::test_parts::NOW;

    #[test]
    fn hours_that_are_still_to_come_do_not_count() {
        let hour = Duration::from_millis(3_600_000);
        let backend = BackendId::new("up").expect("a name");
        let row = |hours: i64, good, bad| ObservedTimeRow {
            subject: ObservedSubject::Backend(backend.clone()),
            slot: WallTime::from_unix_ms((NOW.unix_ms() / HOUR_MS + hours) * HOUR_MS),
            width: hour,
            good,
            bad,
        };
        let none = Duration::ZERO;
        // The clock was two hours ahead for a while.
        let rows =
            [row(-1, hour, none), row(0, none, hour), row(1, none, hour), row(2, none, hour)];
        let found = uptime(rows.iter(), NOW, Duration::from_secs(86_400));
        assert_eq!(found.time, ObservedTime { good: hour, bad: hour });
    }
}
