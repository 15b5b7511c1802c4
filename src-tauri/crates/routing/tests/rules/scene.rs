//! Scripted routing inputs, and short ways to build tables and requests.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{
    BackendId, ClientId, CredentialId, Endpoint, Entropy, PoolOrder, RouteId, RoutePolicy,
    SeededEntropy,
};
use routing::{
    BackendCapabilities, BackendRole, BackendStatus, BalanceWeights, CandidateAvailability,
    Decision, KeyPool, Needs, PoolKey, RoutableBackend, Route, RouteCandidate, RouteTable,
    RoutingError, RoutingRequest, RoutingSignals,
};

/// Scripted routing inputs. Backends are keyed by id, endpoints by their display text.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeSignals {
    pub(crate) available: BTreeMap<String, CandidateAvailability>,
    pub(crate) first_token_ms: BTreeMap<String, u32>,
    pub(crate) cost_nanos: BTreeMap<String, u64>,
    pub(crate) warm_cost_nanos: BTreeMap<String, u64>,
    pub(crate) in_flight: BTreeMap<String, u32>,
    pub(crate) headroom_percent: BTreeMap<String, u8>,
    pub(crate) sticky: Option<(String, String)>,
}

impl RoutingSignals for FakeSignals {
    fn availability(&self, endpoint: &Endpoint, _model: &str) -> CandidateAvailability {
        self.available.get(&endpoint.to_string()).cloned().unwrap_or(CandidateAvailability::Ready)
    }

    fn first_token_ms(&self, backend: &BackendId, _model: &str) -> Option<u32> {
        self.first_token_ms.get(backend.as_str()).copied()
    }

    fn cost_nanos(&self, backend: &BackendId, _model: &str, _needs: &Needs) -> Option<u64> {
        self.cost_nanos.get(backend.as_str()).copied()
    }

    fn warm_cost_nanos(&self, backend: &BackendId, _model: &str, _needs: &Needs) -> Option<u64> {
        self.warm_cost_nanos.get(backend.as_str()).copied()
    }

    fn in_flight(&self, backend: &BackendId) -> u32 {
        self.in_flight.get(backend.as_str()).copied().unwrap_or(0)
    }

    fn headroom_percent(&self, endpoint: &Endpoint) -> Option<u8> {
        self.headroom_percent.get(&endpoint.to_string()).copied()
    }

    fn last_answered_by(&self, _conversation: u64) -> Option<(BackendId, String)> {
        let (backend, model) = self.sticky.clone()?;
        Some((backend_id(&backend), model))
    }
}

impl FakeSignals {
    pub(crate) fn closed(mut self, endpoint: &str) -> Self {
        let closed = CandidateAvailability::Closed { reason: "its breaker is tripped".into() };
        self.available.insert(endpoint.to_owned(), closed);
        self
    }

    pub(crate) fn available_as(mut self, endpoint: &str, available: CandidateAvailability) -> Self {
        self.available.insert(endpoint.to_owned(), available);
        self
    }

    pub(crate) fn quick(mut self, times: &[(&str, u32)]) -> Self {
        self.first_token_ms.extend(times.iter().map(|(id, ms)| ((*id).to_owned(), *ms)));
        self
    }

    pub(crate) fn costs(mut self, costs: &[(&str, u64)]) -> Self {
        self.cost_nanos
            .extend(costs.iter().map(|(id, micros)| ((*id).to_owned(), *micros * 1_000)));
        self
    }

    pub(crate) fn busy(mut self, counts: &[(&str, u32)]) -> Self {
        self.in_flight.extend(counts.iter().map(|(id, count)| ((*id).to_owned(), *count)));
        self
    }

    /// The conversation of [`talk`] was answered by this backend last.
    pub(crate) fn sticky(mut self, backend: &str) -> Self {
        self.sticky = Some((backend.to_owned(), "m".to_owned()));
        self
    }
}

pub(crate) fn backend_id(id: &str) -> BackendId {
    BackendId::new(id).expect("an id")
}

pub(crate) fn client(id: &str) -> ClientId {
    ClientId::new(id).expect("an id")
}

