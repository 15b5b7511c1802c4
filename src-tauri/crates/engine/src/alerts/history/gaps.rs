//! Times in which nobody looked: nothing fires in them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use domain::{HOUR_MS, WallTime};
use ledger::{ObservedTimeRow, WatchSpan};

use super::millis;

/// Time since the last save of the present span in which the program still watched.
const SAVED_BEFORE_MAX: Duration = Duration::from_secs(120);

/// Whole hours of which no observed time is known, as far as they are in `from..until`. None at all
/// without any observed time: then there is nothing to observe.
pub(super) fn unobserved_hours(
    observed: &[ObservedTimeRow],
    from: WallTime,
    until: WallTime,
) -> Vec<Range<WallTime>> {
    let seen: BTreeSet<(i64, i64)> = observed
        .iter()
        .map(|row| (row.slot.unix_ms(), row.slot.unix_ms() + millis(row.width)))
        .collect();
    let mut gaps: Vec<Range<WallTime>> = Vec::new();
    if seen.is_empty() {
        return gaps;
    }
    let mut hour = from.hour_start().unix_ms();
    while hour < until.unix_ms() {
        let end = hour + HOUR_MS;
        let latest = seen.range(..=(hour, i64::MAX)).next_back();
        if latest.is_none_or(|(_, seen_until)| *seen_until <= hour) {
            let gap =
                WallTime::from_unix_ms(hour).max(from)..WallTime::from_unix_ms(end).min(until);
            match gaps.last_mut() {
                Some(last) if last.end == gap.start => last.end = gap.end,
                _ => gaps.push(gap),
            }
        }
        hour = end;
    }
    gaps
}

/// What of a gap is after `from`.
pub(super) fn since(gap: Range<WallTime>, from: WallTime) -> Option<Range<WallTime>> {
    let own = gap.start.max(from)..gap.end;
    (!own.is_empty()).then_some(own)
}

/// How much of a gap is after `from`.
pub(super) fn length_after(gap: &Range<WallTime>, from: WallTime) -> Duration {
    let ms = gap.end.unix_ms() - gap.start.max(from).unix_ms();
    Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}

/// When the program did not watch, by the spans in which it did, oldest first. Nothing without any.
pub(super) fn unwatched(
    spans: &[WatchSpan],
    from: WallTime,
    until: WallTime,
) -> Vec<Range<WallTime>> {
    if spans.is_empty() {
        return Vec::new();
    }
    let mut gaps = Vec::new();
    let mut seen_until = from;
    for span in spans {
        if seen_until < span.from {
            gaps.push(seen_until..span.from);
        }
        seen_until = seen_until.max(span.until);
    }
    if until.unix_ms() - seen_until.unix_ms() > millis(SAVED_BEFORE_MAX) {
        gaps.push(seen_until..until);
    }
    gaps
}
