//! Estimates the hits of a smaller and a larger memory tier from reuse distances.
//!
//! The reuse distance of a lookup is the number of bytes used since the last use of the same
//! answer. A memory of at least that size would have had a hit, so one list in order of last use
//! gives the hits for every size at once (Mattson's stack distances). The list is a sample of the
//! addresses, chosen by their hash and thinned as it grows (SHARDS with a fixed size, Waldspurger
//! et al., FAST 2015). It models plain LRU; the memory tier also weighs frequency, so its real hits
//! may be slightly higher.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::{Moment, words};
use parking_lot::Mutex;

use crate::EntryAddress;

/// Most addresses in the sample. Scanning all of them takes a few microseconds.
const SAMPLE_MAX: usize = 1_024;

/// Fewest lookups for an advice.
const LOOKUPS_MIN: u64 = 200;

/// Additional hits, in percent of lookups, that justify a larger memory.
const GROW_PERCENT: u64 = 5;

/// Lost hits, in percent of lookups, below which a smaller memory is advised.
const SHRINK_PERCENT: u64 = 1;

words! {
    /// Advice about the size of the memory tier.
    SizeAdvice {
        /// Too few lookups so far.
        TooEarly = "too-early",
        Keep = "keep",
        /// Twice the size would give clearly more hits.
        Grow = "grow",
        /// Half the size would give as many hits.
        Shrink = "shrink",
    }
}

/// Estimated hits for several memory sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeEstimate {
    pub lookups: u64,
    /// Hits with half the current size.
    pub hits_with_half: u64,
    /// Hits with the current size.
    pub hits_now: u64,
    /// Hits with twice the current size.
    pub hits_with_double: u64,
    pub word: SizeAdvice,
}

#[derive(Debug)]
pub(crate) struct ReuseTracker {
    bytes_max: u64,
    /// One address in `2^shift` is sampled.
    shift: AtomicU32,
    sample: Mutex<ReuseSample>,
}

#[derive(Debug, Default)]
struct ReuseSample {
    /// Most recently used first.
    seen: VecDeque<SampledEntry>,
    lookups: u64,
    within_half: u64,
    within: u64,
    within_double: u64,
}

#[derive(Debug)]
struct SampledEntry {
    address: EntryAddress,
    weight: u64,
    expires: Moment,
}

impl ReuseTracker {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, shift: AtomicU32::new(0), sample: Mutex::default() }
    }

    /// Counts a lookup, hit or miss.
    pub(crate) fn record_lookup(&self, address: EntryAddress, now: Moment) {
        let shift = self.shift.load(Ordering::Relaxed);
        if !is_sampled(address, shift) {
            return;
        }
        let times = 1_u64 << shift;
        let mut sample = self.sample.lock();
        sample.lookups = sample.lookups.saturating_add(times);
        let Some(place) = sample.seen.iter().position(|seen| seen.address == address) else {
            return;
        };
        let Some(seen) = sample.seen.remove(place) else { return };
        if seen.expires <= now {
            return;
        }
        let since: u64 = sample.seen.iter().take(place).map(|seen| seen.weight).sum();
        let distance = since.saturating_mul(times).saturating_add(seen.weight);
        let counts = |size: u64| if distance <= size { times } else { 0 };
        sample.within_half += counts(self.bytes_max / 2);
        sample.within += counts(self.bytes_max);
        sample.within_double += counts(self.bytes_max.saturating_mul(2));
        sample.seen.push_front(seen);
    }

    /// Adds a stored answer.
    pub(crate) fn record_insert(&self, address: EntryAddress, weight: u64, expires: Moment) {
        if !is_sampled(address, self.shift.load(Ordering::Relaxed)) {
            return;
        }
        let mut sample = self.sample.lock();
        sample.seen.retain(|seen| seen.address != address);
        sample.seen.push_front(SampledEntry { address, weight, expires });
        if sample.seen.len() > SAMPLE_MAX {
            let shift = self.shift.fetch_add(1, Ordering::Relaxed) + 1;
            sample.seen.retain(|seen| is_sampled(seen.address, shift));
        }
        // Holds the limit even if the hash bits do not thin the sample.
        sample.seen.truncate(SAMPLE_MAX);
    }

    pub(crate) fn advice(&self) -> SizeEstimate {
        let sample = self.sample.lock();
        let ReuseSample { lookups, within_half, within, within_double, .. } = *sample;
        let percent = |hits: u64| hits.saturating_mul(100) / lookups.max(1);
        let word = if lookups < LOOKUPS_MIN {
            SizeAdvice::TooEarly
        } else if percent(within_double.saturating_sub(within)) >= GROW_PERCENT {
            SizeAdvice::Grow
        } else if percent(within.saturating_sub(within_half)) < SHRINK_PERCENT && within > 0 {
            SizeAdvice::Shrink
        } else {
            SizeAdvice::Keep
        };
        SizeEstimate {
            lookups,
            hits_with_half: within_half,
            hits_now: within,
            hits_with_double: within_double,
            word,
        }
    }
}

