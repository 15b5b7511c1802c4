//! A candidate backend with its keys, and the availability of each key at this moment.

use domain::{CredentialId, PoolOrder};

use crate::digest::Digest;
use crate::table::{KnownAccess, KnownBackend};
use crate::{Asking, Available, Candidate, Conditions, Ground, Why};

/// Percentage of requests that may test a half-open endpoint: the same as the first step of its
/// ramp. A failed test costs its request the time until the next attempt, so most requests skip the
/// endpoint while another is ready. If none is ready, every request may test it. Where requests are
/// rare, the unbilled probes of half-open breakers bring it back.
pub(crate) const TRIAL_PERCENT: u8 = 10;

/// The inputs of every rule.
pub(crate) struct Choosing<'a> {
    pub(crate) asking: &'a Asking<'a>,
    pub(crate) conditions: &'a dyn Conditions,
    pub(crate) chance: &'a mut dyn FnMut() -> f64,
}

/// A backend that may answer, before it is expanded into one candidate per key.
pub(crate) struct Part<'a> {
    pub(crate) backend: &'a KnownBackend,
    pub(crate) model: &'a str,
    pub(crate) weight: u16,
    /// Configured position, from 1.
    pub(crate) place: usize,
    pub(crate) ground: Ground,
    /// True if it answered this conversation last and the conversation stays with it.
    pub(crate) stays: bool,
    doors: Vec<Door<'a>>,
}

/// One key of the backend.
struct Door<'a> {
    known: &'a KnownAccess,
    available: Available,
    tier: Tier,
}

/// Order of attempts: each tier comes after the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Ready, or recovering and selected for this request.
    Now,
    /// Recovering and not selected.
    Ramp,
    /// Half-open and not selected.
    Trial,
    /// Used only after everything else failed.
    Closed,
}

impl<'a> Part<'a> {
    pub(crate) fn new(backend: &'a KnownBackend, model: &'a str, place: usize) -> Self {
        let ground = Ground::Place(place);
        Self { backend, model, weight: 1, place, ground, stays: false, doors: Vec::new() }
    }

    /// The tier of its best key. `Closed` before availability was read.
    pub(crate) fn tier(&self) -> Tier {
        self.doors.iter().map(|door| door.tier).min().unwrap_or(Tier::Closed)
    }

    /// Availability of its best key.
    pub(crate) fn available(&self) -> &Available {
        let best = self.doors.iter().min_by_key(|door| door.tier);
        best.map_or(&Available::Ready, |door| &door.available)
    }

    /// The most headroom among its open keys; `None` if no limit is known.
    pub(crate) fn headroom_percent(&self, conditions: &dyn Conditions) -> Option<u8> {
        let open = self.doors.iter().filter(|door| door.tier != Tier::Closed);
        open.filter_map(|door| conditions.headroom_percent(&door.known.access)).max()
    }
}

impl Choosing<'_> {
    /// Reads the availability of each key and sorts `parts` by tier, keeping the order within each
    /// tier.
    pub(crate) fn look(&mut self, parts: &mut [Part<'_>]) {
        for part in parts.iter_mut() {
            let (backend, model) = (part.backend, part.model);
            part.doors = backend
                .accesses
                .iter()
                .map(|known| {
                    let available = self.conditions.availability(&known.access, model);
                    let tier = self.tier(&available);
                    Door { known, available, tier }
                })
                .collect();
            if part.doors.len() > 1 && backend.models.pool.order == PoolOrder::Weighted {
                // A conversation keeps its key, because prompt caches belong to accounts.
                let conversation = self.asking.conversation;
                let digest = conversation.map(|conversation| Digest::new().number(conversation));
                self.race(&mut part.doors, |door| {
                    let id = door.known.access.credential.as_ref().map_or("", CredentialId::as_str);
                    (door.known.weight, digest.map(|digest| digest.text(id)))
                });
            }
        }
        if parts.len() > 1 {
            parts.sort_by_key(Part::tier);
        }
    }

    fn tier(&mut self, available: &Available) -> Tier {
        let (percent, else_tier) = match available {
            Available::Ready => return Tier::Now,
            Available::Closed { .. } => return Tier::Closed,
            Available::Ramp(percent) => (*percent, Tier::Ramp),
            Available::Trial => (TRIAL_PERCENT, Tier::Trial),
        };
        if (self.chance)() * 100.0 < f64::from(percent) { Tier::Now } else { else_tier }
    }

    /// Shuffles `items` by weight: each position is drawn from the remaining items in proportion to
    /// their weights (Efraimidis and Spirakis 2006: sort by exponential times). Items of weight 0
    /// come last, in their previous order. An item with a digest derives its time from the digest
    /// instead of at random, so the same digests give the same order.
    pub(crate) fn race<T>(
        &mut self,
        items: &mut [T],
        runner: impl Fn(&T) -> (u16, Option<Digest>),
    ) {
        let mut times: Vec<f64> = items
            .iter()
            .map(|item| {
                let (weight, digest) = runner(item);
                self.time(weight, digest)
            })
            .collect();
        // Insertion sort: the lists are short, and two of them are sorted together.
        for end in 1..items.len() {
            for place in (1..=end).rev() {
                let is_late = matches!(times.get(place - 1..=place), Some([a, b]) if a > b);
                if !is_late {
                    break;
                }
                times.swap(place - 1, place);
                items.swap(place - 1, place);
            }
        }
    }

    /// An exponential time for this weight. The smallest time wins, so an item wins in proportion
    /// to its weight.
    pub(crate) fn time(&mut self, weight: u16, digest: Option<Digest>) -> f64 {
        if weight == 0 {
            return f64::INFINITY;
        }
        let chance = digest.map_or_else(|| (self.chance)(), Digest::fraction);
        -(1.0 - chance).ln() / f64::from(weight)
    }
}

/// One candidate for each key, sorted by tier, then by the order of the parts, then by the order of
/// their keys.
pub(crate) fn laid_out(parts: &[Part<'_>]) -> Vec<Candidate> {
    let mut candidates = Vec::with_capacity(parts.iter().map(|part| part.doors.len()).sum());
    for part in parts {
        for door in &part.doors {
            let why = Why {
                ground: part.ground.clone(),
                available: door.available.clone(),
                stays: part.stays,
            };
            let (access, model) = (door.known.access.clone(), part.model.to_owned());
            candidates.push((door.tier, Candidate { access, model, why }));
        }
    }
    if candidates.len() > 1 {
        candidates.sort_by_key(|(tier, _)| *tier);
    }
    candidates.into_iter().map(|(_, candidate)| candidate).collect()
}
