//! Simulates many requests: repeats the choice on a frozen copy of the current state, with some
//! backends assumed to be down. Sends nothing.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use domain::{BackendId, Endpoint, RoutePolicy};

use crate::decision::Decision;
use crate::error::RoutingError;
use crate::exclusion::ExclusionReason;
use crate::request::{Needs, RoutingRequest};
use crate::signals::{CandidateAvailability, RoutingSignals};
use crate::table::RouteTable;

/// Maximum draws of one simulation; more would not change the result noticeably.
pub const SIMULATION_DRAWS_MAX: u32 = 10_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    pub draws: u32,
    /// How often each candidate was first, most often first. Includes candidates that never were.
    pub shares: Vec<CandidateShare>,
    /// Draws that no candidate would have served.
    pub failures: u32,
    /// The reason of the first failed draw.
    pub failure: Option<SimulatedFailure>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CandidateShare {
    pub backend: BackendId,
    /// Model name at that backend.
    pub model: String,
    /// Draws in which it was first, whether available or closed.
    pub draws: u32,
    /// Its expected share by weight among the candidates that are open, in percent. Only for
    /// policies that use weights.
    pub expected_percent: Option<f64>,
}

/// Why a draw would not have been served.
#[derive(Debug, Clone, PartialEq)]
pub enum SimulatedFailure {
    /// No route accepts the request.
    Refused(RoutingError),
    /// The client may not have it, in words.
    Forbidden(String),
    /// All candidates are closed at this moment. Holds the first one's availability.
    Closed(BackendId, CandidateAvailability),
}

impl fmt::Display for SimulatedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{refusal}"),
            Self::Forbidden(why) => f.write_str(why),
            Self::Closed(backend, available) => {
                write!(f, "no backend is available; {backend}: {available}")
            }
        }
    }
}

/// A frozen copy of the routing inputs for every backend that may answer one request.
#[derive(Debug, Clone, Default)]
pub struct FrozenSignals {
    available: HashMap<(Endpoint, String), CandidateAvailability>,
    headroom_percent: HashMap<Endpoint, u8>,
    first_token_ms: HashMap<(BackendId, String), u32>,
    cost_nanos: HashMap<(BackendId, String), u64>,
    in_flight: HashMap<BackendId, u32>,
}

impl FrozenSignals {
    /// Marks `backends` as closed.
    #[must_use]
    pub fn with_closed(mut self, backends: &BTreeSet<BackendId>) -> Self {
        for ((endpoint, _), available) in &mut self.available {
            if backends.contains(&endpoint.backend) {
                *available =
                    CandidateAvailability::Closed { reason: "it is assumed to be down".into() };
            }
        }
        self
    }
}

impl RoutingSignals for FrozenSignals {
    fn availability(&self, endpoint: &Endpoint, model: &str) -> CandidateAvailability {
        let known = self.available.get(&(endpoint.clone(), model.to_owned()));
        known.cloned().unwrap_or(CandidateAvailability::Ready)
    }

    fn first_token_ms(&self, backend: &BackendId, model: &str) -> Option<u32> {
        self.first_token_ms.get(&(backend.clone(), model.to_owned())).copied()
    }

    fn cost_nanos(&self, backend: &BackendId, model: &str, _needs: &Needs) -> Option<u64> {
        self.cost_nanos.get(&(backend.clone(), model.to_owned())).copied()
    }

    fn in_flight(&self, backend: &BackendId) -> u32 {
        self.in_flight.get(backend).copied().unwrap_or(0)
    }

    fn headroom_percent(&self, endpoint: &Endpoint) -> Option<u8> {
        self.headroom_percent.get(endpoint).copied()
    }

    /// None: each draw is a conversation of its own.
    fn last_answered_by(&self, _conversation: u64) -> Option<(BackendId, String)> {
        None
    }
}

impl RouteTable {
    /// Copies `signals` for every backend that may answer `request`.
    #[must_use]
    pub fn freeze_signals(
        &self,
        request: &RoutingRequest<'_>,
        signals: &dyn RoutingSignals,
    ) -> FrozenSignals {
        let mut frozen = FrozenSignals::default();
        for (backend, model) in self.possible_backends(request) {
            let id = &backend.models.backend;
            let key = || (id.clone(), model.to_owned());
            for known in &backend.endpoints {
                let endpoint = &known.endpoint;
                let available = signals.availability(endpoint, model);
                frozen.available.insert((endpoint.clone(), model.to_owned()), available);
                let headroom = signals.headroom_percent(endpoint);
                frozen.headroom_percent.extend(headroom.map(|percent| (endpoint.clone(), percent)));
            }
            let time = signals.first_token_ms(id, model);
            frozen.first_token_ms.extend(time.map(|ms| (key(), ms)));
            let cost = signals.cost_nanos(id, model, &request.needs);
            frozen.cost_nanos.extend(cost.map(|micros| (key(), micros)));
            frozen.in_flight.insert(id.clone(), signals.in_flight(id));
        }
        frozen
    }