/// Selects by bits of the address, which is a hash.
fn is_sampled(address: EntryAddress, shift: u32) -> bool {
    let [a, b, c, d, ..] = *address.bytes();
    u32::from_le_bytes([a, b, c, d]).trailing_zeros() >= shift.min(u32::BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CacheKey;

    const NEVER: Moment = Moment::from_secs(1_000_000);

    fn address(number: u64) -> EntryAddress {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        CacheKey::new(digest).address()
    }

    /// Looks up `distinct` answers of 1,000 bytes in turn.
    fn rounds(reuse: &ReuseTracker, distinct: u64, lookups: u64) {
        for number in 0..lookups {
            let address = address(number % distinct);
            reuse.record_lookup(address, Moment::default());
            if number < distinct {
                reuse.record_insert(address, 1_000, NEVER);
            }
        }
    }

    #[test]
    fn a_round_that_fits_into_twice_the_memory_advises_to_grow() {
        let reuse = ReuseTracker::new(100_000);
        rounds(&reuse, 150, 1_500);
        let advice = reuse.advice();
        assert_eq!((advice.hits_now, advice.word), (0, SizeAdvice::Grow));
        assert_eq!(advice.hits_with_double, 1_350);
    }

    #[test]
    fn a_round_that_fits_into_half_advises_to_shrink_and_one_that_does_not_to_keep() {
        let small = ReuseTracker::new(100_000);
        rounds(&small, 40, 400);
        assert_eq!(small.advice().word, SizeAdvice::Shrink);
        let fitting = ReuseTracker::new(100_000);
        rounds(&fitting, 80, 800);
        assert_eq!(fitting.advice().word, SizeAdvice::Keep);
        let early = ReuseTracker::new(100_000);
        rounds(&early, 40, LOOKUPS_MIN - 1);
        assert_eq!(early.advice().word, SizeAdvice::TooEarly);
    }

    #[test]
    fn a_thinned_sample_still_tells_the_hits() {
        let reuse = ReuseTracker::new(10_000_000);
        rounds(&reuse, 8_000, 40_000);
        let advice = reuse.advice();
        assert!(reuse.sample.lock().seen.len() <= SAMPLE_MAX);
        assert!(advice.hits_with_half < advice.lookups / 20, "{advice:?}");
        let share = advice.hits_now * 100 / advice.lookups;
        assert!((65..=95).contains(&share), "80 % were asked again: {advice:?}");
    }

    #[test]
    fn what_has_expired_is_no_hit_of_any_size() {
        let reuse = ReuseTracker::new(100_000);
        reuse.record_insert(address(1), 1_000, Moment::from_secs(10));
        reuse.record_lookup(address(1), Moment::from_secs(10));
        let advice = reuse.advice();
        assert_eq!((advice.lookups, advice.hits_with_double), (1, 0));
    }
}
