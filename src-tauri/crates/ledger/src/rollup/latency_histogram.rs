//! Histograms of latencies that can be merged (HdrHistogram), and how they are stored: the counts of
//! its format V2, without the header that is the same in all.

use std::ops::RangeInclusive;
use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};
use rusqlite::types::FromSqlError;

/// Longest latency told apart, in microseconds; a longer one counts as an hour.
const MICROS_MAX: u64 = 3_600_000_000;

/// Significant digits: a percentile is at most one percent off.
const DIGITS: u8 = 2;

#[derive(Debug, Clone, PartialEq)]
pub struct LatencyHistogram(Histogram<u32>);

impl LatencyHistogram {
    /// One that grows with the longest latency recorded.
    pub(crate) fn empty() -> rusqlite::Result<Self> {
        Histogram::new(DIGITS).map(Self).map_err(unusable)
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        // It grows with it, so nothing is too long.
        let _ = self.0.record(micros.min(MICROS_MAX));
    }

    /// Adds the latencies of `other`.
    pub fn merge(&mut self, other: &Self) {
        // It grows as far as the other one.
        let _ = self.0.add(&other.0);
    }

    /// Takes away latencies that were merged before.
    pub fn unmerge(&mut self, other: &Self) {
        let _ = self.0.subtract(&other.0);
    }

    /// The counts as they are stored.
    pub(crate) fn counts(&self) -> rusqlite::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&self.0, &mut bytes).map_err(unusable)?;
        Ok(bytes.split_off(V2_HEADER_BYTES.min(bytes.len())))
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// How many requests were within `limit`.
    #[must_use]
    pub fn count_within(&self, limit: Duration) -> u64 {
        self.0
            .count_between(0, u64::try_from(limit.as_micros()).unwrap_or(u64::MAX).min(MICROS_MAX))
    }

    /// The latency within which `percent` of the requests were.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_micros(self.0.value_at_percentile(percent))
    }

    /// Between which latencies the one at `rank` lies, the shortest being at 1; `None` if there is none.
    #[must_use]
    pub fn at_rank(&self, rank: u64) -> Option<RangeInclusive<Duration>> {
        let count = self.count();
        if !(1..=count).contains(&rank) {
            return None;
        }
        // In the middle between two ranks, so that no rounding leads to the next.
        let value = self.0.value_at_quantile((rank as f64 - 0.5) / count as f64);
        let ends = [self.0.lowest_equivalent(value), self.0.highest_equivalent(value)];
        let [low, high] = ends.map(Duration::from_micros);
        Some(low..=high)
    }

    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }
}

/// Stored counts added up by bucket. To record each of them in a histogram takes several times as
/// long, and a year of days by name has a million.
#[derive(Debug, Default)]
pub(crate) struct BucketCounts(Vec<u32>);

impl BucketCounts {
    pub(crate) fn add(&mut self, stored: &[u8]) -> Result<(), FromSqlError> {
        self.change(stored, |sum, count| sum.saturating_add(count))
    }

    /// Takes out what was added.
    pub(crate) fn subtract(&mut self, stored: &[u8]) -> Result<(), FromSqlError> {
        self.change(stored, u32::saturating_sub)
    }

    fn change(
        &mut self,
        mut stored: &[u8],
        change: impl Fn(u32, u32) -> u32,
    ) -> Result<(), FromSqlError> {
        let mut bucket = 0_usize;
        while let Some(count) = read_count(&mut stored) {
            let Ok(count) = u64::try_from(count) else {
                let empty = usize::try_from(count.unsigned_abs()).map_err(|_| damaged())?;
                bucket = bucket.saturating_add(empty);
                continue;
            };
            if bucket > LAST_BUCKET {
                return Err(damaged());
            }
            if self.0.len() <= bucket {
                self.0.resize(bucket + 1, 0);
            }
            if let Some(sum) = self.0.get_mut(bucket) {
                *sum = change(*sum, u32::try_from(count).unwrap_or(u32::MAX));
            }
            bucket += 1;
        }
        Ok(())
    }

    /// The histogram with these counts; `None` if there are none.
    pub(crate) fn histogram(&self) -> rusqlite::Result<Option<LatencyHistogram>> {
        let mut made = LatencyHistogram::empty()?;
        // From the longest on, so that it grows once.
        for (bucket, count) in self.0.iter().enumerate().rev().filter(|(_, count)| **count > 0) {
            made.0.record_n(lowest_value(bucket), *count).map_err(unusable)?;
        }
        Ok((made.count() > 0).then_some(made))
    }
}

/// Bytes before the counts in format V2 of HdrHistogram, the same in all histograms.
const V2_HEADER_BYTES: usize = 40;

pub(crate) fn damaged() -> FromSqlError {
    FromSqlError::Other("a histogram is damaged".into())
}

