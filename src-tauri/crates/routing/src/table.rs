//! The routing rules, in one place so that `explain` and the request path cannot disagree:
//!
//! 1. `backend/model` pins a backend, if a backend of that name exists. The model may contain slashes.
//! 2. Otherwise the route that matches the name. A route for this client and project comes before one
//!    for the client, then one for the project, then one for all. Among those an exact name comes before
//!    the longest pattern before `*`, then the route that is configured first.
//! 3. Otherwise the usable backends that list the model, in the configured order.
//! 4. Otherwise the one backend whose models are unknown, if there is exactly one. With two, a guess
//!    could send a prompt to the wrong company.
//!
//! A client that the user switched to a backend or a route goes there instead (`switched`), but for
//! embeddings.
//!
//! The mock answers only when it is pinned or named by a route or a switch: a made-up answer must never be
//! taken for a real one.

mod served;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use domain::{BackendId, ClientId, ClientTarget, RouteId, RoutePolicy};

use crate::candidates::SelectionContext;
use crate::decision::Decision;
use crate::error::{MODEL_NAME_BYTES_MAX, RoutingError};
use crate::known::{KnownBackend, KnownRoute};
use crate::pattern::ModelPattern;
use crate::request::RoutingRequest;
use crate::route::{BackendRole, BackendStatus, RoutableBackend, Route};
use crate::signals::RoutingSignals;

pub use served::{ModelSet, ServedModels};

/// Minimum similarity of a suggested name (Jaro-Winkler, 0 to 1).
const SUGGESTION_SIMILARITY_MIN: f64 = 0.85;
/// Maximum number of names listed in a refusal.
const NAMES_SHOWN_MAX: usize = 5;

/// A model name that a client may use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelEntry {
    /// A route's name, `backend/model`, or the bare model name.
    pub id: String,
    /// The backend that is tried first for it, ignoring the current state.
    pub backend: BackendId,
}

/// A snapshot of the routes and backends.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    routes: Vec<KnownRoute>,
    routes_by_name: HashMap<String, Vec<usize>>,
    patterns: Vec<(ModelPattern, usize)>,
    backends: Vec<KnownBackend>,
    backends_by_id: HashMap<String, usize>,
    backends_by_model: HashMap<String, Vec<usize>>,
}

/// The requests that a route applies to, from general to specific.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Audience {
    All,
    Project,
    Client,
    ClientAndProject,
}

impl RouteTable {
    /// Builds a table of enabled `routes` and of `backends`, each in the order of preference.
    #[must_use]
    pub fn new(routes: Vec<Route>, backends: Vec<RoutableBackend>) -> Self {
        let mut table = Self::default();
        for (place, route) in routes.into_iter().enumerate() {
            for name in &route.models {
                match ModelPattern::parse(name) {
                    Some(pattern) => table.patterns.push((pattern, place)),
                    None => table.routes_by_name.entry(name.clone()).or_default().push(place),
                }
            }
            table.routes.push(KnownRoute::new(route));
        }
        for (place, models) in backends.into_iter().enumerate() {
            table.backends_by_id.entry(models.backend.as_str().to_owned()).or_insert(place);
            if is_usable_provider(&models) {
                for model in &models.models {
                    let places = table.backends_by_model.entry(model.clone()).or_default();
                    if places.last() != Some(&place) {
                        places.push(place);
                    }
                }
            }
            table.backends.push(KnownBackend::new(models));
        }
        table
    }

    /// True if any route depends on the conversation that a request belongs to.
    #[must_use]
    pub fn follows_conversations(&self) -> bool {
        let follows = |route: &Route| route.sticky.is_some() || route.policy == RoutePolicy::Split;
        self.routes.iter().any(|known| follows(&known.route))
    }