/// A usable backend with unknown models.
pub(crate) fn backend(id: &str) -> RoutableBackend {
    RoutableBackend {
        backend: backend_id(id),
        role: if id == "mock" { BackendRole::Mock } else { BackendRole::Provider },
        status: BackendStatus::Usable,
        models: Vec::new(),
        pool: KeyPool::default(),
        capabilities: BackendCapabilities::default(),
    }
}

pub(crate) fn with_keys(id: &str, order: PoolOrder, keys: &[(&str, u16)]) -> RoutableBackend {
    let member = |(key, weight): &(&str, u16)| PoolKey {
        credential: CredentialId::new(*key).expect("an id"),
        weight: *weight,
    };
    RoutableBackend {
        pool: KeyPool { order, members: keys.iter().map(member).collect() },
        ..backend(id)
    }
}

/// A route named `m` over candidates with these weights, each asked for `m`.
pub(crate) fn route(policy: RoutePolicy, candidates: &[(&str, u16)]) -> Route {
    Route {
        id: RouteId::new("r").expect("an id"),
        models: vec!["m".to_owned()],
        clients: Vec::new(),
        projects: Vec::new(),
        policy,
        weights: BalanceWeights::default(),
        sticky: None,
        crossing: None,
        cache: None,
        candidates: candidates
            .iter()
            .map(|(id, weight)| RouteCandidate {
                backend: backend_id(id),
                model: None,
                weight: *weight,
            })
            .collect(),
    }
}

pub(crate) fn sticky(route: Route) -> Route {
    Route { sticky: Some(Duration::from_secs(600)), ..route }
}

/// A table of one route and the backends it names.
pub(crate) fn table(route: Route) -> RouteTable {
    let backends = route.candidates.iter().map(|candidate| backend(candidate.backend.as_str()));
    let backends = backends.collect();
    RouteTable::new(vec![route], backends)
}

/// Repeatable random numbers.
pub(crate) fn chances(seed: u64) -> impl FnMut() -> f64 {
    let entropy = SeededEntropy::new(seed);
    move || {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Chooses for model `m` outside any conversation.
pub(crate) fn ask(table: &RouteTable, scene: &FakeSignals) -> Decision {
    ask_with(table, scene, Needs::default(), None, &mut || 0.5).expect("a decision")
}

/// Chooses for model `m` within a conversation.
pub(crate) fn talk(table: &RouteTable, scene: &FakeSignals) -> Decision {
    ask_with(table, scene, Needs::default(), Some(7), &mut || 0.5).expect("a decision")
}

pub(crate) fn ask_with(
    table: &RouteTable,
    scene: &FakeSignals,
    needs: Needs,
    conversation: Option<u64>,
    chance: &mut dyn FnMut() -> f64,
) -> Result<Decision, RoutingError> {
    let client = client("editor");
    let asking = RoutingRequest {
        model: "m",
        client: &client,
        switched_to: None,
        project: None,
        needs,
        conversation,
    };
    table.choose(&asking, scene, chance)
}

/// Counts how often each endpoint is first in 1,000 draws outside any conversation.
pub(crate) fn firsts(table: &RouteTable, scene: &FakeSignals) -> BTreeMap<String, u32> {
    let mut chance = chances(1);
    let mut counts = BTreeMap::new();
    for _ in 0..1_000 {
        let decision = ask_with(table, scene, Needs::default(), None, &mut chance);
        let decision = decision.expect("a decision");
        *counts.entry(decision.candidates[0].endpoint.to_string()).or_default() += 1;
    }
    counts
}

/// Formats the candidates as `a, b, c`.
pub(crate) fn order(decision: &Decision) -> String {
    let endpoints: Vec<_> =
        decision.candidates.iter().map(|candidate| candidate.endpoint.to_string()).collect();
    endpoints.join(", ")
}

/// Checks the order and the sentence.
pub(crate) fn check(decision: &Decision, expected_order: &str, expected_sentence: &str) {
    assert_eq!(order(decision), expected_order);
    assert_eq!(decision.explanation, expected_sentence);
}

/// Checks the shares of 1,000 draws, in percent, within five points.
pub(crate) fn check_shares(counts: &BTreeMap<String, u32>, expected: &[(&str, u32)]) {
    for (id, percent) in expected {
        let count = counts.get(*id).copied().unwrap_or(0);
        assert!(count.abs_diff(percent * 10) <= 50, "{id}: {count} of 1,000, wanted {percent} %");
    }
}