/// Buckets of the first, finest width: twice as many as of each later one.
const FINEST_BUCKETS: usize = 256;

/// The bucket of [`MICROS_MAX`].
const LAST_BUCKET: usize = 3_286;
const _: () =
    assert!(lowest_value(LAST_BUCKET) <= MICROS_MAX && MICROS_MAX < lowest_value(LAST_BUCKET + 1));

/// The lowest value that counts in a bucket of a histogram.
const fn lowest_value(bucket: usize) -> u64 {
    if bucket < FINEST_BUCKETS {
        return bucket as u64;
    }
    let half = FINEST_BUCKETS / 2;
    ((bucket % half + half) as u64) << (bucket / half - 1)
}

/// Reads the next count: a zigzag number of 7 bits a byte, negative for so many empty buckets.
fn read_count(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for place in 0..9_u32 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        // The ninth byte has all of its bits.
        let is_last = byte & 0x80 == 0 || place == 8;
        let bits = if place == 8 { *byte } else { byte & 0x7f };
        value |= u64::from(bits) << (7 * place);
        if is_last {
            break;
        }
    }
    Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

pub(crate) fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    FromSqlError::other(error).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(micros: &[u64]) -> LatencyHistogram {
        let mut made = LatencyHistogram::empty().expect("valid bounds");
        micros.iter().for_each(|micros| made.record(Duration::from_micros(*micros)));
        made
    }

    fn merged(left: &LatencyHistogram, right: &LatencyHistogram) -> LatencyHistogram {
        let mut sum = left.clone();
        sum.merge(right);
        sum
    }

    proptest! {
        #[test]
        fn a_rank_has_the_latency_at_its_place_within_a_percent(
            mut samples in prop::collection::vec(0_u64..5_000_000_000, 1..300),
        ) {
            let found = histogram(&samples);
            samples.sort_unstable();
            for (place, micros) in samples.iter().enumerate() {
                let rank = u64::try_from(place).expect("small") + 1;
                let within = found.at_rank(rank).expect("recorded");
                let exact = Duration::from_micros((*micros).min(MICROS_MAX));
                prop_assert!(within.contains(&exact), "{exact:?} at {rank}: {within:?}");
                prop_assert!(*within.end() <= *within.start() * 101 / 100 + Duration::from_micros(1));
            }
            prop_assert_eq!(found.at_rank(0), None);
            prop_assert_eq!(found.at_rank(found.count() + 1), None);
        }

        #[test]
        fn merging_is_commutative_and_associative_and_survives_storage(
            samples in prop::array::uniform3(prop::collection::vec(0_u64..5_000_000_000, 0..50)),
        ) {
            let [a, b, c] = samples.each_ref().map(|sample| histogram(sample));
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
            prop_assert_eq!(merged(&merged(&a, &b), &c), histogram(&samples.concat()));
            let counts = a.counts().expect("bytes");
            let mut sum = BucketCounts::default();
            sum.add(&counts).expect("stored");
            prop_assert_eq!(sum.histogram().expect("made"), (a.count() > 0).then(|| a.clone()));
            sum.add(&b.counts().expect("bytes")).expect("stored");
            prop_assert_eq!(sum.histogram().expect("made").map(|sum| sum.count()), (a.count() + b.count() > 0).then_some(a.count() + b.count()));
            sum.subtract(&counts).expect("stored");
            prop_assert_eq!(sum.histogram().expect("made"), (b.count() > 0).then_some(b));
        }

        #[test]
        fn no_stored_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut sum = BucketCounts::default();
            let _either = sum.add(&bytes);
            prop_assert!(sum.histogram().is_ok());
        }

        #[test]
        fn a_bucket_has_the_latencies_from_its_lowest_on(micros in 0_u64..=MICROS_MAX) {
            let made = histogram(&[micros]);
            let lowest = made.0.lowest_equivalent(micros);
            prop_assert!((0..=LAST_BUCKET).any(|bucket| lowest_value(bucket) == lowest));
        }

        #[test]
        fn a_percentile_is_at_most_a_percent_off(
            mut micros in prop::collection::vec(1_u64..3_600_000_000, 1..200),
            percent in 1.0..=100.0_f64,
        ) {
            let made = histogram(&micros).percentile(percent).as_micros() as f64;
            micros.sort_unstable();
            let rank = (percent / 100.0 * micros.len() as f64).ceil().max(1.0);
            let near = |rank: f64| micros.iter().enumerate().any(|(index, exact)| {
                (index as f64 + 1.0 - rank).abs() < 0.5 && (made - *exact as f64).abs() <= 0.01 * *exact as f64 + 1.0
            });
            // A share that falls on a rank may be rounded up to the next one.
            prop_assert!(near(rank) || near(rank + 1.0) || near(rank - 1.0), "{made}");
        }
    }
}
