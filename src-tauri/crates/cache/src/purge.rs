//! What was purged, as rules: an answer is stale if it was asked for before a rule that covers it.
//!
//! Removing entries alone would leave a hole: an answer that is under way while its model is purged
//! would be kept afterwards. So every purge raises the generation, every question notes the generation
//! in which it was asked ([`Ticket`]), and every read checks one against the other. That holds in
//! every tier, whatever has been removed by then.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{BackendId, ClientId, WallTime};
use parking_lot::RwLock;

use crate::shared::SharedTime;
use crate::{Address, Tags};

/// Most rules that are remembered one by one. Past this they become one that covers everything: too
/// much is asked again, never too little.
pub const PURGE_RULES_MAX: usize = 1_024;

/// What to purge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purge {
    /// Everything.
    All,
    /// One answer.
    Entry(Address),
    /// All answers of a backend.
    Backend(BackendId),
    /// All answers to questions for a model, and all answers by a model.
    Model(String),
    /// All answers to a client.
    Client(ClientId),
    /// All answers to questions that a route took.
    Route(String),
    /// All answers asked for before this time.
    OlderThan(WallTime),
}

/// When a question was asked. Taken before a backend is asked, and handed in with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    pub(crate) generation: u64,
    /// When that was by the shared tier's marks, if those could be read.
    pub(crate) shared: Option<SharedTime>,
    pub(crate) asked: WallTime,
}

impl Ticket {
    /// When the question was asked.
    #[must_use]
    pub const fn asked(&self) -> WallTime {
        self.asked
    }
}

/// What a rule is about; [`Purge`] but for the two that are no names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Covered {
    Entry(Address),
    Backend(BackendId),
    Model(String),
    Client(ClientId),
    Route(String),
}

/// The rules of this process.
#[derive(Debug)]
pub(crate) struct Rules {
    generation: AtomicU64,
    made: RwLock<Made>,
}

#[derive(Debug, Default)]
struct Made {
    by_name: HashMap<Covered, u64>,
    all: u64,
    older: u64,
    older_than: WallTime,
}

/// What a rule is checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) address: Address,
    pub(crate) tags: &'a Tags,
    pub(crate) generation: u64,
    pub(crate) asked: WallTime,
}

impl Rules {
    /// Begins with a generation past every one that is written down.
    pub(crate) fn starting_at(generation: u64) -> Self {
        Self { generation: AtomicU64::new(generation), made: RwLock::default() }
    }

    /// The generation of questions that are asked now.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Adds a rule. From here on nothing it covers is fresh.
    pub(crate) fn add(&self, purge: &Purge) -> u64 {
        let mut made = self.made.write();
        let next = self.generation.load(Ordering::Acquire) + 1;
        match covered(purge) {
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
        // Last: whoever sees the new generation sees the rule, since it has to take the lock.
        self.generation.store(next, Ordering::Release);
        next
    }

    /// Whether a rule covers an answer.
    pub(crate) fn is_stale(&self, answer: &Asked<'_>) -> bool {
        if answer.generation == self.generation() {
            return false;
        }
        let made = self.made.read();
        let is_after = |generation: u64| generation > answer.generation;
        if is_after(made.all) || (is_after(made.older) && answer.asked < made.older_than) {
            return true;
        }
        if made.by_name.is_empty() {
            return false;
        }
        let tags = answer.tags;
        [
            Covered::Entry(answer.address),
            Covered::Backend(tags.backend.clone()),
            Covered::Model(tags.model_asked.clone()),
            Covered::Model(tags.model.clone()),
            Covered::Client(tags.client.clone()),
            Covered::Route(tags.route.clone()),
        ]
        .iter()
        .any(|name| made.by_name.get(name).is_some_and(|generation| is_after(*generation)))
    }
}

fn covered(purge: &Purge) -> Option<Covered> {
    Some(match purge {
        Purge::All | Purge::OlderThan(_) => return None,
        Purge::Entry(address) => Covered::Entry(*address),
        Purge::Backend(backend) => Covered::Backend(backend.clone()),
        Purge::Model(model) => Covered::Model(model.clone()),
        Purge::Client(client) => Covered::Client(client.clone()),
        Purge::Route(route) => Covered::Route(route.clone()),
    })
}
