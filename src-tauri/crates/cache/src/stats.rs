//! Statistics since the cache was opened. The ledger has the long-term ones.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::{NanoUsd, WallTime};

use crate::{BypassReason, CacheEntry, CacheTier, NotStoredReason, SizeEstimate};

/// A snapshot of the counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheStats {
    pub since: WallTime,
    /// Each lookup counts once, however many tiers it used.
    pub lookups: u64,
    /// Lookups without a hit in any tier.
    pub misses: u64,
    /// Requests that joined a flight.
    pub coalesced: u64,
    pub tiers: Vec<TierStats>,
    /// Requests without a lookup, by reason; reasons with a count of zero are omitted.
    pub bypassed: Vec<(BypassReason, u64)>,
    /// Answers that were not stored, by reason; reasons with a count of zero are omitted.
    pub not_kept: Vec<(NotStoredReason, u64)>,
    /// Known cost of hits and shared answers.
    pub saved: NanoUsd,
    /// Backend time saved by hits.
    pub saved_time: Duration,
    /// Estimates for other sizes of the memory tier.
    pub advice: SizeEstimate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierStats {
    pub tier: CacheTier,
    /// False while the tier does not work; it is skipped then.
    pub is_open: bool,
    /// `None` if unknown (a shared server).
    pub entries: Option<u64>,
    /// Weight of the entries.
    pub bytes: Option<u64>,
    pub bytes_max: Option<u64>,
    pub hits: u64,
    /// Damaged entries, which were removed and count as misses.
    pub damaged: u64,
}

#[derive(Debug)]
pub(crate) struct CacheCounters {
    pub(crate) since: WallTime,
    pub(crate) lookups: AtomicU64,
    pub(crate) misses: AtomicU64,
    coalesced: AtomicU64,
    hits: [AtomicU64; CacheTier::ALL.len()],
    damaged: [AtomicU64; CacheTier::ALL.len()],
    bypassed: [AtomicU64; BypassReason::ALL.len()],
    not_kept: [AtomicU64; NotStoredReason::ALL.len()],
    saved_nanos: AtomicI64,
    saved_ms: AtomicU64,
}

impl CacheCounters {
    pub(crate) fn new(since: WallTime) -> Self {
        Self {
            since,
            lookups: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            coalesced: AtomicU64::new(0),
            hits: Default::default(),
            damaged: Default::default(),
            bypassed: Default::default(),
            not_kept: Default::default(),
            saved_nanos: AtomicI64::new(0),
            saved_ms: AtomicU64::new(0),
        }
    }

    pub(crate) fn record_hit(&self, tier: CacheTier, entry: &CacheEntry) {
        increment(&self.lookups);
        increment_at(&self.hits, tier as usize);
        self.record_saving(entry.cost, entry.took);
    }

    pub(crate) fn record_miss(&self) {
        increment(&self.lookups);
        increment(&self.misses);
    }

    pub(crate) fn record_coalesced(&self, cost: Option<NanoUsd>) {
        increment(&self.coalesced);
        // A shared answer takes as long as the leader's.
        self.record_saving(cost, Duration::ZERO);
    }

    pub(crate) fn record_bypass(&self, why: BypassReason) {
        increment_at(&self.bypassed, why as usize);
    }

    pub(crate) fn record_not_stored(&self, why: NotStoredReason) {
        increment_at(&self.not_kept, why as usize);
    }

    pub(crate) fn record_damaged(&self, tier: CacheTier) {
        increment_at(&self.damaged, tier as usize);
    }

    fn record_saving(&self, cost: Option<NanoUsd>, took: Duration) {
        self.saved_nanos.fetch_add(cost.unwrap_or_default().nanos(), Ordering::Relaxed);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.saved_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub(crate) fn tier(&self, tier: CacheTier) -> TierStats {
        let read = |counters: &[AtomicU64]| counters.get(tier as usize).map_or(0, value);
        TierStats {
            tier,
            is_open: true,
            entries: None,
            bytes: None,
            bytes_max: None,
            hits: read(&self.hits),
            damaged: read(&self.damaged),
        }
    }

    pub(crate) fn stats(&self, tiers: Vec<TierStats>, advice: SizeEstimate) -> CacheStats {
        CacheStats {
            since: self.since,
            lookups: value(&self.lookups),
            misses: value(&self.misses),
            coalesced: value(&self.coalesced),
            tiers,
            bypassed: nonzero_counts(BypassReason::ALL, &self.bypassed),
            not_kept: nonzero_counts(NotStoredReason::ALL, &self.not_kept),
            saved: NanoUsd::new(self.saved_nanos.load(Ordering::Relaxed)),
            saved_time: Duration::from_millis(value(&self.saved_ms)),
            advice,
        }
    }
}

fn nonzero_counts<T: Copy>(words: &[T], counters: &[AtomicU64]) -> Vec<(T, u64)> {
    let counted = words.iter().copied().zip(counters.iter().map(value));
    counted.filter(|(_, count)| *count > 0).collect()
}

fn increment(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn increment_at(counters: &[AtomicU64], place: usize) {
    if let Some(counter) = counters.get(place) {
        increment(counter);
    }
}

fn value(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
