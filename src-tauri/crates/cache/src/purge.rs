//! Purges as rules: an answer is stale if it was requested before a rule that covers it.
//!
//! Removing entries alone would leave a gap: an answer in flight while its model is purged would be
//! stored afterwards. Every purge therefore increases the generation, every request records its
//! generation ([`InsertTicket`]), and every read compares the two. This holds in every tier, whatever has
//! been removed by then.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{BackendId, ClientId, WallTime};
use parking_lot::RwLock;

use crate::mark_time::MarkTime;
use crate::{EntryAddress, EntryTags};

/// Most separate rules. Past it they become one rule that covers everything, so that too much is
/// purged, never too little.
pub const PURGE_RULES_MAX: usize = 1_024;

/// Selects the answers to purge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purge {
    All,
    Entry(EntryAddress),
    Backend(BackendId),
    /// All answers requested from or given by a model.
    Model(String),
    Client(ClientId),
    Route(String),
    /// All answers requested before this time.
    OlderThan(WallTime),
}

/// Time of a request. Taken before the backend is called, and passed in with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InsertTicket {
    pub(crate) generation: u64,
    /// The time by the shared tier's marks, if they could be read.
    pub(crate) shared: Option<MarkTime>,
    pub(crate) requested_at: WallTime,
}

impl InsertTicket {
    #[must_use]
    pub const fn requested_at(&self) -> WallTime {
        self.requested_at
    }
}

/// Subject of a rule: a [`CachePurgeArguments`] other than `All` and `OlderThan`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum PurgeSubject {
    Entry(EntryAddress),
    Backend(BackendId),
    Model(String),
    Client(ClientId),
    Route(String),
}

#[derive(Debug)]
pub(crate) struct PurgeRules {
    generation: AtomicU64,
    made: RwLock<RuleSet>,
}

#[derive(Debug, Default)]
struct RuleSet {
    by_name: HashMap<PurgeSubject, u64>,
    all: u64,
    older: u64,
    older_than: WallTime,
}

/// Properties of an answer that rules are checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleInput<'a> {
    pub(crate) address: EntryAddress,
    pub(crate) tags: &'a EntryTags,
    pub(crate) generation: u64,
    pub(crate) requested_at: WallTime,
}

impl PurgeRules {
    /// `generation` must be greater than every stored one.
    pub(crate) fn starting_at(generation: u64) -> Self {
        Self { generation: AtomicU64::new(generation), made: RwLock::default() }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Adds a rule. Answers that it covers are stale from now on.
    pub(crate) fn add(&self, purge: &Purge) -> u64 {
        let mut made = self.made.write();
        let next = self.generation.load(Ordering::Acquire) + 1;
        match purge_subject(purge) {
            Some(covered) => {
                made.by_name.insert(covered, next);
            }
            None => match purge {
                Purge::OlderThan(time) => {
                    made.older = next;
                    made.older_than = made.older_than.max(*time);
                }
                _ => made.all = next,
            },
        }
        if made.by_name.len() > PURGE_RULES_MAX {
            made.by_name.clear();
            made.all = next;
        }
        // Last: whoever sees the new generation also sees the rule, since reading it takes the
        // lock.
        self.generation.store(next, Ordering::Release);
        next
    }

    /// True if a rule covers the answer.
    pub(crate) fn is_stale(&self, answer: &RuleInput<'_>) -> bool {
        if answer.generation == self.generation() {
            return false;
        }
        let made = self.made.read();
        let is_after = |generation: u64| generation > answer.generation;
        if is_after(made.all) || (is_after(made.older) && answer.requested_at < made.older_than) {
            return true;
        }
        if made.by_name.is_empty() {
            return false;
        }
        let tags = answer.tags;
        [
            PurgeSubject::Entry(answer.address),
            PurgeSubject::Backend(tags.backend.clone()),
            PurgeSubject::Model(tags.model_asked.clone()),
            PurgeSubject::Model(tags.model.clone()),
            PurgeSubject::Client(tags.client.clone()),
            PurgeSubject::Route(tags.route.clone()),
        ]
        .iter()
        .any(|name| made.by_name.get(name).is_some_and(|generation| is_after(*generation)))
    }
}

fn purge_subject(purge: &Purge) -> Option<PurgeSubject> {
    Some(match purge {
        Purge::All | Purge::OlderThan(_) => return None,
        Purge::Entry(address) => PurgeSubject::Entry(*address),
        Purge::Backend(backend) => PurgeSubject::Backend(backend.clone()),
        Purge::Model(model) => PurgeSubject::Model(model.clone()),
        Purge::Client(client) => PurgeSubject::Client(client.clone()),
        Purge::Route(route) => PurgeSubject::Route(route.clone()),
    })
}
