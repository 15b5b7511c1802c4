//! Where a client's requests go: what it may be switched to, and the switch.
//!
//! [`client_targets`] is the one list that tray, panel and palette offer, and [`refusal`] the one rule of
//! what is on it.

use domain::{BackendId, ClientId, ClientTarget};
use engine::Engine;
use settings::{ClientSettings, MOCK_BACKEND_ID, RouteSettings, Settings};

use super::find_client_view;
use crate::ApiError;
use crate::operation::input;
use crate::view::{ClientSwitch, ClientTargetView, ClientView};

/// Label of the entry that undoes a switch.
const RULES_LABEL: &str = "Routing rules";

pub(crate) async fn client_switch(
    engine: &Engine,
    req: ClientSwitch,
) -> Result<ClientView, ApiError> {
    let settings = engine.settings();
    let id = input::parse_known_client(&settings, &req.id)?;
    let target = parse_target(&settings, &req)?;
    if let (Some(client), Some(target)) = (settings.clients.get(&id), &target)
        && let Some(why) = refusal(&settings, &id, client, target)
    {
        let message = format!("{id} cannot be switched to {target}, because it {why}");
        return Err(ApiError::invalid(field_of(target), message));
    }
    let client = id.clone();
    engine
        .settings_editor()
        .edit(move |draft| {
            if let Some(client) = draft.clients.get_mut(&id) {
                client.switched_to = target;
            }
        })
        .await?;
    find_client_view(engine, &client).await
}

/// The routing rules first, then the backends and routes that the client may be switched to. One that it
/// is switched to, but may no longer use, is among them with the reason. Empty for a client that
/// reads metrics, which sends no requests to models.
pub(super) fn client_targets(
    settings: &Settings,
    id: &ClientId,
    client: &ClientSettings,
) -> Vec<ClientTargetView> {
    if client.reads_metrics {
        return Vec::new();
    }
    let rules = ClientTargetView {
        backend: None,
        route: None,
        label: RULES_LABEL.to_owned(),
        current: client.switched_to.is_none(),
        unavailable: None,
    };
    let backends = settings.backends.iter().map(|(id, known)| (id.clone(), known.label.clone()));
    let mock = BackendId::new(MOCK_BACKEND_ID).ok().map(|id| (id, "Mock".to_owned()));
    let backends = backends.chain(mock).map(|(id, label)| (ClientTarget::Backend(id), label));
    let routes = settings.routes.keys();
    let routes = routes.map(|id| (ClientTarget::Route(id.clone()), format!("Route {id}")));
    let targets = backends.chain(routes).filter_map(|(target, label)| {
        let current = client.switched_to.as_ref() == Some(&target);
        let unavailable = refusal(settings, id, client, &target);
        (current || unavailable.is_none()).then(|| target_view(target, label, current, unavailable))
    });
    [rules].into_iter().chain(targets).collect()
}

fn target_view(
    target: ClientTarget,
    label: String,
    current: bool,
    unavailable: Option<String>,
) -> ClientTargetView {
    let (backend, route) = match target {
        ClientTarget::Backend(id) => (Some(id.to_string()), None),
        ClientTarget::Route(id) => (None, Some(id.to_string())),
    };
    ClientTargetView { backend, route, label, current, unavailable }
}

/// Why the client may not be switched there; completes "it …".
fn refusal(
    settings: &Settings,
    id: &ClientId,
    client: &ClientSettings,
    target: &ClientTarget,
) -> Option<String> {
    let scope = &client.scope;
    let not_allowed = || Some("is not allowed for this client".to_owned());
    match target {
        _ if client.reads_metrics => {
            Some("is for requests to models, and this client only reads metrics".to_owned())
        }
        // A backend without a route is allowed only where every route is.
        ClientTarget::Backend(_) if !scope.routes.is_empty() => not_allowed(),
        ClientTarget::Backend(backend) if !scope.allows_backend(backend) => not_allowed(),
        ClientTarget::Backend(backend) if backend.as_str() == MOCK_BACKEND_ID => None,
        ClientTarget::Backend(backend) => settings.why_backend_is_off(backend),
        ClientTarget::Route(route) if !scope.allows_route(route.as_str()) => not_allowed(),
        ClientTarget::Route(route) => {
            let route = settings.routes.get(route)?;
            route_refusal(settings, id, client, route)
        }
    }
}

fn route_refusal(
    settings: &Settings,
    id: &ClientId,
    client: &ClientSettings,
    route: &RouteSettings,
) -> Option<String> {
    let backends = || route.candidates.iter().map(|candidate| &candidate.backend);
    if !route.enabled {
        Some("is switched off".to_owned())
    } else if !settings.is_route_in_profile(route) {
        Some("has no backend in the profile in use".to_owned())
    } else if !route.clients.is_empty() && !route.clients.contains(id) {
        Some("is for other clients".to_owned())
    } else if !backends().any(|backend| client.scope.allows_backend(backend)) {
        Some("has no backend that this client may use".to_owned())
    } else {
        None
    }
}

fn parse_target(settings: &Settings, req: &ClientSwitch) -> Result<Option<ClientTarget>, ApiError> {
    match (&req.backend, &req.route) {
        (Some(_), Some(_)) => {
            Err(ApiError::invalid("route", "name a backend or a route, not both"))
        }
        (None, None) => Ok(None),
        (Some(name), None) => {
            let id: BackendId = input::parse_id("backend", name)?;
            input::check_backend_exists(settings, "backend", &id)?;
            Ok(Some(ClientTarget::Backend(id)))
        }
        (None, Some(name)) => {
            input::parse_known_route(settings, "route", name).map(ClientTarget::Route).map(Some)
        }
    }
}

const fn field_of(target: &ClientTarget) -> &'static str {
    match target {
        ClientTarget::Backend(_) => "backend",
        ClientTarget::Route(_) => "route",
    }
}
