//! The simulated worlds: clients, providers and routes.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{BackendId, CredentialId, Endpoint, Moment, PoolOrder, RouteId, RoutePolicy};
use resilience::{FailureClass, RateRules};
use routing::{
    BackendCapabilities, BackendRole, BackendStatus, BalanceWeights, KeyPool, PoolKey,
    RoutableBackend, Route, RouteCandidate, RouteTable,
};

use super::chance::Chance;
use super::clients::{RequestRhythm, RetryHabit, SimulatedClient};
use super::upstream::SimulatedUpstream;
use super::world::{DyingKey, WorldPlan};

/// A route from `model` to backends with weights.
pub(crate) fn route(model: &str, policy: RoutePolicy, backends: &[(&str, u16)]) -> Route {
    let candidate = |(backend, weight): &(&str, u16)| RouteCandidate {
        backend: BackendId::new(*backend).expect("a name"),
        model: None,
        weight: *weight,
    };
    Route {
        id: RouteId::new(model).expect("a name"),
        models: vec![model.to_owned()],
        clients: Vec::new(),
        projects: Vec::new(),
        policy,
        weights: BalanceWeights::default(),
        sticky: None,
        crossing: None,
        cache: None,
        candidates: backends.iter().map(candidate).collect(),
    }
}

/// A route table over backends with this many keys each.
pub(crate) fn table(routes: Vec<Route>, backends: &[(&str, u8)]) -> RouteTable {
    let known = |(backend, keys): &(&str, u8)| RoutableBackend {
        backend: BackendId::new(*backend).expect("a name"),
        role: BackendRole::Provider,
        status: BackendStatus::Usable,
        models: Vec::new(),
        pool: KeyPool {
            order: PoolOrder::Ordered,
            members: (0..*keys)
                .map(|number| PoolKey { credential: key(backend, number), weight: 1 })
                .collect(),
        },
        capabilities: BackendCapabilities::default(),
    };
    RouteTable::new(routes, backends.iter().map(known).collect())
}

fn key(backend: &str, number: u8) -> CredentialId {
    CredentialId::new(format!("{backend}-{number}")).expect("a name")
}

/// A world in which everything fails at some time: three providers, one with two keys; a local
/// server without a key; one provider with limits; interactive, scripted and agent clients.
pub(crate) fn troubled_world(
    seed: u64,
    lasts: Duration,
    mean_well: Duration,
    hurry: u32,
) -> WorldPlan {
    let chance = Chance::new(seed.wrapping_mul(31));
    let end = Moment::default() + lasts;
    let backends = [("alpha", 2), ("beta", 1), ("gamma", 1), ("local", 0), ("narrow", 1)];
    let mut upstreams: Vec<_> = backends
        .iter()
        .map(|(id, _)| SimulatedUpstream::with_random_faults(id, end, mean_well, &chance))
        .collect();
    for narrow in upstreams.iter_mut().filter(|one| one.backend.as_str() == "narrow") {
        (narrow.capacity, narrow.per_minute) = (Some(3), Some(60));
    }
    let ordered = RoutePolicy::Ordered;
    let routes = vec![
        route("fast", ordered, &[("alpha", 1), ("beta", 1)]),
        route("smart", RoutePolicy::Weighted, &[("beta", 2), ("gamma", 1), ("local", 1)]),
        route("cheap", ordered, &[("narrow", 1), ("local", 1)]),
        route("alone", ordered, &[("gamma", 1)]),
    ];
    let desk = |secs: u64| RequestRhythm::Desk { mean: Duration::from_secs(secs) / hurry };
    let bursts = RequestRhythm::Bursts { size: 25, every: Duration::from_secs(1_200) / hurry };
    let clients = vec![
        SimulatedClient::new("editor", "fast", desk(8)).retrying(RetryHabit::AsSdk).cancelling(0.1),
        SimulatedClient::new("agent", "smart", desk(6))
            .retrying(RetryHabit::Stubborn)
            .cancelling(0.02),
        SimulatedClient::new("script", "alone", desk(20)).retrying(RetryHabit::AsSdk),
        SimulatedClient::new("nightly", "cheap", bursts)
            .in_the_background()
            .retrying(RetryHabit::AsSdk),
    ];
    let table = table(routes, &backends);
    let dying_keys = dying_keys(end, mean_well, &chance);
    let mut restarts = Vec::new();
    let mut at = Moment::default() + chance.pause(lasts / 4);
    while at < end {
        restarts.push(at);
        at = at + chance.pause(lasts / 4);
    }
    WorldPlan {
        seed,
        lasts,
        table,
        upstreams,
        rates: rates(&backends),
        clients,
        dying_keys,
        restarts,
    }
}

/// No rate limits of the gateway's own.
pub(crate) fn rates(backends: &[(&'static str, u8)]) -> Vec<(&'static str, RateRules)> {
    backends.iter().map(|(id, _)| (*id, RateRules::default())).collect()
}

fn dying_keys(end: Moment, mean_well: Duration, chance: &Chance) -> Vec<DyingKey> {
    let classes = [
        FailureClass::KeyRejected,
        FailureClass::Forbidden,
        FailureClass::Unpaid,
        FailureClass::SpendLimit,
    ];
    let mut dying = Vec::new();
    for (backend, number) in [("alpha", 0), ("alpha", 1), ("beta", 0), ("gamma", 0)] {
        let endpoint = Endpoint {
            backend: BackendId::new(backend).expect("a name"),
            credential: Some(key(backend, number)),
        };
        let mut dies = Moment::default() + chance.pause(mean_well * 4);
        while dies < end {
            let replaced =
                dies + chance.between(Duration::from_secs(60), Duration::from_secs(1_800));
            let class = chance.pick(&classes);
            dying.push(DyingKey { endpoint: endpoint.clone(), class, dies, replaced });
            dies = replaced + chance.pause(mean_well * 4);
        }
    }
    let keys: BTreeSet<_> = dying.iter().map(|key| &key.endpoint).collect();
    assert!(keys.len() <= 4, "only these keys die");
    dying
}
