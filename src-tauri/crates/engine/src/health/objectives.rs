//! What the settings promise of the gateway, routes, backends and services. Alerts, scores and
//! screens all ask here, so that one's own objective counts everywhere.

use std::time::Duration;

use domain::{BackendId, RouteId, ServiceGoal, ServiceId, ServicePeriod};
use service_levels::Objective;
use settings::{OwnObjective, RouteSettings, Settings};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LevelScope {
    Gateway,
    Route(RouteId),
    Backend(BackendId),
    Service(ServiceId),
}

domain::words! {
    /// What an objective of the settings is for.
    ObjectiveTarget {
        Gateway = "gateway",
        /// Routes with more than one backend
        Route = "route",
        /// Backends, and routes with only one
        Backend = "backend",
        /// How fast backends begin to answer
        FirstToken = "first-token",
        /// For how long services answer
        Service = "service",
    }
}

/// An objective in the words of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectiveTerms {
    pub goal: ServiceGoal,
    pub period: ServicePeriod,
}

impl ObjectiveTerms {
    #[must_use]
    pub const fn objective(self) -> Objective {
        Objective::new(self.goal, self.period)
    }
}

/// What holds where nothing has an objective of its own.
#[must_use]
pub const fn default_terms(settings: &Settings, target: ObjectiveTarget) -> ObjectiveTerms {
    let all = &settings.service_levels;
    let (goal, period) = match target {
        ObjectiveTarget::Gateway => (all.gateway_goal, all.gateway_period),
        ObjectiveTarget::Route => (all.route_goal, all.route_period),
        ObjectiveTarget::Backend => (all.backend_goal, all.backend_period),
        // Latencies are read for a week.
        ObjectiveTarget::FirstToken => (all.first_token_goal, ServicePeriod::Week),
        ObjectiveTarget::Service => (all.service_goal, all.service_period),
    };
    ObjectiveTerms { goal, period }
}

/// The default of `target`, with what `scope` has of its own.
#[must_use]
pub fn terms_of(
    settings: &Settings,
    scope: &LevelScope,
    target: ObjectiveTarget,
) -> ObjectiveTerms {
    let default = default_terms(settings, target);
    if target == ObjectiveTarget::FirstToken {
        return default;
    }
    let own = own_objective(settings, scope);
    ObjectiveTerms {
        goal: own.goal.unwrap_or(default.goal),
        period: own.period.unwrap_or(default.period),
    }
}

/// [`terms_of`] as an objective.
#[must_use]
pub fn objective_of(settings: &Settings, scope: &LevelScope, target: ObjectiveTarget) -> Objective {
    terms_of(settings, scope, target).objective()
}

/// What `scope` has of its own; nothing if it is not in the settings.
fn own_objective(settings: &Settings, scope: &LevelScope) -> OwnObjective {
    let own = match scope {
        LevelScope::Gateway => None,
        LevelScope::Route(id) => settings.routes.get(id).map(|known| known.objective),
        LevelScope::Backend(id) => settings.backends.get(id).map(|known| known.objective),
        LevelScope::Service(id) => settings.services.get(id).map(|known| known.objective),
    };
    own.unwrap_or_default()
}

/// True if the default of `target` does not hold for all of the objective of `scope`.
#[must_use]
pub fn has_own_terms(settings: &Settings, scope: &LevelScope, target: ObjectiveTarget) -> bool {
    let own = own_objective(settings, scope);
    match target {
        ObjectiveTarget::FirstToken => own.first_token_max_ms.is_some(),
        _ => own.goal.is_some() || own.period.is_some(),
    }
}

/// [`first_token_max`] of a backend without one of its own.
#[must_use]
pub fn default_first_token_max(settings: &Settings) -> Duration {
    Duration::from_millis(settings.service_levels.first_token_max_ms.into())
}

/// A first token of `backend` that takes longer is not in time.
#[must_use]
pub fn first_token_max(settings: &Settings, backend: &BackendId) -> Duration {
    let own = own_objective(settings, &LevelScope::Backend(backend.clone())).first_token_max_ms;
    own.map_or_else(|| default_first_token_max(settings), |ms| Duration::from_millis(ms.into()))
}

/// The default that a route's own objective replaces. With one backend, it promises no more than
/// that one.
#[must_use]
pub fn route_target(route: &RouteSettings) -> ObjectiveTarget {
    let first = route.candidates.first().map(|candidate| &candidate.backend);
    let has_fallback = route.candidates.iter().any(|it| Some(&it.backend) != first);
    if has_fallback { ObjectiveTarget::Route } else { ObjectiveTarget::Backend }
}

/// What requests are counted for, each with its default: the gateway, the enabled routes and the
/// enabled backends.
pub(crate) fn targets(settings: &Settings) -> Vec<(LevelScope, ObjectiveTarget)> {
    let routes = settings.routes.iter().filter(|(_, route)| settings.is_route_on(route));
    let routes = routes.map(|(id, route)| (LevelScope::Route(id.clone()), route_target(route)));
    let backends = settings.backends_on();
    std::iter::once((LevelScope::Gateway, ObjectiveTarget::Gateway))
        .chain(routes)
        .chain(backends.map(|(id, _)| (LevelScope::Backend(id.clone()), ObjectiveTarget::Backend)))
        .collect()
}
