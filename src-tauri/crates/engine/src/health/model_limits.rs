//! Rate limits of single models: a backend that answers cannot serve a route that leads to a limited model
//! of it.

use domain::{BackendId, RouteId, WallTime, list_names};
use jiff::tz::TimeZone;
use routing::{ModelSet, ServedModels};
use settings::{RouteCandidateSettings, RouteSettings, Settings};

use crate::configured::backend_labels;
use crate::health::backend_answers::{BackendAnswers, Outage};
use crate::health::backend_states::BackendStates;
use crate::shown_time::format_time;

/// Limited models named in a sentence, which must fit into a notification: those that end first.
const LIMITS_NAMED_MAX: usize = 1;

/// A route that nothing can answer because every backend that is on limits the model it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitedRoute {
    pub id: RouteId,
    /// A clause: "gpt-5 at OpenAI is rate limited until 3 Dec 15:30".
    pub why: String,
    /// True if a limit is over in a moment, for which clients wait by themselves.
    pub is_brief: bool,
}

/// The rate limit of one model, at a backend that answers for others.
struct ModelLimit {
    model: String,
    /// Display name of the backend.
    label: String,
    until: Option<WallTime>,
    is_brief: bool,
}

impl BackendStates {
    /// `served` without the backends that limit the model of a route for longer than a moment.
    #[must_use]
    pub fn without_limited(
        &self,
        settings: &Settings,
        mut served: Vec<ServedModels>,
    ) -> Vec<ServedModels> {
        for models in &mut served {
            let ModelSet::Route(id) = &models.models else { continue };
            let Some(route) = settings.routes.get(id) else { continue };
            models.backends.retain(|backend| !self.is_limited_for(settings, route, backend));
        }
        served
    }

    /// The routes in use that only limits of models stop.
    #[must_use]
    pub fn limited_routes(&self, settings: &Settings) -> Vec<LimitedRoute> {
        let routes = settings.routes.iter().filter(|(_, route)| settings.is_route_on(route));
        let limited = routes.filter_map(|(id, route)| {
            let on = |it: &&RouteCandidateSettings| {
                it.backend == self.mock || settings.is_backend_on(&it.backend)
            };
            let candidates = route.candidates.iter().filter(on);
            let limits: Option<Vec<ModelLimit>> =
                candidates.map(|it| self.model_limit(settings, route, it)).collect();
            let limits = limits.filter(|all| !all.is_empty())?;
            let is_brief = limits.iter().any(|limit| limit.is_brief);
            let why = clauses(&limits);
            Some(LimitedRoute { id: id.clone(), why, is_brief })
        });
        limited.collect()
    }

    /// True if a backend that answers cannot answer this route, for longer than a moment.
    pub(crate) fn is_limited_for(
        &self,
        settings: &Settings,
        route: &RouteSettings,
        backend: &BackendId,
    ) -> bool {
        let limit = |it| self.model_limit(settings, route, it);
        let mut own = route.candidates.iter().filter(|it| it.backend == *backend).peekable();
        own.peek().is_some() && own.all(|it| limit(it).is_some_and(|limit| !limit.is_brief))
    }

    /// Why backends that answer cannot answer this route, as a clause.
    pub(crate) fn limits_of(&self, settings: &Settings, route: &RouteSettings) -> Option<String> {
        let limit = |it| self.model_limit(settings, route, it);
        let limits: Vec<ModelLimit> = route.candidates.iter().filter_map(limit).collect();
        (!limits.is_empty()).then(|| clauses(&limits))
    }

    fn model_limit(
        &self,
        settings: &Settings,
        route: &RouteSettings,
        candidate: &RouteCandidateSettings,
    ) -> Option<ModelLimit> {
        let model = route.model_at(candidate)?;
        if matches!(self.answers(settings, &candidate.backend), BackendAnswers::No(_)) {
            return None;
        }
        match self.answers_for(settings, &candidate.backend, Some(model)) {
            BackendAnswers::No(Outage { until, is_brief, .. }) => {
                let mut labels = backend_labels(settings, &self.mock);
                let label = labels.remove(candidate.backend.as_str())?;
                Some(ModelLimit { model: model.to_owned(), label, until, is_brief })
            }
            _ => None,
        }
    }
}

/// "gpt-5 at OpenAI is rate limited until 3 Dec 15:30", of the limit that ends first.
fn clauses(limits: &[ModelLimit]) -> String {
    let zone = TimeZone::system();
    let mut limits: Vec<&ModelLimit> = limits.iter().collect();
    limits.sort_by_key(|limit| (limit.until.is_none(), limit.until));
    let clause = |limit: &ModelLimit| {
        let until = limit.until.map(|at| format!(" until {}", format_time(at, &zone)));
        let until = until.unwrap_or_default();
        format!("{} at {} is rate limited{until}", limit.model, limit.label)
    };
    list_names(limits.into_iter().map(clause), LIMITS_NAMED_MAX)
}