    /// Chooses the candidates for a request. `chance` returns numbers of at least 0 and less than
    /// 1; it is called only where a policy draws.
    pub fn choose(
        &self,
        request: &RoutingRequest<'_>,
        signals: &dyn RoutingSignals,
        chance: &mut dyn FnMut() -> f64,
    ) -> Result<Decision, RoutingError> {
        let model = request.model;
        if model.len() > MODEL_NAME_BYTES_MAX {
            return Err(RoutingError::NameTooLong(model.len()));
        }
        if model.is_empty() {
            return Err(RoutingError::MissingModel);
        }
        let mut selection = SelectionContext { request, signals, chance };
        if let Some(target) = request.target() {
            return self.choose_switched(target, &mut selection);
        }
        if let Some((backend, model)) = self.find_pinned(model) {
            return selection.choose_pinned(backend, model);
        }
        if let Some(known) = self.find_route(model, request.client, request.project) {
            return selection.choose_by_route(known, |id| self.backend(id));
        }
        if let Some(places) = self.backends_by_model.get(model) {
            let backends: Vec<_> =
                places.iter().filter_map(|place| self.backends.get(*place)).collect();
            return Ok(selection.choose_listed(&backends));
        }
        match self.only_unlisted_backend() {
            Some(only) => Ok(selection.choose_unlisted(only)),
            None => Err(self.no_route_error(request)),
        }
    }

    /// Chooses the candidates by the route `id`, whatever model the request names. `None` if there is no
    /// such route.
    pub fn choose_route(
        &self,
        id: &RouteId,
        request: &RoutingRequest<'_>,
        signals: &dyn RoutingSignals,
        chance: &mut dyn FnMut() -> f64,
    ) -> Option<Result<Decision, RoutingError>> {
        let known = self.route(id)?;
        let mut selection = SelectionContext { request, signals, chance };
        Some(selection.choose_by_route(known, |id| self.backend(id)))
    }

    /// Lists the names that [`choose`](Self::choose) accepts: names of routes without patterns,
    /// then `backend/model` for each usable backend in order, then bare names, each once. With a
    /// client, only those that it may use.
    #[must_use]
    pub fn list_models(&self, client: Option<&ClientId>) -> Vec<ModelEntry> {
        let mut seen = HashSet::new();
        let mut entries = Vec::new();
        let mut add = |id: String, backend: &BackendId| {
            if seen.insert(id.clone()) {
                entries.push(ModelEntry { id, backend: backend.clone() });
            }
        };
        for route in self.routes.iter().map(|known| &known.route) {
            let Some(first) = self.first_usable(route) else { continue };
            if client.is_some_and(|client| !applies_to(&route.clients, client)) {
                continue;
            }
            let names = route.models.iter().filter(|name| ModelPattern::parse(name).is_none());
            names
                .filter(|name| self.find_pinned(name).is_none())
                .for_each(|name| add(name.clone(), first));
        }
        for backend in self.usable_backends() {
            let id = &backend.backend;
            backend.models.iter().for_each(|model| add(format!("{id}/{model}"), id));
        }
        for backend in self.usable_backends().filter(|backend| is_usable_provider(backend)) {
            for model in backend.models.iter().filter(|model| self.find_pinned(model).is_none()) {
                let by_route = client.and_then(|client| self.find_route(model, client, None));
                let first = by_route.and_then(|known| self.first_usable(&known.route));
                add(model.clone(), first.unwrap_or(&backend.backend));
            }
        }
        entries
    }

    #[must_use]
    pub fn matching_route(&self, request: &RoutingRequest<'_>) -> Option<&Route> {
        match request.target() {
            None => {}
            Some(ClientTarget::Backend(_)) => return None,
            Some(ClientTarget::Route(id)) => return self.route(id).map(|known| &known.route),
        }
        if self.find_pinned(request.model).is_some() {
            return None;
        }
        let known = self.find_route(request.model, request.client, request.project);
        known.map(|known| &known.route)
    }

