//! Routes without a backend that can answer them, and why.

use alerts::{RouteFact, RouteFault};
use domain::{BackendId, list_names};
use settings::Settings;

use super::{AlertSources, KnownBackends};
use crate::configured::backend_labels;

/// Most names in a sentence.
const NAMES_MAX: usize = 3;

impl AlertSources {
    pub(super) fn dead_routes(&self, settings: &Settings, known: &KnownBackends) -> Vec<RouteFact> {
        let labels = backend_labels(settings, &self.mock);
        let label = |id: &BackendId| labels.get(id.as_str()).cloned().unwrap_or(id.to_string());
        let routes = settings.routes.iter().filter(|(_, route)| settings.is_route_on(route));
        let dead = routes.filter_map(|(id, route)| {
            let mut backends: Vec<BackendId> = Vec::new();
            for candidate in &route.candidates {
                if !backends.contains(&candidate.backend) {
                    backends.push(candidate.backend.clone());
                }
            }
            let is_limited = |id: &&BackendId| self.states.is_limited_for(settings, route, id);
            let others: Vec<&BackendId> = backends.iter().filter(|id| !is_limited(id)).collect();
            let able = others.iter().filter_map(|id| known.get(*id)).filter(|it| it.can_answer);
            let fault = RouteFault::of(able.map(|it| it.fault))?;
            let unable = (!others.is_empty()).then(|| {
                let names = others.into_iter().map(label);
                format!("{} cannot answer", list_names(names, NAMES_MAX))
            });
            let why = self.states.limits_of(settings, route).into_iter().chain(unable);
            let reason = match backends.is_empty() {
                true => "it has no backends".to_owned(),
                false => why.collect::<Vec<_>>().join("; "),
            };
            Some(RouteFact { id: id.clone(), reason, backends, fault })
        });
        dead.collect()
    }
}
