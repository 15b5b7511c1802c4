//! The cache as its users see it: look up, put in, purge, count.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, MicroUsd, Secret, words};

use crate::memory::{Memory, Stored};
use crate::purge::{Asked, Rules};
use crate::stats::Counters;
use crate::{Bypass, Entry, Key, NotKept, Purge, Stats, Tags, Ticket};

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
    /// `redis://host:port/number` or `unix:/path/to/socket`, without a password.
    pub url: String,
    /// Its password, if it wants one.
    pub password: Option<Secret>,
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
    rules: Rules,
    memory: Memory,
    counters: Counters,
    config: CacheConfig,
}

impl Cache {
    /// Opens it. Never fails: a tier that cannot be had is left out and reported in [`Self::stats`].
    #[must_use]
    pub fn open(config: CacheConfig, clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            rules: Rules::starting_at(1),
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
        let Inner { memory, rules, clock, counters, .. } = &*self.inner;
        let entry = memory.get(key.address(), rules, clock.now())?;
        counters.hit(Tier::Memory, &entry);
        Some(entry)
    }

    /// The answer, wherever it lies. One from a slower tier then lies in memory too.
    pub async fn get(&self, key: &Key) -> Lookup {
        let ticket = self.ticket();
        if let Some(entry) = self.get_memory(key) {
            return Lookup::Hit { entry, tier: Tier::Memory };
        }
        self.inner.counters.missed();
        Lookup::Miss(ticket)
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
        let Inner { rules, memory, clock, config, .. } = &*self.inner;
        if entry.answer.bytes().len() > config.entry_bytes_max {
            return Err(NotKept::TooLarge);
        }
        let address = key.address();
        let Ticket { generation, asked, .. } = ticket;
        if rules.is_stale(&Asked { address, tags: &tags, generation, asked }) {
            return Err(NotKept::Purged);
        }
        let expires = clock.now() + ttl;
        let stored = Stored { entry: Arc::new(entry), tags, generation, asked, expires };
        memory.put(address, stored);
        Ok(())
    }

    /// Purges. Once it returns, nothing that is covered is given to anybody, and nothing that was asked
    /// for before is kept later.
    pub async fn purge(&self, purge: Purge) {
        let Inner { rules, memory, clock, .. } = &*self.inner;
        rules.add(&purge);
        memory.sweep(rules, clock.now());
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
        let Inner { memory, counters, config, .. } = &*self.inner;
        let (entries, bytes) = memory.size();
        let mut in_memory = counters.tier(Tier::Memory);
        in_memory.entries = Some(entries);
        in_memory.bytes = Some(bytes);
        in_memory.bytes_max = Some(config.memory_bytes_max);
        counters.stats(vec![in_memory], memory.advice())
    }
}