    /// Every backend that may answer, with the model name it would be asked for.
    pub(crate) fn possible_backends<'a>(
        &'a self,
        request: &RoutingRequest<'a>,
    ) -> Vec<(&'a KnownBackend, &'a str)> {
        if let Some(ClientTarget::Backend(id)) = request.target() {
            let backend = self.backend(id);
            return backend
                .map(|known| (known, self.model_at(known, request)))
                .into_iter()
                .collect();
        }
        if let Some(pinned) = self.find_pinned(request.model).filter(|_| request.target().is_none())
        {
            return vec![pinned];
        }
        match self.matching_route(request) {
            Some(route) => {
                let candidates = route.candidates.iter().filter_map(|candidate| {
                    let model = candidate.model.as_deref().unwrap_or(request.model);
                    Some((self.backend(&candidate.backend)?, model))
                });
                candidates.collect()
            }
            None => self.providers().map(|known| (known, request.model)).collect(),
        }
    }

    pub(crate) fn route(&self, id: &RouteId) -> Option<&KnownRoute> {
        self.routes.iter().find(|known| known.route.id == *id)
    }

    pub(crate) fn backend(&self, id: &BackendId) -> Option<&KnownBackend> {
        self.backends.get(*self.backends_by_id.get(id.as_str())?)
    }

    pub(crate) fn find_pinned<'a>(&self, model: &'a str) -> Option<(&KnownBackend, &'a str)> {
        let (id, model) = model.split_once('/')?;
        Some((self.backends.get(*self.backends_by_id.get(id)?)?, model))
    }

    pub(crate) fn find_route(
        &self,
        model: &str,
        client: &ClientId,
        project: Option<&str>,
    ) -> Option<&KnownRoute> {
        let exact =
            self.routes_by_name.get(model).into_iter().flatten().map(|place| (usize::MAX, *place));
        let patterns = self.patterns.iter().filter(|(pattern, _)| pattern.matches(model));
        let patterns = patterns.map(|(pattern, place)| (pattern.literal_bytes(), *place));
        let fitting = exact.chain(patterns).filter_map(|(literal_bytes, place)| {
            let known = self.routes.get(place)?;
            let audience = match_audience(&known.route, client, project)?;
            Some(((audience, literal_bytes, Reverse(place)), known))
        });
        fitting.max_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, known)| known)
    }

    fn usable_backends(&self) -> impl Iterator<Item = &RoutableBackend> {
        let models = self.backends.iter().map(|known| &known.models);
        models.filter(|models| models.status == BackendStatus::Usable)
    }

    fn providers(&self) -> impl Iterator<Item = &KnownBackend> {
        self.backends.iter().filter(|known| is_usable_provider(&known.models))
    }

    fn first_usable<'a>(&'a self, route: &'a Route) -> Option<&'a BackendId> {
        let mut backends = route.candidates.iter().map(|candidate| &candidate.backend);
        backends
            .find(|id| self.backend(id).is_some_and(|b| b.models.status == BackendStatus::Usable))
    }

    fn only_unlisted_backend(&self) -> Option<&KnownBackend> {
        let mut unknown = self.providers().filter(|known| known.models.models.is_empty());
        match (unknown.next(), unknown.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    fn no_route_error(&self, request: &RoutingRequest<'_>) -> RoutingError {
        let model = request.model.to_owned();
        let entries = self.list_models(Some(request.client));
        let names: Vec<String> = entries.into_iter().map(|entry| entry.id).collect();
        let is_bare = |name: &String| {
            self.routes_by_name.contains_key(name) || self.backends_by_model.contains_key(name)
        };
        let mut known: Vec<String> =
            names.iter().filter(|name| is_bare(name)).take(NAMES_SHOWN_MAX).cloned().collect();
        if known.is_empty() {
            if self.providers().next().is_none() {
                return RoutingError::NoProvider { model };
            }
            let providers = self.providers().map(|known| format!("{}/…", known.models.backend));
            known = providers.take(NAMES_SHOWN_MAX).collect();
        }
        RoutingError::UnknownModel { suggestion: closest_name(&model, &names), model, known }
    }
}

fn is_usable_provider(models: &RoutableBackend) -> bool {
    models.role == BackendRole::Provider && models.status == BackendStatus::Usable
}

fn applies_to<T: PartialEq>(wanted: &[T], it: &T) -> bool {
    wanted.is_empty() || wanted.contains(it)
}

fn match_audience(route: &Route, client: &ClientId, project: Option<&str>) -> Option<Audience> {
    let is_project = |known: &String| project == Some(known.as_str());
    let fits = applies_to(&route.clients, client)
        && (route.projects.is_empty() || route.projects.iter().any(is_project));
    fits.then(|| Audience::of(route))
}

impl Audience {
    const fn of(route: &Route) -> Self {
        match (route.clients.is_empty(), route.projects.is_empty()) {
            (true, true) => Self::All,
            (true, false) => Self::Project,
            (false, true) => Self::Client,
            (false, false) => Self::ClientAndProject,
        }
    }
}

fn closest_name(model: &str, names: &[String]) -> Option<String> {
    let likeness = |name: &String| strsim::jaro_winkler(model, name);
    let best = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) >= SUGGESTION_SIMILARITY_MIN).then(|| best.clone())
}

#[cfg(test)]
mod tests;
