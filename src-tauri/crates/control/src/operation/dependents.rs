//! What uses a backend or a key, so that the user knows what breaks before removing it.

use domain::{BackendId, ClientTarget, CredentialId};
use settings::{BackendSettings, RouteSettings, Settings};

use crate::operation::clients::switched::clients_switched_to;
use crate::view::DependentsView;

pub(super) fn backend_dependents(settings: &Settings, id: &BackendId) -> DependentsView {
    let lost = |backend: &BackendId| backend == id;
    route_dependents(settings, lost)
}

/// Returns what uses a key. A backend with another key keeps working, and so do its routes.
pub(super) fn key_dependents(settings: &Settings, id: &CredentialId) -> DependentsView {
    let uses = |backend: &BackendSettings| backend.pool.credentials().any(|used| used == id);
    let sole = |backend: &BackendSettings| backend.pool.credentials().all(|used| used == id);
    let lost = |name: &BackendId| {
        settings.backends.get(name).is_some_and(|backend| uses(backend) && sole(backend))
    };
    let users = settings.backends.iter().filter(|(_, backend)| uses(backend));
    DependentsView {
        backends: users.map(|(name, _)| name.to_string()).collect(),
        services: settings.services_with(id).map(ToString::to_string).collect(),
        cache_server: settings.cache.redis_credential.as_ref() == Some(id),
        ..route_dependents(settings, lost)
    }
}

fn route_dependents(settings: &Settings, lost: impl Fn(&BackendId) -> bool) -> DependentsView {
    let known = |name: &BackendId| {
        settings.backends.contains_key(name) || name.as_str() == settings::MOCK_BACKEND_ID
    };
    let leads_there = |route: &RouteSettings| route.candidates.iter().any(|one| lost(&one.backend));
    let leads_elsewhere = |route: &RouteSettings| {
        route.candidates.iter().any(|one| known(&one.backend) && !lost(&one.backend))
    };
    let routes = settings.routes.iter().filter(|(_, route)| leads_there(route));
    let broken = routes.clone().filter(|(_, route)| !leads_elsewhere(route));
    DependentsView {
        backends: Vec::new(),
        routes: routes.map(|(name, _)| name.to_string()).collect(),
        broken_routes: broken.map(|(name, _)| name.to_string()).collect(),
        clients: clients_switched_to(
            settings,
            |target| matches!(target, ClientTarget::Backend(backend) if lost(backend)),
        ),
        services: Vec::new(),
        cache_server: false,
    }
}
