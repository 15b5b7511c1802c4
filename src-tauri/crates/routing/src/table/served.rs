//! Which models clients may ask for, grouped by the backends that can answer them, so that the effect of a
//! failed backend is told by the rules that route requests.

use std::collections::BTreeMap;

use domain::{BackendId, RouteId};

use super::{Audience, RouteTable};

/// Models that the same backends can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedModels {
    pub models: ModelSet,
    /// In the order of preference. Empty only for a route without candidates; may name backends that are
    /// off or were removed.
    pub backends: Vec<BackendId>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ModelSet {
    /// What a route matches.
    Route(RouteId),
    /// Bare names that no route for everybody matches.
    Listed(Vec<String>),
    /// Any other name: it goes to the one backend whose models are unknown.
    Unlisted,
}

impl ServedModels {
    /// True if nothing but `backend` can answer these models.
    pub fn require(&self, backend: &BackendId, can_answer: impl Fn(&BackendId) -> bool) -> bool {
        self.backends.contains(backend)
            && !self.backends.iter().any(|other| other != backend && can_answer(other))
    }
}

impl RouteTable {
    /// Everything clients may ask for without naming a backend: each route in order, then the models that
    /// backends list, then those of the backend that lists none.
    #[must_use]
    pub fn served_models(&self) -> Vec<ServedModels> {
        let routes = self.routes.iter().map(|known| {
            let route = &known.route;
            let mut backends: Vec<BackendId> = Vec::with_capacity(route.candidates.len());
            for candidate in &route.candidates {
                if !backends.contains(&candidate.backend) {
                    backends.push(candidate.backend.clone());
                }
            }
            ServedModels { models: ModelSet::Route(route.id.clone()), backends }
        });
        let mut served: Vec<ServedModels> = routes.collect();
        served.extend(self.listed_models());
        served.extend(self.only_unlisted_backend().map(|only| ServedModels {
            models: ModelSet::Unlisted,
            backends: vec![only.models.backend.clone()],
        }));
        served
    }

    fn listed_models(&self) -> impl Iterator<Item = ServedModels> {
        let mut by_backends: BTreeMap<Vec<&BackendId>, Vec<String>> = BTreeMap::new();
        for (model, places) in &self.backends_by_model {
            if !self.is_routed_for_all(model) {
                let backends = places.iter().filter_map(|place| self.backends.get(*place));
                let backends = backends.map(|known| &known.models.backend).collect();
                by_backends.entry(backends).or_default().push(model.clone());
            }
        }
        by_backends.into_iter().map(|(backends, mut models)| {
            models.sort_unstable();
            ServedModels {
                models: ModelSet::Listed(models),
                backends: backends.into_iter().cloned().collect(),
            }
        })
    }

    fn is_routed_for_all(&self, model: &str) -> bool {
        let is_for_all = |place: &usize| {
            self.routes.get(*place).is_some_and(|known| Audience::of(&known.route) == Audience::All)
        };
        let exact = self.routes_by_name.get(model).into_iter().flatten();
        let patterns = self.patterns.iter().filter(|(pattern, _)| pattern.matches(model));
        exact.chain(patterns.map(|(_, place)| place)).any(is_for_all)
    }
}
