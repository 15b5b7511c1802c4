//! One backend of a rule with its keys, and whether each may be asked at this moment.

use domain::{CredentialId, PoolOrder};

use crate::digest::Digest;
use crate::table::{KnownAccess, KnownBackend};
use crate::{Asking, Available, Candidate, Conditions, Ground, Why};

/// Of 100 requests those that try an access which was shut and may be tried again: the first step of
/// its ramp. A try may fail, and then its request has lost the time until it moves on; so most
/// requests do not wait for it while somebody else is ready. With nobody ready every request may try.
/// Where requests are rare, the unbilled probes of half-open breakers bring it back.
pub(crate) const TRIAL_PERCENT: u8 = 10;

/// What every rule looks at.
pub(crate) struct Choosing<'a> {
    pub(crate) asking: &'a Asking<'a>,
    pub(crate) conditions: &'a dyn Conditions,
    pub(crate) chance: &'a mut dyn FnMut() -> f64,
}

/// One backend that may answer, before its keys are laid out.
pub(crate) struct Part<'a> {
    pub(crate) backend: &'a KnownBackend,
    pub(crate) model: &'a str,
    pub(crate) weight: u16,
    /// From 1, as written.
    pub(crate) place: usize,
    pub(crate) ground: Ground,
    /// It answered this conversation last and keeps it.
    pub(crate) stays: bool,
    doors: Vec<Door<'a>>,
}

/// One key of a part.
struct Door<'a> {
    known: &'a KnownAccess,
    available: Available,
    tier: Tier,
}

/// When something is asked. Each tier comes after the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Ready, or recovering and drawn for this request.
    Now,
    /// Recovering and not drawn.
    Ramp,
    /// On trial and not drawn.
    Trial,
    /// Not at all, unless everything else failed.
    Closed,
}

impl<'a> Part<'a> {
    pub(crate) fn new(backend: &'a KnownBackend, model: &'a str, place: usize) -> Self {
        let ground = Ground::Place(place);
        Self { backend, model, weight: 1, place, ground, stays: false, doors: Vec::new() }
    }

    /// When it is asked: as soon as the best of its keys. Closed before it was looked at.
    pub(crate) fn tier(&self) -> Tier {
        self.doors.iter().map(|door| door.tier).min().unwrap_or(Tier::Closed)
    }

    /// How the best of its keys stands.
    pub(crate) fn available(&self) -> &Available {
        let best = self.doors.iter().min_by_key(|door| door.tier);
        best.map_or(&Available::Ready, |door| &door.available)
    }

    /// The most headroom that one of its open keys has; `None` if no limit is known.
    pub(crate) fn headroom_percent(&self, conditions: &dyn Conditions) -> Option<u8> {
        let open = self.doors.iter().filter(|door| door.tier != Tier::Closed);
        open.filter_map(|door| conditions.headroom_percent(&door.known.access)).max()
    }
}

impl Choosing<'_> {
    /// Asks how each key of `parts` stands and puts the parts in tiers, each as it was ordered.
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
                // One conversation keeps its key, since prompt caches belong to accounts.
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

    /// Puts `items` in an order drawn by weight: each place goes to one of those that are left, in
    /// proportion to their weights (Efraimidis and Spirakis 2006: the smallest of exponential times).
    /// Those of weight 0 come last, as they stood. An item with a digest draws from that instead of by
    /// chance, so the same digests give the same order.
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
        // Insertion sort: the lists are short, and two of them move together.
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

    /// When a runner of this weight arrives; the first wins, and wins in proportion to its weight.
    pub(crate) fn time(&mut self, weight: u16, digest: Option<Digest>) -> f64 {
        if weight == 0 {
            return f64::INFINITY;
        }
        let chance = digest.map_or_else(|| (self.chance)(), Digest::fraction);
        -(1.0 - chance).ln() / f64::from(weight)
    }
}

/// One candidate for each key, first by tier, then as the parts stand, then as their keys stand.
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