    /// Repeats the choice for `request` `draws` times, at most [`SIMULATION_DRAWS_MAX`], each time
    /// as a new conversation.
    #[must_use]
    pub fn simulate(
        &self,
        request: &RoutingRequest<'_>,
        frozen: &FrozenSignals,
        draws: u32,
        chance: &mut dyn FnMut() -> f64,
        admit: &dyn Fn(Decision) -> Result<Decision, String>,
    ) -> Simulation {
        let draws = draws.min(SIMULATION_DRAWS_MAX);
        let request = RoutingRequest { conversation: None, ..*request };
        let mut simulation = Simulation { draws, shares: Vec::new(), failures: 0, failure: None };
        for _ in 0..draws {
            match self.choose(&request, frozen, chance).map(admit) {
                Ok(Ok(decision)) => simulation.count_decision(&decision),
                Ok(Err(why)) => simulation.count_failure(SimulatedFailure::Forbidden(why)),
                Err(refusal) => simulation.count_failure(SimulatedFailure::Refused(refusal)),
            }
        }
        self.add_expected_shares(&request, frozen, &mut simulation.shares);
        simulation.shares.sort_by_key(|share| std::cmp::Reverse(share.draws));
        simulation
    }

    /// Adds the shares expected from the weights.
    fn add_expected_shares(
        &self,
        request: &RoutingRequest<'_>,
        frozen: &FrozenSignals,
        shares: &mut [CandidateShare],
    ) {
        let Some(route) = self.matching_route(request) else { return };
        if !matches!(route.policy, RoutePolicy::Weighted | RoutePolicy::Split) {
            return;
        }
        // A split does not fail over, so a closed candidate keeps its share.
        let counts = |share: &CandidateShare| {
            route.policy == RoutePolicy::Split || frozen.is_open(&share.backend, &share.model)
        };
        let weight = |share: &CandidateShare| {
            let is_it = |candidate: &&crate::RouteCandidate| {
                candidate.backend == share.backend
                    && candidate.model.as_deref().unwrap_or(request.model) == share.model
            };
            let candidate = route.candidates.iter().find(is_it).filter(|_| counts(share));
            candidate.map_or(0, |candidate| u32::from(candidate.weight))
        };
        let of: u32 = shares.iter().map(weight).sum();
        for share in shares.iter_mut().filter(|_| of > 0) {
            share.expected_percent = Some(f64::from(weight(share)) * 100.0 / f64::from(of));
        }
    }
}

impl FrozenSignals {
    fn is_open(&self, backend: &BackendId, model: &str) -> bool {
        let mut known = self.available.iter();
        known.any(|((endpoint, asked), available)| {
            endpoint.backend == *backend
                && asked == model
                && !matches!(available, CandidateAvailability::Closed { .. })
        })
    }
}

impl Simulation {
    fn count_decision(&mut self, decision: &Decision) {
        for candidate in &decision.candidates {
            self.share_mut(&candidate.endpoint.backend, &candidate.model);
        }
        let parts = decision.excluded.iter();
        for part in parts.filter(|passed| passed.reason == ExclusionReason::OtherSplit) {
            self.share_mut(&part.backend, &part.model);
        }
        let Some(first) = decision.candidates.first() else { return };
        self.share_mut(&first.endpoint.backend, &first.model).draws += 1;
        if matches!(first.ranking.available, CandidateAvailability::Closed { .. }) {
            let backend = first.endpoint.backend.clone();
            self.count_failure(SimulatedFailure::Closed(backend, first.ranking.available.clone()));
        }
    }

    fn share_mut(&mut self, backend: &BackendId, model: &str) -> &mut CandidateShare {
        let is_it = |share: &CandidateShare| share.backend == *backend && share.model == model;
        let place = self.shares.iter().position(is_it).unwrap_or(self.shares.len());
        if place == self.shares.len() {
            let (backend, model) = (backend.clone(), model.to_owned());
            self.shares.push(CandidateShare { backend, model, draws: 0, expected_percent: None });
        }
        #[expect(clippy::indexing_slicing, reason = "found there, or pushed there just now")]
        &mut self.shares[place]
    }

    fn count_failure(&mut self, why: SimulatedFailure) {
        self.failures += 1;
        self.failure.get_or_insert(why);
    }
}
