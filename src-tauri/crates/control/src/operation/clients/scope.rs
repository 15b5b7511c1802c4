//! What a client may be limited to: backends and routes that exist, since a mistyped one would refuse
//! all its requests.

use settings::{ClientScope, Settings};

use crate::ApiError;
use crate::operation::input;
use crate::view::ClientScopeView;

/// Parses a scope. What the client is limited to already stays, also where it was removed since: without
/// its last name a list would allow everything.
pub(super) fn parse_scope(
    settings: &Settings,
    wanted: &ClientScopeView,
    known: Option<&ClientScope>,
) -> Result<ClientScope, ApiError> {
    let scope = wanted.to_client_scope()?;
    let (known_backends, known_routes) =
        known.map_or((&[][..], &[][..]), |known| (&known.backends, &known.routes));
    for backend in scope.backends.iter().filter(|name| !known_backends.contains(name)) {
        input::check_backend_exists(settings, "scope.backends", backend)?;
    }
    for route in scope.routes.iter().filter(|name| !known_routes.contains(name)) {
        input::check_route_exists(settings, "scope.routes", route)?;
    }
    Ok(scope)
}
