//! A candidate backend with its keys, and the availability of each key at this moment.

use domain::{CredentialId, PoolOrder};

use crate::known::{KnownBackend, KnownEndpoint};
use crate::ranking::{Candidate, Ranking, RankingFactor};
use crate::request::RoutingRequest;
use crate::signals::{CandidateAvailability, RoutingSignals};
use crate::stable_hash::StableHasher;

/// Percentage of requests that may test a half-open endpoint: the same as the first step of its
/// ramp. A failed test costs its request the time until the next attempt, so most requests skip the
/// endpoint while another is ready. If none is ready, every request may test it. Where requests are
/// rare, the unbilled probes of half-open breakers bring it back.
pub(crate) const TRIAL_PERCENT: u8 = 10;

/// The inputs of every rule.
pub(crate) struct SelectionContext<'a> {
    pub(crate) request: &'a RoutingRequest<'a>,
    pub(crate) signals: &'a dyn RoutingSignals,
    pub(crate) chance: &'a mut dyn FnMut() -> f64,
}

/// A backend that may answer, before it is expanded into one candidate per key.
pub(crate) struct BackendCandidate<'a> {
    pub(crate) backend: &'a KnownBackend,
    pub(crate) model: &'a str,
    pub(crate) weight: u16,
    /// Configured position, from 1.
    pub(crate) place: usize,
    pub(crate) factor: RankingFactor,
    /// True if it answered this conversation last and the conversation stays with it.
    pub(crate) is_sticky: bool,
    keys: Vec<KeyCandidate<'a>>,
}

struct KeyCandidate<'a> {
    known: &'a KnownEndpoint,
    available: CandidateAvailability,
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

impl<'a> BackendCandidate<'a> {
    pub(crate) fn new(backend: &'a KnownBackend, model: &'a str, place: usize) -> Self {
        Self {
            backend,
            model,
            weight: 1,
            place,
            factor: RankingFactor::Position(place),
            is_sticky: false,
            keys: Vec::new(),
        }
    }

    /// The tier of its best key. `Closed` before availability was read.
    pub(crate) fn tier(&self) -> Tier {
        self.keys.iter().map(|key| key.tier).min().unwrap_or(Tier::Closed)
    }

    /// Availability of its best key.
    pub(crate) fn available(&self) -> &CandidateAvailability {
        let best = self.keys.iter().min_by_key(|key| key.tier);
        best.map_or(&CandidateAvailability::Ready, |key| &key.available)
    }

    /// The most headroom among its open keys; `None` if no limit is known.
    pub(crate) fn headroom_percent(&self, signals: &dyn RoutingSignals) -> Option<u8> {
        let open = self.keys.iter().filter(|key| key.tier != Tier::Closed);
        open.filter_map(|key| signals.headroom_percent(&key.known.endpoint)).max()
    }
}

impl SelectionContext<'_> {
    /// Reads the availability of each key and sorts `parts` by tier, keeping the order within each
    /// tier.
    pub(crate) fn assign_tiers(&mut self, parts: &mut [BackendCandidate<'_>]) {
        for part in parts.iter_mut() {
            let (backend, model) = (part.backend, part.model);
            part.keys = backend
                .endpoints
                .iter()
                .map(|known| {
                    let available = self.signals.availability(&known.endpoint, model);
                    let tier = self.draw_tier(&available);
                    KeyCandidate { known, available, tier }
                })
                .collect();
            if part.keys.len() > 1 && backend.models.pool.order == PoolOrder::Weighted {
                // A conversation keeps its key, because prompt caches belong to accounts.
                let conversation = self.request.conversation;
                let digest =
                    conversation.map(|conversation| StableHasher::new().write_number(conversation));
                self.weighted_shuffle(&mut part.keys, |key| {
                    let id =
                        key.known.endpoint.credential.as_ref().map_or("", CredentialId::as_str);
                    (key.known.weight, digest.map(|digest| digest.write_text(id)))
                });
            }
        }
        if parts.len() > 1 {
            parts.sort_by_key(BackendCandidate::tier);
        }
    }

    fn draw_tier(&mut self, available: &CandidateAvailability) -> Tier {
        let (percent, else_tier) = match available {
            CandidateAvailability::Ready => return Tier::Now,
            CandidateAvailability::Closed { .. } => return Tier::Closed,
            CandidateAvailability::Ramp(percent) => (*percent, Tier::Ramp),
            CandidateAvailability::Trial => (TRIAL_PERCENT, Tier::Trial),
        };
        if (self.chance)() * 100.0 < f64::from(percent) { Tier::Now } else { else_tier }
    }

    /// Shuffles `items` by weight: each position is drawn from the remaining items in proportion to
    /// their weights (Efraimidis and Spirakis 2006: sort by exponential times). Items of weight 0
    /// come last, in their previous order. An item with a digest derives its time from the digest
    /// instead of at random, so the same digests give the same order.
    pub(crate) fn weighted_shuffle<T>(
        &mut self,
        items: &mut [T],
        weigh: impl Fn(&T) -> (u16, Option<StableHasher>),
    ) {
        let mut times: Vec<f64> = items
            .iter()
            .map(|item| {
                let (weight, digest) = weigh(item);
                self.exponential_time(weight, digest)
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
    pub(crate) fn exponential_time(&mut self, weight: u16, digest: Option<StableHasher>) -> f64 {
        if weight == 0 {
            return f64::INFINITY;
        }
        let chance = digest.map_or_else(|| (self.chance)(), StableHasher::unit_fraction);
        -(1.0 - chance).ln() / f64::from(weight)
    }
}

/// One candidate for each key, sorted by tier, then by the order of the parts, then by the order of
/// their keys.
pub(crate) fn expand_keys(parts: &[BackendCandidate<'_>]) -> Vec<Candidate> {
    let mut candidates = Vec::with_capacity(parts.iter().map(|part| part.keys.len()).sum());
    for part in parts {
        for key in &part.keys {
            let why = Ranking {
                factor: part.factor.clone(),
                available: key.available.clone(),
                is_sticky: part.is_sticky,
            };
            let (endpoint, model) = (key.known.endpoint.clone(), part.model.to_owned());
            candidates.push((key.tier, Candidate { endpoint, model, ranking: why }));
        }
    }
    if candidates.len() > 1 {
        candidates.sort_by_key(|(tier, _)| *tier);
    }
    candidates.into_iter().map(|(_, candidate)| candidate).collect()
}
