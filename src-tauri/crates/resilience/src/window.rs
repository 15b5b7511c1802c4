//! Exact counts of the calls of the last minute.
//!
//! Twelve buckets instead of a moving average: a burst of failures must look the same at any
//! request rate, and reading must not need a write.

use std::time::Duration;

use domain::Moment;

use crate::rules::WINDOW_BUCKETS;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallCounts {
    pub calls: u32,
    /// Failures in halves: a full one counts 2.
    pub failure_halves: u32,
    /// Slow calls among the successful ones.
    pub slow: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct WindowBucket {
    number: u64,
    tally: CallCounts,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct SlidingWindow {
    buckets: [WindowBucket; WINDOW_BUCKETS],
}

impl CallCounts {
    /// True if failures are at least `percent` of the calls.
    pub(crate) fn failed_at_least(&self, percent: u8) -> bool {
        u64::from(self.failure_halves) * 100 >= u64::from(percent) * 2 * u64::from(self.calls)
    }

    /// True if failures are more than `percent` of the calls.
    pub(crate) fn failed_more_than(&self, percent: u8) -> bool {
        u64::from(self.failure_halves) * 100 > u64::from(percent) * 2 * u64::from(self.calls)
    }

    /// True if slow calls are at least `percent` of the calls.
    pub(crate) fn slow_at_least(&self, percent: u8) -> bool {
        u64::from(self.slow) * 100 >= u64::from(percent) * u64::from(self.calls)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failure_halves = self.failure_halves.saturating_add(other.failure_halves);
        self.slow = self.slow.saturating_add(other.slow);
    }
}

impl SlidingWindow {
    /// Counts `call` at `now`. `width` is the length of a bucket.
    pub(crate) fn count(&mut self, call: CallCounts, now: Moment, width: Duration) {
        let number = bucket_number(now, width);
        let place = usize::try_from(number % WINDOW_BUCKETS as u64).unwrap_or(0);
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        if bucket.number != number {
            *bucket = WindowBucket { number, tally: CallCounts::default() };
        }
        bucket.tally.add(call);
    }

    /// The sum of the buckets that are still within the window.
    pub(crate) fn counts(&self, now: Moment, width: Duration) -> CallCounts {
        let number = bucket_number(now, width);
        let mut sum = CallCounts::default();
        for bucket in &self.buckets {
            if bucket.number <= number && number - bucket.number < WINDOW_BUCKETS as u64 {
                sum.add(bucket.tally);
            }
        }
        sum
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn bucket_number(now: Moment, width: Duration) -> u64 {
    let width = u64::try_from(width.as_micros()).unwrap_or(u64::MAX).max(1);
    now.as_micros() / width
}
