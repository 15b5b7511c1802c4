//! The first tier: answers in memory, bounded by their weight. What comes once does not push out what
//! comes often (TinyLFU admission, by moka).
//!
//! moka's own expiry reads the machine's clock, so times are kept beside the entries and checked here.

use std::sync::Arc;

use domain::{Moment, WallTime};
use moka::sync::Cache as Moka;

use crate::advice::{Advice, Reuse};
use crate::purge::{Asked, Rules};
use crate::{Address, Entry, Tags};

/// An answer with what decides whether it may still be given.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) entry: Arc<Entry>,
    pub(crate) tags: Tags,
    pub(crate) generation: u64,
    pub(crate) asked: WallTime,
    pub(crate) expires: Moment,
}

#[derive(Debug)]
pub(crate) struct Memory {
    entries: Moka<Address, Arc<Stored>>,
    reuse: Reuse,
}

impl Memory {
    pub(crate) fn new(bytes_max: u64) -> Self {
        let entries = Moka::builder()
            .max_capacity(bytes_max)
            .weigher(|_, stored: &Arc<Stored>| weight(&stored.entry))
            .build();
        Self { entries, reuse: Reuse::new(bytes_max) }
    }

    /// The answer, if there is a fresh one. Takes no lock that anybody holds for long.
    pub(crate) fn get(&self, address: Address, rules: &Rules, now: Moment) -> Option<Arc<Entry>> {
        self.reuse.looked_up(address, now);
        let stored = self.entries.get(&address)?;
        if stored.expires <= now || stored.is_stale(address, rules) {
            self.entries.invalidate(&address);
            return None;
        }
        Some(Arc::clone(&stored.entry))
    }

    pub(crate) fn put(&self, address: Address, stored: Stored) {
        self.reuse.came(address, u64::from(weight(&stored.entry)), stored.expires);
        self.entries.insert(address, Arc::new(stored));
    }

    /// Removes what the rules cover by now or what is over, for the memory's sake: nobody would be
    /// given it.
    pub(crate) fn sweep(&self, rules: &Rules, now: Moment) {
        let gone: Vec<Address> = self
            .entries
            .iter()
            .filter(|(address, stored)| stored.expires <= now || stored.is_stale(**address, rules))
            .map(|(address, _)| *address)
            .collect();
        for address in gone {
            self.entries.invalidate(&address);
        }
        self.entries.run_pending_tasks();
    }

    /// How many there are, and their weight in bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.entries.run_pending_tasks();
        (self.entries.entry_count(), self.entries.weighted_size())
    }

    pub(crate) fn advice(&self) -> Advice {
        self.reuse.advice()
    }
}

impl Stored {
    fn is_stale(&self, address: Address, rules: &Rules) -> bool {
        let Self { tags, generation, asked, .. } = self;
        rules.is_stale(&Asked { address, tags, generation: *generation, asked: *asked })
    }
}

fn weight(entry: &Entry) -> u32 {
    u32::try_from(entry.weight()).unwrap_or(u32::MAX)
}
