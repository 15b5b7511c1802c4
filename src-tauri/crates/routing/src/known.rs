//! Routes and backends as the table holds them, with the values that are worked out once.

use domain::Endpoint;

use crate::model_facts::{ModelFacts, find_model_facts};
use crate::route::{RoutableBackend, Route};
use crate::stable_hash::StableHasher;

#[derive(Debug, Clone)]
pub(crate) struct KnownRoute {
    pub(crate) route: Route,
    pub(crate) fingerprint: u64,
    /// The known facts of each candidate's model. `None` for a candidate that keeps the requested
    /// name.
    pub(crate) facts: Vec<Option<&'static ModelFacts>>,
}

impl KnownRoute {
    pub(crate) fn new(route: Route) -> Self {
        let models = route.candidates.iter().map(|candidate| candidate.model.as_deref());
        let facts = models.map(|model| model.and_then(find_model_facts)).collect();
        Self { fingerprint: route_fingerprint(&route), facts, route }
    }
}

/// A backend with its endpoints: one for each key, or a single one without a key.
#[derive(Debug, Clone)]
pub(crate) struct KnownBackend {
    pub(crate) models: RoutableBackend,
    pub(crate) endpoints: Vec<KnownEndpoint>,
}

impl KnownBackend {
    pub(crate) fn new(models: RoutableBackend) -> Self {
        let endpoint = |credential| Endpoint { backend: models.backend.clone(), credential };
        let members = models.pool.members.iter();
        let mut endpoints: Vec<_> = members
            .map(|member| KnownEndpoint {
                endpoint: endpoint(Some(member.credential.clone())),
                weight: member.weight,
            })
            .collect();
        if endpoints.is_empty() {
            endpoints.push(KnownEndpoint { endpoint: endpoint(None), weight: 1 });
        }
        Self { models, endpoints }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct KnownEndpoint {
    pub(crate) endpoint: Endpoint,
    pub(crate) weight: u16,
}

/// Fingerprint of every field of the route.
fn route_fingerprint(route: &Route) -> u64 {
    let Route { id, models, clients, projects, policy, weights, sticky, .. } = route;
    let list = |digest: StableHasher, texts: &mut dyn ExactSizeIterator<Item = &str>| {
        let digest = digest.write_number(texts.len() as u64);
        texts.fold(digest, StableHasher::write_text)
    };
    let digest = StableHasher::new().write_text(id.as_str());
    let digest = list(digest, &mut models.iter().map(String::as_str));
    let digest = list(digest, &mut clients.iter().map(|client| client.as_str()));
    let digest = list(digest, &mut projects.iter().map(String::as_str));
    let digest = digest.write_text(policy.word());
    let digest = [weights.latency, weights.cost, weights.headroom]
        .iter()
        .fold(digest, |digest, weight| digest.write_number(u64::from(*weight)));
    let sticky_ms =
        sticky.map_or(u64::MAX, |sticky| u64::try_from(sticky.as_millis()).unwrap_or(u64::MAX));
    let digest = digest
        .write_number(sticky_ms)
        .write_text(route.crossing.map_or("", |crossing| crossing.word()))
        .write_text(route.cache.map_or("", |cache| cache.word()))
        .write_number(route.candidates.len() as u64);
    let digest = route.candidates.iter().fold(digest, |digest, candidate| {
        let model = candidate.model.as_deref();
        digest
            .write_text(candidate.backend.as_str())
            .write_number(u64::from(model.is_some()))
            .write_text(model.unwrap_or(""))
            .write_number(u64::from(candidate.weight))
    });
    digest.finish()
}
