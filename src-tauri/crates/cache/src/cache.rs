//! The cache as its users see it: look up, put in, purge, count.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, MicroUsd, Secret, WallTime, words};

use crate::disk::{Disk, Found};
use crate::kept::Kept;
use crate::memory::{Memory, Stored};
use crate::purge::{Asked, Rules};
use crate::shared::Shared;
use crate::stats::Counters;
use crate::{Bypass, Entry, Key, NotKept, Purge, Stats, Tags, Ticket, TierStats};

words! {
    /// Where an answer lay.
    Tier {
        /// In this process.
        Memory = "memory",
        /// In a file beside the ledger.
        Disk = "disk",
        /// On a server that several machines use.
        Shared = "shared",
    }
}

/// What a cache may use.
#[derive(Debug, Clone)]
pub struct CacheConfig {
    /// Most bytes of answers in memory.
    pub memory_bytes_max: u64,
    /// Most bytes of one answer. Larger ones are not kept.
    pub entry_bytes_max: usize,
    /// The file of the second tier; `None` for none.
    pub disk: Option<DiskConfig>,
    /// The server of the third tier; `None` for none.
    pub shared: Option<SharedConfig>,
}

/// The second tier.
#[derive(Debug, Clone)]
pub struct DiskConfig {
    /// The file, `cache.sqlite` in the data folder.
    pub path: PathBuf,
    /// Most bytes of answers in it, as they lie there.
    pub bytes_max: u64,
}

/// The third tier.
#[derive(Debug, Clone)]
pub struct SharedConfig {
    /// `redis`, `rediss` (TLS), `valkey` or `valkeys://host:port/number`, or `unix:///path`, without a
    /// password. Clients of the same name on other machines are the same client there.
    pub url: String,
    /// Its password, if it wants one.
    pub password: Option<Secret>,
}

/// Purged answers still lie where they could not be removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "purged responses are no longer served, but some copies remain in: {}; purge again later to \
     remove them",
    .tiers.iter().map(Tier::to_string).collect::<Vec<_>>().join(", ")
)]
pub struct Unreached {
    /// Where.
    pub tiers: Vec<Tier>,
}

/// What a lookup found.
#[derive(Debug)]
pub enum Lookup {
    /// An answer.
    Hit {
        /// It.
        entry: Arc<Entry>,
        /// Where it lay.
        tier: Tier,
    },
    /// None; ask, and hand the answer in with this.
    Miss(Ticket),
}

