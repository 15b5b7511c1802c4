//! The public API of the cache: lookup, insert, purge, statistics.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, NanoUsd};

use crate::disk::{DiskLookup, DiskTier};
use crate::memory::{MemoryEntry, MemoryTier};
use crate::purge::{PurgeRules, RuleInput};
use crate::shared::SharedTier;
use crate::stats::CacheCounters;
use crate::stored_entry::StoredEntry;
use crate::{
    BypassReason, CacheConfig, CacheEntry, CacheKey, CacheStats, CacheTier, EntryTags,
    InsertTicket, NotStoredReason, Purge, TierStats,
};

/// Copies of purged answers remain in some tiers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "purged responses are no longer served, but some copies remain in: {}; purge again later to \
     remove them",
    .tiers.iter().map(CacheTier::to_string).collect::<Vec<_>>().join(", ")
)]
pub struct PurgeIncomplete {
    pub tiers: Vec<CacheTier>,
}

#[derive(Debug)]
pub enum Lookup {
    Hit {
        entry: Arc<CacheEntry>,
        tier: CacheTier,
    },
    /// Call a backend and insert its answer with this ticket.
    Miss(InsertTicket),
}

/// A tiered response cache. Clones share it.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    rules: Arc<PurgeRules>,
    memory: MemoryTier,
    disk: Option<DiskTier>,
    shared: Option<SharedTier>,
    counters: CacheCounters,
    config: CacheConfig,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl Cache {
    /// Opens the cache. Never fails: an unavailable tier is skipped and reported in
    /// [`Self::stats`].
    #[must_use]
    pub fn open(config: CacheConfig, clock: Arc<dyn Clock>) -> Self {
        let rules = Arc::new(PurgeRules::starting_at(1));
        let open = |disk| DiskTier::open(disk, Arc::clone(&rules), Arc::clone(&clock));
        let inner = Inner {
            disk: config.disk.as_ref().map(open),
            shared: config
                .shared
                .as_ref()
                .map(|shared| SharedTier::new(shared, Arc::clone(&clock))),
            rules,
            memory: MemoryTier::new(config.memory_bytes_max),
            counters: CacheCounters::new(clock.wall()),
            clock,
            config,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Looks up the memory tier only. Never waits, so every eligible request can call it.
    #[must_use]
    pub fn get_memory(&self, key: &CacheKey) -> Option<Arc<CacheEntry>> {
        let Inner { memory, disk, rules, clock, counters, .. } = &*self.inner;
        let address = key.address();
        let entry = memory.get(address, rules, clock.now())?;
        counters.record_hit(CacheTier::Memory, &entry);
        if let Some(disk) = disk {
            disk.record_use(address);
        }
        Some(entry)
    }

    /// Looks up all tiers. An answer from a slower tier is also inserted into memory.
    pub async fn get(&self, key: &CacheKey) -> Lookup {
        let mut ticket = self.ticket();
        if let Some(entry) = self.get_memory(key) {
            return Lookup::Hit { entry, tier: CacheTier::Memory };
        }
        let Inner { disk, shared, counters, config, .. } = &*self.inner;
        if let Some(disk) = disk {
            match disk.get(*key, config.entry_bytes_max).await {
                DiskLookup::Hit(kept) => {
                    if let Some(entry) = self.promote(key, kept, ticket) {
                        counters.record_hit(CacheTier::Disk, &entry);
                        return Lookup::Hit { entry, tier: CacheTier::Disk };
                    }
                }
                DiskLookup::Damaged => counters.record_damaged(CacheTier::Disk),
                DiskLookup::Miss => {}
            }
        }
        if let Some(shared) = shared {
            let found = shared.get(key, config.entry_bytes_max).await;
            ticket.shared = found.time;
            if found.is_damaged {
                counters.record_damaged(CacheTier::Shared);
            }
            if let Some(mut kept) = found.kept {
                // The server's marks were checked; this process's rules apply from this lookup on.
                kept.generation = ticket.generation;
                if let Some(entry) = self.promote(key, kept, ticket) {
                    counters.record_hit(CacheTier::Shared, &entry);
                    return Lookup::Hit { entry, tier: CacheTier::Shared };
                }
            }
        }
        counters.record_miss();
        Lookup::Miss(ticket)
    }

    /// Inserts an answer from a slower tier into memory, unless it is expired or purged.
    fn promote(
        &self,
        key: &CacheKey,
        mut kept: StoredEntry,
        ticket: InsertTicket,
    ) -> Option<Arc<CacheEntry>> {
        let Inner { rules, memory, clock, .. } = &*self.inner;
        let address = key.address();
        let left = kept.remaining_ttl(clock.wall())?;
        if kept.is_stale(address, rules) {
            return None;
        }
        // Checked against every rule so far, so it counts as requested at the lookup.
        kept.generation = ticket.generation;
        let entry = Arc::clone(&kept.entry);
        memory.put(address, MemoryEntry { kept, expires: clock.now() + left });
        Some(entry)
    }

    /// A ticket for a backend call without a lookup.
    #[must_use]
    pub fn ticket(&self) -> InsertTicket {
        let Inner { rules, clock, .. } = &*self.inner;
        InsertTicket { generation: rules.generation(), shared: None, requested_at: clock.wall() }
    }

    /// Increases with every purge. A request must not join a flight of an older generation.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.inner.rules.generation()
    }

    /// Size limit of one answer.
    #[must_use]
    pub fn entry_bytes_max(&self) -> usize {
        self.inner.config.entry_bytes_max
    }

    /// Stores an answer for `ttl`. The caller decides if it is worth storing; too large and
    /// meanwhile purged answers are refused here. Never waits.
    pub fn put(
        &self,
        key: &CacheKey,
        ticket: InsertTicket,
        tags: EntryTags,
        entry: CacheEntry,
        ttl: Duration,
    ) -> Result<(), NotStoredReason> {
        let kept = self.store(key, ticket, tags, entry, ttl);
        if let Err(why) = kept {
            self.record_not_stored(why);
        }
        kept
    }

    fn store(
        &self,
        key: &CacheKey,
        ticket: InsertTicket,
        tags: EntryTags,
        entry: CacheEntry,
        ttl: Duration,
    ) -> Result<(), NotStoredReason> {
        let Inner { rules, memory, disk, shared, clock, config, .. } = &*self.inner;
        if entry.answer.bytes().len() > config.entry_bytes_max {
            return Err(NotStoredReason::TooLarge);
        }
        let address = key.address();
        let InsertTicket { generation, requested_at, shared: shared_time } = ticket;
        if rules.is_stale(&RuleInput { address, tags: &tags, generation, requested_at }) {
            return Err(NotStoredReason::Purged);
        }
        let ttl_ms = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let expires = clock.wall().plus_ms(ttl_ms);
        let entry = Arc::new(entry);
        let kept =
            StoredEntry { entry, tags, generation, shared: shared_time, requested_at, expires };
        if let Some(disk) = disk {
            disk.put(*key, kept.clone());
        }
        if let Some(shared) = shared {
            shared.put(*key, kept.clone());
        }
        memory.put(address, MemoryEntry { kept, expires: clock.now() + ttl });
        Ok(())
    }

    /// Purges matching answers. From this call on, awaited or not, this process neither serves them
    /// nor stores answers requested before. The returned future removes them from the slower tiers;
    /// after an error other processes may still find them there.
    pub fn purge(
        &self,
        purge: Purge,
    ) -> impl Future<Output = Result<(), PurgeIncomplete>> + Send + 'static + use<> {
        let Inner { rules, memory, shared, clock, .. } = &*self.inner;
        // First: an answer read from the server meanwhile was looked up before the rule below.
        if let Some(shared) = shared {
            shared.add_pending_purge(purge.clone());
        }
        rules.add(&purge);
        memory.sweep(rules, clock.now());
        self.clone().purge_slow_tiers(purge)
    }

    async fn purge_slow_tiers(self, purge: Purge) -> Result<(), PurgeIncomplete> {
        let Inner { disk, shared, .. } = &*self.inner;
        let mut unreached = PurgeIncomplete { tiers: Vec::new() };
        if let Some(disk) = disk
            && !disk.purge(purge).await
        {
            unreached.tiers.push(CacheTier::Disk);
        }
        if let Some(shared) = shared
            && !shared.send_purges().await
        {
            unreached.tiers.push(CacheTier::Shared);
        }
        if unreached.tiers.is_empty() { Ok(()) } else { Err(unreached) }
    }

    /// Models on disk, as requested and as sent to the backend, each once. Empty without a disk
    /// tier. Scans the whole table, so call it rarely.
    pub async fn models(&self) -> Vec<String> {
        match &self.inner.disk {
            Some(disk) => disk.models().await,
            None => Vec::new(),
        }
    }

    /// Waits until all inserted answers are on disk, or dropped.
    pub async fn flush(&self) {
        if let Some(disk) = &self.inner.disk {
            disk.flush().await;
        }
    }

    /// Writes inserted answers and releases the file, for another cache or the end of the program.
    /// The memory tier stays usable.
    pub fn close(&self) {
        if let Some(disk) = &self.inner.disk {
            disk.close();
        }
    }

    /// Writes inserted answers and pending purges to the shared tier, for ever. Run it beside the
    /// requests; without it that tier is read but never filled. Returns at once without a shared
    /// tier.
    pub async fn run_background(&self) {
        if let Some(shared) = &self.inner.shared {
            shared.run_background().await;
        }
    }

    /// Counts a request that was not looked up.
    pub fn record_bypass(&self, why: BypassReason) {
        self.inner.counters.record_bypass(why);
    }

    /// Counts an answer that was not stored.
    pub fn record_not_stored(&self, why: NotStoredReason) {
        self.inner.counters.record_not_stored(why);
    }

    /// Counts a request that joined a flight, and the cost it saved.
    pub fn record_coalesced(&self, cost: Option<NanoUsd>) {
        self.inner.counters.record_coalesced(cost);
    }

    /// Statistics since the cache was opened.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let Inner { memory, disk, shared, counters, config, .. } = &*self.inner;
        let (entries, bytes) = memory.size();
        let mut in_memory = counters.tier(CacheTier::Memory);
        in_memory.entries = Some(entries);
        in_memory.bytes = Some(bytes);
        in_memory.bytes_max = Some(config.memory_bytes_max);
        let on_disk = disk.as_ref().map(|disk| {
            let (entries, bytes, bytes_max) = disk.size();
            TierStats {
                is_open: disk.is_open(),
                entries: Some(entries),
                bytes: Some(bytes),
                bytes_max: Some(bytes_max),
                ..counters.tier(CacheTier::Disk)
            }
        });
        let elsewhere = shared.as_ref().map(|shared| TierStats {
            is_open: shared.is_open(),
            ..counters.tier(CacheTier::Shared)
        });
        let tiers = std::iter::once(in_memory).chain(on_disk).chain(elsewhere).collect();
        counters.stats(tiers, memory.advice())
    }
}
