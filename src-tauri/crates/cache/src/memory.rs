//! The memory tier, bounded by weight. One-off entries do not displace frequent ones (TinyLFU
//! admission, by moka).
//!
//! moka's own expiry reads the machine's clock, so expiry times are stored with the entries and
//! checked here.

use std::sync::Arc;

use domain::Moment;
use moka::sync::Cache as Moka;

use crate::purge::PurgeRules;
use crate::reuse_distance::{ReuseTracker, SizeEstimate};
use crate::stored_entry::StoredEntry;
use crate::{CacheEntry, EntryAddress};

#[derive(Debug)]
pub(crate) struct MemoryEntry {
    pub(crate) kept: StoredEntry,
    pub(crate) expires: Moment,
}

#[derive(Debug)]
pub(crate) struct MemoryTier {
    entries: Moka<EntryAddress, Arc<MemoryEntry>>,
    reuse: ReuseTracker,
}

impl MemoryTier {
    pub(crate) fn new(bytes_max: u64) -> Self {
        let entries = Moka::builder()
            .max_capacity(bytes_max)
            .weigher(|_, stored: &Arc<MemoryEntry>| weight(&stored.kept.entry))
            .build();
        Self { entries, reuse: ReuseTracker::new(bytes_max) }
    }

    /// Returns the answer unless it is expired or purged. Takes no lock that is held for long.
    pub(crate) fn get(
        &self,
        address: EntryAddress,
        rules: &PurgeRules,
        now: Moment,
    ) -> Option<Arc<CacheEntry>> {
        self.reuse.record_lookup(address, now);
        let stored = self.entries.get(&address)?;
        if stored.expires <= now || stored.kept.is_stale(address, rules) {
            self.entries.invalidate(&address);
            return None;
        }
        Some(Arc::clone(&stored.kept.entry))
    }

    pub(crate) fn put(&self, address: EntryAddress, stored: MemoryEntry) {
        self.reuse.record_insert(address, u64::from(weight(&stored.kept.entry)), stored.expires);
        self.entries.insert(address, Arc::new(stored));
    }

    /// Removes purged and expired entries, only to free memory: [`Self::get`] never returns them.
    pub(crate) fn sweep(&self, rules: &PurgeRules, now: Moment) {
        let gone: Vec<EntryAddress> = self
            .entries
            .iter()
            .filter(|(address, stored)| {
                stored.expires <= now || stored.kept.is_stale(**address, rules)
            })
            .map(|(address, _)| *address)
            .collect();
        for address in gone {
            self.entries.invalidate(&address);
        }
        self.entries.run_pending_tasks();
    }

    /// Number of entries, and their weight in bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.entries.run_pending_tasks();
        (self.entries.entry_count(), self.entries.weighted_size())
    }

    pub(crate) fn advice(&self) -> SizeEstimate {
        self.reuse.advice()
    }
}

fn weight(entry: &CacheEntry) -> u32 {
    u32::try_from(entry.weight()).unwrap_or(u32::MAX)
}