/// Answers that were given before. Cheap to clone; clones are the same cache.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    rules: Arc<Rules>,
    memory: Memory,
    disk: Option<Disk>,
    shared: Option<Shared>,
    counters: Counters,
    config: CacheConfig,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl Cache {
    /// Opens it. Never fails: a tier that cannot be had is left out and reported in [`Self::stats`].
    #[must_use]
    pub fn open(config: CacheConfig, clock: Arc<dyn Clock>) -> Self {
        let rules = Arc::new(Rules::starting_at(1));
        let open = |disk| Disk::open(disk, Arc::clone(&rules), Arc::clone(&clock));
        let inner = Inner {
            disk: config.disk.as_ref().map(open),
            shared: config.shared.as_ref().map(|shared| Shared::new(shared, Arc::clone(&clock))),
            rules,
            memory: Memory::new(config.memory_bytes_max),
            counters: Counters::new(clock.wall()),
            clock,
            config,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The answer, if it lies in memory: no wait, for the way of every eligible request.
    #[must_use]
    pub fn get_memory(&self, key: &Key) -> Option<Arc<Entry>> {
        let Inner { memory, disk, rules, clock, counters, .. } = &*self.inner;
        let address = key.address();
        let entry = memory.get(address, rules, clock.now())?;
        counters.hit(Tier::Memory, &entry);
        if let Some(disk) = disk {
            disk.used(address);
        }
        Some(entry)
    }

    /// The answer, wherever it lies. One from a slower tier then lies in memory too.
    pub async fn get(&self, key: &Key) -> Lookup {
        let mut ticket = self.ticket();
        if let Some(entry) = self.get_memory(key) {
            return Lookup::Hit { entry, tier: Tier::Memory };
        }
        let Inner { disk, shared, counters, config, .. } = &*self.inner;
        if let Some(disk) = disk {
            match disk.get(*key, config.entry_bytes_max).await {
                Found::Kept(kept) => {
                    if let Some(entry) = self.promote(key, kept, ticket) {
                        counters.hit(Tier::Disk, &entry);
                        return Lookup::Hit { entry, tier: Tier::Disk };
                    }
                }
                Found::Damaged => counters.damaged(Tier::Disk),
                Found::Nothing => {}
            }
        }
        if let Some(shared) = shared {
            let looked = shared.get(key, config.entry_bytes_max).await;
            ticket.shared = looked.time;
            if looked.is_damaged {
                counters.damaged(Tier::Shared);
            }
            if let Some(mut kept) = looked.kept {
                // The server's marks were checked; this process's rules begin with this look-up.
                kept.generation = ticket.generation;
                if let Some(entry) = self.promote(key, kept, ticket) {
                    counters.hit(Tier::Shared, &entry);
                    return Lookup::Hit { entry, tier: Tier::Shared };
                }
            }
        }
        counters.missed();
        Lookup::Miss(ticket)
    }

    /// Takes an answer from a slower tier into memory, if it may still be given.
    fn promote(&self, key: &Key, mut kept: Kept, ticket: Ticket) -> Option<Arc<Entry>> {
        let Inner { rules, memory, clock, .. } = &*self.inner;
        let address = key.address();
        let left = kept.left(clock.wall())?;
        if kept.is_stale(address, rules) {
            return None;
        }
        // It was checked against every rule up to now, so it is as good as one asked for at the look-up.
        kept.generation = ticket.generation;
        let entry = Arc::clone(&kept.entry);
        memory.put(address, Stored { kept, expires: clock.now() + left });
        Some(entry)
    }

    /// For an answer that is asked for without a look-up.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        let Inner { rules, clock, .. } = &*self.inner;
        Ticket { generation: rules.generation(), shared: None, asked: clock.wall() }
    }

    /// Changes with every purge: who asks after one must not share an answer asked for before it.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.inner.rules.generation()
    }

    /// Most bytes of one answer.
    #[must_use]
    pub fn entry_bytes_max(&self) -> usize {
        self.inner.config.entry_bytes_max
    }

    /// Keeps an answer for `ttl`. Whether it is one worth keeping is for the caller to say; too large
    /// ones, and those purged while they were under way, are refused here. Does not wait.
    pub fn put(
        &self,
        key: &Key,
        ticket: Ticket,
        tags: Tags,
        entry: Entry,
        ttl: Duration,
    ) -> Result<(), NotKept> {
        let kept = self.keep(key, ticket, tags, entry, ttl);
        if let Err(why) = kept {
            self.not_kept(why);
        }
        kept
    }

    fn keep(
        &self,
        key: &Key,
        ticket: Ticket,
        tags: Tags,
        entry: Entry,
        ttl: Duration,
    ) -> Result<(), NotKept> {
        let Inner { rules, memory, disk, shared, clock, config, .. } = &*self.inner;
        if entry.answer.bytes().len() > config.entry_bytes_max {
            return Err(NotKept::TooLarge);
        }
        let address = key.address();
        let Ticket { generation, asked, shared: shared_time } = ticket;
        if rules.is_stale(&Asked { address, tags: &tags, generation, asked }) {
            return Err(NotKept::Purged);
        }
        let ttl_ms = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let expires = WallTime::from_unix_ms(clock.wall().unix_ms().saturating_add(ttl_ms));
        let entry = Arc::new(entry);
        let kept = Kept { entry, tags, generation, shared: shared_time, asked, expires };
        if let Some(disk) = disk {
            disk.put(*key, kept.clone());
        }
        if let Some(shared) = shared {
            shared.put(*key, kept.clone());
        }
        memory.put(address, Stored { kept, expires: clock.now() + ttl });
        Ok(())
    }

    /// Purges. From this call on, waited for or not, nothing that is covered is given to anybody here,
    /// and nothing that was asked for before is kept later. Waiting for it removes what lies in the
    /// slower tiers; after an error other processes may still find it there.
    pub fn purge(
        &self,
        purge: Purge,
    ) -> impl Future<Output = Result<(), Unreached>> + Send + 'static + use<> {
        let Inner { rules, memory, shared, clock, .. } = &*self.inner;
        // First: an answer that is read from there meanwhile was looked up before the rule below.
        if let Some(shared) = shared {
            shared.announce(purge.clone());
        }
        rules.add(&purge);
        memory.sweep(rules, clock.now());
        self.clone().remove(purge)
    }

    async fn remove(self, purge: Purge) -> Result<(), Unreached> {
        let Inner { disk, shared, .. } = &*self.inner;
        let mut unreached = Unreached { tiers: Vec::new() };
        if let Some(disk) = disk
            && !disk.purge(purge).await
        {
            unreached.tiers.push(Tier::Disk);
        }
        if let Some(shared) = shared
            && !shared.tell().await
        {
            unreached.tiers.push(Tier::Shared);
        }
        if unreached.tiers.is_empty() { Ok(()) } else { Err(unreached) }
    }

    /// The models of the answers on the disk, as they were asked for and as they were named to a
    /// backend, each once. Reads the whole table, so it is for rare use; empty without that tier.
    pub async fn models(&self) -> Vec<String> {
        match &self.inner.disk {
            Some(disk) => disk.models().await,
            None => Vec::new(),
        }
    }

    /// Waits until all that was put in lies on the disk, as far as it ever will.
    pub async fn flush(&self) {
        if let Some(disk) = &self.inner.disk {
            disk.flush().await;
        }
    }

    /// Writes what was put in and lets go of the file, for another cache or the end of the program. What
    /// is in memory is given on.
    pub fn close(&self) {
        if let Some(disk) = &self.inner.disk {
            disk.close();
        }
    }

    /// Carries to the shared tier what was put in and what it has not taken yet, for ever. To be run
    /// beside the requests; without it that tier is read but not filled. Ends at once without one.
    pub async fn tend(&self) {
        if let Some(shared) = &self.inner.shared {
            shared.tend().await;
        }
    }

    /// Counts a request for which nothing was looked up.
    pub fn bypassed(&self, why: Bypass) {
        self.inner.counters.bypassed(why);
    }

    /// Counts an answer that was not kept.
    pub fn not_kept(&self, why: NotKept) {
        self.inner.counters.not_kept(why);
    }

    /// Counts a request that shared another's answer under way, which cost this.
    pub fn coalesced(&self, cost: Option<MicroUsd>) {
        self.inner.counters.coalesced(cost);
    }

    /// What it did since it was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Inner { memory, disk, shared, counters, config, .. } = &*self.inner;
        let (entries, bytes) = memory.size();
        let mut in_memory = counters.tier(Tier::Memory);
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
                ..counters.tier(Tier::Disk)
            }
        });
        let elsewhere = shared
            .as_ref()
            .map(|shared| TierStats { is_open: shared.is_open(), ..counters.tier(Tier::Shared) });
        let tiers = std::iter::once(in_memory).chain(on_disk).chain(elsewhere).collect();
        counters.stats(tiers, memory.advice())
    }
}
