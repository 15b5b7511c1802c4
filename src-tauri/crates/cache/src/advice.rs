//! What a smaller or a larger memory would have given, from the ages of the hits.
//!
//! The age of a lookup is measured in bytes: how much else was used since the same answer was used last.
//! A memory of that size would just have had it. So one list in order of last use tells for every size
//! at once how many hits it would have had (Mattson's stack distances). The list holds a sample of the
//! addresses, chosen by their hash, and a smaller one the longer it gets (SHARDS with a fixed size,
//! Waldspurger et al., FAST 2015). It knows pure recency; the memory itself also weighs frequency, so
//! its own hits may be a little better than what is said here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::{Moment, words};
use parking_lot::Mutex;

use crate::Address;

/// Most addresses in the sample. A walk over all of them takes a few microseconds.
const SAMPLE_MAX: usize = 1_024;

/// Fewer lookups than this say nothing.
const LOOKUPS_MIN: u64 = 200;

/// A larger memory is worth it if it would answer this many more lookups, in percent.
const GROW_PERCENT: u64 = 5;

/// A smaller memory does as well if it would answer at most this many fewer, in percent.
const SHRINK_PERCENT: u64 = 1;

words! {
    /// What to do about the size of the memory.
    AdviceWord {
        /// Too few lookups so far.
        TooEarly = "too-early",
        /// Leave it as it is.
        Keep = "keep",
        /// Twice as much would give clearly more hits.
        Grow = "grow",
        /// Half of it would give as many hits.
        Shrink = "shrink",
    }
}

/// How many lookups a memory of each size would have answered. Estimates from a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// All lookups.
    pub lookups: u64,
    /// Hits with half the size.
    pub hits_with_half: u64,
    /// Hits with the size it has.
    pub hits_now: u64,
    /// Hits with twice the size.
    pub hits_with_double: u64,
    /// What follows from that.
    pub word: AdviceWord,
}

/// The sample.
#[derive(Debug)]
pub(crate) struct Reuse {
    bytes_max: u64,
    /// One address in `2^shift` is in the sample.
    shift: AtomicU32,
    sample: Mutex<Sample>,
}

#[derive(Debug, Default)]
struct Sample {
    /// Last used first.
    seen: VecDeque<Seen>,
    lookups: u64,
    within_half: u64,
    within: u64,
    within_double: u64,
}

#[derive(Debug)]
struct Seen {
    address: Address,
    weight: u64,
    expires: Moment,
}

impl Reuse {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, shift: AtomicU32::new(0), sample: Mutex::default() }
    }

    /// An answer was looked up, whether or not it was there.
    pub(crate) fn looked_up(&self, address: Address, now: Moment) {
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

    /// An answer came in.
    pub(crate) fn came(&self, address: Address, weight: u64, expires: Moment) {
        if !is_sampled(address, self.shift.load(Ordering::Relaxed)) {
            return;
        }
        let mut sample = self.sample.lock();
        sample.seen.retain(|seen| seen.address != address);
        sample.seen.push_front(Seen { address, weight, expires });
        if sample.seen.len() > SAMPLE_MAX {
            let shift = self.shift.fetch_add(1, Ordering::Relaxed) + 1;
            sample.seen.retain(|seen| is_sampled(seen.address, shift));
        }
        // A hash that does not thin them out would be no hash; the limit holds even then.
        sample.seen.truncate(SAMPLE_MAX);
    }

    pub(crate) fn advice(&self) -> Advice {
        let sample = self.sample.lock();
        let Sample { lookups, within_half, within, within_double, .. } = *sample;
        let percent = |hits: u64| hits.saturating_mul(100) / lookups.max(1);
        let word = if lookups < LOOKUPS_MIN {
            AdviceWord::TooEarly
        } else if percent(within_double.saturating_sub(within)) >= GROW_PERCENT {
            AdviceWord::Grow
        } else if percent(within.saturating_sub(within_half)) < SHRINK_PERCENT && within > 0 {
            AdviceWord::Shrink
        } else {
            AdviceWord::Keep
        };
        Advice {
            lookups,
            hits_with_half: within_half,
            hits_now: within,
            hits_with_double: within_double,
            word,
        }
    }
}

/// By bits of the address, which is a hash.
fn is_sampled(address: Address, shift: u32) -> bool {
    let [a, b, c, d, ..] = *address.bytes();
    u32::from_le_bytes([a, b, c, d]).trailing_zeros() >= shift.min(u32::BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    const NEVER: Moment = Moment::from_secs(1_000_000);

    fn address(number: u64) -> Address {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        Key::new(digest).address()
    }

    /// Asks for `distinct` answers of 1,000 bytes in turn.
    fn rounds(reuse: &Reuse, distinct: u64, lookups: u64) {
        for number in 0..lookups {
            let address = address(number % distinct);
            reuse.looked_up(address, Moment::default());
            if number < distinct {
                reuse.came(address, 1_000, NEVER);
            }
        }
    }

    #[test]
    fn a_round_that_fits_into_twice_the_memory_advises_to_grow() {
        let reuse = Reuse::new(100_000);
        rounds(&reuse, 150, 1_500);
        let advice = reuse.advice();
        assert_eq!((advice.hits_now, advice.word), (0, AdviceWord::Grow));
        assert_eq!(advice.hits_with_double, 1_350);
    }

    #[test]
    fn a_round_that_fits_into_half_advises_to_shrink_and_one_that_does_not_to_keep() {
        let small = Reuse::new(100_000);
        rounds(&small, 40, 400);
        assert_eq!(small.advice().word, AdviceWord::Shrink);
        let fitting = Reuse::new(100_000);
        rounds(&fitting, 80, 800);
        assert_eq!(fitting.advice().word, AdviceWord::Keep);
        let early = Reuse::new(100_000);
        rounds(&early, 40, LOOKUPS_MIN - 1);
        assert_eq!(early.advice().word, AdviceWord::TooEarly);
    }

    #[test]
    fn a_thinned_sample_still_tells_the_hits() {
        let reuse = Reuse::new(10_000_000);
        rounds(&reuse, 8_000, 40_000);
        let advice = reuse.advice();
        assert!(reuse.sample.lock().seen.len() <= SAMPLE_MAX);
        assert!(advice.hits_with_half < advice.lookups / 20, "{advice:?}");
        let share = advice.hits_now * 100 / advice.lookups;
        assert!((65..=95).contains(&share), "80 % were asked again: {advice:?}");
    }

    #[test]
    fn what_has_expired_is_no_hit_of_any_size() {
        let reuse = Reuse::new(100_000);
        reuse.came(address(1), 1_000, Moment::from_secs(10));
        reuse.looked_up(address(1), Moment::from_secs(10));
        let advice = reuse.advice();
        assert_eq!((advice.lookups, advice.hits_with_double), (1, 0));
    }
}
